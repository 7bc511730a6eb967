#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --renew and --replace with real servers whose keys change, with one that lies, and with full headers; and that
# a run that was killed is ended by the next.
. "$(dirname "$0")/../lib.sh"

bind() { # OPTION…
	run "$cotter_enroll" --unlock-key-file="$passphrase" "$@" "$image"
	assert_rc 0
}

bind_tang() { # [OPTION…]
	bind --tang="$server_url" --tang-thumbprint="$thumbprint" "$@"
}

# Without a terminal.
renew() { # [OPTION…]
	cp "$image" "$tmp/before"
	run setsid -w "$cotter_enroll" --renew --json=short "$@" "$image" </dev/null
}

replace() { # [OPTION…]
	cp "$image" "$tmp/before"
	run setsid -w "$cotter_enroll" --unlock-key-file="$passphrase" --json=short "$@" "$image" </dev/null
}

copy() { # FROM NAME
	image=$tmp/$2
	cp "$tmp/$1" "$image"
}

metadata() {
	cryptsetup luksDump --dump-json-metadata "$image"
}

holds() { # KEYSLOTS TOKENS
	assert_equal "$(metadata | jq -r '[.keyslots, .tokens] | map(keys | join(" ")) | join("|")')" \
		"$1|$2" || { show_run; return 1; }
}

# New keys beside those that are there, whose names are then in $old.
new_keys() { # DIR
	mapfile -t old < <(cd "$1" && ls -- *.jwk)
	/usr/libexec/tangd-keygen "$1"
}

hide_old() { # DIR
	local key
	for key in "${old[@]}"; do mv "$1/$key" "$1/.$key"; done
}

remove_old() { # DIR
	local key
	for key in "${old[@]}"; do rm "$1/.$key"; done
}

first_thumbprint() { # URL
	curl -sSfg "$1/adv" | jose fmt -j- -g payload -yo- | jose jwk use -i- -r -u verify -o- |
		jose jwk thp -i- | head -n 1
}

unchanged() {
	assert_same_file "$image" "$tmp/before"
}

import() { # TOKEN-ID JSON [OPTION…]
	echo "$2" >"$tmp/import.json"
	cryptsetup token import --disable-external-tokens --token-id "$1" "${@:3}" \
		--json-file "$tmp/import.json" "$image"
}

add_keyslots() { # HOW-MANY
	local i
	for ((i = 0; i < $1; i++)); do
		echo "key $i" >"$tmp/other.key"
		cryptsetup luksAddKey --batch-mode --key-file "$passphrase" --pbkdf pbkdf2 \
			--pbkdf-force-iterations 1000 "$image" "$tmp/other.key"
	done
}

make_small_image plain
start_tangd
server=$tmp/tang server_url=$tang_url server_port=$tang_port thumbprint=$tang_thumbprint
copy plain first
bind_tang --label='rack 4'
import 0 "$(token_json "$image" 0 | jq -c '.cotter += {deadline: 20, later: {"a": [1]}}')" --token-replace
cp -r "$server" "$tmp/tang.first"
first_kid=$(token_json "$image" 0 | jq -r .jwe.protected | jose b64 dec -i- | jq -r .kid)

# --- nothing to do ---

renew
ok "what is as it was is not due" assert_rc 0
ok "which is reported" assert_json '.verb == "renew" and .result == "ok" and (.tokens | length == 1) and
	(.tokens[0] | .token == 0 and .state == "not-due" and .leaves[0].state == "current" and
	.leaves[0].pin == "tang" and .leaves[0].where == "'"$server_url"'")'
ok "and leaves the header as it was, to the byte" unchanged
copy first forced
renew --force
ok "--force renews it all the same" assert_json '.tokens[0].state == "renewed" and .tokens[0].keyslot == 2'
ok "with the new keyslot alone" holds "0 2" "0"

# --- rotation ---

