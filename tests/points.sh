#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests that stop a program at each of its calls, by fault/stop.c: the points at which to stop it, and lanes side
# by side in which they are tried. Needs lib.sh.
#
#	points "$tmp/calls" "a renewal" stop_renewal    # each is tried as: stop_renewal N HOW
#	try_points 1

jobs=() labels=()

# Sets $preload, which has a program ended as STOP_AT and STOP_HOW say, and STOP_FILES of what.
build_stop() {
	preload=$tmp/stop.so
	cc -shared -fPIC -D_GNU_SOURCE -O1 -o "$preload" "$src/tests/fault/stop.c"
	[ "$sanitized" != 0 ] || return 0
	preload="$(realpath "$(gcc -print-file-name=libasan.so)"):$preload"
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
}

# The ways in which to stop at a call. A test may have its own, which also gets what `points` was given to call.
hows_of() { # N CALL CMD…
	case $2 in *write*) echo before half lost ;; *) echo before ;; esac
}

# A point for each way to stop at each call that FILE lists.
points() { # FILE LABEL CMD…
	local file=$1 label=$2 n call size how before=${#jobs[@]}
	shift 2
	while read -r n call size; do
		for how in $(hows_of "$n" "$call" "$@"); do
			jobs+=("$* $n $how")
			labels+=("$label, $how call $n: $call $size")
		done
	done <"$file"
	echo "# $((${#jobs[@]} - before)) points in $label"
}

lane() { # FIRST STEP
	local job
	set +e # which a || would do to all that the job calls
	for ((job = $1; job < ${#jobs[@]}; job += $2)); do
		(set -ex; ${jobs[job]}) >"$tmp/log-$job" 2>&1
		echo $? >"$tmp/status-$job"
	done
}

# Tries every STEPth of the jobs, three at a time. A job sees what is local here, which is why nothing is that a test
# could have given a name.
run_lanes() { # STEP
	local lane_pids=()
	lane 0 $((3 * $1)) & lane_pids+=($!)
	lane "$1" $((3 * $1)) & lane_pids+=($!)
	lane $((2 * $1)) $((3 * $1)) & lane_pids+=($!)
	wait "${lane_pids[@]}"
}

went_well() { # I
	[ "$(cat "$tmp/status-$1")" = 0 ] || { tail -n 30 "$tmp/log-$1"; return 1; }
}

# The same, each a check.
try_points() { # STEP
	local i
	run_lanes "$1"
	for ((i = 0; i < ${#jobs[@]}; i += $1)); do
		ok "${labels[i]}" went_well "$i"
	done
}
