#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --import makes cotter's tokens of those that Debian's Clevis wrote: with the same JWE, keyslot and id, proven
# before anything is written; what cannot be proven stays, byte for byte.
if [ -z "${IN_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP only root can mount"; exit 0; }
	IN_NAMESPACE=1 exec unshare -m "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"

command -v clevis >/dev/null || skip_all "clevis is not installed"

import() { # [OPTION…]
	run "$cotter_enroll" --import --json=short "$@" "$image"
}

clevis_bind() { # PIN CONFIG
	clevis luks bind -f -k "$passphrase" -d "$image" "$1" "$2" >"$tmp/bind.log" 2>&1 || { cat "$tmp/bind.log" >&2; return 1; }
	# Clevis leaves its sessions in a TPM without a resource manager.
	tpm2_flushcontext --loaded-session
}

# The test's volume, bound as NAME was.
fresh() { # NAME
	image=$tmp/image
	cp "$tmp/$1" "$image"
	cp "$tmp/$1" "$tmp/before"
}

untouched() {
	cmp "$image" "$tmp/before"
}

# A token's keyslots and JWE.
essence() { # IMAGE TOKEN-ID
	token_json "$1" "$2" | jq -c '[.keyslots, .jwe]'
}

same_essence() { # TOKEN-ID…
	for id; do
		assert_equal "$(essence "$image" "$id")" "$(essence "$tmp/before" "$id")" || return 1
	done
}

types_are() { # TYPE…
	assert_equal "$(cryptsetup luksDump --disable-external-tokens --dump-json-metadata "$image" |
		jq -r '[.tokens[].type] | join(" ")')" "$*"
}

states_are() { # STATE…
	assert_json "[.tokens[].state] | join(\" \") == \"$*\""
}

# Token ID's policy as Clevis would have it with the pin of the first share renamed.
edit_token() { # ID FILTER
	token_json "$image" "$1" | jq -c "$2" >"$tmp/edited.json"
	cryptsetup token import --disable-external-tokens --token-replace --token-id "$1" \
		--json-file "$tmp/edited.json" "$image"
	cp "$image" "$tmp/before"
}

start_tangd
live_url=$tang_url live_thumbprint=$tang_thumbprint
live=$(jq -nc --arg url "$tang_url" --arg thp "$tang_thumbprint" '{$url, $thp}')
start_tangd dying
dying=$(jq -nc --arg url "$tang_url" --arg thp "$tang_thumbprint" '{$url, $thp}')
dying_url=$tang_url
start_tpm tpm

make_small_image bare
for name in one three tpm2; do
	cp "$tmp/bare" "$tmp/$name"
done
image=$tmp/one
clevis_bind tang "$live"
image=$tmp/tpm2
clevis_bind tpm2 '{"pcr_bank":"sha256","pcr_ids":"16"}'
image=$tmp/three
clevis_bind tang "$live"
clevis_bind tang "$dying"
clevis_bind sss "{\"t\":2,\"pins\":{\"tang\":[$live],\"tpm2\":{}}}"

# --- each pin ---

fresh one
import
ok "a tang binding is imported" assert_rc 0
ok "and told" assert_json '.verb == "import" and .result == "ok" and
	.tokens == [{token: 0, keyslots: [1], state: "imported"}]'
ok "in one sentence" assert_error_has "token 0, Clevis's, is cotter's now, with its keyslot 1"
ok "its type is ours" types_are cotter-tang
ok "its JWE and keyslot are the same" same_essence 0
ok "our plugin opens the volume" opens_by_token "$image"
ok "the passphrase still does" opens_by_passphrase "$image"
ok "clevis decrypt still recovers the secret" test -n "$(token_secret "$image" 0)"
cp "$image" "$tmp/imported"
import
ok "again there is nothing to do" assert_rc 0
ok "which is said" assert_error_has "has no binding of Clevis's; nothing was changed"
ok "and nothing is written" cmp "$image" "$tmp/imported"
run "$cotter_enroll" --import=0 --json=short "$image"
ok "nor where it is named" assert_json '.tokens == [{token: 0, keyslots: [1], state: "present"}]'
ok "and nothing is written" cmp "$image" "$tmp/imported"
run "$cotter_enroll" --renew=0 --force --json=short "$image"
ok "what was imported is renewed" assert_json '.tokens[0].state == "renewed"'

fresh tpm2
run "$cotter_enroll" --import --label='from the old days' "$image"
ok "a tpm2 binding is imported" assert_rc 0
ok "its type is ours" types_are cotter-tpm2
ok "with the label" assert_equal "$(token_json "$image" 0 | jq -r .cotter.label)" "from the old days"
ok "our plugin opens the volume" opens_by_token "$image"

fresh three
import
ok "three bindings are imported at once" states_are imported imported imported
ok "each by its pin" types_are cotter-tang cotter-tang cotter-sss
ok "with what they were" same_essence 0 1 2
for id in 0 1 2; do
	ok "token $id opens the volume" opens_by_token "$image" --token-id $id
done

# --- one of several ---

fresh three
run "$cotter_enroll" --import=1 "$image"
ok "one is imported by its number" types_are clevis cotter-tang clevis
run "$cotter_enroll" --import --key-slot=3 "$image"
ok "and one by its keyslot" types_are clevis cotter-tang cotter-sss
cp "$image" "$tmp/before"
run "$cotter_enroll" --import=7 "$image"
ok "one that is not there is an error" assert_rc 1
ok "that says so" assert_error_has "has no token 7"
run "$cotter_enroll" --import --key-slot=0 "$image"
ok "nor has a passphrase's keyslot one" assert_error_has "no token of $image has keyslot 0"
ok "nothing was changed" untouched
edit_token 0 '.type = "another"'
run "$cotter_enroll" --import=0 "$image"
ok "another program's is refused" assert_error_has "token 0 of $image is not Clevis's, but another"
ok "and stays" untouched

