#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What cotter-tang-keys makes, shows and removes; what tang-show-keys shows of the same keys; and the record by which it
# knows that a key is not needed any more.
. "$(dirname "$0")/../lib.sh"

helper=$build/tests/keys-helper
tool=$build/tang/server/cotter-tang-keys
dir=$tmp/tang

names() { # of the keys, advertised and hidden
	find "$dir" -maxdepth 1 -name '*.jwk' -printf '%f\n' | LC_ALL=C sort
}

count() { # PATTERN
	names | grep -c "$1" || true
}

fresh() {
	rm -rf "$dir"
	mkdir "$dir"
}

# --- generate ---

pair_of() { # CURVE ALG
	local files
	files=$(find "$dir" -name '*.jwk')
	assert_equal "$(jq -r '.alg + " " + .crv' $files | sort | paste -sd,)" "ECMR $1,$2 $1"
	for file in $files; do
		assert_equal "$(jose jwk thp -i "$file").jwk" "${file##*/}"
		[ "$(jose jwk pub -i "$file" | jq -c 'keys - ["alg", "crv", "key_ops", "kty", "x", "y"]')" = '[]' ]
	done
}
for curve in "P-256 ES256" "P-384 ES384" "P-521 ES512"; do
	set -- $curve
	fresh
	run "$tool" generate --curve=$1 "$dir"
	ok "generate --curve=$1" assert_rc 0
	ok "$1: it says what it made" assert_equal "$(cut -d' ' -f2- "$tmp/out" | paste -sd,)" \
		"a new exchange key of $1,a new signing key of $1"
	ok "$1: José finds a pair, by the names of its keys" pair_of $1 $2
	ok "$1: with which a server works" "$helper" "$dir" check
done
fresh
run "$tool" generate "$dir"
ok "without --curve it is P-521" pair_of P-521 ES512
before=$(names)
run "$tool" generate "$dir"
ok "where a pair is advertised" assert_rc 0
ok "generate makes none" assert_equal "$(names)" "$before"
ok "and says so" assert_output_has "already"
run "$tool" generate --add "$dir"
ok "but with --add it does" assert_equal "$(names | wc -l)" 4
fresh
jose jwk gen -i '{"alg":"ECMR"}' -o "$dir/x.jwk"
run "$tool" generate "$dir"
ok "half a pair is made whole" assert_equal "$(jq -r .alg "$dir"/*.jwk | sort | paste -sd,)" ECMR,ES512

# What jose makes of the same template has the same members in the same order.
ok "the files look as José's" assert_equal \
	"$(for key in "$dir"/*.jwk; do jq -c 'keys_unsorted' "$key"; done | sort -u)" \
	"$(jose jwk gen -i '{"alg":"ECMR"}' | jq -c keys_unsorted)"

# --- show ---

fresh
start_tangd tang # makes a pair as tangd does
run "$tool" show "$dir"
ok "show" assert_equal "$(cat "$tmp/out")" "$(tang-show-keys "$tang_port")"
/usr/libexec/tangd-rotate-keys -d "$dir"
run "$tool" show "$dir"
ok "show after tangd-rotate-keys" assert_equal "$(cat "$tmp/out")" "$(tang-show-keys "$tang_port")"
"$tool" rotate --curve=P-256 "$dir" >/dev/null
run "$tool" show "$dir"
ok "show after a rotation of ours" assert_equal "$(cat "$tmp/out")" "$(tang-show-keys "$tang_port")"
"$tool" generate --add "$dir" >/dev/null
run "$tool" show "$dir"
ok "show of two" assert_equal "$(sort "$tmp/out")" "$(tang-show-keys "$tang_port" | sort)"
stop_tangd
fresh
run "$tool" show "$dir"
ok "show where nothing is advertised" assert_one_sentence

# --- rotate ---

