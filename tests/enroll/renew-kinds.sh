#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --renew of all kinds of bindings to a TPM: the same header but for what is made anew, Clevis's objects too,
# and the volume as it was wherever that cannot be. What does not open is replaced.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

key=(--unlock-key-file="$passphrase")
pin=7391-öde

bind() { # OPTION…
	run "$cotter_enroll" "${key[@]}" "$@" "$image"
	assert_rc 0
}

bind_tpm() { # [OPTION…]
	bind --tpm2-device=auto "$@"
}

# What can be seen of the token that is renewed: all of its header but what is made anew.
policy_of() { # TOKEN
	token_json "$image" "$1" | jq -r .jwe.protected | jose b64 dec -i- |
		jq -cS 'del(.clevis.tpm2.jwk_pub, .clevis.tpm2.jwk_priv, .clevis.tpm2.salt)'
}

# Renews without a terminal. The volume before is in $tmp/before, and the policy of token 0 in $policy.
renew() { # [OPTION…]
	keep_before
	run setsid -w "$cotter_enroll" --renew "$@" "$image"
}

# What does not open is not believed, so that its policy is told.
replace() { # OPTION…
	keep_before
	run setsid -w "$cotter_enroll" --replace=0 --tpm2-device=auto "$@" "$image"
}

keep_before() {
	cp "$image" "$tmp/before"
	policy=$(policy_of 0)
}

# The same at a terminal, with what a person types there.
renew_typing() { # [EXPECT SEND]… -- [OPTION…]
	local talk=()
	while [ "$1" != -- ]; do
		talk+=("$1")
		shift
	done
	keep_before
	run "$src/tests/terminal.py" "${talk[@]}" -- "$cotter_enroll" --renew "${@:2}" "$image"
}

# Token 0 is another one under the same number: another secret in another keyslot, and no more of the old.
renewed() {
	assert_rc 0
	! cmp -s "$image" "$tmp/before" || { echo "nothing was changed"; return 1; }
	run "$cotter_enroll" --list --json=short "$image"
	assert_json '[.tokens[] | select(.type == "cotter-tpm2" or .type == "cotter-sss") | .token] | index(0) != null'
	[ "$(token_json "$image" 0 | jq -r .jwe.ciphertext)" != \
		"$(token_json "$tmp/before" 0 | jq -r .jwe.ciphertext)" ]
	[ "$(jq '.keyslots | length' "$tmp/out")" = \
		"$("$cotter_enroll" --list --json=short "$tmp/before" | jq '.keyslots | length')" ]
	opens_by_passphrase "$image"
	nothing_open
}

same_policy() {
	assert_equal "$(policy_of 0)" "$policy"
}

# It failed in one sentence with these words, and the volume is as it was.
untouched() { # WORDS
	assert_one_sentence
	assert_error_has "$1"
	assert_same_file "$image" "$tmp/before"
	nothing_open
}

# There was nothing to do.
not_due() {
	assert_rc 0
	assert_same_file "$image" "$tmp/before"
	nothing_open
}

fresh() {
	cp "$tmp/plain" "$image"
}

opens_by_pin() { # PIN
	printf %s "$1" | with_plugins cryptsetup open --test-passphrase --token-only "$image"
}

start_tpm tpm
make_small_image plain
cp "$image" "$tmp/image"
image=$tmp/image

# --- PCRs that are as they were ---

bind_tpm
renew
ok "what holds is not due" not_due
renew --reseal
ok "nor is sealing to what it is sealed to" not_due
renew --tpm2-pcrs=7
ok "nor to the PCRs that it has" not_due
renew --force
ok "--force renews it" renewed
ok "under the same policy" same_policy
ok "it opens" opens_by_token "$image"

# --- a PCR that changed ---

extend_pcr 7:sha256
changed="PCR 7 (sha256, secure-boot-policy) changed since enrollment; a token is renewed through itself"
renew
ok "a PCR changed: what does not open renews nothing" untouched "$changed"
renew --reseal
ok "not when it is to be sealed again either" untouched "$changed"
renew --reseal "${key[@]}"
ok "a credential does not make it so that its header is to be believed" untouched "--replace=0 with its policy replaces it"
replace "${key[@]}"
ok "but replaces it" renewed
ok "it opens" opens_by_token "$image"
run "$cotter_enroll" --list --json=short "$image"
ok "its PCRs are as they are" assert_json '[.tokens[].facts | .pcrs == "sha256:7" and (has("changed_pcrs") | not)] == [true]'

fresh
bind_tpm
bind_tpm --tpm2-pcrs=11
extend_pcr 7:sha256
replace --unlock-token
ok "another token does as well" renewed
run "$cotter_enroll" --test "$image"
ok "both open" assert_rc 0

# --- other PCRs ---

fresh
bind_tpm
renew --tpm2-pcrs=7+11:sha384
ok "other PCRs" renewed
run "$cotter_enroll" --list --json=short "$image"
ok "are bound now" assert_json '.tokens[0].facts.pcrs == "sha256:7+sha384:11"'
ok "it opens with them" opens_by_token "$image"
renew --tpm2-pcrs=24
ok "PCRs that are none" untouched '"24" is not a PCR'
renew --tpm2-pcrs=7:sha256="$(printf %064d 7)"
ok "values yet to come are not proven, so the old binding stays" opens_by_token "$image"

