#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --report: how bindings are doing, through the life of servers' keys, PCRs and tokens. It changes nothing.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

bind() { # OPTION…
	run "$cotter_enroll" --unlock-key-file="$passphrase" "$@" "$image"
	assert_rc 0
}

bind_tang() { # [OPTION…]
	bind --tang="$tang_url" --tang-thumbprint="$tang_thumbprint" "$@"
}

# A fresh copy of the volume that only the passphrase opens.
fresh() { # NAME
	image=$tmp/$1
	cp "$tmp/plain" "$image"
}

# Reports twice, as text and as JSON, which must agree; the text is what stays in $tmp/text.
report() { # [OPTION…]
	local text_rc
	cp "$image" "$tmp/before"
	run setsid -w "$cotter_enroll" --report "$@" "$image"
	text_rc=$rc
	cp "$tmp/out" "$tmp/text"
	run setsid -w "$cotter_enroll" --report --json=short "$@" "$image"
	[ "$rc" = "$text_rc" ] || rc="$text_rc and $rc"
	cmp "$image" "$tmp/before" || rc="$rc, and the volume was changed"
}

says() { # TEXT
	grep -qF -e "$1" "$tmp/text" || { cat "$tmp/text"; return 1; }
}

# New keys beside those that are there, whose names are then in $old.
new_keys() { # DIR
	mapfile -t old < <(cd "$1" && ls -- *.jwk)
	/usr/libexec/tangd-keygen "$1"
}

hide_old() { # DIR
	local key
	for key in "${old[@]}"; do
		mv "$1/$key" "$1/.$key"
	done
}

