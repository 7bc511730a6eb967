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

if command -v clevis-luks-regen >/dev/null; then
	make_image clevis >/dev/null
	clevis luks bind -y -k - -d "$image" tang "{\"url\":\"$server_url\",\"adv\":\"$tmp/first.adv\"}" \
		<"$passphrase" >/dev/null 2>&1 || true
fi
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

done_testing
