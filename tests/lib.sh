#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the shell tests share: checks written as TAP, on the stage of stage.sh.
#
#	. "$(dirname "$0")/../lib.sh"
#	make_image
#	run "$cotter_enroll" --list "$image"
#	ok "lists a new volume" assert_rc 0
#	done_testing
#
# Everything made lives in $tmp; it and all servers are gone when the test ends.
set -eu -o pipefail
. "$(dirname "${BASH_SOURCE[0]}")/stage.sh"

tests=0 failures=0 ended=false

cleanup() {
	local status=$?
	stage_done
	$ended || echo "Bail out! The test stopped early with status $status."
}
trap cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# One check: passes where CMD succeeds. CMD's output is shown where it does not.
ok() { # NAME CMD…
	local name=$1 status
	shift
	tests=$((tests + 1))
	set +e
	(set -e; "$@") >"$tmp/check" 2>&1
	status=$?
	set -e
	if [ $status = 0 ]; then
		echo "ok $tests - $name"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $tests - $name"
	{ echo "$* (status $status)"; cat "$tmp/check"; } | sed 's/^/# /'
}

not() { # CMD…
	! "$@"
}

skip() { # NAME REASON
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

skip_all() { # REASON
	ended=true
	echo "1..0 # SKIP $1"
	exit 0
}

# Makes FILE with CMD once, for all tests that run at the same time or later.
make_once() { # FILE CMD…
	local lock status=0
	exec {lock}>"$1.lock"
	flock "$lock"
	if [ ! -e "$1" ]; then
		set +e
		(set -e; "${@:2}") >"$1.log" 2>&1
		status=$?
		set -e
	fi
	exec {lock}>&-
	[ $status = 0 ] || { tail -n 30 "$1.log" >&2; return 1; }
}

# The last line of every test.
done_testing() {
	ended=true
	echo "1..$tests"
	[ $failures = 0 ] && [ $tests != 0 ]
}

# One with 8 keyslots and 4 MiB in all, which is quick to copy and to compare. Sets $image.
make_small_image() { # NAME
	make_image "$1" --luks2-keyslots-size=2064384 >/dev/null
	truncate -s 4M "$image"
}

# Runs CMD and leaves its exit status in $rc and its output in $tmp/out and $tmp/err.
run() { # CMD…
	rc=0
	"$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
}

# The same in the background, so that several waits pass at once; finish NAME makes it the last run.
declare -A later=() # name -> process

run_later() { # NAME CMD…
	local name=$1
	shift
	"$@" >"$tmp/$name.out" 2>"$tmp/$name.err" </dev/null &
	later[$name]=$!
}

finish() { # NAME
	rc=0
	wait "${later[$1]}" || rc=$?
	mv "$tmp/$1.out" "$tmp/out"
	mv "$tmp/$1.err" "$tmp/err"
}

# Of the last run.
show_run() {
	echo "status $rc; output and errors:"
	cat "$tmp/out" "$tmp/err"
}

# Bytes as digits.
hex() {
	od -An -v -tx1 | tr -d ' \n'
}

# The protected header of a compact JWE as JSON.
header() { # JWE
	cut -d. -f1 "$1" | jose b64 dec -i-
}

# What clevis recovers from a token's JWE, in the compact form that it takes.
token_secret() { # IMAGE TOKEN-ID
	token_json "$1" "$2" |
		jq -j '.jwe | "\(.protected)..\(.iv).\(.ciphertext).\(.tag)"' | clevis decrypt
}

assert_rc() { # STATUS
	[ "$rc" = "$1" ] || { show_run; return 1; }
}

assert_output_has() { # TEXT
	grep -qF -e "$1" "$tmp/out" || { show_run; return 1; }
}

assert_error_has() { # TEXT
	grep -qF -e "$1" "$tmp/err" || { show_run; return 1; }
}

# FILTER holds for the JSON that the last run wrote.
assert_json() { # FILTER
	[ -s "$tmp/out" ] && jq -e "$1" "$tmp/out" >/dev/null || { echo "not so: $1"; show_run; return 1; }
}

# A failure that a person can read: not 0, not a crash, and one line on stderr.
assert_one_sentence() {
	[ "$rc" -gt 0 ] && [ "$rc" -lt 125 ] && [ "$(wc -l <"$tmp/err")" = 1 ] ||
		{ show_run; return 1; }
}

assert_same_file() { # FILE FILE
	cmp "$1" "$2"
}

assert_equal() { # VALUE VALUE
	[ "$1" = "$2" ] || { printf '"%s" is not "%s"\n' "$1" "$2"; return 1; }
}
