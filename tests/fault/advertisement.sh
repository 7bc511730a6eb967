#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Advertisements that nobody should bind to, saved in a file and fetched from a server: each is refused
# in one sentence, and nothing changes. All are made from a good server's own keys.
. "$(dirname "$0")/../lib.sh"

# Writes the advertisement of the keys in the file KEYS, signed by each KEY.
sign() { # KEYS KEY…
	local keys=$1 key by=()
	shift
	for key; do
		by+=(-s '{"protected": {"alg": "ES512", "cty": "jwk-set+json"}}' -k "$key")
	done
	jose jws sig -I "$keys" "${by[@]}" -o-
}

# Writes a set of the public keys of these and the JSON of others.
key_set() { # KEY…
	local key
	for key; do
		if [ -e "$key" ]; then jose jwk pub -i "$key" -o-; else echo "$key"; fi
	done | jq -cs '{keys: .}'
}

start_tangd
for file in "$tmp"/tang/*.jwk; do
	case $(jq -r .alg "$file") in
	ES512) signing=$file ;;
	ECMR) exchange=$file ;;
	esac
done
jose jwk gen -i '{"alg": "ES512"}' -o "$tmp/other.jwk"
other=$tmp/other.jwk
mkdir "$tmp/bad" "$tmp/sentences"
cd "$tmp/bad"

# --- made ---

key_set "$signing" "$exchange" >"$tmp/keys"
sign "$tmp/keys" "$signing" >"$tmp/good"

no_adv="this is not a Tang advertisement"

# Names what comes on standard input as an advertisement to be refused with TEXT.
bad() { # NAME TEXT
	cat >"$1"
	echo "$2" >"$tmp/sentences/$1"
}

bad "unsigned, the keys alone" "$no_adv" <"$tmp/keys"
jq -c '{payload, signatures: []}' "$tmp/good" |
	bad "without signatures" "is not signed by its signing key $tang_thumbprint"
jq -c 'del(.signature)' "$tmp/good" | bad "without its signature" "signatures are malformed"
sign "$tmp/keys" "$other" |
	bad "signed by another key alone" "is not signed by its signing key $tang_thumbprint"
key_set "$signing" "$other" "$exchange" >keys
sign keys "$signing" | bad "signed by one of two signing keys" \
	"is not signed by its signing key $(jose jwk thp -i "$other")"
jq -c '.payload |= sub("^eyJ"; "eyK")' "$tmp/good" | bad "with a payload that is no JSON" "$no_adv"
sed 's/verify/encrypt/' "$tmp/keys" >keys
sign keys "$signing" | bad "without a signing key" "has no signing key"
jq -c --arg payload "$(jq -c '.keys += [.keys[1]]' "$tmp/keys" | jose b64 enc -I-)" \
	'.payload = $payload' "$tmp/good" |
	bad "with a payload changed after signing" "is not signed by its signing key $tang_thumbprint"
jq -c --arg header "$(echo -n '{"alg":"none"}' | jose b64 enc -I-)" \
	'.protected = $header | .signature = ""' "$tmp/good" |
	bad "with the signature algorithm none" "is not signed by its signing key $tang_thumbprint"

key_set "$signing" >keys
sign keys "$signing" | bad "without an exchange key" "has no exchange key on P-256, P-384 or P-521"
point=$(printf '%032d' 7 | jose b64 enc -I-)
while IFS='|' read -r kind key; do
	key_set "$signing" "$key" >keys
	sign keys "$signing" |
		bad "with an exchange key of the kind $kind alone" "has no exchange key on"
	key_set "$signing" "$exchange" "$(jq -c '.key_ops = ["verify"]' <<<"$key")" >keys
	sign keys "$signing" |
		bad "with a signing key of the kind $kind" "has a signing key of a kind or curve"
done <<-END
	secp256k1|{"kty":"EC","crv":"secp256k1","x":"$point","y":"$point","key_ops":["deriveKey"]}
	X25519|{"kty":"OKP","crv":"X25519","x":"$point","key_ops":["deriveKey"]}
	RSA|{"kty":"RSA","n":"$point","e":"AQAB","key_ops":["deriveKey"]}
	of the future|{"kty":"ML","x":"$point","key_ops":["deriveKey"]}
END
key_set "$signing" "$(jose jwk pub -i "$exchange" | jq -c '.x = .y')" >keys
sign keys "$signing" | bad "with an exchange key off its curve" "has a malformed key"
key_set "$signing" "$(jose jwk pub -i "$exchange" | jq -c 'del(.y)')" >keys
sign keys "$signing" | bad "with half an exchange key" "has a malformed key"
jq -c '.keys = ([range(100)] | map($k)) + .keys' --argjson k "$(jose jwk pub -i "$exchange")" \
	"$tmp/keys" >keys
sign keys "$signing" | bad "with 102 keys" "has more than"

echo '{"keys": 7}' >keys
sign keys "$signing" | bad "whose keys are no list" "has no list of keys"
echo '[]' >keys
sign keys "$signing" | bad "whose payload is no object" "$no_adv"
printf '{"keys": %05000d}' 0 | tr 0 '[' >keys
sign keys "$signing" | bad "with a deeply nested payload" "$no_adv"

head -c 500 "$tmp/good" | bad "cut after 500 bytes" "$no_adv"
(cat "$tmp/good"; head -c 1M /dev/zero | tr '\0' ' ') | bad "1 MB long" "longer than 65536 bytes"
head -c 60000 /dev/zero | tr '\0' '[' | bad "nested 60000 deep" "$no_adv"
(printf '{"a":%.0s' {1..100}; cat "$tmp/good"; printf '}%.0s' {1..100}) |
	bad "100 objects deep" "$no_adv"
jq -c '. + {payload}' "$tmp/good" | sed 's/^{/{"payload":"",/' | bad "with two payloads" "$no_adv"
(cat "$tmp/good"; echo '{}') | bad "with something after it" "$no_adv"
(printf '\0'; cat "$tmp/good") | bad "with a NUL byte before it" "$no_adv"
printf '' | bad "empty" "$no_adv"
echo '<html>not here</html>' | bad "no JSON" "$no_adv"
echo '"text"' | bad "a JSON string" "$no_adv"
rm keys

# --- used ---

make_small_image plain
cp "$tmp/plain" "$tmp/image"
image=$tmp/image
start_hostile server --adv="$tmp/served"

bind() { # [OPTION…]
	run timeout 20 "$cotter_enroll" --unlock-key-file="$passphrase" "$@" "$image"
}

refused() { # TEXT
	assert_rc 1 && assert_one_sentence && assert_error_has "$1" &&
		assert_equal "$(cat "$tmp/out")" "" && assert_same_file "$image" "$tmp/plain"
}

for name in *; do
	text=$(cat "$tmp/sentences/$name")
	bind --tang="$tang_url" --tang-advertisement="$name"
	ok "refuses a saved advertisement $name" refused "$text"
	cp "$name" "$tmp/served"
	bind --tang="$hostile_url" --tang-thumbprint="$tang_thumbprint"
	ok "refuses the same from a server" refused "$text"
done

cp "$tmp/good" "$tmp/served"
bind --tang="$hostile_url" --tang-thumbprint="$(jose jwk thp -i "$other")"
ok "refuses a good one that the wanted key did not sign" refused \
	"is not signed by the key with the thumbprint $(jose jwk thp -i "$other")"
bind --tang="$hostile_url" --tang-thumbprint="$(jose jwk thp -i "$exchange")"
ok "the exchange key's thumbprint is not a signing key's" refused \
	"is not signed by the key with the thumbprint $(jose jwk thp -i "$exchange")"
bind --tang="$tang_url" --tang-thumbprint="$(jose jwk thp -i "$other")"
ok "refuses the server itself where it has not the wanted key" refused \
	"has no signing key with the thumbprint $(jose jwk thp -i "$other")"

bind --tang="$tang_url" --tang-advertisement="$tmp/missing"
ok "refuses a saved advertisement that is not there" refused "cannot be read: No such file"
bind --tang="$tang_url" --tang-advertisement="$tmp"
ok "refuses a folder as a saved advertisement" refused "cannot be read"
cp "$tmp/good" "$tmp/unreadable"
chmod 0 "$tmp/unreadable"
run setpriv --bounding-set=-dac_override,-dac_read_search "$cotter_enroll" \
	--unlock-key-file="$passphrase" --tang="$tang_url" --tang-advertisement="$tmp/unreadable" "$image"
ok "refuses a saved advertisement that may not be read" refused "cannot be read: Permission denied"

# --- so that it was not something else that was refused ---

bind --tang="$tang_url" --tang-advertisement="$tmp/good" --quiet
ok "binds to a good one made the same way" opens_by_token "$image"
cp "$tmp/plain" "$image"
key_set "$signing" '{"kty":"OKP","crv":"X25519","x":"'"$point"'","key_ops":["deriveKey"]}' \
	"$exchange" >"$tmp/keys"
sign "$tmp/keys" "$signing" >"$tmp/good"
bind --tang="$tang_url" --tang-advertisement="$tmp/good" --quiet
ok "an unknown exchange key beside a good one does no harm" opens_by_token "$image"
cp "$tmp/plain" "$image"
key_set "$signing" "$other" "$exchange" >"$tmp/keys"
sign "$tmp/keys" "$signing" "$other" >"$tmp/good"
bind --tang="$tang_url" --tang-advertisement="$tmp/good" --quiet
ok "two signing keys that both signed are good" opens_by_token "$image"

done_testing
