#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A stage for tests and ./quickstart: a temporary folder, Tang servers on loopback ports,
# software TPMs, throw-away volumes, and our plugins where libcryptsetup looks for them. stage_done ends all of it.

src=${COTTER_SOURCE_ROOT:-$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")}
build=${COTTER_BUILD_ROOT:-$src/build/plain}
sanitized=${COTTER_SANITIZED:-0}
cotter_enroll=$build/enroll/cotter-enroll
cotter_tangd=$build/tang/server/cotter-tangd
cotter_tang_keys=$build/tang/server/cotter-tang-keys
export LC_ALL=C.UTF-8 no_proxy='*'

tmp=$(mktemp -d -t cotter.XXXXXX)
declare -A servers=() # name -> process group

stage_done() {
	local pid
	for pid in "${servers[@]}"; do
		kill -- "-$pid" 2>/dev/null || true
	done
	[ ! -e "$tmp/made_plugins_dir" ] || rmdir "$(cat "$tmp/made_plugins_dir")"
	rm -rf "$tmp"
}

# Polls CMD until it succeeds, for SECONDS at most.
wait_until() { # SECONDS CMD…
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt $end ] || { echo "waited in vain: $*" >&2; return 1; }
		sleep 0.02
	done
}

# An /etc that belongs to a test in a mount namespace of its own, so that its crypttab is nobody else's.
own_etc() {
	cp -a /etc "$tmp/etc"
	rm -f "$tmp/etc/crypttab"
	mount --bind "$tmp/etc" /etc
}

# --- servers on loopback ports ---

# Starts CMD in a process group of its own, which stop_server NAME and the end of the test kill.
# Its stderr goes to $tmp/NAME.log.
start_server() { # NAME CMD…
	local name=$1
	shift
	# Emptied here: who waits for a word there must not find one of a server before.
	: >"$tmp/$name.out"
	: >"$tmp/$name.log"
	setsid "$@" >"$tmp/$name.out" 2>"$tmp/$name.log" </dev/null &
	servers[$name]=$!
}

stop_server() { # NAME
	local pid=${servers[$1]}
	unset "servers[$1]"
	kill -- "-$pid"
	wait "$pid" 2>/dev/null || true
}

# A real Tang server with its keys in $tmp/NAME, made where there are none. Sets $tang_port, $tang_url and
# $tang_thumbprint. PORT 0, the default, is any free one.
tangd=debian     # whose: debian, with a process for each connection, or cotter
tang_keys=       # another folder of keys than $tmp/NAME
tangd_backlog=64 # of socat
tangd_prefix=()  # what the server is started by, such as taskset
tangd_options=() # of ours

start_tangd() { # [NAME [PORT [ADDRESS]]]
	local name=${1:-tang} port=${2:-0} address=${3:-127.0.0.1} listen=TCP4-LISTEN
	local dir=${tang_keys:-$tmp/$name} log=$tmp/$name.log
	mkdir -p "$dir"
	[ -n "$(ls "$dir")" ] || /usr/libexec/tangd-keygen "$dir"
	case $address in \[*) listen=TCP6-LISTEN ;; esac

	if [ "$tangd" = cotter ]; then
		start_server "$name" "${tangd_prefix[@]}" "$cotter_tangd" --listen="$address:$port" \
			"${tangd_options[@]}" "$dir"
	else
		start_server "$name" "${tangd_prefix[@]}" socat -d -d \
			"$listen:$port,bind=$address,reuseaddr,fork,backlog=$tangd_backlog" \
			"EXEC:/usr/libexec/tangd $dir"
	fi
	wait_until 60 grep -qE 'listening on .*:[0-9]+$' "$log" || { cat "$log" >&2; return 1; }
	tang_port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$log")
	tang_url=http://$address:$tang_port
	tang_thumbprint=$(curl -sSfg "$tang_url/adv" | jose fmt -j- -g payload -yo- |
		jose jwk use -i- -r -u verify -o- | jose jwk thp -i- | head -n 1)
}

stop_tangd() { # [NAME]
	stop_server "${1:-tang}"
}

# A server that misbehaves as the options of hostile.py say. Sets $hostile_port and $hostile_url.
start_hostile() { # NAME [OPTION…]
	local name=$1
	shift
	start_server "$name" /usr/bin/python3 "$src/tests/hostile.py" "$@"
	wait_until 60 test -s "$tmp/$name.out" || { cat "$tmp/$name.log" >&2; return 1; }
	hostile_port=$(head -n 1 "$tmp/$name.out")
	hostile_url=http://127.0.0.1:$hostile_port
}