fresh
"$tool" generate "$dir" >/dev/null
before=$(names)
run "$tool" rotate "$dir"
ok "rotate" assert_rc 0
ok "the old keys are hidden" assert_equal "$(names | grep '^\.' | sed 's/^\.//')" "$before"
ok "a new pair is advertised" assert_equal "$(count '^[^.]')" 2
ok "and it says all that" assert_equal "$(grep -c 'a new \|rotated out' "$tmp/out")" 4

# One key under two names is hidden under both; another's hidden file stays.
fresh
"$tool" generate "$dir" >/dev/null
exchange=$(basename "$(grep -l ECMR "$dir"/*.jwk)")
cp "$dir/$exchange" "$dir/twin.jwk"
jose jwk gen -i '{"alg":"ECMR"}' -o "$dir/.$exchange"
other=$(jose jwk thp -i "$dir/.$exchange")
run "$tool" rotate "$dir"
ok "a key under two names is hidden under both" assert_equal "$(count '^[^.]')" 2
ok "and no other hidden key is overwritten" assert_equal "$(jose jwk thp -i "$dir/.$exchange")" "$other"
ok "so that all are there" assert_equal "$(count '^\.')" 4

# --- list ---

fresh
"$tool" generate --curve=P-256 "$dir" >/dev/null
"$tool" rotate --curve=P-384 "$dir" >/dev/null
touch -d '40 days ago' "$dir"/.*.jwk
echo junk >"$dir/z.jwk"
run "$tool" list "$dir"
ok "list" assert_rc 0
ok "a table of what there is" assert_equal "$(awk 'NR > 1 { print $2, $3, $4, $5, $6 }' "$tmp/out" | sort | paste -sd,)" \
	"exchange P-256 hidden 40 d,exchange P-384 advertised 0 min,signing P-256 hidden 40 d,signing P-384 advertised 0 min"
ok "and what is none" assert_error_has "z.jwk is skipped"
rm "$dir/z.jwk"
run "$tool" list --json "$dir"
ok "the same as JSON" assert_json '[.keys[] | .use + " " + .curve + " " + .state] | sort ==
	["exchange P-256 hidden", "exchange P-384 advertised", "signing P-256 hidden", "signing P-384 advertised"]'
ok "with names that jq can match" assert_json 'all(.keys[]; (.file | ltrimstr(".") | rtrimstr(".jwk")) == .thumbprint)'
ok "and nothing that is not known" assert_json 'all(.keys[]; has("recoveries") | not) and (has("since") | not)'

# --- the record ---

old_exchange=$(basename "$(grep -l ECMR "$dir"/.*.jwk)")
old_signing=$(basename "$(grep -l ES256 "$dir"/.*.jwk)")
thumbprint=$(jose jwk thp -i "$dir/$old_exchange")
now=$(date +%s)
record() { # FILE SINCE-DAYS [LAST-DAYS]
	local used=false
	[ $# -lt 3 ] || used=true
	jq -n --arg thp "$thumbprint" --argjson since "$((now - $2 * 86400))" \
		--argjson last "$((now - ${3:-0} * 86400 - 10))" --argjson used $used '
		{since: $since, started: $since, keys: (if $used then
			{($thp): {recoveries: 7, last: $last, recoveries_since_start: 3}} else {} end)}' >"$1"
}
record "$dir/usage.json" 60 35
run "$tool" list "$dir"
ok "what was recovered is listed" assert_equal "$(grep -F "$old_exchange" "$tmp/out" | awk '{ print $7, $8, $9, $10 }')" "3 7 35 d"
ok "and how far back that is known" assert_output_has "began 60 d ago"
run "$tool" list --json "$dir"
ok "as JSON" assert_json ".since == $((now - 60 * 86400)) and (.keys[] | select(.file == \"$old_exchange\") |
	.recoveries == 7 and .recoveries_since_start == 3)"
ok "what was never used has recovered nothing" assert_json 'any(.keys[]; .recoveries == 0 and .last == 0)'

# --- prune ---

