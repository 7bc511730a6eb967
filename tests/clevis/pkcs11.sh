#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Clevis's commands with cards: Clevis 22 has this pin, Debian's has not, so what it makes is made by its own steps
# (interop/pkcs11.sh) and only ours is run.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../softhsm.sh"

PATH=$build/enroll/clevis/bin:$PATH
echo "not much of a secret" >"$tmp/plain"
make_card card
make_key card rsa:2048 01 rsa
make_key card rsa:2048 02 other
with_pin=$(card_config token=card none "pin-value=$card_pin")
without=$(card_config token=card none)

at_terminal() { # [PROMPT ANSWER]… -- CMD…
	local -a said=()
	while [ "$1" != -- ]; do
		said+=("$1" "$2"$'\n')
		shift 2
	done
	shift
	run with_plugins "$src/tests/terminal.py" "${said[@]}" -- "$@"
}

run clevis encrypt pkcs11 --summary
ok "encrypt pkcs11 has a summary" assert_output_has "PKCS#11"
run clevis
ok "and is listed" assert_error_has "clevis encrypt pkcs11"

# --- JWEs ---
run clevis encrypt pkcs11 "$with_pin" <"$tmp/plain"
ok "a PIN in the URI is warned of" assert_error_has "warning: the PIN in the URI is kept"
cp "$tmp/out" "$tmp/jwe"
ok "what is made is in Clevis's form" assert_equal \
	"$(header "$tmp/jwe" | jq -c '[.alg, .clevis.pin, .clevis.pkcs11.mechanism, (.clevis.pkcs11 | keys)]')" \
	'["dir","pkcs11","",["key","mechanism","uri"]]'
run clevis decrypt <"$tmp/jwe"
ok "it is decrypted" cmp "$tmp/out" "$tmp/plain"
run clevis decrypt pkcs11 <"$tmp/jwe"
ok "by its own command, too" cmp "$tmp/out" "$tmp/plain"
run clevis encrypt pkcs11 "$without" <"$tmp/plain"
ok "without a terminal there is no PIN" assert_error_has "there is no terminal to type the card's PIN at"
at_terminal "PIN of the card: " $card_pin -- \
	sh -c 'clevis encrypt pkcs11 "$1" <"$2" >"$3"' encrypt "$without" "$tmp/plain" "$tmp/jwe"
ok "at a terminal it is asked for" assert_rc 0
run clevis decrypt <"$tmp/jwe"
ok "it is wanted to decrypt, too" assert_error_has "wants a PIN"
at_terminal "PIN of the card: " $card_pin -- sh -c 'clevis decrypt <"$1" >"$2"' decrypt "$tmp/jwe" "$tmp/back"
ok "and asked for at a terminal" cmp "$tmp/back" "$tmp/plain"
at_terminal "PIN of the card: " 9999 -- sh -c 'clevis decrypt <"$1" >"$2"' decrypt "$tmp/jwe" "$tmp/back"
ok "a wrong one is refused" assert_output_has "wrong PIN"
run clevis encrypt sss "{\"t\":2,\"pins\":{\"pkcs11\":$with_pin,\"null\":{}}}" <"$tmp/plain"
cp "$tmp/out" "$tmp/jwe"
run clevis decrypt <"$tmp/jwe"
ok "as a part of a policy" cmp "$tmp/out" "$tmp/plain"

# --- volumes ---
make_small_image volume
cp "$image" "$tmp/before"
run with_plugins clevis luks bind -d "$image" -k "$passphrase" pkcs11 "$with_pin"
ok "a volume is bound" assert_rc 0
run with_plugins clevis luks list -d "$image"
ok "and listed" assert_output_has '1: pkcs11 '
ok "without the PIN" not grep -q "$card_pin" "$tmp/out"
run with_plugins clevis luks list -p -d "$image"
ok "by its pin's name" assert_equal "$(cat "$tmp/out")" "1: pkcs11"
run with_plugins clevis luks pass -d "$image" -s 1
ok "its passphrase is told" cryptsetup open --test-passphrase --disable-external-tokens --key-file "$tmp/out" "$image"
run with_plugins clevis luks regen -q -d "$image" -s 1
ok "it is bound again" assert_rc 0
run with_plugins clevis luks unlock -d "$image" -t 1
ok "and still opens" assert_rc 0
remove_cards
run with_plugins clevis luks unlock -d "$image" -t 1
ok "not without its card" assert_rc 1
return_cards
cp "$tmp/before" "$image"
at_terminal "PIN of the card: " $card_pin -- clevis luks bind -d "$image" -k "$passphrase" pkcs11 "$without"
ok "a typed PIN binds, asked for once" assert_rc 0
at_terminal "PIN of the card: " $card_pin -- clevis luks unlock -d "$image" -t 1
ok "and unlocks" assert_rc 0
run with_plugins clevis luks unlock -d "$image" -t 1
ok "but not where nobody types it" assert_rc 1

done_testing
