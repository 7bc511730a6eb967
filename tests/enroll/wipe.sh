#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What --wipe-slot removes, token and keyslot together, and what it leaves alone: other programs' tokens,
# keyslots that no token names, and always a way in.
. "$(dirname "$0")/../lib.sh"

wipe() { # LIST [OPTION…]
	cp "$image" "$tmp/before"
	run "$cotter_enroll" --wipe-slot="$1" "${@:2}" "$image"
}

bind() { # [OPTION…]
	run "$cotter_enroll" --unlock-key-file="$passphrase" --tang="$tang_url" \
		--tang-thumbprint="$tang_thumbprint" "$@" "$image"
}

copy() { # FROM NAME
	image=$tmp/$2
	cp "$tmp/$1" "$image"
}

add_key() { # [OPTION…]
	cryptsetup luksAddKey --batch-mode --key-file "$passphrase" --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 "$@"
}

import() { # TOKEN-ID JSON
	echo "$2" >"$tmp/import.json"
	cryptsetup token import --disable-external-tokens --token-id "$1" \
		--json-file "$tmp/import.json" "$image"
}

metadata() {
	cryptsetup luksDump --dump-json-metadata "$image"
}

# Exactly these are there; their numbers with a space between.
holds() { # KEYSLOTS TOKENS
	assert_equal "$(metadata | jq -r '[.keyslots, .tokens] | map(keys | join(" ")) | join("|")')" \
		"$1|$2" || { show_run; return 1; }
}

# Of the last wipe.
refused() { # TEXT
	assert_rc 1 && assert_one_sentence && assert_error_has "$1" &&
		assert_same_file "$image" "$tmp/before"
}

start_tangd second
second_url=$tang_url second_thumbprint=$tang_thumbprint
start_tangd
make_small_image plain
copy plain two
bind --quiet --label=first
"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$second_url" \
	--tang-thumbprint="$second_thumbprint" --label=second "$image"
ok "a volume with a passphrase and two bindings" holds "0 1 2" "0 1"

# --- what is selected ---

copy two image
offset=$(metadata | jq -r '.keyslots["2"].area.offset')
wipe 2 --json=short
ok "a keyslot's number removes it and its token" holds "0 1" "0"
ok "and is reported" assert_json '.verb == "wipe" and .result == "ok" and
	.wiped == {keyslots: [2], tokens: [1]}'
ok "in words too" assert_error_has "removed keyslot 2, token 1"
ok "its key material is overwritten" eval \
	'! cmp -s -n 4096 -i "$offset" "$image" "$tmp/before" && ! cmp -s -n 4096 -i "$offset" "$image" /dev/zero'
ok "passphrase and other token still open it" eval \
	'opens_by_passphrase "$image" && opens_by_token "$image" --token-id 0'

copy two image
wipe 1,2
ok "a list removes each" holds "0" ""
ok "and is told" assert_error_has "removed keyslots 1 and 2, tokens 0 and 1"
copy two image
wipe tang
ok "a pin removes all its tokens" holds "0" ""
copy two image
wipe all
ok "all removes all of cotter's" holds "0" ""
ok "and leaves the passphrase" opens_by_passphrase "$image"

copy two image
import 5 "$(token_json "$image" 0 | jq -c '.keyslots = []')"
cp "$image" "$tmp/with-orphan"
run "$cotter_enroll" --list "$image"
ok "--list names an orphaned token and its cure" assert_output_has \
	"orphaned: no keyslot belongs to it; --wipe-slot=orphaned removes it"
wipe orphaned
ok "orphaned removes that token alone" holds "0 1 2" "0 1"
copy with-orphan image
wipe tang,orphaned
ok "words can be listed too" holds "0" ""

copy two image
for list in orphaned 7; do
	wipe $list
	ok "nothing to remove is no failure: $list" assert_rc 0
	ok "but told" assert_error_has "nothing that --wipe-slot selects is there; nothing was changed"
	ok "and nothing changes" assert_same_file "$image" "$tmp/before"
done

copy two image
import 6 "$(token_json "$image" 1 | jq -c 'del(.jwe.tag) | .keyslots = ["2"]')"
cryptsetup token remove --token-id 1 "$image"
import 7 '{"type": "cotter-future", "keyslots": []}'
run "$cotter_enroll" --list --json=short "$image"
ok "--list says why a token is broken" assert_json '[.tokens[] | select(.state == "broken") |
	[.token, .cause]] == [[6, "the token'\''s JWE is missing or malformed"],
	[7, "the token'\''s type is not supported here"]]'
cp "$image" "$tmp/broken"
wipe tang
ok "a pin removes its broken tokens too" holds "0" "7"
copy broken image
wipe all
ok "all removes those of pins unknown here" holds "0" ""

# --- one token, two keyslots; two tokens, one keyslot ---

copy two image
add_key "$image" <(token_secret "$image" 0)
token_json "$image" 0 | jq -c '.keyslots = ["1", "3"]' >"$tmp/both.json"
cryptsetup token import --disable-external-tokens --token-replace --token-id 0 \
	--json-file "$tmp/both.json" "$image"