copy first rotated
new_keys "$server"
hide_old "$server"
old_secret=$(token_secret "$image" 0)
renew
ok "new keys, the old ones hidden: renewed without a question" assert_rc 0
ok "as reported" assert_json '.tokens[0] | .state == "renewed" and .keyslot == 2 and
	.leaves[0].state == "changed" and (.leaves[0].cause | contains("does not advertise"))'
ok "in words too" assert_error_has \
	"renewed token 0: keyslot 2 in place of 1, proven by opening it in a fresh process"
ok "the same id, another keyslot, nothing else" holds "0 2" "0"
ok "the token opens the volume" opens_by_token "$image" --token-id 0
ok "and the passphrase" opens_by_passphrase "$image"
ok "it is bound to another exchange key" not assert_equal "$first_kid" \
	"$(token_json "$image" 0 | jq -r .jwe.protected | jose b64 dec -i- | jq -r .kid)"
ok "label, deadline and what cotter does not know are kept" assert_equal \
	"$(token_json "$image" 0 | jq -cS .cotter)" \
	'{"deadline":20,"label":"rack 4","later":{"a":[1]},"version":1}'
ok "it has another secret" not assert_equal "$old_secret" "$(token_secret "$image" 0)"
ok "which Clevis decrypts" eval '[ "$(token_secret "$image" 0 | wc -c)" = 43 ]'
ok "what was recovered before opens nothing" not eval \
	'printf %s "$old_secret" | cryptsetup open --test-passphrase --disable-external-tokens --key-file - "$image"'
renew
ok "then nothing is due" assert_json '.tokens[0].state == "not-due"'
ok "and nothing changes" unchanged
cp "$image" "$tmp/renewed"

# --- what the old header and the old key are worth ---

copy renewed with-old-header
dd if="$tmp/first" of="$image" bs=4096 count=8 conv=notrunc status=none
stop_tangd
start_tangd tang.first "$server_port"
ok "an old header whose server key is still known opens nothing" not opens_by_token "$image"
ok "though the secret comes back that it was sealed with" assert_equal "$(token_secret "$image" 0)" "$old_secret"
stop_tangd tang.first
remove_old "$server"
start_tangd tang "$server_port"
new_thumbprint=$tang_thumbprint
copy renewed image
ok "the renewed one opens once the old keys are gone" opens_by_token "$image"

# --- too late: the old keys are gone ---

copy first late
renew
ok "once the old key is gone it is not renewed by itself" assert_rc 1
ok "and says why" assert_error_has "does not have the key"
ok "the header is as it was, to the byte" unchanged
renew --unlock-key-file="$passphrase"
ok "nor with a credential alone" assert_rc 1
ok "unchanged" unchanged
renew --unlock-key-file="$passphrase" --tang="$server_url" --tang-thumbprint="$thumbprint"
ok "nor with the thumbprint that was" assert_rc 1
ok "unchanged again" unchanged
renew --unlock-key-file="$passphrase" --tang="$server_url" --tang-thumbprint="$new_thumbprint"
ok "but with a credential and the new thumbprint" assert_json '.tokens[0].state == "renewed"'
ok "under its id" holds "0 2" "0"
ok "which opens the volume" opens_by_token "$image"
ok "and keeps its label" assert_equal "$(token_json "$image" 0 | jq -r .cotter.label)" "rack 4"

# --- a server that was set up anew, and trust given now ---

# The same exchange key for who has it, but nothing that the token knows has signed the new ones.
rm -r "$server"
cp -r "$tmp/tang.first" "$server"
new_keys "$server"
for key in "${old[@]}"; do
	if jq -e '.key_ops | index("verify")' "$server/$key" >/dev/null; then
		rm "$server/$key"
	else
		mv "$server/$key" "$server/.$key"
	fi
