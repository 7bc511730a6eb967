#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Binding a volume to a card: the question for its PIN, what the volume's listing and explanation say, and renewal.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../softhsm.sh"

make_card card
make_key card rsa:2048 01 rsa
make_key card EC:secp384r1 02 ec
uri=$(card_uri 'token=card;object=rsa')
export COTTER_TEST_CARD=$tmp/card-says COTTER_TEST_CARD_LOGINS=$tmp/logins

at_terminal() { # [PROMPT ANSWER]… -- OPTION…
	local -a said=()
	while [ "$1" != -- ]; do
		said+=("$1" "$2"$'\n')
		shift 2
	done
	shift
	run with_plugins "$src/tests/terminal.py" "${said[@]}" -- "$cotter_enroll" "$@"
}

enroll() { # OPTION…
	run with_plugins "$cotter_enroll" "$@"
}

unchanged() {
	cmp "$tmp/before" "$image"
}

make_small_image volume
cp "$image" "$tmp/before"
bind=(--unlock-key-file="$passphrase" "$image")

enroll --pkcs11-token-uri="$uri" "${bind[@]}" </dev/null
ok "without a terminal its PIN cannot be asked for" assert_rc 1
ok "which is said" assert_error_has "there is no terminal to type the card's PIN at"
at_terminal "PIN of the card: " 9999 -- --pkcs11-token-uri="$uri" "${bind[@]}"
ok "a wrong PIN is refused" assert_output_has "wrong PIN"
at_terminal "PIN of the card: " "" -- --pkcs11-token-uri="$uri" "${bind[@]}"
ok "an empty one is not tried" assert_output_has "no PIN was typed"
enroll --pkcs11-token-uri="$(card_uri token=none)" "${bind[@]}" </dev/null
ok "a card that is not here is not asked about" assert_error_has "no token is here that the URI names; put it in"
remove_cards
enroll --pkcs11-token-uri="$(card_uri '')" "${bind[@]}" </dev/null
ok "without any card none is said to be named" assert_error_has "no token is here; put one in"
return_cards
ok "the volume is as it was" unchanged

# --- which card and key, as systemd-cryptenroll chooses ---
at_terminal "PIN of the card: " $card_pin -- --pkcs11-token-uri=auto "${bind[@]}"
ok "auto is the one card, and its one key that decrypts" assert_output_has "token 0, keyslot 1, proven"
enroll --list "$image"
ok "which is named by its number from then on" assert_output_has "key_id: 01"
ok "the card by its label" assert_output_has "token: card"
cp "$tmp/before" "$image"
make_key card rsa:2048 03 another
at_terminal "PIN of the card: " $card_pin -- --pkcs11-token-uri=auto "${bind[@]}"
ok "of several that decrypt none is taken, but the one that agrees" assert_output_has "token 0, keyslot 1, proven"
enroll --list "$image"
ok "that is it" assert_output_has "mechanism: ECDH1-DERIVE"
cp "$tmp/before" "$image"
make_key card EC:prime256v1 04 curved
at_terminal "PIN of the card: " $card_pin -- --pkcs11-token-uri=auto "${bind[@]}"
ok "else one must be named" assert_output_has "holds 4 keys that could be used"
named() {
	local key
	for key in 'object=rsa;id=%01' 'object=ec;id=%02' 'object=another;id=%03' 'object=curved;id=%04'; do
		assert_output_has "pkcs11:$key" || return
	done
}
ok "and those that there are are listed" named
ok "the volume is as it was" unchanged
make_card second
enroll --pkcs11-token-uri=auto "${bind[@]}" </dev/null
ok "of two cards none is guessed" assert_rc 1
ok "they are listed" assert_error_has '"card" (serial number '
ok "both" assert_error_has '"second" (serial number '
enroll --pkcs11-token-uri=list
ok "as by the option's own list" assert_output_has second
ok "which has no stores of certificates" not grep -qi trust "$tmp/out"
softhsm2-util --delete-token --token second >/dev/null
ok "the volume is as it was" unchanged

# --- a PIN pad ---
module=$tmp/card-module.so
cp "$build/tests/card-module.so" "$module"
echo pad >"$COTTER_TEST_CARD"
enroll --pkcs11-token-uri="pkcs11:token=card;object=rsa?module-path=$module" "${bind[@]}" </dev/null
ok "a card with a PIN pad asks by itself" assert_error_has "token 0, keyslot 1, proven"
ok "which is said" assert_error_has "at its own PIN pad"
ok "and no PIN came from us" assert_equal "$(sort -u "$COTTER_TEST_CARD_LOGINS")" pad
echo locked >"$COTTER_TEST_CARD"
cp "$tmp/before" "$image"
: >"$COTTER_TEST_CARD_LOGINS"
enroll --pkcs11-token-uri="pkcs11:token=card;object=rsa?module-path=$module" "${bind[@]}" </dev/null
ok "nobody types for a locked one" assert_error_has "is locked"
echo final-try >"$COTTER_TEST_CARD"
enroll --pkcs11-token-uri="pkcs11:token=card;object=rsa?module-path=$module" "${bind[@]}" </dev/null
ok "nor for one that is nearly locked" assert_error_has "one more wrong PIN locks the token"
ok "which was not asked" assert_equal "$(cat "$COTTER_TEST_CARD_LOGINS")" ""
rm "$COTTER_TEST_CARD"
ok "the volume is as it was" unchanged

