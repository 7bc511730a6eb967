#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The pkcs11 pin and what Clevis 22 writes and reads: its own steps, by pkcs11-tool, openssl and jose, since
# older Clevis has no such pin.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../softhsm.sh"

pin_helper=$build/tests/pin-helper
secret=$tmp/secret
echo "not much of a secret" >"$secret"
theirs=$tmp/theirs ours=$tmp/ours

opens() { # JWE [OPTION…]
	local jwe=$1
	shift
	"$pin_helper" "$@" open <"$jwe" | cmp - "$secret"
}

seal() { # JWE CONFIG [OPTION…]
	local jwe=$1 config=$2
	shift 2
	"$pin_helper" "$@" seal pkcs11 "$config" <"$secret" >"$jwe"
}

# As clevis-encrypt-pkcs11 does it: an A256GCM key, encrypted by PKCS #1 v1.5.
clevis_seals() { # JWE TOKEN ID URI MECHANISM
	local jwk key
	jwk=$(jose jwk gen -i '{"alg":"A256GCM"}')
	p11 --token-label "$2" --read-object --type pubkey --id "$3" >"$tmp/public" 2>/dev/null
	key=$(printf %s "$jwk" | openssl pkeyutl -encrypt -pubin -keyform DER -inkey "$tmp/public" | jose b64 enc -I-)
	{
		jq -nc --arg uri "$4" --arg mechanism "$5" --arg key "$key" \
			'{protected: {clevis: {pin: "pkcs11", pkcs11: {$uri, $mechanism, $key}}}}' | tr -d '\n'
		printf %s "$jwk"
		cat "$secret"
	} | jose jwe enc --input=- --key=- --detached=- --compact >"$1"
}

# As clevis-decrypt-pkcs11 does it, which hands on the mechanism's name, and lets pkcs11-tool choose the key.
clevis_opens() { # JWE TOKEN
	local mechanism
	header "$1" | jq -r .clevis.pkcs11.key | jose b64 dec -i- >"$tmp/key"
	mechanism=$(header "$1" | jq -r '.clevis.pkcs11.mechanism // ""')
	p11 --token-label "$2" --login --decrypt --input-file "$tmp/key" -p $card_pin \
		${mechanism:+--mechanism "$mechanism"} >"$tmp/jwk" 2>"$tmp/p11.err"
	{
		cat "$tmp/jwk"
		cat "$1"
	} | jose jwe dec --key=- --input=- | cmp - "$secret"
}

make_card card
for bits in 2048 3072; do
	make_card "rsa $bits"
	make_key "rsa $bits" "rsa:$bits" 01 key
	# Without a mechanism pkcs11-tool takes the first one by which SoftHSM decrypts, whatever the key.
	for mechanism in '' RSA-PKCS; do
		clevis_seals "$theirs" "rsa $bits" 01 "$(card_uri "token=rsa%20$bits")" "$mechanism"
		ok "theirs: RSA $bits, mechanism \"$mechanism\"" opens "$theirs" --pin $card_pin
	done
	seal "$ours" "$(card_config "token=rsa%20$bits" RSA-PKCS)" --pin $card_pin
	ok "ours: RSA $bits" clevis_opens "$ours" "rsa $bits"
	# SoftHSM does not know the hash that pkcs11-tool has for OAEP, SHA-256.
	seal "$ours" "$(card_config "token=rsa%20$bits")" --pin $card_pin
	ok "ours: RSA $bits, OAEP with SHA-1" opens "$ours" --pin $card_pin
	ok "which Clevis cannot open" not clevis_opens "$ours" "rsa $bits"
	ok "and which says so" assert_equal "$("$pin_helper" describe <"$ours" | jq -r .clevis_reads_it)" no
done

# All the ways in which Clevis's URIs say which token and PIN.
slot=$(p11 -L 2>/dev/null | awk '/^Slot/ { n = $2 } /token label.*rsa 2048/ { print n }')
serial=$(p11 -L 2>/dev/null | awk '/token label.*rsa 2048/ { here = 1 } here && /serial num/ { print $NF; exit }')
for uri in \
	"pkcs11:module-path=$softhsm;token=rsa%202048?pin-value=$card_pin" \
	"pkcs11:module-path=$softhsm;serial=$serial;pin-value=$card_pin;" \
	"pkcs11:module-path=$softhsm;slot-id=$slot?pin-value=$card_pin" \
	"pkcs11:token=rsa%202048;serial=$serial;type=public?module-path=$softhsm&pin-value=$card_pin"; do
	clevis_seals "$theirs" "rsa 2048" 01 "$uri" ''
	ok "theirs: ${uri//$softhsm/MODULE}" opens "$theirs"
done

# --- what p11-kit is configured with serves a URI without a module ---
clevis_seals "$theirs" "rsa 2048" 01 "pkcs11:token=rsa%202048" RSA-PKCS
ok "theirs: without a module" opens "$theirs" --pin $card_pin

# --- a volume that Clevis 22 bound ---
make_small_image volume
secret=$tmp/luks-secret
head -c 32 /dev/urandom | jose b64 enc -I- -o "$secret"
clevis_seals "$theirs" "rsa 2048" 01 "$(card_uri "token=rsa%202048" "pin-value=$card_pin")" RSA-PKCS
cryptsetup luksAddKey --disable-external-tokens --key-file "$passphrase" --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
	--new-key-slot 1 "$image" "$secret"
jose jwe fmt -i "$theirs" | jq -c '{type: "clevis", keyslots: ["1"], jwe: .}' |
	cryptsetup token import --disable-external-tokens --token-id 0 --json-file - "$image"
PATH=$build/enroll/clevis/bin:$PATH run clevis luks list -d "$image"
ok "theirs: a volume is listed" assert_output_has "1: pkcs11"
ok "without its PIN" not grep -q $card_pin "$tmp/out"
PATH=$build/enroll/clevis/bin:$PATH run clevis luks unlock -d "$image" -t 1
ok "and unlocked by our Clevis" assert_rc 0
run with_plugins "$cotter_enroll" --import "$image"
ok "and its token becomes cotter's" assert_rc 0
ok "which opens it" opens_by_token "$image"
jwe=$(token_json "$image" 0 | jq -r '.jwe | .protected + ".." + .iv + "." + .ciphertext + "." + .tag')
printf %s "$jwe" >"$ours"
ok "and is still for Clevis" clevis_opens "$ours" "rsa 2048"

done_testing
