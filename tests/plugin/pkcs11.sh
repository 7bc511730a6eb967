#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Volumes that open with a card: what the token module does with its PIN, and what a card that is nearly locked, locked,
# not there or not there yet means for the host.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../softhsm.sh"

host=$build/tests/host
pin_helper=$build/tests/pin-helper
enoent=-2 eagain=-11 enoano=-55
export COTTER_TEST_CARD=$tmp/card-says COTTER_TEST_CARD_LOGINS=$tmp/logins
softhsm_itself=$softhsm
softhsm=$tmp/card-module.so
cp "$build/tests/card-module.so" "$softhsm"

card_says() { # WORD…
	printf '%s\n' "$@" >"$COTTER_TEST_CARD"
}

logins() {
	grep -c . "$COTTER_TEST_CARD_LOGINS" || true
}

forget_logins() {
	: >"$COTTER_TEST_CARD_LOGINS"
}

assert_results() { # RESULT…
	assert_equal "$(sed -n 's/^result \(-*[0-9]*\) .*/\1/p' "$tmp/out" | paste -sd' ')" "$*" ||
		{ show_run; return 1; }
}

run_host() { # TOKEN…
	forget_logins
	run with_plugins "$host" "$image" "$@"
}

# Binds keyslot and token $1 of the volume as CONFIG of the pin says.
bind() { # ID PIN CONFIG
	local secret=$tmp/bind-secret
	head -c 32 /dev/urandom | jose b64 enc -I- >"$secret"
	"$pin_helper" --pin $card_pin seal "$2" "$3" <"$secret" >"$tmp/bound"
	cryptsetup luksAddKey --disable-external-tokens --key-file="$passphrase" --pbkdf=pbkdf2 \
		--pbkdf-force-iterations=1000 --new-key-slot="$1" "$image" "$secret"
	header "$tmp/bound" | jq -c --arg id "$1" --arg type "cotter-$2" --rawfile jwe "$tmp/bound" \
		'{$type, keyslots: [$id], jwe: ($jwe | split(".") |
			{protected: .[0], encrypted_key: .[1], iv: .[2], ciphertext: .[3], tag: (.[4] | rtrimstr("\n"))})}' |
		cryptsetup token import --disable-external-tokens --token-id "$1" --json-file - "$image"
}

card_says oaep256
softhsm=$softhsm_itself
make_card card
make_key card rsa:2048 01 rsa
make_key card EC:prime256v1 02 ec
softhsm=$tmp/card-module.so

make_image
bind 1 pkcs11 "$(card_config 'token=card;object=rsa')"
ok "the best padding that the token undoes is used" assert_equal \
	"$(header "$tmp/bound" | jq -r '.clevis.pkcs11 | .mechanism + "/" + (.hash // "")')" RSA-PKCS-OAEP/
bind 2 pkcs11 "$(card_config 'token=card;object=ec')"
bind 3 pkcs11 "$(card_config 'token=card;object=rsa' RSA-PKCS "pin-value=$card_pin")"
bind 4 sss "$(jq -nc --argjson rsa "$(card_config 'token=card;object=rsa')" \
	--argjson ec "$(card_config 'token=card;object=ec')" '{t: 2, pins: {pkcs11: [$rsa, $ec]}}')"

for id in 1 2 4; do
	run_host $id
	ok "token $id: a PIN is asked for" assert_results $enoano
	ok "token $id: and none was tried" assert_equal "$(logins)" 0
	run_host "$id=$card_pin"
	ok "token $id: the PIN opens" assert_results "$id"
done
run_host 3
ok "a PIN in the URI is not asked for" assert_results 3
run_host 1=1 1=2 1=3 1=$card_pin
ok "two wrong PINs are asked for again, the third is not" assert_results $enoano $enoano $enoent $enoent
ok "of which each was tried once" assert_equal "$(logins)" 3
run_host 4=1
ok "a policy's wrong PIN is asked for again" assert_results $enoano
ok "and costs the card of two of its parts one try" assert_equal "$(logins)" 1
run_host 1= 1=$card_pin
ok "an empty PIN is refused, and costs no try" assert_results $enoent 1
ok "the token was asked once" assert_equal "$(logins)" 1

card_says oaep256 final-try
for id in 1 3; do
	run_host "$id" "$id=$card_pin"
	ok "token $id: the last try before the card locks is not used" assert_results $enoent $enoent
	ok "token $id: which is said" assert_output_has "one more wrong PIN locks the token"
	ok "token $id: and the card was not asked" assert_equal "$(logins)" 0
done
card_says oaep256 locked
run_host 1 1=$card_pin
ok "a locked card is not asked" assert_results $enoent $enoent
ok "which is said, too" assert_output_has "is locked"
ok "and no PIN is tried" assert_equal "$(logins)" 0
card_says oaep256 pad final-try
run_host 1
ok "a PIN pad asks by itself, for the last try, too" assert_results 1
ok "once" assert_equal "$(cat "$COTTER_TEST_CARD_LOGINS")" pad

card_says oaep256 gone
began=${EPOCHREALTIME/./}
run_host 1
took=$((${EPOCHREALTIME/./} - began))
ok "without its card nothing is asked for" assert_results $eagain
ok "it is waited for 3 s, and no longer" test $took -ge 3000000 -a $took -lt $((sanitized ? 9000000 : 6000000))
card_says oaep256 slow
run_host 1=$card_pin
ok "a reader that is found late is waited for" assert_results 1

done_testing