# --- software TPMs ---

# A TPM called NAME, made where it is new, which our programs and tpm2-tools then use.
start_tpm() { # NAME
	mkdir -p "$tmp/$1.state"
	tpm_options=(socket --tpm2 --tpmstate "dir=$tmp/$1.state"
		--server "type=unixio,path=$tmp/$1.tpm" --ctrl "type=unixio,path=$tmp/$1.tpm.ctrl"
		--flags "not-need-init,startup-clear")
	start_server "$1" swtpm "${tpm_options[@]}"
	wait_until 60 test -S "$tmp/$1.tpm" -a -S "$tmp/$1.tpm.ctrl"
	use_tpm "$1"
	# A TPM that was not shut down counts that as a wrong PIN.
	tpm2_dictionarylockout --clear-lockout
}

use_tpm() { # NAME
	export TPM2TOOLS_TCTI=swtpm:path=$tmp/$1.tpm
	export COTTER_TPM2_TCTI=$TPM2TOOLS_TCTI
}

# A PCR as it is when the machine starts, in the bank sha256.
pcr_zeros=$(printf '%064d' 0)

extend_pcr() { # INDEX:BANK
	local digits
	case $1 in *sha1) digits=40 ;; *sha256) digits=64 ;; *sha384) digits=96 ;; *) digits=128 ;; esac
	tpm2_pcrextend "$1=$(printf "%0${digits}d" 1)"
}

# --- volumes ---

passphrase=$tmp/passphrase
printf 'correct horse' >"$passphrase"
luks_format=(cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2
	--pbkdf-force-iterations 1000 --key-file "$passphrase")

# A LUKS2 image, opened by the passphrase in the file $passphrase. Sets $image.
make_image() { # [NAME [LUKSFORMAT-OPTION…]]
	image=$tmp/${1:-image}
	[ $# = 0 ] || shift
	truncate -s 20M "$image"
	"${luks_format[@]}" "$@" "$image"
}

opens_by_passphrase() { # IMAGE [OPTION…]
	cryptsetup open --test-passphrase --disable-external-tokens --key-file "$passphrase" "$@"
}

# With the system's cryptsetup and our plugins.
opens_by_token() { # IMAGE [OPTION…]
	with_plugins cryptsetup open --test-passphrase --token-only "$@"
}

token_json() { # IMAGE TOKEN-ID
	cryptsetup token export --disable-external-tokens --token-id "$2" "$1"
}

# --- our plugins ---

# Where libcryptsetup looks for plugins, as it says itself.
find_plugins_dir() {
	/usr/bin/python3 -c 'import ctypes
lib = ctypes.CDLL("libcryptsetup.so.12")
lib.crypt_token_external_path.restype = ctypes.c_char_p
print(lib.crypt_token_external_path().decode())'
}

# $tmp/plugins holds what libcryptsetup's folder would after an installation: the system's plugins
# and ours, which that for Clevis's tokens is not among unless it is asked for.
our_plugins='libcryptsetup-token-cotter-*.so'
prepare_plugins() {
	plugins_dir=${plugins_dir:-$(find_plugins_dir)}
	[ ! -d "$tmp/plugins" ] || return 0
	[ -d "$plugins_dir" ] || { mkdir "$plugins_dir" && echo "$plugins_dir" >"$tmp/made_plugins_dir"; }
	mkdir "$tmp/plugins"
	find "$plugins_dir" -name '*.so' -exec cp {} "$tmp/plugins" \;
	find "$(realpath "$build/token")" -name "$our_plugins" \
		-exec ln -s {} "$tmp/plugins" \;
}

# Runs a program in a mount namespace of its own in which our plugins are installed. A plugin built
# with the address sanitizer can only be loaded where its runtime came first; what cryptsetup itself
# leaks is not our concern.
with_plugins() { # CMD…
	local preload=()
	prepare_plugins
	[ "$sanitized" = 0 ] || preload=(env "ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0"
		"LD_PRELOAD=$(realpath "$(gcc -print-file-name=libasan.so)")")
	unshare -m sh -c 'mount --bind "$1" "$2" || exit 125; shift 2; exec "$@"' with_plugins \
		"$tmp/plugins" "$plugins_dir" "${preload[@]}" "$@"
}