at_terminal "PIN of the card: " $card_pin -- --pkcs11-token-uri="$uri" "${bind[@]}"
ok "a volume is bound" assert_output_has "token 0, keyslot 1, proven"
cp "$image" "$tmp/bound"
ec=$(card_uri 'token=card;id=%02')
at_terminal "PIN of the card: " $card_pin -- --pkcs11-token-uri="$ec" "${bind[@]}"
ok "a second token with a PIN is refused" assert_rc 1
ok "and why" assert_output_has "token 0 (cotter-pkcs11) of $image takes a PIN, too"
ok "the volume is as it was then" cmp "$tmp/bound" "$image"
at_terminal "PIN of the card: " $card_pin -- --pkcs11-token-uri="$uri" "${bind[@]}"
ok "the same binding is no second one" assert_output_has "is already bound so by token 0"
at_terminal "PIN of the card: " $card_pin -- --pkcs11-token-uri="$ec" --force "${bind[@]}"
ok "--force adds it" assert_output_has "token 1, keyslot 2, proven"
cp "$tmp/bound" "$image"
at_terminal "PIN of the card: " $card_pin -- --pkcs11-token-uri="$ec" --replace=0 "${bind[@]}"
ok "in the place of the first it is the only one" assert_output_has "token 0, keyslot 2, proven"
cp "$tmp/before" "$image"
for token in '"type": "systemd-pkcs11"' '"type": "systemd-tpm2", "tpm2-pin": true' \
	'"type": "systemd-fido2", "fido2-clientPin-required": true'; do
	echo "{$token, \"keyslots\": [\"0\"]}" |
		cryptsetup token import --disable-external-tokens --token-id 3 --json-file - "$image"
	enroll --pkcs11-token-uri="$uri" "${bind[@]}" </dev/null
	ok "nor is one beside $token" assert_error_has "token 3 (systemd-"
	cp "$tmp/before" "$image"
done
echo '{"type": "systemd-tpm2", "tpm2-pin": false, "keyslots": ["0"]}' |
	cryptsetup token import --disable-external-tokens --token-id 3 --json-file - "$image"
enroll --pkcs11-token-uri="$uri" "${bind[@]}" </dev/null
ok "but beside one without" assert_error_has "there is no terminal to type the card's PIN at"
cp "$tmp/bound" "$image"
enroll --list "$image"
ok "the listing names the card and the key" assert_output_has "token: card"
ok "and that there is a PIN" assert_output_has "pin: yes"
at_terminal "PIN of token 0: " $card_pin -- --test "$image"
ok "the token opens the volume" assert_output_has "token 0 (cotter-pkcs11): opens the volume"
at_terminal "PIN of token 0: " $card_pin -- --renew=0 --force "$image"
ok "it is renewed by the PIN that is typed once" assert_output_has "renewed token 0"
at_terminal "PIN of token 0: " $card_pin -- --test "$image"
ok "and opens the volume still" assert_output_has "token 0 (cotter-pkcs11): opens the volume"
enroll --explain "$image"
ok "it is explained" assert_output_has 'the card "card", serial number '
ok "with what it needs" assert_output_has "somebody must put in the card and type its PIN"

enroll --pkcs11-token-uri="$(card_uri 'token=card;id=%02' "pin-value=$card_pin")" "${bind[@]}"
ok "a PIN in the URI is not asked for" assert_error_has "token 1, keyslot 1, proven"
ok "but warned of" assert_error_has "the PIN in the URI is kept in the token"
ok "clearly" assert_error_has "where whoever has the disk reads it"
for show in --explain --list --json=short "--list --json=pretty" "--explain --json=short"; do
	# shellcheck disable=SC2086 # several words
	enroll $show "$image"
	ok "$show: the PIN is not shown" not grep -q "$card_pin" "$tmp/out"
done
enroll --explain "$image"
ok "but that it is in the header" assert_output_has "its PIN is written in the header"
for show in "" --json=short; do
	enroll --explain ${show:+"$show"} --policy="2 of (pkcs11(uri=\"$(card_uri token=card "pin-value=$card_pin")\"), \
		pkcs11(uri=\"pkcs11:token=card;pin-value=$card_pin\"))"
	ok "a policy is explained $show" assert_output_has "pin-value="
	ok "without its PINs $show" not grep -q "$card_pin" "$tmp/out"
done
with_plugins cryptsetup luksDump "$image" >"$tmp/out"
ok "nor does cryptsetup's dump show it" not grep -q "$card_pin" "$tmp/out"
enroll --test --token-id=1 "$image"
ok "it opens by itself" assert_output_has "token 1 (cotter-pkcs11): opens the volume"
enroll --renew=1 --force "$image"
ok "it is renewed through itself" assert_error_has "renewed token 1"
enroll --list "$image"
ok "the listing does not show the PIN" not grep -q $card_pin "$tmp/out"
remove_cards
enroll --test --token-id=1 "$image"
ok "without its card it does not open" assert_output_has "no token is here that the URI names"
return_cards
enroll --wipe-slot=pkcs11 "$image"
ok "all tokens of cards are removed" assert_rc 0
enroll --list "$image"
ok "and the passphrase stays" assert_output_has "passphrase"
ok "and no more" not grep -q pkcs11 "$tmp/out"

done_testing