cp "$image" "$tmp/both"
wipe 1
ok "a token that has another keyslot stays" holds "0 2 3" "0 1"
ok "and opens it" opens_by_token "$image" --token-id 0
copy both image
wipe 1,3
ok "and goes with the last" holds "0 2" "1"
copy two image
import 4 "$(token_json "$image" 0)"
wipe 1
ok "all tokens of a keyslot go with it" holds "0 2" "1"

# --- other programs' ---

tpm2='{"type":"systemd-tpm2","keyslots":["3"],"tpm2-blob":"AAAA","tpm2-pcrs":[7],"tpm2-policy-hash":"00"}'
copy two image
printf 'the other key' >"$tmp/other.key"
add_key "$image" "$tmp/other.key"
import 8 "$tpm2"
import 9 '{"type":"someone else","keyslots":[]}'
cp "$image" "$tmp/foreign"
for id in 8 9; do token_json "$image" $id >"$tmp/$id.json"; done
foreign_tokens_are_unchanged() {
	for id in 8 9; do token_json "$image" $id | cmp - "$tmp/$id.json"; done
	cryptsetup open --test-passphrase --disable-external-tokens --key-file "$tmp/other.key" "$image"
}

wipe 3
ok "another program's keyslot is not removed" refused \
	"keyslot 3 of $image belongs to token 8 of type systemd-tpm2; remove both with the program that made them"
wipe 1,3
ok "nor anything with it" refused "belongs to token 8 of type systemd-tpm2"
bind --label=new --wipe-slot=tang,3
ok "nor for a new binding, which is not made either" refused "belongs to token 8 of type systemd-tpm2"
for list in tang all orphaned 1,2; do
	copy foreign image
	wipe $list
	ok "succeeds beside another program's tokens: $list" assert_rc 0
	ok "which stay as they were" foreign_tokens_are_unchanged
done
ok "though cotter's went" holds "0 3" "8 9"

copy two image
import 8 "${tpm2/\"3\"/\"1\"}"
wipe tang
ok "a keyslot that another program's token shares is not removed" refused \
	"keyslot 1 of $image belongs to token 8 of type systemd-tpm2"

# --- keyslots without a token ---

copy two image
add_key "$image" "$tmp/other.key"
cp "$image" "$tmp/other"
wipe all
ok "all leaves keyslots without a token" holds "0 3" ""
copy other image
wipe 3
ok "a number removes one" holds "0 1 2" "0 1"
copy plain image
cryptsetup luksAddKey --batch-mode --unbound --key-size 512 --pbkdf pbkdf2 \
	--pbkdf-force-iterations 1000 "$image" "$tmp/other.key"
run "$cotter_enroll" --list "$image"
ok "--list tells a keyslot that holds another key" assert_output_has "1     -      unbound"
wipe 0
ok "which is no way in" refused "this would remove the last keyslot that opens $image"
wipe 1
ok "a number removes it" holds "0" ""

# --- the last way in ---

copy plain image
wipe 0
ok "the only keyslot stays" refused "this would remove the last keyslot that opens $image"
copy two image
wipe 0,1,2
ok "so does the last of several" refused "this would remove the last keyslot that opens $image"
wipe 0,tang
ok "however they are named" refused "this would remove the last keyslot that opens $image"
wipe 0 --json=short
ok "the passphrase goes where a token opens the volume now" holds "1 2" "0 1"
ok "and the token opens it" opens_by_token "$image"
wipe all
ok "then the tokens stay" refused "this would remove the last keyslot that opens $image"
wipe 1
ok "but for one of them" holds "2" "1"
ok "the other opens the volume" opens_by_token "$image"

copy plain image
wipe 0 --force
ok "the last way in goes with --force alone" holds "" ""
ok "with a warning" assert_error_has "the last way into $image that is known to open it"
copy two image
wipe tang --force
ok "where another way is left --force warns of nothing" not assert_error_has "the last way into"

copy plain image
bind --quiet
bind --label=new --wipe-slot=0,tang
ok "a new binding may replace all others" holds "2" "1"
ok "as it opens the volume" opens_by_token "$image"

copy two image
cp "$image" "$tmp/before"
bind --label=new --wipe-slot=2
ok "an equal binding that exists replaces nothing" assert_error_has "is already bound so by token 0"
ok "and that is told" assert_error_has "what --wipe-slot selects was kept"
ok "nothing changes" assert_same_file "$image" "$tmp/before"

stop_tangd second
copy two image
cryptsetup luksKillSlot --batch-mode --key-file "$passphrase" "$image" 1
cryptsetup token remove --token-id 0 "$image"
wipe 0
ok "the passphrase stays where the only token's server is away" refused \
	"only cotter tokens would be left to open $image, and none of them does now: $second_url"
ok "and opens the volume" opens_by_passphrase "$image"
copy broken image
wipe 0,1
ok "it stays where the only token is broken" refused "only cotter tokens would be left to open $image"

done_testing
