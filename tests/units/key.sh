#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-key hands a volume's passphrase to whoever connects as systemd-cryptsetup does, and to nobody
# else.
if [ -z "${IN_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP only root can mount"; exit 0; }
	IN_NAMESPACE=1 exec unshare -m "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"

own_etc

# Reads the key file as systemd-cryptsetup does, from this address in the abstract namespace, or as this user.
read_key() { # ADDRESS [USER]
	/usr/bin/python3 - "$build/units/cotter-key" "$tmp/socket" "$@" <<-'END'
	import os, socket, subprocess, sys
	program, path, address, user = (sys.argv[1:] + [None])[:4]
	if os.path.exists(path):
	    os.unlink(path)
	listener = socket.socket(socket.AF_UNIX)
	listener.bind(path)
	os.chmod(path, 0o666)
	listener.listen()
	reader = os.fork()
	if reader == 0:
	    if user:
	        os.chmod(os.path.dirname(path), 0o711)
	        os.setuid(int(user))
	    client = socket.socket(socket.AF_UNIX)
	    if address:
	        client.bind("\0" + address)
	    client.connect(path)
	    while data := client.recv(4096):
	        os.write(1, data)
	    os._exit(0)
	connection, _ = listener.accept()
	status = subprocess.run([program], stdin=connection, stdout=subprocess.DEVNULL).returncode
	connection.close()
	os.waitpid(reader, 0)
	sys.exit(status)
	END
}

gives_nothing() { # WORDS
	assert_rc 1 && assert_error_has "$1"
	[ ! -s "$tmp/out" ] || { echo "it gave something"; return 1; }
}

start_tangd
make_image volume
"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" "$image"
make_image bare
cat >/etc/crypttab <<-END
	data $tmp/volume none tpm2-measure-pcr=yes
	bare $tmp/bare none
END

run read_key "0123456789abcdef/cryptsetup/data"
ok "gives the key" assert_rc 0
ok "which opens the volume" cryptsetup open --test-passphrase --disable-external-tokens \
	--key-file="$tmp/out" "$tmp/volume"
run read_key "0123456789abcdef/cryptsetup/other"
ok "of no volume that crypttab has not" gives_nothing "/etc/crypttab has no volume other"
run read_key "0123456789abcdef/cryptsetup/"
ok "nor of one without a name" gives_nothing "has no volume"
run read_key "0123456789abcdef/data"
ok "nor to whoever is not systemd-cryptsetup" gives_nothing "does not say for which volume"
run read_key ""
ok "nor to nobody in particular" gives_nothing "does not say for which volume"
run read_key "0123456789abcdef/cryptsetup/data" 65534
ok "nor to other users" gives_nothing "user 65534 asked for a key"
run read_key "0123456789abcdef/cryptsetup/bare"
ok "there is none without a token" gives_nothing "has no token"
stop_tangd
run read_key "0123456789abcdef/cryptsetup/data"
ok "nor without the server" gives_nothing "connection refused"
run "$build/units/cotter-key" </dev/null
ok "it wants a socket" gives_nothing "wants a local socket"

done_testing
