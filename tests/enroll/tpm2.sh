#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-enroll and the system's cryptsetup with a TPM: binding, testing, unlocking, with and without a
# PIN, before and after PCRs change, and what comes of there being no TPM.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

key=(--unlock-key-file="$passphrase")
pin=7391-öde

bind_tpm() { # [OPTION…]
	run "$cotter_enroll" --tpm2-device=auto "${key[@]}" "$@" "$image"
}

# The tool at a terminal, with what a person types there.
at_terminal() { # [EXPECT SEND]… -- [OPTION…]
	local talk=()
	while [ "$1" != -- ]; do
		talk+=("$1")
		shift
	done
	run "$src/tests/terminal.py" "${talk[@]}" -- "$cotter_enroll" "${@:2}" "$image"
}

# The tool where no terminal is.
without_terminal() { # [OPTION…]
	run setsid -w "$cotter_enroll" "$@" "$image"
}

# cryptsetup asks for the PIN, and reads it where no terminal is from standard input.
opens_by_pin() { # PIN [OPTION…]
	printf %s "$1" | with_plugins cryptsetup open --test-passphrase --token-only "${@:2}" "$image"
}

refuses_pin() { # PIN
	! opens_by_pin "$1" 2>&1
}

list_has() { # FILTER
	run "$cotter_enroll" --list --json=short "$image"
	assert_rc 0 && assert_json "$1"
}

never_shown() { # TEXT
	! grep -qF -e "$1" "$tmp/out" "$tmp/err" || { show_run; return 1; }
}

start_tpm tpm
make_image plain
image=$tmp/image
fresh() {
	cp "$tmp/plain" "$image"
}

# --- without a PIN ---

fresh
bind_tpm
ok "binds" assert_rc 0
ok "and proves it" assert_error_has "token 0, keyslot 1, proven by opening it in a fresh process"
ok "cryptsetup opens it" opens_by_token "$image"
ok "the passphrase still does" opens_by_passphrase "$image"
ok "Clevis's key and PCR 7 are the default" list_has '.tokens[0].facts
	| .pcrs == "sha256:7" and .pin == "no" and .hash == "sha256" and .key == "ecc" and .clevis_reads_it == "yes"'
ok "no storage root key was made for that" assert_equal "$(tpm2_getcap handles-persistent)" ""
run "$cotter_enroll" --test "$image"
ok "--test opens it" assert_output_has "token 0 (cotter-tpm2): opens the volume"
run "$cotter_enroll" --test --json=short "$image"
ok "and tells under what" assert_json '.tokens[0] | .result == "ok" and .facts.pcrs == "sha256:7"'
ok "nothing is left open in the TPM" nothing_open

bind_tpm
ok "the same again is not bound twice" assert_error_has "already bound so by token 0"
bind_tpm --json=short
ok "which JSON tells" assert_json '.state == "present" and .token == 0'
bind_tpm --tpm2-pcrs=7+11
ok "other PCRs are another binding" assert_error_has "token 1, keyslot 2, proven"
ok "with both in one bank" list_has '.tokens[1].facts.pcrs == "sha256:7,11"'
bind_tpm --tpm2-pcrs=7:sha384+platform-code --json=short
ok "a bank for each, and names" assert_json '.state == "proven" and .token == 2'
ok "which Clevis cannot read" list_has '.tokens[2].facts
	| .pcrs == "sha256:0+sha384:7" and .clevis_reads_it == "no"'

# --- PCRs ---

