#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Servers, TPMs and clients that do wrong in ways drawn from a seed, met by pins, plugin, tool and cotter-tangd: each
# ends in time, opens only by the true secret and whenever enough is well, says why not in lines for people and
# nothing secret, and leaves a volume that opens as before.
#
#	hostile.sh                a while, from the first seed on; COTTER_HOSTILE_SECONDS says how long,
#	                          COTTER_HOSTILE_FIRST where to begin
#	hostile.sh SEED…          these
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

[ "$(id -u)" = 0 ] || skip_all "only root can put plugins in their place"

worlds=3 seconds=20
[ "$sanitized" = 0 ] || seconds=40

# --- the stage ---

cd "$tmp"
new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${new_key[@]}" -subj /CN=CA -keyout ca.key -out ca.pem 2>/dev/null
certificate() { # NAME EXTENSION DAYS
	openssl req "${new_key[@]}" -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$3" \
		-extfile <(echo "subjectAltName=$2") -out "$1.pem" 2>/dev/null
}
certificate good IP:127.0.0.1 2
certificate other DNS:tang.example 2
certificate expired IP:127.0.0.1 0
openssl req -x509 "${new_key[@]}" -subj /CN=self -addext subjectAltName=IP:127.0.0.1 \
	-keyout self.key -out self.pem 2>/dev/null

upstreams= thumbprints=
for name in a b c d; do
	case $name in a | b) tangd=cotter ;; *) tangd=debian ;; esac
	start_tangd "server-$name"
	upstreams+=" 127.0.0.1:$tang_port" thumbprints+=" $tang_thumbprint"
done
mkdir clients
/usr/libexec/tangd-keygen clients
tangd=cotter tang_keys=$tmp/clients start_tangd server-clients
clients=127.0.0.1:$tang_port clients_pid=${servers[server-clients]}

start_tpm stranger
for ((i = 0; i < worlds; i++)); do
	start_tpm "tpm$i"
	start_server "proxy$i" "$src/tests/tpmproxy.py" "$tmp/proxy$i.tpm" "$tmp/tpm$i.tpm" "$tmp/proxy$i"
	wait_until 60 test -S "$tmp/proxy$i.tpm" -a -S "$tmp/proxy$i.tpm.ctrl" -a -e "$tmp/proxy$i/commands"
done
make_image plain --luks2-keyslots-size=2064384 --luks2-metadata-size=64k >/dev/null
truncate -s 4M "$image"

preload=
[ "$sanitized" = 0 ] || preload=$(realpath "$(gcc -print-file-name=libasan.so)")
export tmp build sanitized preload upstreams thumbprints clients clients_pid worlds

[ $# -gt 0 ] || set -- "${COTTER_HOSTILE_FIRST:-1}-" "${COTTER_HOSTILE_SECONDS:-$seconds}"
prepare_plugins
ended=true # the harness writes its own
unshare -m sh -c 'mount --bind "$1" "$2" || exit 125; shift 2; exec "$@"' hostile "$tmp/plugins" "$plugins_dir" \
	/usr/bin/python3 "$src/tests/fault/harness.py" "$@" | tee "$tmp/lines"
echo "1..$(grep -cE '^(not )?ok ' "$tmp/lines")"