done
anew_thumbprint=$(first_thumbprint "$server_url")
copy first anew
renew
ok "keys that nobody vouches for are not taken" assert_rc 1
ok "as reported" assert_json '.tokens[0] | .state == "kept" and .leaves[0].state == "untrusted" and
	(.cause | contains("--tang-thumbprint"))'
ok "to the byte" unchanged
renew --force
ok "--force does not change that" assert_rc 1
ok "to the byte too" unchanged
renew --tang-thumbprint="$thumbprint"
ok "nor does another thumbprint" assert_rc 1
ok "to the byte again" unchanged
renew --tang=http://127.0.0.1:9 --tang-thumbprint="$anew_thumbprint"
ok "nor the right one of another server" assert_rc 1
ok "which is told" assert_error_has "nothing that was renewed is about tang http://127.0.0.1:9"
ok "and changes nothing" unchanged
renew --tang-thumbprint="$anew_thumbprint"
ok "a thumbprint given now is trust" assert_json '.tokens[0].state == "renewed"'
ok "and the volume opens" opens_by_token "$image"
copy first anew
curl -sSf "$server_url/adv" >"$tmp/anew.adv"
renew --tang="$server_url" --tang-advertisement="$tmp/anew.adv"
ok "so is a saved advertisement" assert_json '.tokens[0].state == "renewed"'
ok "and the volume opens by it" opens_by_token "$image"
stop_tangd

# --- a rogue server at the same address, which relays what it cannot answer ---

rm -r "$server"
cp -r "$tmp/tang.first" "$server"
start_tangd tang "$server_port"
make_small_image clevis
clevis luks bind -y -k "$passphrase" -d "$image" tang "{\"url\":\"$server_url\",\"thp\":\"$thumbprint\"}" >/dev/null 2>&1
stop_tangd tang
start_tangd tang
real_url=$tang_url
start_tangd rogue-keys
curl -sSf "$tang_url/adv" >"$tmp/rogue.adv"
stop_tangd rogue-keys
start_hostile rogue --port="$server_port" --adv="$tmp/rogue.adv" --relay="$real_url"
copy first rogue
ok "through the rogue server the volume opens" opens_by_token "$image"
renew
ok "but its keys are refused" assert_rc 1
ok "as untrusted" assert_json '.tokens[0] | .state == "kept" and .leaves[0].state == "untrusted"'
ok "the header is unchanged to the byte" unchanged
renew --force --unlock-key-file="$passphrase"
ok "also with --force and a passphrase" assert_rc 1
ok "unchanged to the byte still" unchanged

# The same address, the same rogue, a volume that Clevis bound to the real one.
rogue_kids=$(jose fmt -j- -g payload -yo- <"$tmp/rogue.adv" | jose jwk use -i- -r -u deriveKey -o- | jose jwk thp -i-)
kid_of() { # IMAGE TOKEN-ID
	token_json "$1" "$2" | jq -r .jwe.protected | jose b64 dec -i- | jq -r .kid
}
run timeout 60 clevis luks regen -q -d "$tmp/clevis" -s 1
ok "clevis luks regen takes the rogue server's keys" eval \
	'[ "$rc" = 0 ] && grep -qxF "$(kid_of "$tmp/clevis" 0)" <<<"$rogue_kids" || { show_run; kid_of "$tmp/clevis" 0; false; }'
stop_server rogue
stop_tangd tang

# --- policies: one server is dead ---

rm -r "$server"
start_tangd tang "$server_port"
start_tangd second
second_url=$tang_url second_port=$tang_port second_thumbprint=$tang_thumbprint
start_tangd third
third_url=$tang_url
thumbprint=$(first_thumbprint "$server_url")
copy plain tree
bind --policy="2 of (tang($server_url, thp=$thumbprint), 1 of (tang($second_url, thp=$second_thumbprint), tang($third_url, thp=$tang_thumbprint)))"
new_keys "$server"
hide_old "$server"
stop_tangd third
cp "$image" "$tmp/tree.bound"
renew
ok "a policy with a dead server is renewed" assert_json '.tokens[0].state == "renewed" and
	([.tokens[0].leaves[].state] | sort == ["changed", "current", "unreachable"])'
