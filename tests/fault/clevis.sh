#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The drop-in's commands that write, ended by SIGKILL at every system call that changes the volume, as stop.sh has it for
# cotter-enroll; some calls are also cut in halves or lost. The volume must then open with all that opened it before or, where a binding was to be made anew, with the
# old or the new one; and the same command must end as if it had never been stopped: scripts know a binding by its slot.
#
# Sanitized programs are slow: with them every ninth point is taken.
. "$(dirname "$0")/../lib.sh"
. "$src/tests/points.sh"

clevis=$build/enroll/clevis/bin
build_stop

# --- the scenes ---

start_tangd server
tang="{\"url\":\"$tang_url\",\"thp\":\"$tang_thumbprint\"}"
bare="{\"url\":\"$tang_url\"}"

luks() { # COMMAND IMAGE [ARGUMENT…]
	local command=$1 image=$2
	shift 2
	"$clevis/clevis-luks-$command" -d "$image" "$@"
}

make_small_image plain
cryptsetup token import --disable-external-tokens --token-id 0 "$image" <<<'{"type":"another","keyslots":["0"]}'
cp "$image" "$tmp/bound"
luks bind "$tmp/bound" -f -k "$passphrase" -s 3 -t 4 tang "$tang"
cp "$tmp/bound" "$tmp/full"
"$src/tests/edit-header.py" "$tmp/full" '.tokens += ([range(1; 32)] - [4] |
	map({key: tostring, value: {type: "another", keyslots: []}}) | from_entries)'

names=() scenes=() commands=()
verb() { # NAME SCENE COMMAND [ARGUMENT…]
	names+=("$1") scenes+=("$2")
	commands+=("$3 SCENE $(printf '%q ' "${@:4}")")
}
verb "a binding" bound bind -f -k "$passphrase" -s 5 -t 6 tang "$tang"
verb "a regeneration" bound regen -q -s 3
verb "a regeneration without a free token id" full regen -q -s 3
verb "a change of configuration" bound edit -f -s 3 -c "$bare"
verb "an unbinding" bound unbind -f -s 3

# --- what is to be seen ---

look() { # IMAGE
	cryptsetup luksDump --disable-external-tokens --dump-json-metadata "$1" >"$1.metadata"
}

# But for the order, and for what is made anew each time.
shape() { # IMAGE
	jq -cS '(.keyslots | keys), (.tokens | to_entries | sort_by(.key)[] | [.key, (.value | del(.jwe))])' "$1.metadata"
}

# A keyslot of a binding, where there is one.
opens_by_a_binding() { # IMAGE
	local slots slot
	slots=$(jq -r '.tokens[] | select(.type == "clevis") | .keyslots[]' "$1.metadata")
	for slot in $slots; do
		! luks unlock "$1" -t "$slot" || return 0
	done
	[ -z "$slots" ]
}

# Each keyslot but the person's has a token, or one notes that it is to go.
nothing_is_loose() { # IMAGE
	jq -e '(.keyslots | keys) - ["0"] - [.tokens[] | .keyslots[],
		(.cotter.unfinished.keyslot // empty | tostring)] == []' "$1.metadata"
}

is_sound() { # IMAGE
	[ -z "$(cryptsetup luksDump "$1" 2>&1 >/dev/null)" ]
	cmp -n 12288 -i 4096:20480 "$1" "$1"
}

run_verb() { # VERB IMAGE
	eval "luks ${commands[$1]/SCENE/$2}"
}

stopping() { # VERB IMAGE
	STOP_FILES=$2 STOP_LOG=$2.calls LD_PRELOAD=$preload run_verb "$@"
}

rehearse() { # VERB
	local image=$tmp/whole-$1
	cp "$tmp/${scenes[$1]}" "$image"
	stopping "$1" "$image" >/dev/null
	look "$image"
	shape "$image" >"$tmp/shape-$1"
	opens_by_a_binding "$image"
}

# A binding that was whole already is made no second time, and one that is gone not removed again.
may_fail() { # VERB
	[ "$1" = 0 ] || [ "$1" = 4 ]
}

stop_at() { # VERB N HOW
	local verb=$1 image=$tmp/image-$1-$2-$3 rc=0
	cp "$tmp/${scenes[verb]}" "$image"
	STOP_AT=$2 STOP_HOW=$3 stopping "$verb" "$image" || rc=$?
	assert_equal $rc 137

	look "$image"
	opens_by_passphrase "$image"
	[ "$verb" = 4 ] || opens_by_a_binding "$image" # that is the keyslot that goes
	jq -e '.tokens["0"].type == "another"' "$image.metadata"
	nothing_is_loose "$image"

	run_verb "$verb" "$image" || may_fail "$verb"
	look "$image"
	assert_equal "$(shape "$image")" "$(cat "$tmp/shape-$verb")"
	opens_by_passphrase "$image"
	opens_by_a_binding "$image"
	is_sound "$image"
	rm "$image"*
}

# --- all of it, in the background ---

hows_of() { # N CALL stop_at VERB
	# They take the way of a regeneration, or nearly so.
	case $4 in 2) [ $(($1 % 2)) = 0 ] || return 0 ;; 3) [ $(($1 % 4)) = 0 ] || return 0 ;; esac
	# What a commit is in halves stop.sh knows.
	if [ $(($1 % 3)) = 1 ] && [[ $2 = *write* ]]; then echo before half lost; else echo before; fi
}

for i in "${!names[@]}"; do
	rehearse "$i"
	points "$tmp/whole-$i.calls" "${names[$i]}" stop_at "$i"
done
echo "# ${#jobs[@]} points in all"
ok "there are enough points" [ ${#jobs[@]} -ge 150 ]

step=1
[ "$sanitized" = 0 ] || step=9
try_points $step

done_testing
