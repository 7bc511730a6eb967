#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Clevis and cotter open each other's tang JWEs: on every curve, in both forms, in both directions.
. "$(dirname "$0")/../lib.sh"

command -v clevis >/dev/null || skip_all "clevis is not installed"

curves='P-256 P-384 P-521'
secret=$tmp/secret

signing_alg() { # CURVE
	case $1 in P-256) echo ES256 ;; P-384) echo ES384 ;; P-521) echo ES512 ;; esac
}

# A Tang server, called CURVE, whose keys are all on this curve.
start_tangd_on() { # CURVE
	mkdir "$tmp/$1"
	jose jwk gen -i "{\"alg\":\"$(signing_alg "$1")\"}" -o "$tmp/$1/signing.jwk"
	jose jwk gen -i "{\"alg\":\"ECMR\",\"crv\":\"$1\"}" -o "$tmp/$1/exchange.jwk"
	start_tangd "$1"
}

clevis_config() {
	jq -nc --arg url "$tang_url" --arg thp "$tang_thumbprint" '{$url, $thp}'
}

# --- theirs in our tokens ---

# A volume whose keyslot 1 is opened by what is in the file $secret.
make_image_with_secret() { # NAME
	make_image "$1"
	cryptsetup luksAddKey --disable-external-tokens --batch-mode --key-file "$passphrase" \
		--key-slot 1 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$image" "$secret"
}

import_token() { # IMAGE JSON
	printf '%s' "$2" | cryptsetup token import --disable-external-tokens --json-file - "$1"
}

jwe_opens_volume() { # JQ-VALUE, of $jwe
	make_image_with_secret theirs
	import_token "$image" "$(jq -nc --arg jwe "$jwe" --argjson flat "$flattened" \
		"{type: \"cotter-tang\", keyslots: [\"1\"], jwe: $1}")"
	opens_by_token "$image"
}

check_theirs() { # NAME: a JWE of $secret by the server started last
	jwe=$(clevis encrypt tang "$(clevis_config)" <"$secret")
	flattened=$(printf '%s' "$jwe" | jose jwe fmt -i-)
	ok "$1: clevis encrypt's JWE, compact, opens a volume" jwe_opens_volume '$jwe'
	ok "$1: the same, flattened" jwe_opens_volume '$flat'
}

# What `clevis luks bind` stored, with nothing but the type changed.
bound_jwe_opens_volume() {
	make_image bound
	clevis luks bind -y -k "$passphrase" -d "$image" tang "$(clevis_config)"
	local token
	token=$(token_json "$image" 0)
	assert_equal "$(jq -r .type <<<"$token")" clevis
	cryptsetup token remove --disable-external-tokens --token-id 0 "$image"
	import_token "$image" "$(jq -c '.type = "cotter-tang"' <<<"$token")"
	opens_by_token "$image"
}

opens_by_secret_alone() { # IMAGE
	run opens_by_token "$1"
	assert_rc 1
	assert_error_has "$tang_url"
	cryptsetup open --test-passphrase --disable-external-tokens --key-file "$secret" "$1"
}

# --- ours in their hands ---

decrypted_opens_keyslot() { # IMAGE TOKEN-ID KEYSLOT
	token_json "$1" "$2" >"$tmp/token"
	jq -c .jwe "$tmp/token" | jose jwe fmt -i- -c | clevis decrypt >"$tmp/plain"
	[ -s "$tmp/plain" ]
	cryptsetup open --test-passphrase --disable-external-tokens --key-slot "$3" \
		--key-file "$tmp/plain" "$1"
}

clevis_decrypts_ours() {
	make_image ours
	"$cotter_enroll" --tang="$tang_url" --tang-thumbprint="$tang_thumbprint" \
		--unlock-key-file="$passphrase" "$image"
	decrypted_opens_keyslot "$image" 0 1
}

# Sealed to keys that were kept, as renewal does, without a word to the server.
clevis_decrypts_resealed() {
	local exchange
	exchange=$(jq -c .keys[] < <(curl -sSf "$tang_url/adv" | jose fmt -j- -g payload -yo-) |
		jq -c 'select(.key_ops == ["deriveKey"])')
	jq -nc --arg url "$tang_url" --arg kid "$(jose jwk thp -i- <<<"$exchange")" \
		--argjson keys "$(curl -sSf "$tang_url/adv" | jose fmt -j- -g payload -yo-)" \
		'{$url, $keys, $kid}' >"$tmp/kept"
	unshare -n "$build/tests/pin-helper" seal tang "$(cat "$tmp/kept")" <"$secret" >"$tmp/resealed"
	clevis decrypt <"$tmp/resealed" | cmp - "$secret"
}

for curve in $curves; do
	start_tangd_on "$curve"
	printf 'a secret by clevis on %s' "$curve" >"$secret"
	check_theirs "$curve"
	ok "$curve: clevis luks bind's JWE opens the volume" bound_jwe_opens_volume
	ok "$curve: clevis decrypts the JWE of our token" clevis_decrypts_ours
	ok "$curve: and what is sealed again to keys that were kept" clevis_decrypts_resealed
done

head -c 300 /dev/urandom >"$secret"
printf '\n\0\n' >>"$secret"
check_theirs "binary secret"
stop_tangd P-521
ok "the same volume opens by its secret alone once the server is gone" \
	opens_by_secret_alone "$tmp/theirs"
done_testing