ok "which is named" assert_error_has "token 0: what is bound to $third_url stays so"
ok "it opens" opens_by_token "$image"
renew
ok "then it is not due" assert_json '.tokens[0].state == "not-due"'
start_tangd third "${third_url##*:}"
stop_tangd second
ok "the dead one counts again once it is back" opens_by_token "$image"
copy tree.bound tree
renew --tang-thumbprint="$(first_thumbprint "$server_url")"
ok "with several servers a thumbprint needs its URL" assert_error_has "there are several servers"
ok "and nothing changes" unchanged


# --- several tokens, and a header that is elsewhere ---

start_tangd second "$second_port"
make_image data >/dev/null
detached=$tmp/header
cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
	--key-file "$passphrase" --header "$detached" "$image"
bind --header="$detached" --tang="$server_url" --tang-thumbprint="$(first_thumbprint "$server_url")"
bind --header="$detached" --tang="$second_url" --tang-thumbprint="$second_thumbprint"
new_keys "$server"
stop_tangd second
renew --header="$detached"
ok "of several tokens one that is away keeps no other from being renewed" assert_json '.result == "failed" and
	[.tokens[] | [.token, .state]] == [[0, "renewed"], [1, "kept"]]'
ok "and the exit status says that" assert_rc 3
ok "the header is where it was" assert_equal "$(cryptsetup luksDump --dump-json-metadata "$detached" |
	jq -c '[(.keyslots | keys), (.tokens | keys)]')" '[["0","2","3"],["0","1"]]'
ok "the data is as it was" unchanged
renew --header="$detached" --force=x
ok "--force takes no value" assert_rc 2

# --- one in the place of another ---

start_tangd second "$second_port"
copy plain replaced
bind --tang="$second_url" --tang-thumbprint="$second_thumbprint"
bind_tang_now() {
	bind --tang="$server_url" --tang-thumbprint="$(first_thumbprint "$server_url")" "$@"
}
bind_tang_now
cp "$image" "$tmp/two"
replace --replace --tang="$server_url" --tang-thumbprint="$(first_thumbprint "$server_url")"
ok "of several tokens the one to replace must be named" assert_error_has "say which one with --replace=TOKEN"
ok "and nothing changes" unchanged
replace --replace=0 --label=new --policy="1 of (tang($server_url, thp=$(first_thumbprint "$server_url")), tang($second_url, thp=$second_thumbprint))"
ok "a policy takes a token's place" assert_json '.verb == "enroll" and .state == "proven" and .token == 0 and .keyslot == 3'
ok "with a keyslot of its own" holds "0 2 3" "0 1"
ok "it opens" opens_by_token "$image" --token-id 0
ok "the other too" opens_by_token "$image" --token-id 1
ok "it is tried first, as the one before was" assert_equal "$(metadata | jq -c '.tokens | keys_unsorted')" '["0","1"]'
copy two replaced
cryptsetup luksKillSlot --batch-mode --key-file "$passphrase" "$image" 2
cryptsetup token remove --token-id 1 "$image"
replace --replace --tang="$second_url" --tang-thumbprint="$second_thumbprint"
ok "the only token is replaced, also by its like" assert_json '.state == "proven" and .token == 0 and .keyslot == 2'
replace --replace=5 --tang="$second_url" --tang-thumbprint="$second_thumbprint"
ok "what is not there is not replaced" assert_error_has "has no token 5"
import 7 '{"type":"someone else","keyslots":["2"]}'
replace --replace=7 --tang="$second_url" --tang-thumbprint="$second_thumbprint"
ok "nor another program's token" assert_error_has "token 7 of $image is not cotter's"
ok "which stays" unchanged
replace --replace=0 --tang="$second_url" --tang-thumbprint="$second_thumbprint"
ok "nor one that shares its keyslot" assert_error_has "keyslot 2 of $image is that of token 7 as well"
renew --force
ok "which is not renewed either" assert_json '.tokens[0].state == "failed"'
ok "and changes nothing" unchanged