# --- a PIN ---

fresh
new_pin=("New PIN: " "$pin"$'\n' "The same again: " "$pin"$'\n')
run "$src/tests/terminal.py" "${new_pin[@]}" -- "$cotter_enroll" --tpm2-device=auto --tpm2-with-pin=yes "${key[@]}" "$image"
ok "binds with a PIN" assert_rc 0
renew_typing "PIN of token 0: " "$pin"$'\n' -- --force
ok "the PIN renews it" renewed
ok "under the same policy" same_policy
ok "it opens with the same PIN" opens_by_pin "$pin"
ok "and not with another" not opens_by_pin 1234
tpm2_dictionarylockout --clear-lockout
renew --force
ok "without a terminal it stays" untouched "PIN"
extend_pcr 7:sha256
renew_typing -- --reseal --force
ok "a PCR changed: no PIN is asked for" assert_output_has "$changed"
ok "nothing is changed" assert_same_file "$image" "$tmp/before"
run "$src/tests/terminal.py" "${new_pin[@]}" -- "$cotter_enroll" --replace=0 --tpm2-device=auto --tpm2-with-pin=yes "${key[@]}" "$image"
ok "a PIN is chosen for what replaces it" renewed
ok "and opens it" opens_by_pin "$pin"

# --- the storage root key, and a signed policy ---

fresh
bind_tpm --tpm2-seal-key-handle=0x81000001
renew --force
ok "under the storage root key" renewed
ok "the policy stays" same_policy
renew --tpm2-pcrs=7+14
ok "so with other PCRs" renewed
run "$cotter_enroll" --list --json=short "$image"
ok "the key stays" assert_json '.tokens[0].facts | .pcrs == "sha256:7,14" and .parent == "0x81000001 (storage root key)"'
ok "it opens" opens_by_token "$image"

fresh
make_policy_key policy
sign_pcrs policy sha256:16 >"$tmp/signed.json"
bind_tpm --tpm2-public-key="$tmp/policy.pub" --tpm2-public-key-pcrs=16 --tpm2-signature="$tmp/signed.json"
rm "$tmp/policy.pub"
renew --force
ok "a signed policy, whose key's file is gone" renewed
ok "stays" same_policy
ok "and opens" opens_by_token "$image"
extend_pcr 16:sha256
renew --force
ok "nothing is signed yet" untouched "the policy key has signed nothing"
sign_pcrs policy sha256:16 >"$tmp/signed.json"
renew --force
ok "once it is, it renews" renewed

# --- what Clevis wrote ---

# Its token as ours, which is but another type.
adopt() { # PIN CONFIG
	local json
	fresh
	clevis luks bind -f -k "$passphrase" -d "$image" "$1" "$2" >/dev/null 2>&1
	close_all
	json=$(token_json "$image" 0 | jq -c --arg type "cotter-$1" '.type = $type | .cotter = {version: 1}')
	cryptsetup token remove --token-id 0 "$image"
	cryptsetup token import --disable-external-tokens --token-id 0 "$image" <<<"$json"
}

if command -v clevis-luks-bind >/dev/null && command -v clevis-encrypt-tpm2 >/dev/null; then
	adopt tpm2 '{"pcr_bank":"sha256","pcr_ids":"7"}'
	renew --force
	ok "Clevis's object: renewed" renewed
	run "$cotter_enroll" --list --json=short "$image"
	ok "with the same PCRs" assert_json '.tokens[0].facts.pcrs == "sha256:7"'
	start_tangd
	adopt sss "$(jq -nc --arg url "$tang_url" --arg thp "$tang_thumbprint" \
		'{t: 1, pins: {tpm2: {pcr_bank: "sha256", pcr_ids: "7"}, tang: {$url, $thp}}}')"
	extend_pcr 7:sha256
	renew --force
	ok "where a PCR changed nobody knows what it demanded" untouched "at least one of the PCRs sha256:7 changed since enrollment; --reseal"
	renew --reseal
	ok "--reseal helps" renewed
	stop_tangd
	ok "the TPM opens it" opens_by_token "$image"
else
	skip "Clevis's object" "Clevis is not installed"
fi

# --- no TPM that would do it ---

fresh
run "$src/tests/terminal.py" "${new_pin[@]}" -- "$cotter_enroll" --tpm2-device=auto --tpm2-with-pin=yes "${key[@]}" "$image"
ok "binds with a PIN" assert_rc 0
tpm2_dictionarylockout --setup-parameters --max-tries=1 --recovery-time=1000 --lockout-recovery-time=1000
opens_by_pin 1234 2>/dev/null || true
renew --force
ok "a locked TPM: untouched" untouched "the TPM is locked after too many wrong PINs"
renew --force "${key[@]}"
ok "with another credential, too" untouched "the TPM is locked after too many wrong PINs"
tpm2_dictionarylockout --clear-lockout
ok "as it was, it opens" opens_by_pin "$pin"

fresh
bind_tpm
stop_server tpm
nothing_open() { :; }
renew --force
ok "no TPM: untouched" untouched "cannot be reached"
renew --force "${key[@]}"
ok "nor with another credential" untouched "cannot be reached"
renew --reseal "${key[@]}"
ok "nor sealed again" untouched "cannot be reached"

done_testing