stays() { # FILE REASON
	assert_error_has "$1 stays: $2"
	[ -e "$dir/$1" ]
}
both_stay() { # REASON
	assert_rc 1
	stays "$old_exchange" "$1"
	stays "$old_signing" "those who use an exchange key of its time"
}
prune() { # OPTION…
	run "$tool" prune "$@" "$dir"
}

rm "$dir/usage.json"
prune
ok "prune without a record" both_stay "there is no record"
record "$dir/usage.json" 29
prune
ok "prune with a record that is too short" both_stay "the record does not reach back so far"
record "$dir/usage.json" 60 29
prune
ok "prune of a key that was used" both_stay "it has recovered within this time"
record "$dir/usage.json" 60 35
prune --unused-for=36
ok "within the time that was given" both_stay "it has recovered within this time"
record "$dir/usage.json" -1
prune
ok "prune with a record from the future" both_stay "the record does not reach back so far"
echo '{}' >"$dir/usage.json"
prune
ok "prune with a record that is none" eval 'assert_rc 1 && assert_one_sentence && assert_equal "$(count "^\.")" 2'
record "$tmp/usage-1" 60 35
prune --usage="$tmp/usage-1" --usage="$tmp/none"
ok "prune with a record that is not there" eval 'assert_rc 1 && assert_one_sentence && assert_equal "$(count "^\.")" 2'
record "$tmp/usage-2" 60 1
prune --usage="$tmp/usage-1" --usage="$tmp/usage-2"
ok "prune of a key that another server used" both_stay "it has recovered within this time"
record "$tmp/usage-2" 10
prune --usage="$tmp/usage-1" --usage="$tmp/usage-2"
ok "prune where another server's record is too short" both_stay "the record does not reach back so far"
ok "the advertised keys stay as they were" assert_equal "$(count '^[^.]')" 2

cp -a "$dir" "$tmp/spare"
record "$tmp/usage-2" 31
prune --usage="$tmp/usage-1" --usage="$tmp/usage-2"
ok "prune of what no server has used" assert_rc 0
ok "removes the old pair" assert_equal "$(count '^\.')" 0
ok "and says so" assert_equal "$(grep -c ': removed$' "$tmp/out")" 2
ok "and nothing else" assert_equal "$(count '^[^.]')" 2
prune
ok "prune where nothing is hidden" assert_rc 1 # the folder's own record is none, see above
rm "$dir/usage.json"
prune
ok "needs no record" assert_rc 0

rm -r "$dir"
mv "$tmp/spare" "$dir"
record "$dir/usage.json" 1 0
prune --force
ok "prune --force" assert_rc 0
ok "removes what is used" assert_equal "$(names | grep -c '^\.' || true)" 0
ok "but nothing that is advertised" "$helper" "$dir" check

# --- the command line ---

run "$tool"
ok "without a verb" eval 'assert_rc 2 && assert_one_sentence'
run "$tool" frobnicate
ok "with an unknown one" eval 'assert_rc 2 && assert_one_sentence'
run "$tool" list --frobnicate "$dir"
ok "with an unknown option" assert_rc 2
run "$tool" --help
ok "--help" eval 'assert_rc 0 && assert_output_has "rotate"'
run "$tool" --version
ok "--version" eval 'assert_rc 0 && assert_output_has "cotter-tang-keys "'
ok "output that nobody gets" eval 'rc=0; "$tool" list "$dir" >/dev/full || rc=$?; assert_equal $rc 1'

completes() { # WANTED WORD…
	local wanted=$1
	shift
	bash -c '
		. "$1"
		shift
		compopt() { :; }
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_cotter_tang_keys cotter-tang-keys "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}" | paste -sd" "
	' completes "$src/tang/server/cotter-tang-keys.bash" "$@" >"$tmp/completed"
	assert_equal "$(cat "$tmp/completed")" "$wanted"
}
ok "bash completes verbs" completes "generate rotate list show prune" cotter-tang-keys ""
ok "bash completes a verb's options" completes "--unused-for= --usage=" cotter-tang-keys prune --u
ok "bash completes curves" completes "P-384" cotter-tang-keys rotate --curve = P-3

done_testing
