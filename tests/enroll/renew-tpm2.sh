#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --renew of policies with a TPM: what it keeps, what it seals anew when that is asked for, and that nothing is
# lost where it can do neither.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

pin=7391-öde

bind() { # OPTION…
	run "$cotter_enroll" --unlock-key-file="$passphrase" "$@" "$image"
	assert_rc 0
}

# Without a terminal.
renew() { # [OPTION…]
	cp "$image" "$tmp/before"
	run setsid -w "$cotter_enroll" --renew --json=short "$@" "$image" </dev/null
}

# At one, where a person types the PIN.
renew_typing() { # PIN [OPTION…]
	cp "$image" "$tmp/before"
	run "$src/tests/terminal.py" "PIN of token 0: " "$1"$'\n' -- "$cotter_enroll" --renew "${@:2}" "$image"
}

copy() { # FROM NAME
	image=$tmp/$2
	cp "$tmp/$1" "$image"
}

unchanged() {
	assert_same_file "$image" "$tmp/before"
}

new_server_keys() {
	local key
	mapfile -t old < <(cd "$tmp/tang" && ls -- *.jwk)
	/usr/libexec/tangd-keygen "$tmp/tang"
	for key in "${old[@]}"; do mv "$tmp/tang/$key" "$tmp/tang/.$key"; done
}

# "recovered", "failed" or "not needed" of each part.
parts() {
	"$cotter_enroll" --report --json=short "$image" | jq -c '[.tokens[0].report.shares[] | [.pin, .state]] | sort'
}

opens_by_pin() { # PIN
	printf %s "$1" | with_plugins cryptsetup open --test-passphrase --token-only "$image"
}

facts() { # FILTER
	"$cotter_enroll" --list --json=short "$image" | jq -c "$1"
}

start_tpm tpm
start_tangd
make_small_image plain

# --- the TPM alone ---

copy plain alone
bind --tpm2-device=auto --tpm2-pcrs=23 --label=here
cp "$image" "$tmp/bound"
renew
ok "a TPM as it was is not due" assert_json '.tokens[0] | .state == "not-due" and .leaves[0].pin == "tpm2"'
ok "and nothing changes" unchanged
renew --force
ok "--force renews it" assert_json '.tokens[0] | .state == "renewed" and .leaves[0].state == "kept"'
ok "which opens the volume" opens_by_token "$image"
ok "with its PCR and label" assert_equal "$(facts '.tokens[0] | [.label, .facts.pcrs]')" '["here","sha256:23"]'
ok "nothing is left open in the TPM" nothing_open
renew --reseal
ok "--reseal changes nothing where PCRs are as they were" assert_json '.tokens[0].state == "not-due"'
renew --tpm2-pcrs=16+23
ok "other PCRs are sealed to when asked" assert_json '.tokens[0] | .state == "renewed" and .leaves[0].state == "changed"'
ok "which the token says" assert_equal "$(facts '.tokens[0].facts.pcrs')" '"sha256:16,23"'
ok "and it opens the volume" opens_by_token "$image"

copy bound alone
extend_pcr 23:sha256
renew
ok "with other PCRs it recovers nothing, so it stays" assert_rc 1
ok "and says which" assert_error_has "PCR 23"
ok "to the byte" unchanged
renew --reseal
ok "--reseal does not help what cannot be recovered" assert_rc 1
ok "to the byte too" unchanged
run "$cotter_enroll" --replace --unlock-key-file="$passphrase" --tpm2-device=auto --tpm2-pcrs=23 "$image"
ok "--replace does" assert_error_has "token 0, keyslot 2, proven"
ok "and it opens the volume again" opens_by_token "$image"
restart_tpm tpm

# --- a policy that holds without the TPM ---

copy plain either
bind --policy="1 of (tpm2(pcrs=23), tang($tang_url, thp=$tang_thumbprint))"
cp "$image" "$tmp/either.bound"
new_server_keys
extend_pcr 23:sha256
renew
ok "a TPM that does not agree keeps its values in a policy that holds" assert_json '.tokens[0].state == "renewed" and
	([.tokens[0].leaves[] | [.pin, .state]] | sort == [["tang", "changed"], ["tpm2", "kept"]])'