fresh
bind_tpm --tpm2-pcrs=
ok "no PCRs are bound with a warning" assert_error_has "warning: without PCRs the TPM gives the key to whatever"
ok "and without them it opens" opens_by_token "$image"
ok "--list says so" list_has '.tokens[0].facts.pcrs == "none"'
bind_tpm --wipe-slot=tpm2
ok "one with PCRs takes its place" assert_error_has "removed keyslot 1, token 0"
extend_pcr 7:sha256
run opens_by_token "$image"
ok "with another PCR 7 it does not open" assert_rc 1
ok "and cryptsetup tells which" assert_error_has "PCR 7 (sha256, secure-boot-policy) changed since enrollment"
run "$cotter_enroll" --test "$image"
ok "--test fails then" assert_rc 4
ok "and names it" assert_output_has "PCR 7 (sha256, secure-boot-policy) changed since enrollment"
ok "so does --list" list_has '.tokens[0].facts.changed_pcrs == ["7 (sha256, secure-boot-policy)"]'
bind_tpm --wipe-slot=tpm2
ok "bound anew to the new value it opens" opens_by_token "$image"
ok "the old binding is gone" list_has '[.tokens[] | .facts.changed_pcrs] == [null]'

fresh
value=$(printf %064d 7)
bind_tpm --tpm2-pcrs=16:sha256="$value" --json=short
ok "a PCR value yet to come is bound unproven" assert_json '.state == "unproven" and (.cause | contains("PCR 16"))'
ok "and says so" assert_error_has "but unproven: PCR 16 (sha256, debug) changed since enrollment; run --test once it holds"
run opens_by_token "$image"
ok "until then it stays shut" assert_rc 1

# --- with a PIN ---

fresh
at_terminal "New PIN: " "$pin"$'\n' "The same again: " "$pin"$'\n' -- \
	--tpm2-device=auto --tpm2-with-pin=yes "${key[@]}"
ok "a PIN is asked for twice" assert_rc 0
ok "and proven too" assert_output_has "token 0, keyslot 1, proven"
ok "a storage root key that is made is told" assert_output_has "the TPM has no storage root key yet, so one is made"
ok "and is there" assert_equal "$(tpm2_getcap handles-persistent)" "- 0x81000001"
ok "the PIN is never shown" never_shown "$pin"
ok "the terminal is as before" assert_error_has "terminal as before"
ok "cryptsetup opens it with the PIN" opens_by_pin "$pin"
ok "but not with another" refuses_pin 1234
ok "which the TPM counted" assert_equal "$(wrong_pins)" 0x1
ok "an empty one is not tried" refuses_pin ""
ok "so it was not counted" assert_equal "$(wrong_pins)" 0x1
ok "--list tells" list_has '.tokens[0].facts
	| .pin == "yes" and .clevis_reads_it == "no" and .parent == "0x81000001 (storage root key)"'
at_terminal "New PIN: " "$pin"$'\n' "The same again: " "$pin"$'\n' -- \
	--tpm2-device=auto --tpm2-pcrs=16 --tpm2-with-pin=yes "${key[@]}"
ok "a second token with a PIN is refused" assert_rc 1
ok "and why" assert_output_has "token 0 (cotter-tpm2) of $image takes a PIN, too"
ok "with nothing changed" list_has '.tokens | length == 1'
at_terminal "PIN of token 0: " $'wrong\n' "PIN of token 0: " "$pin"$'\n' -- --test
ok "--test asks again after a wrong PIN" assert_rc 0
ok "and says what the TPM still takes" assert_output_has "wrong PIN; the TPM takes"
without_terminal --test
ok "--test without a terminal cannot tell" assert_rc 3
ok "and says why" assert_output_has "it takes a PIN, and nobody was there to type it"
at_terminal "PIN of a token of $image: " "$pin"$'\n' -- --tpm2-device=auto --unlock-token
ok "the PIN unlocks for a new binding" assert_output_has "token 1, keyslot 2, proven"
tpm2_dictionarylockout --clear-lockout
fresh
at_terminal "New PIN: " "$pin"$'\n' "The same again: " "$pin"$'\n' -- \
	--tpm2-device=auto --tpm2-with-pin=yes --quiet "${key[@]}"
