#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Bindings to policies: made in every form in which they can be written, explained, listed, tested, opened by
# the system's cryptsetup and by Clevis, replaced; and what is refused, with the header as it was.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

key=(--unlock-key-file="$passphrase")
pin=7391-öde

bind() { # [OPTION…]
	run setsid -w "$cotter_enroll" "${key[@]}" "$@" "$image"
}

fresh() {
	cp "$tmp/plain" "$image"
}

result_is() { # STATUS FILTER
	assert_rc "$1" && assert_json "$2"
}

# A binding was made or found, in this state.
is_bound() { # STATE [FILTER]
	result_is 0 ".state == \"$1\" and (${2:-true})"
}

list_has() { # FILTER
	run "$cotter_enroll" --list --json=short "$image"
	result_is 0 "$1"
}

explain() { # [OPTION…]
	run "$cotter_enroll" --explain "$@"
}

# Refused, with this status and these words in one sentence, and nothing changed.
refused() { # STATUS TEXT
	assert_rc "$1" && assert_one_sentence && assert_error_has "$2" &&
		assert_equal "$(cat "$tmp/out")" "" && assert_same_file "$image" "$tmp/plain"
}

opens_by_pin() { # PIN
	printf %s "$1" | with_plugins cryptsetup open --test-passphrase --token-only "$image"
}

refuses_pin() { # PIN
	! opens_by_pin "$1" >"$tmp/refusal" 2>&1
}

# Each server with its thumbprint, as a part of a policy.
part() { # NAME
	local url=url_$1 thumbprint=thumbprint_$1
	printf 'tang(%s, thp=%s)' "${!url}" "${!thumbprint}"
}

make_image plain --luks2-metadata-size=64k
make_small_image small
image=$tmp/image

start_tpm tpm
for name in a b c; do
	start_tangd $name
	declare "url_$name=$tang_url" "thumbprint_$name=$tang_thumbprint" "port_$name=$tang_port"
	curl -sSf "$tang_url/adv" >"$tmp/$name.adv"
done
by_options=(--tang="$url_a" --tang-thumbprint="$thumbprint_a" --tang="$url_b"
	--tang-thumbprint="$thumbprint_b")
policy="2 of (tpm2, $(part a), 1 of ($(part b), $(part c)))"
json=$(jq -nc --arg a "$url_a" --arg b "$url_b" --arg c "$url_c" \
	--arg thp_a "$thumbprint_a" --arg thp_b "$thumbprint_b" --arg thp_c "$thumbprint_c" '{t: 2, pins: {
		tpm2: {pcrs: "7"},
		tang: {url: $a, thp: $thp_a},
		sss: {t: 1, pins: {tang: [{url: $b, thp: $thp_b}, {url: $c, thp: $thp_c}]}}}}')
nested='.type == "cotter-sss" and .state == "ok" and (.facts | .threshold == 2
	and (.shares | map(.pin)) == ["tpm2", "tang", "sss"]
	and .shares[0].pcrs == "sha256:7" and .shares[0].user_pin == "no"
	and (.shares[2] | .threshold == 1 and (.shares | map(.pin)) == ["tang", "tang"]))'

# --- made by options ---