cp "$tmp/one" "$tmp/other"
run "$cotter_enroll" --import --quiet "$tmp/other" "$tmp/bare" "$tmp/none"
ok "of several volumes the one that is not there counts" assert_rc 1
ok "and the others are done" opens_by_token "$tmp/other"

# --- what cannot be proven ---

fresh three
stop_tangd dying
import
ok "a dead server's binding is out of reach" assert_rc 3
ok "and stays, the others do not" states_are imported unreachable imported
ok "as the header has it" types_are cotter-tang clevis cotter-sss
ok "with the cause" assert_error_has "token 1 of $image stays Clevis's: $dying_url"
ok "and with what they were" same_essence 0 1 2
fresh three
run "$cotter_enroll" --import=1 "$image"
ok "alone, nothing is written for it" untouched
start_tangd dying "${dying_url##*:}"
run "$cotter_enroll" --import=1 "$image"
ok "and once it is there, it is imported" types_are clevis cotter-tang clevis

fresh tpm2
extend_pcr 16:sha256
import
ok "with other PCRs a tpm2 binding fails" assert_rc 1
ok "and is told" assert_json '.tokens[0].state == "failed" and (.tokens[0].cause | contains("PCR"))'
ok "and stays, byte for byte" untouched

fresh one
cryptsetup luksChangeKey --disable-external-tokens --batch-mode --pbkdf pbkdf2 \
	--pbkdf-force-iterations 1000 --key-slot 1 --key-file <(clevis luks pass -d "$image" -s 1) \
	"$image" "$passphrase"
cp "$image" "$tmp/before"
import
ok "a secret that does not open the keyslot fails" assert_rc 1
ok "and is told" assert_error_has "opens no keyslot of it"
ok "and stays" untouched

# --- pins that cotter lacks ---

# A header of Clevis's with its pin renamed: nobody opens it, and nobody need try.
rename_pin() { # ID JQ-FILTER-ON-HEADER
	local hdr
	hdr=$(token_json "$image" "$1" | jq -r .jwe.protected | jose b64 dec -i- | jq -c "$2" | jose b64 enc -I-)
	edit_token "$1" ".jwe.protected = \"$hdr\""
}

fresh three
rename_pin 0 '.clevis.pin = "yubikey" | .clevis.yubikey = {}'
rename_pin 2 '.clevis.sss.jwe[0] |= ((split(".")) as $p | ([($p[0] | gsub("-"; "+") | gsub("_"; "/") |
	@base64d | fromjson | .clevis.pin = "card" | tojson | @base64 | gsub("\\+"; "-") | gsub("/"; "_") |
	gsub("="; ""))] + $p[1:] | join(".")))'
import
ok "policies with external pins are left" assert_rc 0
ok "and named" states_are left imported left
ok "at the root" assert_error_has 'token 0 of '"$image"' stays Clevis'"'"'s: its policy has the pin "yubikey"'
ok "and as a part" assert_error_has 'token 2 of '"$image"' stays Clevis'"'"'s: its policy has the pin "card"'
ok "as they were" types_are clevis cotter-tang clevis
run "$cotter_enroll" --import=0 --json=short "$image"
ok "named, it is an error" assert_rc 1
ok "that is told" assert_json '.tokens[0].state == "failed"'

# --- tokens that are not as Clevis writes them ---

fresh one
edit_token 0 '.keyslots = []'
import
ok "one without keyslot is refused" assert_error_has "no keyslot belongs to it"
fresh one
edit_token 0 '.keyslots = ["0", "1"]'
import
ok "one with two as well" assert_error_has "it names several keyslots"
fresh one
cryptsetup token import --disable-external-tokens --token-id 5 "$image" \
	<<<'{"type":"another","keyslots":["1"]}'
cp "$image" "$tmp/before"
import
ok "one whose keyslot is another's too" assert_error_has "keyslot 1 is that of token 5 as well"
ok "and stays" untouched
fresh one
edit_token 0 '.jwe.tag = "AAAA"'
import
ok "one whose JWE is malformed" assert_error_has "stays Clevis's: its JWE"
ok "and stays" untouched
fresh one
edit_token 0 '.jwe |= "\(.protected)..\(.iv).\(.ciphertext).\(.tag)"'
import
ok "a compact JWE is taken as it is" same_essence 0
ok "and opens the volume" opens_by_token "$image"

fresh one
"$src/tests/edit-header.py" "$image" '.tokens["1"] = {type: "another", keyslots: [], fill: ""} |
	.tokens["1"].fill = ([range(12288 - (tostring | length) - 8)] | map("x") | join(""))'
cp "$image" "$tmp/before"
import
ok "where there is no room it fails" assert_rc 1
ok "and says so" assert_error_has "has no room"
ok "and stays" untouched

# --- elsewhere ---

fresh one
mv "$image" "$tmp/header"
truncate -s 1M "$image"
run "$cotter_enroll" --import --quiet --header="$tmp/header" "$image"
ok "a detached header's binding is imported" assert_rc 0
ok "and opens" opens_by_token "$image" --header "$tmp/header"

own_etc
mkdir "$tmp/block"
mount --bind "$tmp/block" /sys/block
fresh one
echo "data $image none luks" >/etc/crypttab
run "$cotter_enroll" --import --all --json=short
ok "--all imports what crypttab has" assert_json '.[0].tokens[0].state == "imported"'
ok "and it opens" opens_by_token "$image"

done_testing
