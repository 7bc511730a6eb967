#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-enroll ended while its proof runs, by SIGKILL, after which the volume must open as before, and what is left
# be seen and cleaned; and there and before its writes to the header by SIGINT and SIGTERM, after which nothing may
# be left by halves. The same for a write that fails. SIGKILL before and in every write is stop.sh's.
. "$(dirname "$0")/../lib.sh"

export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # the leak detector is a tracer itself

metadata() { # IMAGE
	cryptsetup luksDump --dump-json-metadata "$1" | jq -S .
}

# Runs the tool on IMAGE, a fresh copy of FROM, and sends SIGNAL before the call AT: the Nth write to the
# image; "wait", where it waits for its proof; "proof", where that begins (and is what gets the signal).
interrupt() { # SIGNAL AT FROM IMAGE [OPTION…]
	local signal=$1 at=$2 from=$3 image=$4 only=() call=write when=1
	shift 4
	case $at in
	wait) call=ppoll ;;
	proof) call=execve only=(-P /proc/self/exe) ;;
	*) only=(-P "$image") when=$at ;;
	esac
	cp "$from" "$image"
	strace -f -o "$image.trace" "${only[@]}" -e "trace=$call" \
		-e "inject=$call:signal=$signal:when=$when" "$cotter_enroll" "$@" "$image"
}

interrupted() { # SIGNAL
	[ "$rc" = $((128 + $(kill -l "$1"))) ] || { echo "it ended with status $rc"; return 1; }
}

works() { # IMAGE TOKEN…
	local image=$1 id
	shift
	opens_by_passphrase "$image"
	for id; do "$cotter_enroll" --test --token-id="$id" "$image"; done
}

# No keyslot is without a token but the passphrase's, and each token is whole or has no keyslot.
no_loose_ends() { # IMAGE
	metadata "$1" | jq -e '(.keyslots | keys) - ["0"] - [.tokens[].keyslots[]] == []'
	"$cotter_enroll" --list --json=short "$1" |
		jq -e '[.tokens[].state] - ["ok", "orphaned"] == []'
	"$cotter_enroll" --wipe-slot=orphaned "$1"
	metadata "$1" | jq -e '[.tokens[].keyslots | length] | all(. == 1)'
}

nothing_by_halves() { # IMAGE
	local status=0
	"$cotter_enroll" --list --json=short "$1" | jq -e '[.tokens[].state] - ["ok"] == []'
	"$cotter_enroll" --test "$1" || status=$?
	[ $status = 0 ] || { [ $status = 1 ] && metadata "$1" | jq -e '.tokens == {}'; }
}

# --- what is done, interrupted at AT, and what must then hold; each on its own IMAGE ---

bind_killed() { # AT IMAGE
	rc=0
	interrupt KILL "$1" "$tmp/bound" "$2" "${second[@]}" || rc=$?
	interrupted KILL
	works "$2" 0
	no_loose_ends "$2"
	"$cotter_enroll" "${second[@]}" "$2"
	works "$2" 0 1
}

# What the proof finds out is not known, so the tool itself takes the binding back.
proof_killed() { # AT IMAGE
	rc=0
	interrupt KILL "$1" "$tmp/bound" "$2" "${second[@]}" || rc=$?
	assert_equal $rc 1
	assert_equal "$(metadata "$2")" "$(metadata "$tmp/bound")"
	works "$2" 0
}

write_failed() { # N IMAGE
	rc=0
	cp "$tmp/bound" "$2"
	strace -f -o "$2.trace" -P "$2" -e trace=write -e "inject=write:error=EIO:when=$1" \
		"$cotter_enroll" "${second[@]}" "$2" || rc=$?
	assert_equal $rc 1
	assert_equal "$(metadata "$2")" "$(metadata "$tmp/bound")"
	works "$2" 0
}

bind_stopped() { # SIGNAL AT IMAGE
	rc=0
	interrupt "$1" "$2" "$tmp/bound" "$3" "${second[@]}" || rc=$?
	interrupted "$1"
	assert_equal "$(metadata "$3")" "$(metadata "$tmp/bound")"
	works "$3" 0
}

