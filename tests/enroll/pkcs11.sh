#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Binding a volume to a card: the question for its PIN, what the volume's listing and explanation say, and renewal.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../softhsm.sh"

make_card card
make_key card rsa:2048 01 rsa
make_key card EC:secp384r1 02 ec
uri=$(card_uri 'token=card;object=rsa')

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
at_terminal "PIN of the card: " $card_pin -- --pkcs11-token-uri="$(card_uri token=card)" "${bind[@]}"
ok "one of several keys must be named" assert_output_has "holds 2 keys that could be used"
ok "the volume is as it was" unchanged

at_terminal "PIN of the card: " $card_pin -- --pkcs11-token-uri="$uri" "${bind[@]}"
ok "a volume is bound" assert_output_has "token 0, keyslot 1, proven"
enroll --list "$image"
ok "the listing names the card and the key" assert_output_has "token: card"
ok "and that there is a PIN" assert_output_has "pin: yes"
at_terminal "PIN of token 0: " $card_pin -- --test "$image"
ok "the token opens the volume" assert_output_has "token 0 (cotter-pkcs11): opens the volume"
enroll --explain "$image"
ok "it is explained" assert_output_has 'the card "card", serial number '
ok "with what it needs" assert_output_has "somebody must put in the card and type its PIN"

enroll --pkcs11-token-uri="$(card_uri 'token=card;id=%02' "pin-value=$card_pin")" "${bind[@]}"
ok "a PIN in the URI is not asked for" assert_error_has "token 1, keyslot 2, proven"
ok "but warned of" assert_error_has "the PIN in the URI is kept in the token"
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