ok "a second time no root key is made" never_shown "storage root key"
without_terminal --tpm2-device=auto --unlock-token
ok "unlocking without a terminal says what it wants" assert_error_has "takes a PIN, and there is no terminal to ask for it"
ok "and fails" assert_rc 1
run "$cotter_enroll" --wipe-slot=tpm2 "$image"
ok "--wipe-slot=tpm2 removes it" list_has '.tokens == [] and (.keyslots | length) == 1'

fresh
at_terminal "New PIN: " $'one\n' "The same again: " $'two\n' -- \
	--tpm2-device=auto --tpm2-with-pin=yes "${key[@]}"
ok "PINs that differ are refused" assert_output_has "the two PINs differ; nothing was changed"
ok "with nothing changed" assert_same_file "$image" "$tmp/plain"
at_terminal "New PIN: " $'\n' -- --tpm2-device=auto --tpm2-with-pin=yes "${key[@]}"
ok "an empty one too" assert_output_has "an empty PIN protects nothing; nothing was changed"
without_terminal --tpm2-device=auto --tpm2-with-pin=yes "${key[@]}"
ok "without a terminal none can be chosen" assert_error_has "there is no terminal to choose the new PIN at"
ok "and nothing was changed then" assert_same_file "$image" "$tmp/plain"
ok "nothing is left open after all that" nothing_open

# --- a signed policy ---

fresh
make_policy_key policy
signed=(--tpm2-pcrs= --tpm2-public-key="$tmp/policy.pub" --tpm2-public-key-pcrs=16 --tpm2-signature="$tmp/signed.json")
bind_tpm "${signed[@]}" --json=short
ok "a policy that nobody signed yet is bound unproven" assert_json '.state == "unproven"'
sign_pcrs policy sha256:16 >"$tmp/signed.json"
ok "once signed it opens" opens_by_token "$image"
ok "--list tells" list_has '.tokens[0].facts | .signed_pcrs == "sha256:16" and .clevis_reads_it == "no"'
bind_tpm "${signed[@]}" --wipe-slot=tpm2
ok "bound once signed it is proven" assert_error_has "proven by opening it in a fresh process"
extend_pcr 16:sha256
run opens_by_token "$image"
ok "other values want another signature" assert_error_has "the policy key has signed nothing for the PCRs"

# --- what goes wrong ---

fresh
while IFS='|' read -r name words option; do
	bind_tpm "$option"
	ok "$name: one sentence" assert_one_sentence
	ok "$name: what it says" assert_error_has "$words"
	ok "$name: nothing changed" assert_same_file "$image" "$tmp/plain"
done <<-END
	a PCR that is none|"24" is not a PCR|--tpm2-pcrs=24
	a bank that is none|"md5" is not a PCR bank|--tpm2-pcrs=7:md5
	a PCR named twice|PCR 7 is named twice|--tpm2-pcrs=7+7
	a value that is none|is not the hexadecimal digest of a PCR bank|--tpm2-pcrs=7=abc
	a handle of another kind|handle from 0x81000000 to 0x81ffffff|--tpm2-seal-key-handle=0x40000001
	a policy key that is none|is not an RSA public key|--tpm2-public-key=/dev/null
END

run "$cotter_enroll" --tpm2-device=swtpm:path=/nonexistent "${key[@]}" "$image"
ok "no TPM: fails" assert_rc 1
ok "no TPM: one sentence" assert_one_sentence
ok "no TPM: nothing changed" assert_same_file "$image" "$tmp/plain"
bind_tpm
stop_server tpm
run "$cotter_enroll" --test "$image"
ok "no TPM: --test counts it as out of reach" assert_rc 3
ok "no TPM: --list still lists" list_has '.tokens[0].facts.pcrs == "sha256:7"'
run opens_by_token "$image"
ok "no TPM: cryptsetup fails" assert_rc 1

run "$cotter_enroll" --tpm2-device=list --json=short
ok "devices are listed" assert_json '.verb == "devices" and .result == "ok" and (.devices | type) == "array"'
run "$cotter_enroll" --tpm2-device=list
ok "and so for people" assert_rc 0

done_testing