replace_stopped() { # SIGNAL AT IMAGE
	rc=0
	interrupt "$1" "$2" "$tmp/bound" "$3" "${second[@]}" --wipe-slot=tang || rc=$?
	interrupted "$1"
	works "$3" 1
	nothing_by_halves "$3"
}

wipe_stopped() { # SIGNAL AT IMAGE
	rc=0
	interrupt "$1" "$2" "$tmp/two" "$3" --wipe-slot=tang || rc=$?
	interrupted "$1"
	works "$3"
	nothing_by_halves "$3"
}

# --- all of it, in the background in three lanes ---

jobs=()
job() { # NAME FUNCTION ARGUMENT…
	jobs+=("$1")
	commands+=("${*:2} $tmp/image-${#jobs[@]}")
}

lane() { # FIRST
	local i
	set +e # which a || would do to all that the job calls
	for ((i = $1; i < ${#jobs[@]}; i += 3)); do
		(set -ex; ${commands[i]}) >"$tmp/log-$i" 2>&1
		echo $? >"$tmp/status-$i"
	done
}

start_tangd second
second=(--unlock-key-file="$passphrase" --tang="$tang_url" --tang-thumbprint="$tang_thumbprint")
start_tangd
make_small_image plain
cp "$image" "$tmp/bound"
"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" "$tmp/bound"
cp "$tmp/bound" "$tmp/two"
"$cotter_enroll" --quiet "${second[@]}" "$tmp/two"

# A binding's writes are 6 for the token, 2 of key material, 6 for its keyslot; a removal's are 1 and 6
# for each keyslot, then 6 for each token.
count() { # FROM [OPTION…]
	cp "$1" "$tmp/counted"
	strace -f -o "$tmp/trace" -P "$tmp/counted" -e \
		trace=write,pwrite64,writev,pwritev,pwritev2,ftruncate,fallocate,copy_file_range,sendfile \
		"$cotter_enroll" --quiet "${@:2}" "$tmp/counted"
	grep -c '^[0-9]* *write(' "$tmp/trace"
	! grep -E '^[0-9]* *[a-z0-9_]+\(' "$tmp/trace" | grep -v '^[0-9]* *write(' >&2
}
binding=$(count "$tmp/bound" "${second[@]}")
replacing=$(count "$tmp/bound" "${second[@]}" --wipe-slot=tang)
wiping=$(count "$tmp/two" --wipe-slot=tang)
echo "# $binding writes bind, $replacing replace, $wiping remove two"
ok "the writes are seen" [ "$binding" -ge 14 -a "$replacing" -gt "$binding" -a "$wiping" -ge 14 ]

job "a binding killed while its proof runs" bind_killed wait
job "a binding whose proof is killed" proof_killed proof
for ((n = 1; n <= binding; n += 3)); do
	job "a binding whose write $n fails" write_failed $n
done

signals=(INT TERM)
for ((n = 1; n <= binding; n += 3)); do
	job "a binding stopped by SIG${signals[n % 2]} before write $n" bind_stopped "${signals[n % 2]}" $n
done
job "a binding stopped by SIGINT while its proof runs" bind_stopped INT wait
job "a binding stopped by SIGTERM while its proof runs" bind_stopped TERM wait
for ((n = binding + 1; n <= replacing; n += 3)); do
	job "a replacement stopped by SIG${signals[n % 2]} before write $n" \
		replace_stopped "${signals[n % 2]}" $n
done
for ((n = 1; n <= wiping; n += 3)); do
	job "a removal stopped by SIG${signals[n % 2]} before write $n" wipe_stopped "${signals[n % 2]}" $n
done

lanes=()
for first in 0 1 2; do
	lane $first &
	lanes+=($!)
done
wait "${lanes[@]}"

went_well() { # I
	[ "$(cat "$tmp/status-$1")" = 0 ] || { tail -n 30 "$tmp/log-$1"; return 1; }
}
for i in "${!jobs[@]}"; do
	ok "${jobs[i]}" went_well "$i"
done

done_testing
