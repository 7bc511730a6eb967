#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where the drop-in's secrets must not go: no system call but those that read carries a plaintext, a passphrase
# or a share, but for standard output and the pipe to another's pin; and what stays in memory is kept out of
# core files.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../trace.sh"

bin=$build/enroll/clevis/bin
mkdir "$tmp/others"
PATH=$tmp/others:$bin:$PATH

# Calls other than write(2) to the descriptor.
elsewhere_than() { # FD
	sed -i -E "/^[0-9]+ +write\($1, /d" "$tmp/trace.out"
}

cannot_be_dumped() {
	grep -qE 'prctl\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE\) += 0' "$tmp/trace.out"
}

start_tangd
tang="{\"url\":\"$tang_url\",\"thp\":\"$tang_thumbprint\"}"
head -c 48 /dev/urandom | base64 -w 0 >"$tmp/plain"
head -c 48 /dev/urandom | base64 -w 0 >"$passphrase"

# --- encrypt, decrypt ---

traced clevis encrypt tang "$tang" <"$tmp/plain"
ok "encrypts under strace" assert_rc 0
cp "$tmp/out" "$tmp/jwe"
ok "the trace shows what is read" crosses "$tmp/plain" "$tmp/trace.in"
ok "the trace shows what is written" crosses "$tmp/jwe" "$tmp/trace.out"
ok "the plaintext goes nowhere" goes_nowhere "$tmp/plain"
ok "nothing is created" creates_no_file
ok "and nobody can dump it" cannot_be_dumped

traced clevis decrypt <"$tmp/jwe"
ok "decrypts under strace" assert_rc 0
ok "the plaintext is written" crosses "$tmp/plain" "$tmp/trace.out"
elsewhere_than 1
ok "to standard output alone" goes_nowhere "$tmp/plain"
ok "nothing is created" creates_no_file
ok "and nobody can dump it" cannot_be_dumped

# --- another's pin ---

# It shows what it is given, and so what must not be seen in its arguments or environment.
cat >"$tmp/others/clevis-encrypt-tee" <<END
#!/bin/sh
tee "$tmp/share" | PATH=$PATH exec clevis encrypt null '{}'
END
chmod +x "$tmp/others/clevis-encrypt-tee"
# The JWE would name the pin null, which we have.
traced clevis encrypt sss '{"t":1,"pins":{"tee":{}}}' <"$tmp/plain"
ok "has another's pin encrypt under strace" assert_rc 0
ok "which is given a share" test -s "$tmp/share"
ok "the plaintext goes nowhere" goes_nowhere "$tmp/plain"
share_only_piped() {
	grep -F -e "$(in_hex <"$tmp/share")" "$tmp/trace.out" >"$tmp/calls"
	! grep -vE '^[0-9]+ +write\([0-9]+, ' "$tmp/calls"
}
ok "and the share crosses pipes alone" share_only_piped

# --- volumes ---

make_small_image image
traced clevis luks bind -f -k "$passphrase" -d "$image" tang "$tang"
ok "binds under strace" assert_rc 0
/usr/bin/clevis luks pass -d "$image" -s 1 >"$tmp/secret" || true
ok "its secret is known here" cryptsetup open --test-passphrase --disable-external-tokens \
	--key-slot 1 --key-file "$tmp/secret" "$image"
ok "the passphrase goes nowhere" goes_nowhere "$passphrase"
ok "nor does the secret" goes_nowhere "$tmp/secret"

traced clevis luks pass -d "$image" -s 1
ok "tells the secret under strace" assert_rc 0
elsewhere_than 1
ok "on standard output alone" goes_nowhere "$tmp/secret"

for verb in "unlock -d $image -t 1" "regen -q -d $image -s 1"; do
	traced clevis luks $verb
	ok "luks $verb under strace" assert_rc 0
	ok "and the secret goes nowhere" goes_nowhere "$tmp/secret"
done
done_testing
