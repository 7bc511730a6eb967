#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The drop-in's commands that write, ended by SIGKILL at every system call that changes the volume, as stop.sh has it for
# cotter-enroll; some calls are also cut in halves or lost. The volume must then open with all that opened it before or, where a binding was to be made anew, with the
# old or the new one; and the same command must end as if it had never been stopped: scripts know a binding by its slot.
#
# Sanitized programs are slow: with them every ninth point is taken.
. "$(dirname "$0")/../lib.sh"

clevis=$build/enroll/clevis/bin
preload=$tmp/stop.so
cc -shared -fPIC -D_GNU_SOURCE -O1 -o "$preload" "$src/tests/fault/stop.c"
if [ "$sanitized" != 0 ]; then
	preload="$(realpath "$(gcc -print-file-name=libasan.so)"):$preload"
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
fi

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

jobs=()
points() { # VERB
	local n call size how hows before=${#jobs[@]}
	while read -r n call size; do
		# They take the way of a regeneration, or nearly so.
		[ "$1" != 2 ] || [ $((n % 2)) = 0 ] || continue
		[ "$1" != 3 ] || [ $((n % 4)) = 0 ] || continue
		hows=before
		# What a commit is in halves stop.sh knows.
		[ $((n % 3)) != 1 ] || [[ "$call" != *write* ]] || hows="before half lost"
		for how in $hows; do
			jobs+=("$1 $n $how")
			labels+=("${names[$1]}, $how call $n: $call $size")
		done
	done <"$tmp/whole-$1.calls"
	echo "# $((${#jobs[@]} - before)) points in ${names[$1]}"
}

lane() { # FIRST STEP
	local i
	set +e # which a || would do to all that the job calls
	for ((i = $1; i < ${#jobs[@]}; i += $2)); do
		(set -ex; stop_at ${jobs[i]}) >"$tmp/log-$i" 2>&1
		echo $? >"$tmp/status-$i"
	done
}

for i in "${!names[@]}"; do
	rehearse "$i"
	points "$i"
done
echo "# ${#jobs[@]} points in all"
ok "there are enough points" [ ${#jobs[@]} -ge 150 ]

step=1
[ "$sanitized" = 0 ] || step=9
lanes=()
for first in 0 1 2; do
	lane $((first * step)) $((3 * step)) &
	lanes+=($!)
done
wait "${lanes[@]}"

went_well() { # I
	[ "$(cat "$tmp/status-$1")" = 0 ] || { tail -n 30 "$tmp/log-$1"; return 1; }
}
for ((i = 0; i < ${#jobs[@]}; i += step)); do
	ok "${labels[i]}" went_well "$i"
done

done_testing
