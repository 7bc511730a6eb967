#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The order in which tokens are tried: those that need no network first, and systemd's, of which one that fails
# has systemd try no other, last.
. "$(dirname "$0")/../lib.sh"

bind() { # [OPTION…]
	run "$cotter_enroll" --unlock-key-file="$passphrase" "$@" "$image"
}

copy() { # FROM
	image=$tmp/image
	cp "$tmp/$1" "$image"
}

import() { # TOKEN-ID JSON
	echo "$2" >"$tmp/import.json"
	cryptsetup token import --disable-external-tokens --token-id "$1" \
		--json-file "$tmp/import.json" "$image"
}

metadata() {
	cryptsetup luksDump --dump-json-metadata "$image"
}

# The tokens in the header's order, each as ID:TYPE.
order() {
	metadata | jq -r '[.tokens | to_entries[] | "\(.key):\(.value.type | sub("^cotter-"; ""))"] | join(" ")'
}

holds() { # ORDER
	assert_equal "$(order)" "$1" || { show_run; return 1; }
}

start_tangd second
second=(--tang="$tang_url" --tang-thumbprint="$tang_thumbprint")
start_tangd
first=(--tang="$tang_url" --tang-thumbprint="$tang_thumbprint")
start_tpm tpm
make_small_image plain
for servers in one two; do
	copy plain
	bind "${first[@]}"
	[ $servers = one ] || bind "${second[@]}" --label=second
	cp "$image" "$tmp/$servers"
done

# --- a new binding ---

copy two
before=$(for id in 0 1; do token_json "$image" $id; done)
bind --tpm2-device=auto --json=short
ok "a local binding goes before those that need the network" holds "2:tpm2 3:tang 0:tang"
ok "which is told" assert_error_has "moved token 0, which is now token 3 and tried last"
ok "and in the JSON" assert_json '.moved == [{from: 0, to: 3}, {from: 1, to: 0}] and .token == 2'
ok "the tokens moved are the same" assert_equal "$(for id in 3 0; do token_json "$image" $id; done)" "$before"
ok "all of them open the volume" eval '"$cotter_enroll" --test --quiet "$image"'
ok "and no keyslot was touched" assert_equal "$(metadata | jq -c '.keyslots | keys')" '["0","1","2","3"]'

# libcryptsetup's own view: what it opens first.
first_tried() {
	opens_by_token "$image" --debug >"$tmp/debug" 2>&1
	grep -oE 'Token [0-9]+ \(cotter-[a-z0-9]+\)|token [0-9]+.*cotter-[a-z0-9]+' "$tmp/debug" | head -n 1
}
ok "libcryptsetup tries it first" eval '[[ "$(first_tried)" = *2*tpm2* ]] || { cat "$tmp/debug"; false; }'

copy plain
bind --tpm2-device=auto
bind "${first[@]}" --json=short
ok "a binding that needs the network stays behind" holds "0:tpm2 1:tang"
ok "and nothing is moved" assert_json 'has("moved") | not'

copy one
bind "${second[@]}" --tpm2-device=auto --threshold=2 --json=short
ok "a policy that needs a server is not local" holds "0:tang 1:sss"
copy one
bind "${second[@]}" --tpm2-device=auto --threshold=1 --json=short
ok "one that the TPM can meet is" holds "1:sss 2:tang"
copy one
bind --tpm2-device=auto --wipe-slot=tang
ok "what was replaced is not moved" holds "1:tpm2"

# --- other programs' tokens ---

systemd='{"type":"systemd-tpm2","keyslots":["0"],"tpm2-blob":"AAAA","tpm2-pcrs":[7],"tpm2-policy-hash":"00"}'
copy plain
import 4 "$systemd"
import 5 '{"type":"someone else","keyslots":[]}'
cp "$image" "$tmp/foreign"
bind "${first[@]}"
ok "another program's token is not moved" holds "4:systemd-tpm2 5:someone else 0:tang"
ok "but warned of" assert_error_has \
	"token 4 of type systemd-tpm2 is tried before token 0; where it fails, systemd before 262 tries no other"
bind --tpm2-device=auto
ok "nor for a local binding" holds "4:systemd-tpm2 5:someone else 1:tpm2 2:tang"
ok "which is warned of too" assert_error_has "token 4 of type systemd-tpm2 is tried before token 1"
run "$cotter_enroll" --reorder --json=short "$image"
ok "--reorder moves it" holds "5:someone else 1:tpm2 2:tang 0:systemd-tpm2"
ok "and tells" assert_json '.verb == "reorder" and .result == "ok" and .moved == [{from: 4, to: 0}]'
ok "to the byte" assert_equal "$(token_json "$image" 0 | jq -S .)" "$(jq -S . <<<"$systemd")"
cp "$image" "$tmp/before"
run "$cotter_enroll" --reorder --json=short "$image"
ok "then the order is right" eval 'assert_json ".moved == []" && assert_error_has "in the right order"'
ok "and nothing is written" assert_same_file "$image" "$tmp/before"
copy foreign
bind "${first[@]}" --reorder
ok "--reorder with a binding moves it at once" holds "5:someone else 0:tang 1:systemd-tpm2"
ok "and there is nothing to warn of" not assert_error_has "is tried before"

# --- what stands in any order ---

copy plain
for pin in "${first[*]}" "${second[*]}"; do bind $pin; done
bind --tpm2-device=auto
while read -r id to; do # Tang's first again
	json=$(token_json "$image" "$id")
	cryptsetup token remove --token-id "$id" "$image"
	import "$to" "$json"
done <<<"2 9"
import 6 "$systemd"
ok "Tang's and then a TPM's, then systemd's" holds "3:tang 0:tang 9:tpm2 6:systemd-tpm2"
run "$cotter_enroll" --reorder "$image"
ok "become a TPM's, Tang's and systemd's" holds "9:tpm2 1:tang 2:tang 0:systemd-tpm2"

# --- no room ---

copy one
while [ "$(metadata | jq '.tokens | length')" -lt 31 ]; do
	cryptsetup token import --disable-external-tokens --json-file - "$image" \
		<<<'{"type":"x","keyslots":[]}'
done
bind --tpm2-device=auto
ok "without a free id the binding is made all the same" eval \
	'assert_rc 1 && assert_error_has "proven by opening it" && assert_error_has \
	"token 0 of $image could not be moved, for which the header needs room for it twice and a free id"'
ok "and that is told" assert_error_has "the binding stays, but the order of tokens is not right"
ok "both tokens work" eval '"$cotter_enroll" --test --quiet "$image"'

done_testing