tang_is() { # HEALTH RESULT STATE ADVERTISEMENT
	assert_json ".health == \"$1\" and (.tokens[0] | .health == \"$1\" and .result == \"$2\" and
		(.report | .pin == \"tang\" and .state == \"$3\" and .advertisement == \"$4\"))"
}

make_small_image plain

# --- the keys of one server ---

# Outside of the range from which the kernel gives ports to others while nobody listens there.
server=$tmp/tang server_port=$((20000 + RANDOM % 10000))
start_tangd tang $server_port
server_url=$tang_url
fresh volume-tang
bind_tang
report
ok "a server as it was: all is well" assert_rc 0
ok "which the text says" says "token 0 (cotter-tang): opens the volume"
ok "for its part too" says "; advertisement current"
ok "and the JSON" tang_is ok ok recovered current
ok "with the keys and what was asked" assert_json ".verb == \"report\" and .result == \"ok\" and
	(.tokens[0] | .token == 0 and .type == \"cotter-tang\" and .keyslots == [1] and
	.facts.url == \"$server_url\" and .report.where == \"$server_url\" and .report.health == \"ok\" and
	(has(\"cause\") | not))"
run "$cotter_enroll" --report --quiet "$image"
ok "--quiet has nothing to say of it" assert_equal "$rc $(cat "$tmp/out" "$tmp/err")" "0 "

cp -r "$server" "$tmp/tang.first"
new_keys "$server"
report
ok "new keys beside old: renewal is due" assert_rc 10
ok "in words" says "opens the volume; its renewal is due"
ok "and why" says "advertisement changed: has other signing keys than the token holds"
ok "the JSON says the same" tang_is due ok recovered changed
ok "--json has a status of its own" assert_json '.result == "failed"'
run "$cotter_enroll" --report --quiet "$image"
ok "--quiet shows it" assert_output_has "its renewal is due"

curl -sSf "$server_url/adv" >"$tmp/two.adv"
fresh volume-two
bind --tang="$server_url" --tang-advertisement="$tmp/two.adv"
report
ok "bound to all of them, all is well" assert_rc 0
image=$tmp/volume-tang

hide_old "$server"
report
ok "old ones hidden: renewal is due" assert_rc 10
ok "for the exchange key too" says "does not advertise the exchange key"
ok "the JSON says so" tang_is due ok recovered changed


rm "$server"/.*.jwk
report
ok "old ones removed: the policy fails" assert_rc 12
ok "as the token does not open the volume" says "token 0 (cotter-tang): does not open the volume"
ok "for its exchange key was deleted" says "(HTTP 404): it was deleted there"
ok "and no key that it holds vouches for the new ones" says "advertisement untrusted: advertises keys that none of"
ok "nothing of what it says is believed" says "unverified: what a token says is believed once its secret has opened"
ok "the JSON says the same" tang_is failed failed failed untrusted
image=$tmp/volume-two
report
ok "a signing key that is left vouches where another one was removed" assert_json '.tokens[0].report.advertisement == "changed"'
image=$tmp/volume-tang

stop_tangd
report
ok "a server that is away: the policy fails" assert_rc 12
ok "which is said once" assert_equal "$(grep -c 'connection refused' "$tmp/text")" 1
ok "the JSON tells it from one that has lost its key" tang_is failed unreachable failed unreachable

# --- another server at the same address, which asks the real one for what it does not know ---

rm -r "$server"
cp -r "$tmp/tang.first" "$server"
start_tangd tang
real_url=$tang_url
start_tangd foreign
curl -sSf "$tang_url/adv" >"$tmp/foreign.adv"
start_hostile rogue --port="$server_port" --adv="$tmp/foreign.adv" --relay="$real_url" --log="$tmp/rogue.requests"
report
ok "a foreign server's own keys are not believed, though it opens the volume" assert_rc 11
ok "which the text says" says "opens the volume; its server's keys cannot be verified"
ok "and the JSON" tang_is failing ok recovered untrusted
ok "it was asked by the thumbprint that the token holds" \
	grep -qF "/adv/$(jq -r '.tokens[0].facts.signing_keys[0]' "$tmp/out")" "$tmp/rogue.requests"
ok "and for nothing else" assert_equal "$(jq -r .path "$tmp/rogue.requests" | grep /adv | sort | uniq -c | wc -l)" 1
stop_server rogue

start_hostile mute --port="$server_port" --relay="$real_url"
report
ok "one that exchanges, but advertises nothing, fails too" assert_rc 11
ok "as there is nothing to compare" tang_is failing ok recovered unreachable
ok "in words" says "HTTP 404 instead of an advertisement"
stop_server mute

curl -sSf "$real_url/adv" >"$tmp/real.adv"
start_hostile replay --port="$server_port" --adv="$tmp/real.adv"
report
ok "the real advertisement alone does not open anything" assert_rc 12
ok "and is current for all that" tang_is failed failed failed current
stop_server replay

# --- servers that exchange, and advertise as no server should ---

start_hostile odd --adv="$tmp/real.adv" --relay="$real_url" --get-only
declare -A sentences=()
while IFS='|' read -r mode text; do
	sentences[$mode]=$text
	fresh "volume-$mode"
	bind --tang="$hostile_url/$mode" --tang-advertisement="$tmp/real.adv"
	cp "$image" "$image.before"
	run_later "$mode" timeout 30 "$cotter_enroll" --report --json=short "$image"
done <<-END
	silent|stayed silent for 5 s
	close|closed the connection without an answer
	garbage|does not speak HTTP
	drip|did not come to an end
	endless|is longer than 65536 bytes
	longheader|is longer than 65536 bytes
	truncated|in the middle of its reply
	redirect|answered HTTP 302 instead of an advertisement
	empty|this is not a Tang advertisement
	500|answered HTTP 500 instead of an advertisement
END
for mode in "${!sentences[@]}"; do
	finish "$mode"
	ok "$mode: opens, and is said not to be verified" assert_rc 11
	ok "$mode: with the cause" assert_json ".tokens[0] | .result == \"ok\" and (.report |
		.advertisement == \"unreachable\" and (.advertisement_cause | contains(\"${sentences[$mode]}\")))"
	ok "$mode: nothing changes" assert_same_file "$tmp/volume-$mode" "$tmp/volume-$mode.before"
done
stop_server odd
stop_tangd foreign
stop_tangd tang

# --- a TPM, and a policy of both ---

start_tangd tang "$server_port"
start_tpm tpm
fresh volume-tpm
bind --tpm2-device=auto
tpm_image=$image
report
ok "a TPM as it was: all is well" assert_rc 0
ok "with nothing of an advertisement" assert_json '.tokens[0].report | .state == "recovered" and (has("advertisement") | not)'

leaf="tang($server_url, thp=$tang_thumbprint)"
fresh volume-any
bind --policy="1 of (tpm2(pcrs=7), $leaf)"
any_image=$image
fresh volume-both
bind --policy="2 of (tpm2(pcrs=7), $leaf)"
both_image=$image
image=$any_image
report
ok "a policy is asked for every part" assert_rc 0
ok "also where one suffices" assert_json '[.tokens[0].report.shares[] | .state] == ["recovered", "recovered"]'
ok "with what the server advertises" assert_json '[.tokens[0].report.shares[] | .advertisement] == [null, "current"]'

new_keys "$server"
report
ok "where a server's keys have changed, its renewal is due" assert_rc 10
ok "for that part" assert_json '[.tokens[0].report | .health, .shares[].health] == ["due", "ok", "due"]'
hide_old "$server"

extend_pcr 7:sha256
report
ok "where a PCR changed too, a part fails and the policy holds" assert_rc 11
ok "the part is named" says "tpm2: failed"
ok "and so is the PCR" says "PCR 7 (sha256, secure-boot-policy) changed since enrollment"
ok "the other part is due all the same" assert_json '[.tokens[0] | .health, .report.shares[].health] == ["failing", "failing", "due"]'
ok "text has one line a part" assert_equal "$(wc -l <"$tmp/text")" 3
image=$both_image
report
ok "where both are needed the policy fails" assert_rc 12
ok "and says of how many" says "does not open the volume: 1 of 2 needed parts was recovered"
ok "what the server advertises is told, but not believed" says "unverified: "
ok "the JSON has all of it" assert_json '.health == "failed" and (.tokens[0] | .result == "failed" and
	[.report.shares[].health] == ["failing", "due"] and .facts.shares[0].changed_pcrs == ["7 (sha256, secure-boot-policy)"])'
image=$tpm_image
report
ok "the TPM alone fails as well" assert_rc 12
ok "by the same PCR" says "PCR 7 (sha256, secure-boot-policy) changed since enrollment"
ok "nothing is left open in the TPM" nothing_open

# --- what holds at another time ---

restart_tpm tpm
fresh volume-early
curl -sSf "$server_url/adv" >"$tmp/new.adv"
bind --policy="2 of (tpm2(pcrs=7+15:sha256=$pcr_zeros), tang($server_url, adv=$tmp/new.adv))"
report
ok "a policy of the initramfs holds there" assert_rc 0
extend_pcr 15:sha256
report
ok "after switch-root it is not taken for failed" assert_rc 0
ok "and said to hold before" says "token 0 (cotter-sss): holds only before switch-root"
ok "by the part that does" says "PCR 15 (sha256, system-identity) changed since enrollment; holds only before switch-root"
ok "and by the JSON" assert_json '.tokens[0] | .health == "ok" and .result == "early" and
	[.report.shares[].health] == ["early", "ok"]'
ok "but what it says was not verified" says "unverified: "

# --- a PIN ---

fresh volume-pin
run "$src/tests/terminal.py" "New PIN: " $'1234\n' "The same again: " $'1234\n' -- "$cotter_enroll" \
	--unlock-key-file="$passphrase" --tpm2-device=auto --tpm2-with-pin=yes "$image"
ok "a binding with a PIN is made" assert_rc 0
report
ok "without a terminal its PIN is missing, which is no failure" assert_rc 0
ok "but said" says "token 0 (cotter-tpm2): wants a PIN, and nobody was there to type it"
ok "the JSON too" assert_json '.tokens[0] | .health == "ok" and .result == "wants a PIN" and .report.health == "wants a PIN"'
ok "and no PIN was tried" assert_equal "$(wrong_pins)" 0x0
run "$src/tests/terminal.py" "PIN of token 0: " $'1234\n' -- "$cotter_enroll" --report "$image"
ok "at a terminal it is asked for" assert_rc 0
ok "and opens" assert_output_has "token 0 (cotter-tpm2): opens the volume"
run "$src/tests/terminal.py" "PIN of token 0: " $'1\n' "PIN of token 0: " $'2\n' "PIN of token 0: " $'3\n' -- \
	"$cotter_enroll" --report "$image"
ok "one that is wrong to the end is a failure" assert_rc 12
ok "with its cause" assert_output_has "wrong PIN"
tpm2_dictionarylockout --clear-lockout

fresh volume-pin-or
run "$src/tests/terminal.py" "New PIN: " $'1234\n' "The same again: " $'1234\n' -- "$cotter_enroll" \
	--unlock-key-file="$passphrase" \
	--policy="1 of (tpm2(pin=yes), tang($server_url, adv=$tmp/new.adv))" "$image"
ok "a PIN that is one way of two" assert_rc 0
report
ok "is not asked for where the other one opens the volume" assert_rc 0
ok "and no part of it fails" assert_json '.tokens[0] | .result == "ok" and ([.report.shares[].health] | sort) == ["ok", "wants a PIN"]'
extend_pcr 7:sha256
report
ok "where its PCR changed it does fail" assert_rc 11

# --- tokens that are not as they should be ---

fresh volume-odd
bind --tang="$server_url" --tang-advertisement="$tmp/new.adv"
token_json "$image" 0 | jq '.keyslots = []' >"$tmp/orphan"
cryptsetup token import --disable-external-tokens --json-file "$tmp/orphan" --token-id 3 "$image"
report
ok "a token without a keyslot is named" assert_rc 0
ok "with its cure" says "token 3 (cotter-tang): is left over: no keyslot belongs to it; --wipe-slot=orphaned removes it"
ok "but is neither asked nor counted" assert_json '.health == "ok" and ([.tokens[] | .health] == ["ok", "orphaned"]) and
	(.tokens[1] | has("report") | not)'
token_json "$image" 0 | jq '.jwe = "x"' >"$tmp/malformed"
cryptsetup token import --disable-external-tokens --json-file "$tmp/malformed" --token-id 5 "$image"
report
ok "a malformed one fails" assert_rc 12
ok "with its cause" says "token 5 (cotter-tang): does not open the volume: the token's JWE is missing or malformed"
report --token-id=0
ok "--token-id looks at one alone" assert_rc 0
ok "and no other" assert_json '[.tokens[].token] == [0]'

# A token that recovers, but whose secret opens nothing: anybody can write one.
"$cotter_enroll" --wipe-slot=orphaned "$image" 2>/dev/null
cryptsetup token remove --disable-external-tokens --token-id 5 "$image"
token_json "$image" 0 | jq '.keyslots = ["0"]' >"$tmp/strange"
cryptsetup token import --disable-external-tokens --json-file "$tmp/strange" --token-id 4 "$image"
report
ok "one whose secret opens nothing fails" assert_rc 12
ok "which is said" says "token 4 (cotter-tang): does not open the volume: its secret was recovered, but opens no keyslot of it"
ok "and its words are not believed" says "unverified: "
ok "the worst of all tokens decides" assert_json '.health == "failed" and [.tokens[].health] == ["ok", "failed"]'

fresh volume-none
report
ok "without a cotter token there is nothing to report" assert_rc 1
ok "in words" assert_error_has "has no cotter token"
run "$cotter_enroll" --report --list "$image"
ok "with another verb the command line is wrong" assert_rc 2
run "$cotter_enroll" --report "--tang=$server_url" "$image"
ok "and with what changes something" assert_error_has "--report changes nothing, so it excludes --tang"
done_testing