ok "of which it fails as before" assert_equal "$(parts)" '[["tang","recovered"],["tpm2","failed"]]'
ok "the volume opens" opens_by_token "$image"
restart_tpm tpm
ok "and by the TPM once PCRs are as they were" assert_equal "$(parts)" '[["tang","recovered"],["tpm2","recovered"]]'

extend_pcr 23:sha256
renew --reseal
ok "--reseal seals it to the PCRs as they are" assert_json '.tokens[0].state == "renewed"'
ok "so that it holds now" assert_equal "$(parts)" '[["tang","recovered"],["tpm2","recovered"]]'
renew --reseal
ok "then nothing is due" assert_json '.tokens[0].state == "not-due"'

copy either.bound either
stop_server tpm
renew
ok "without the TPM the token stays" assert_rc 3
ok "and says so" assert_json '.tokens[0].state == "kept" and .tokens[0].cause != null'
ok "to the byte" unchanged
start_tpm other
copy either.bound either
renew
ok "with another TPM too" assert_rc 1
ok "and says what would help" assert_error_has "--reseal"
ok "unchanged" unchanged
renew --reseal
ok "which it does" assert_json '.tokens[0].state == "renewed"'
ok "by both" assert_equal "$(parts)" '[["tang","recovered"],["tpm2","recovered"]]'
stop_server other
start_tpm tpm

# --- a PIN ---

copy plain with-pin
run "$src/tests/terminal.py" "New PIN: " "$pin"$'\n' "The same again: " "$pin"$'\n' -- "$cotter_enroll" \
	--unlock-key-file="$passphrase" --tpm2-device=auto --tpm2-pcrs=23 --tpm2-with-pin=yes "$image"
assert_rc 0
cp "$image" "$tmp/pin.bound"
renew --force
ok "without a terminal a token with a PIN stays" assert_rc 3
ok "to the byte" unchanged
renew_typing "$pin" --force
ok "at a terminal it is renewed" assert_output_has "renewed token 0: keyslot 2 in place of 1, proven"
ok "and opens by the same PIN" opens_by_pin "$pin"
ok "and by no other" not opens_by_pin 0000

copy plain pin-or-tang
run "$src/tests/terminal.py" "New PIN: " "$pin"$'\n' "The same again: " "$pin"$'\n' -- "$cotter_enroll" --unlock-key-file="$passphrase" \
	--policy="1 of (tpm2(pcrs=23, pin=yes), tang($tang_url, thp=$(curl -sSf "$tang_url/adv" | jose fmt -j- -g payload -yo- |
		jose jwk use -i- -r -u verify -o- | jose jwk thp -i- | head -n 1)))" "$image"
assert_rc 0
new_server_keys
renew
ok "a PIN that is not needed to open is needed to renew" assert_rc 3
ok "which is told" assert_json '.tokens[0] | .state == "kept" and (.cause | contains("PIN"))'
ok "and nothing changes" unchanged
renew_typing "$pin"
ok "and is asked for" assert_output_has "renewed token 0"
stop_tangd
ok "then it opens by the PIN alone" opens_by_pin "$pin"
start_tangd tang "${tang_url##*:}"

# --- PCR 15, which the initramfs ends with ---

copy plain early
bind --tpm2-device=auto --tpm2-pcrs="15=$pcr_zeros"
extend_pcr 15:sha256
renew --force
ok "what holds before switch-root alone is not renewed" assert_rc 1
ok "and says what to do" assert_error_has "--replace=0 with its policy replaces it"
ok "nothing changes" unchanged
renew --force --unlock-key-file="$passphrase"
ok "a passphrase does not make it believed" assert_rc 1
ok "nothing changes then" unchanged

for option in --tpm2-with-pin=yes --tpm2-public-key=x --tpm2-device=auto; do
	renew $option
	ok "what --renew cannot change is refused: $option" assert_rc 2
done
done_testing
