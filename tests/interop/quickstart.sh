#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# ./quickstart does what it says and leaves nothing behind; with --keep, what it says.
. "$(dirname "$0")/../lib.sh"

leftovers() {
	ls -A "$tmp/stage"
	pgrep -af "$tmp/stage" || true
}

# A command that --keep tells, as one would paste it.
pasted() { # BEGINNING
	grep -m 1 "^  $1" "$tmp/kept"
}

# Runs a command in the mount namespace that --keep tells to enter.
in_namespace() { # COMMAND
	bash -c "$(pasted unshare | sed 's/exec bash/exec sh/')" <<<"$1"
}

mkdir "$tmp/stage"
export TMPDIR=$tmp/stage
cd /

run "$src/quickstart"
ok "succeeds" assert_rc 0
ok "binds a volume" assert_output_has "token 0, keyslot 1, proven"
ok "lists it" grep -qE '^ +1 +0 +cotter-tang' "$tmp/out"
ok "shows why it does not open without the server" assert_output_has "connection refused"
ok "binds it to a TPM" assert_output_has "token 1, keyslot 1, proven"
ok "lists that, too" grep -qE '^ +1 +1 +cotter-tpm2' "$tmp/out"
ok "opens it by the server, by its new keys, by the TPM, and by the passphrase" \
	assert_equal "$(grep -c '^  It opens\.$' "$tmp/out")" 4
ok "renews it" assert_output_has "renewed"
ok "tells what was recovered by which key" grep -qE 'hidden' "$tmp/out"
ok "shows why it does not open by the TPM in the end" assert_output_has "PCR 7 (sha256, secure-boot-policy)"
ok "leaves nothing behind" assert_equal "$(leftovers)" ""

run "$src/quickstart" --keep
ok "--keep succeeds" assert_rc 0
ok "no server is left" assert_equal "$(pgrep -f "$tmp/stage")" ""

cp "$tmp/out" "$tmp/kept"

server=$(pasted '.*cotter-tangd' | sed 's/ &$//')
start_server kept bash -c "cd '$src' && exec $server"
port=$(sed 's/.*--listen=127\.0\.0\.1:\([0-9]*\) .*/\1/' <<<"$server")
wait_until 60 curl -sf -o /dev/null "http://127.0.0.1:$port/adv"
open=$(sed -n '/^  unshare/,$p' "$tmp/kept" | grep -m 1 '^  cryptsetup')
run in_namespace "$open"
ok "what it tells to play with opens the volume" assert_rc 0
stop_server kept
run in_namespace "$open"
ok "and not when that server has stopped" assert_error_has "connection refused"

start_server tpm bash -c "$(pasted swtpm | sed 's/ &$//')"
eval "$(pasted export)"
wait_until 60 test -S "${COTTER_TPM2_TCTI#*path=}"
run in_namespace "$open"
ok "the TPM, started again, opens it, too" assert_rc 0
stop_server tpm

run "$src/quickstart" --what
ok "an unknown option is told" assert_rc 2
if unshare -U true; then
	run unshare -U "$src/quickstart"
	ok "root is asked for" assert_error_has "as root"
else
	skip "root is asked for" "no user namespaces here"
fi
done_testing