fresh
bind "${by_options[@]}" --threshold=2
ok "two servers by options" assert_rc 0
ok "are proven" assert_error_has "token 0, keyslot 1, proven by opening it in a fresh process"
ok "--list has both" list_has ".tokens[0] | .type == \"cotter-sss\" and .facts.threshold == 2
	and [.facts.shares[].url] == [\"$url_a\", \"$url_b\"]"
ok "cryptsetup opens it" opens_by_token "$image"
ok "so does the passphrase" opens_by_passphrase "$image"
ok "and Clevis reads it" assert_equal "$(token_secret "$image" 0 | wc -c)" 43
bind "${by_options[@]}" --threshold=2
ok "the same again is not bound twice" assert_error_has "already bound so by token 0"
bind --tang="$url_b" --tang-thumbprint="$thumbprint_b" --tang="$url_a/" \
	--tang-thumbprint="$thumbprint_a" --threshold=2 --json=short
ok "nor in another order" is_bound present '.token == 0'
bind "${by_options[@]}" --threshold=1 --json=short
ok "another threshold is another policy" is_bound proven '.token == 1'
bind "${by_options[@]}" --tpm2-device=auto --tpm2-pcrs=7 --threshold=2 --json=short
ok "so is one part more" is_bound proven '.token == 2'
ok "nothing is left open in the TPM" nothing_open
run "$cotter_enroll" --wipe-slot=sss "$image"
ok "--wipe-slot=sss removes all of them" list_has '.tokens == [] and (.keyslots | length) == 1'
bind --tang="$url_a" --tang-thumbprint="$thumbprint_a" --threshold=1
ok "one of one is a binding as without policy" list_has '.tokens[0].type == "cotter-tang"'
run "$cotter_enroll" --wipe-slot=sss "$image"
ok "which --wipe-slot=sss leaves" list_has '.tokens[0].type == "cotter-tang"'

# --- made by policies ---

fresh
bind --policy="$policy" --label=nested
ok "a policy as people write it" assert_error_has "token 0, keyslot 1, proven"
ok "is listed as a tree" list_has ".tokens[0] | $nested and .label == \"nested\""
bind --policy="$json"
ok "as Clevis's configuration it is the same" assert_error_has "already bound so by token 0"
printf '%s\n' "$policy" >"$tmp/policy"
bind --policy="$tmp/policy"
ok "and in a file" assert_error_has "already bound so by token 0"
jq . <<<"$json" >"$tmp/policy.json"
bind --policy="$tmp/policy.json" --wipe-slot=sss
ok "it can take its own place" assert_error_has "removed keyslot 1, token 0"
ok "with another secret" list_has ".tokens | length == 1 and (.[0] | .token == 1 and $nested)"
ok "cryptsetup opens it" opens_by_token "$image"
# From the servers: what Clevis stops, once others suffice, would leave its key in the TPM, at any time.
ok "and Clevis reads it" assert_equal "$(TPM2TOOLS_TCTI=none token_secret "$image" 1 | wc -c)" 43

run "$cotter_enroll" --list "$image"
ok "a line a part" assert_equal "$(awk '!at { at = index($0, "any 2 of") } at { print substr($0, at) }' "$tmp/out")" \
	"any 2 of these 3:
  this machine's TPM while PCRs sha256:7 are as enrolled
  the Tang server $url_a
  any 1 of these 2:
    the Tang server $url_b
    the Tang server $url_c"

fresh
bind --policy="$(part a)" --json=short
ok "a lone part needs no policy" is_bound proven
ok "and is bound as by its own options" list_has '.tokens[0].type == "cotter-tang"'
bind --policy='tpm2(pcrs=7+11, hash=sha256)' --json=short
ok "nor does the TPM" is_bound proven '.token == 1'
ok "with its PCRs" list_has '[.tokens[] | select(.type == "cotter-tpm2").facts.pcrs] == ["sha256:7,11"]'

# --- trust ---

fresh
bind --policy="1 of ($(part a), tang($url_b))"
ok "without a thumbprint and a terminal: refused" refused 1 \
	"there is no terminal to ask whether $url_b is to be trusted"
bind --policy="1 of ($(part a), tang($url_b, thp=$thumbprint_a))"
ok "another server's thumbprint: refused" refused 1 "share 2 (tang): $url_b has no signing key with the thumbprint"
run "$src/tests/terminal.py" "[y/N] " $'y\n' "[y/N] " $'y\n' -- "$cotter_enroll" "${key[@]}" \
	--tang="$url_a" --tang="$url_b" --threshold=2 "$image"
ok "at a terminal each server is asked about" assert_output_has "token 0, keyslot 1, proven"
ok "by its thumbprint" assert_output_has "$thumbprint_b"

# --- a PIN ---

fresh
run "$src/tests/terminal.py" "New PIN: " "$pin"$'\n' "The same again: " "$pin"$'\n' -- \
	"$cotter_enroll" "${key[@]}" --policy="2 of (tpm2(pin=yes), $(part a))" "$image"
ok "a PIN in a policy is asked for" assert_output_has "token 0, keyslot 1, proven"
ok "--list tells" list_has '.tokens[0].facts.shares[0].user_pin == "yes"'
ok "it opens with the PIN" opens_by_pin "$pin"
ok "not with another" refuses_pin 1234
ok "which is said of the part whose PIN it is" grep -qF "share 1 of 2: tpm2: wrong PIN" "$tmp/refusal"
run setsid -w "$cotter_enroll" --test "$image"
ok "--test without a terminal cannot tell" assert_rc 3
ok "and names the part" assert_output_has "tpm2: wants a PIN"
run "$src/tests/terminal.py" "PIN of token 0: " "$pin"$'\n' -- "$cotter_enroll" --test "$image"
ok "at a terminal it asks" assert_rc 0
fresh
bind --policy="2 of (tpm2(pin=yes), $(part a))"
ok "without a terminal no PIN can be chosen" refused 1 "there is no terminal to choose the new PIN at"
tpm2_dictionarylockout --clear-lockout

# --- testing, and what the parts say ---

fresh
bind --policy="$policy"
run "$cotter_enroll" --test --json=short "$image"
ok "--test reports each part" result_is 0 '.tokens[0] | .result == "ok" and .report.state == "recovered"
	and .report.shares[0].state == "recovered" and (.report.shares | length) == 3'
stop_tangd a
run "$cotter_enroll" --test "$image"
ok "one server less is no matter" assert_rc 0
stop_tangd b
stop_tangd c
run "$cotter_enroll" --test "$image"
ok "without any server it is out of reach" assert_rc 3
ok "with the reason for each" assert_output_has "  tang $url_a: failed after"
ok "in the policy below, too" assert_output_has "    tang $url_c: failed after"
ok "but not for what holds" assert_output_has "  tpm2: recovered after"
ok "and one for the whole" assert_output_has "1 of 2 needed parts was recovered"
run "$cotter_enroll" --test --json=short "$image"
ok "the same as JSON" result_is 3 '.tokens[0] | .result == "unreachable" and .report.state == "failed"
	and (.report.shares | map(.state)) == ["recovered", "failed", "failed"]
	and (.report.shares[1].cause | contains("refused"))'
for name in a b c; do
	port=port_$name
	start_tangd $name "${!port}"
done

extend_pcr 7:sha256
ok "--list tells of PCRs that changed" list_has '.tokens[0].facts.shares[0].changed_pcrs
	== ["7 (sha256, secure-boot-policy)"]'
run "$cotter_enroll" --list "$image"
ok "in words, too" assert_output_has "; changed: 7 (sha256, secure-boot-policy)"
ok "the servers make up for it" opens_by_token "$image"

# --- unproven ---

fresh
stop_tangd c
run_later away setsid -w "$cotter_enroll" "${key[@]}" --json=short \
	--policy="2 of ($(part a), tang($url_c, adv=$tmp/c.adv))" "$image"
cp "$tmp/plain" "$tmp/other"
run_later need setsid -w "$cotter_enroll" "${key[@]}" \
	--policy="2 of (tang($url_c, adv=$tmp/c.adv), tpm2(tcti=swtpm:path=/nonexistent))" "$tmp/other"
finish away
ok "a server that is away, bound from its advertisement: unproven" is_bound unproven '(.cause | contains("refused"))'
finish need
ok "without a TPM it is refused" assert_rc 1
ok "with the header as it was" assert_same_file "$tmp/other" "$tmp/plain"
start_tangd c "$port_c"
ok "once it is back, the volume opens" opens_by_token "$image"
fresh
bind --policy="2 of ($(part a), tpm2(pcrs=16=$(printf %064d 7)))" --json=short
ok "PCRs of another day: unproven" is_bound unproven '(.cause | contains("PCR 16"))'
fresh
bind --policy="1 of ($(part a), tpm2(pcrs=16=$(printf %064d 7)))" --json=short
ok "where they are not needed: proven" is_bound proven

# --- explained ---

explain --policy="$policy"
ok "--explain needs no volume" assert_rc 0
ok "and says who" assert_equal "$(sed '/^policy/d' "$tmp/out")" "The volume would open with
  any 2 of these 3:
    this machine's TPM while PCRs 7 are as enrolled
    the Tang server $url_a
    any 1 of these 2:
      the Tang server $url_b
      the Tang server $url_c"
explain "${by_options[@]}" --threshold=1 "${key[@]}" --wipe-slot=all "$image"
ok "it takes the whole command" assert_output_has "warning: each of these alone is enough: the Tang server $url_a;"
fresh
explain --policy='2 of (tpm2(pcrs=none), tang(a), tang(a))' --json=short "$image"
ok "JSON has what it warns of" result_is 0 '.verb == "explain" and (.explanations[0]
	| .alone == ["the Tang server a"] and .needed == ["the Tang server a"] and (.warnings | length) == 4
	and .policy == "2 of (tpm2(pcrs=none), tang(a), tang(a))" and .tree.threshold == 2)'
