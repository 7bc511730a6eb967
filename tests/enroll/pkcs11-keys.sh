#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Volumes bound to all kinds of keys, and what cryptsetup makes of them, by the PIN that is typed: RSA and EC of all
# sizes, keys that want their PIN for each use, with certificates, without a public key; two cards with one label;
# and a card together with a Tang server.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../softhsm.sh"

make_small_image plain
plain=$image

# A fresh copy of the volume, bound.
bind() { # OPTION…
	cp "$plain" "$tmp/volume"
	image=$tmp/volume
	run with_plugins "$src/tests/terminal.py" "PIN of the card: " "$card_pin"$'\n' -- \
		"$cotter_enroll" --unlock-key-file="$passphrase" "$@" "$image"
}

bound() {
	assert_output_has "proven by opening it in a fresh process"
}

opens() { # [PIN]
	printf %s "${1:-$card_pin}" | with_plugins cryptsetup open --test-passphrase --token-only "$image"
}

# Its private key and certificate as a CA would have made them.
import_key() { # TOKEN openssl-genpkey-options ID NAME CERTIFICATE-NAME
	# shellcheck disable=SC2086 # several words
	openssl genpkey $2 -outform DER -out "$tmp/key.der" 2>/dev/null
	openssl req -x509 -new -key "$tmp/key.der" -keyform DER -subj /CN=card -days 30 -outform DER -out "$tmp/cert.der" 2>/dev/null
	p11 --token-label "$1" --login --pin $card_pin --write-object "$tmp/key.der" --type privkey --id "$3" \
		--label "$4" --usage-decrypt --usage-derive >/dev/null 2>&1
	[ -z "${5:-}" ] || p11 --token-label "$1" --login --pin $card_pin --write-object "$tmp/cert.der" --type cert \
		--id "$3" --label "$5" >/dev/null 2>&1
}

make_card card
n=10
for type in rsa:2048 rsa:3072 rsa:4096 EC:prime256v1 EC:secp384r1; do
	make_key card $type $((++n)) "$type"
	bind --pkcs11-token-uri="$(card_uri "token=card;id=%$n")"
	ok "$type: a volume is bound" bound
	ok "$type: the card opens it" opens
done
ok "with a wrong PIN it does not" not opens 9999
run opens
ok "after wrong PINs the right one opens" assert_rc 0
bind --pkcs11-token-uri="$(card_uri "token=card;object=rsa%3a2048")"
ok "a key is found by its name, too" bound
ok "and opens" opens
remove_cards
ok "not while the card is away" not opens
return_cards
ok "but when it is back" opens

# --- certificates ---
import_key card "-algorithm RSA -pkeyopt rsa_keygen_bits:2048" 31 its-key its-certificate
bind --pkcs11-token-uri="$(card_uri "token=card;object=its-certificate")"
ok "a certificate names its key" bound
ok "which opens" opens
bind --pkcs11-token-uri="$(card_uri "token=card;id=%31;object=its-certificate;type=cert")"
ok "also with the number that both have" bound
ok "which opens, too" opens
import_key card "-algorithm EC -pkeyopt ec_paramgen_curve:P-256" 32 ec-key ec-certificate
bind --pkcs11-token-uri="$(card_uri "token=card;id=%32")"
ok "an EC key's public key comes from its certificate" bound
ok "and it opens" opens

# --- keys without a public key beside them ---
p11 --token-label card --login --pin $card_pin --delete-object --type pubkey --id 11 >/dev/null 2>&1
bind --pkcs11-token-uri="$(card_uri "token=card;id=%11")"
ok "an RSA key needs none" bound
ok "and opens" opens
import_key card "-algorithm EC -pkeyopt ec_paramgen_curve:P-384" 33 bare ""
bind --pkcs11-token-uri="$(card_uri "token=card;id=%33")"
ok "an EC key does" assert_output_has "no public key or certificate of use"
ok "and the volume is as it was" cmp "$plain" "$image"

# --- keys that want their PIN for each use ---
p11 --token-label card --login --pin $card_pin --keypairgen --key-type rsa:2048 --id 41 --label always --usage-decrypt \
	--always-auth >/dev/null 2>&1
bind --pkcs11-token-uri="$(card_uri "token=card;id=%41")"
ok "a key that wants its PIN for each use is bound" bound
ok "and opens" opens
p11 --token-label card --login --pin $card_pin --keypairgen --key-type EC:prime256v1 --id 42 --label always-ec \
	--usage-derive --always-auth >/dev/null 2>&1
bind --pkcs11-token-uri="$(card_uri "token=card;id=%42")"
ok "an EC key, too" bound
ok "and it opens" opens

# --- two cards with one label ---
make_card twin
make_key twin rsa:2048 51 first
twins() { # the slot and the serial number of each
	p11 -L 2>/dev/null | awk '/^Slot/ { slot = $3; gsub(/[():]/, "", slot); here = 0 }
		/token label.*: twin$/ { here = 1 } here && /serial num/ { print slot, $NF }'
}
read -r _ serial <<<"$(twins)"
make_card twin
read -r slot _ <<<"$(twins | grep -v "$serial")"
p11 --slot "$slot" --login --pin $card_pin --keypairgen --key-type rsa:2048 --id 51 --label second --usage-decrypt \
	>/dev/null 2>&1
bind --pkcs11-token-uri="$(card_uri "token=twin;id=%51")"
ok "of two cards with one label none is guessed" assert_output_has "it must name one, by serial="
ok "and both are named" assert_output_has "\"twin\" (serial number $serial)"
bind --pkcs11-token-uri="$(card_uri "token=twin;object=first")"
ok "the key's name tells them apart" bound
ok "and the card is known again" opens
bind --pkcs11-token-uri="$(card_uri "serial=$serial;id=%51")"
ok "so does the serial number" bound
ok "by which it opens" opens
bind --pkcs11-token-uri="$(card_uri "slot-id=$((slot))")"
ok "and a slot" bound
ok "which then is its card's serial number" opens

# --- a card and a server ---
start_tangd
policy="2 of (tang($tang_url, thp=$tang_thumbprint), pkcs11(uri=\"$(card_uri "token=card;id=%12")\"))"
bind --policy="$policy"
ok "a policy of a card and a server is bound" bound
ok "and opens by both" opens
ok "not with a wrong PIN" not opens 9999
remove_cards
run opens
ok "not without the card" not assert_rc 0
return_cards
stop_tangd
ok "nor without the server" not opens
start_tangd tang "$tang_port"
ok "but with both again" opens
bind --policy="1 of (tang($tang_url, thp=$tang_thumbprint), pkcs11(uri=\"$(card_uri "token=card;id=%12")\"))"
remove_cards
ok "where one suffices, the server opens without the card" opens_by_token "$image"
return_cards
stop_tangd
ok "and the card without the server" opens

done_testing