copy two unproven
curl -sSf "$second_url/adv" >"$tmp/second.adv"
stop_tangd second
replace --replace=0 --tang="$second_url" --tang-advertisement="$tmp/second.adv"
ok "what cannot be proven replaces nothing" assert_rc 3
ok "and says so" assert_error_has "cannot be proven now, so token 0 is not replaced"
ok "to the byte" unchanged
replace --replace=0 --force --tang="$second_url" --tang-advertisement="$tmp/second.adv"
ok "unless with --force" assert_json '.state == "unproven" and .token == 0'
start_tangd second "$second_port"
ok "and it opens once it can" opens_by_token "$image" --token-id 0

# --- no room ---

# Another program's token takes all of the JSON area but so many bytes.
leave() { # BYTES
	local used
	used=$(metadata | jq -c . | wc -c)
	import 9 "$(jq -nc --argjson n $((12288 - used - 50 - $1)) '{type: "x", keyslots: [], fill: ("x" * $n)}')"
}

copy plain full
bind_tang_now
new_keys "$server"
hide_old "$server"
cp "$image" "$tmp/due"
add_keyslots 6
renew
ok "a keyslots' area that is full is told" assert_error_has "the keyslots' area of $image is full"
ok "and nothing changes" unchanged
make_image all-keyslots --luks2-metadata-size=64k >/dev/null
bind_tang_now
add_keyslots 30
renew --force
ok "so are 32 keyslots" assert_error_has "all 32 keyslots of $image are taken"
ok "and nothing changes then" unchanged
copy due ids
for ((i = 1; i < 32; i++)); do import $i '{"type":"x","keyslots":[]}'; done
renew
ok "32 token ids are enough, since the old one is taken over" assert_json '.tokens[0].state == "renewed"'
ok "and it opens" opens_by_token "$image" --token-id 0
copy due area
leave 1000
renew
ok "an area with no room for two tokens is enough too" assert_json '.tokens[0].state == "renewed"'
ok "and it opens as well" opens_by_token "$image" --token-id 0
copy due area
leave 300
renew
ok "one with no room for a keyslot is told" assert_error_has "has no room: its JSON area takes 12288 bytes"
ok "and nothing changes at all" unchanged

# --- killed, and the next run ---

states() {
	"$cotter_enroll" --list --json=short "$image" | jq -c '[.tokens[] | [.token, .state]]'
}

killed_then_renewed() { # BEFORE-WRITE
	cp "$tmp/due" "$image"
	rc=0
	strace -f -o "$tmp/trace" -P "$image" -e trace=write -e "inject=write:signal=KILL:when=$1" \
		"$cotter_enroll" --renew "$image" || rc=$?
	[ "$rc" = 137 ]
	opens_by_passphrase "$image"
	opens_by_token "$image"
	"$cotter_enroll" --renew "$image"
	opens_by_token "$image" --token-id 0
	assert_equal "$(metadata | jq -c '[(.keyslots | length), (.tokens | keys)]')" '[2,["0"]]'
	! metadata | grep unfinished
}

export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # the leak detector is a tracer itself
image=$tmp/killed
step=2
[ "$sanitized" = 0 ] || step=5
cp "$tmp/due" "$image"
strace -f -o "$tmp/trace" -P "$image" -e trace=write "$cotter_enroll" --quiet --renew "$image"
writes=$(grep -c 'write(' "$tmp/trace")
ok "a renewal's writes are seen" [ "$writes" -ge 30 ]
for ((n = 1; n <= writes; n += step)); do
	ok "killed before write $n of $writes, then renewed" killed_then_renewed $n
done

done_testing