ok "and nothing is changed" assert_same_file "$image" "$tmp/plain"
explain "$image"
ok "a volume without tokens has nothing to explain" refused 1 "has no cotter token to explain"
bind --policy="2 of (tpm2, $(part a))"
bind --tang="$url_b" --tang-thumbprint="$thumbprint_b"
explain "$image"
ok "a volume's tokens are explained" assert_equal "$(cat "$tmp/out")" "Token 0 opens the volume with
  all of these 2:
    this machine's TPM while PCRs sha256:7 are as enrolled
    the Tang server $url_a
warning: without any one of these the others do not suffice, so that where one is lost a passphrase is needed: this machine's TPM while PCRs sha256:7 are as enrolled; the Tang server $url_a
Token 1 opens the volume with
  the Tang server $url_b
warning: without the Tang server $url_b nothing else here suffices: where that is lost, a passphrase is needed"

# --- refused ---

fresh
while IFS='|' read -r name words option; do
	bind "$option"
	ok "$name" refused 2 "$words"
done <<-END
	a policy that ends early|the policy is wrong at character 14: a , or ) is missing|--policy=2 of (tang(a)
	more than there are|the policy is wrong at character 1: the number here is 1 to 1|--policy=2 of (tang(a))
	a pin that is none|the policy is wrong at character 7: there is no pin "yubikey"|--policy=1 of (yubikey)
	a name that is none|the policy is wrong at character 9: tang has no "port"|--policy=tang(a, port=80)
	JSON that is none|the policy begins with { but is not JSON|--policy={"t":1
	JSON without pins|the policy names no "pins"|--policy={"t":1}
	a threshold that is none|is not a number from 1 to 1|--policy={"t":2,"pins":{"tang":{"url":"a"}}}
	a member that is none|the policy at pins.tang[0] has a member "thumb"|--policy={"pins":{"tang":{"url":"a","thumb":"x"}}}
	a file that is none|the policy is wrong at character 1|--policy=/nonexistent
END
bind --tang=a --tang=b
ok "no threshold" refused 2 "--threshold=T is missing: it says how many of the 2 must hold"
bind --policy="1 of (tang(http://127.0.0.1:1, thp=short))"
ok "a thumbprint that is none" refused 1 "\"short\" is not the thumbprint of a key"
bind --policy="1 of (tpm2(pcrs=24))"
ok "a PCR that is none" refused 1 "\"24\" is not a PCR"

# --- room ---

many() { # N
	local i parts=
	for ((i = 1; i <= $1; i++)); do
		parts+="${parts:+, }tang($2)"
	done
	printf '1 of (%s)' "$parts"
}

image=$tmp/small-image
cp "$tmp/small" "$image"
run timeout 2 "$cotter_enroll" "${key[@]}" --policy="$(many 12 "http://203.0.113.1:1, thp=$thumbprint_a")" "$image"
ok "what cannot fit is refused before a server is asked" assert_error_has "this token needs at least"
ok "in one sentence" assert_one_sentence
ok "with the way out" assert_error_has "cryptsetup luksFormat --luks2-metadata-size=64k"
run "$cotter_enroll" "${key[@]}" --policy="$(many 8 "$url_a, thp=$thumbprint_a")" "$image"
ok "what does not fit in the end is refused before it is written" assert_error_has "its JSON area takes 12288 bytes and holds"
ok "in one sentence, too" assert_one_sentence
ok "and nothing has changed" assert_same_file "$image" "$tmp/small"
image=$tmp/image
fresh
bind --policy="$(many 8 "$url_a, thp=$thumbprint_a")" --json=short
ok "with a larger area it fits" is_bound proven
ok "nothing is left open after all that" nothing_open
done_testing
