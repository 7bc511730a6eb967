# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Runs Debian's Clevis and ours side by side. To be sourced after lib.sh.
#
#	volume=$tmp/plain
#	same "bind without a key" clevis luks bind -d IMAGE tang '{}'
#	sides_done
#	done_testing
#
# Each case counts into a table that the test ends with.

ours=$build/enroll/clevis/bin
their_path=/usr/sbin:/usr/bin:/sbin:/bin
our_path=$ours:$their_path
volume=       # what IMAGE in a command is a fresh copy of, for each side
input=/dev/null # the commands' standard input
cases=()

for program in clevis clevis-luks-bind clevis-encrypt-tpm2; do
	[ -x "/usr/bin/$program" ] || skip_all "$program is not installed"
done

# Runs CMD as SIDE has it and leaves its status, output and errors in $tmp/SIDE.{rc,out,err}, and the copy of
# the volume, if there is one, in $tmp/SIDE.image. IMAGE in an argument is that copy.
run_side() { # SIDE CMD…
	local side=$1 path=$their_path status=0
	shift
	[ "$side" = theirs ] || path=$our_path
	[ -z "$volume" ] || cp --sparse=always "$volume" "$tmp/$side.image"
	PATH=$path "${@//IMAGE/$tmp/$side.image}" <"$input" >"$tmp/$side.out" 2>"$tmp/$side.err" || status=$?
	echo "$status" >"$tmp/$side.rc"
	[ "$side" = ours ] || after_theirs
}

# What is to be cleaned up after Clevis; a test may define its own.
after_theirs() {
	:
}

theirs() { # CMD…
	PATH=$their_path "$@"
}

ours() { # CMD…
	PATH=$our_path "$@"
}

# What is compared of the output: policies instead of JWEs. A test may define its own.
normal() { # SIDE
	sed "s|$tmp/$1.image|IMAGE|g" "$tmp/$1.out" | "$src/tests/clevis/policy.py"
}

# What is compared of the volume after a command; a test may define its own.
normal_volume() { # SIDE
	:
}

# The same status, output and volume, and nothing on stderr from ours where theirs was silent and well.
sides_agree() {
	local side
	for side in theirs ours; do
		{
			echo "status $(cat "$tmp/$side.rc")"
			normal "$side"
			[ -z "$volume" ] || normal_volume "$side"
		} >"$tmp/$side.normal"
	done
	diff -a -u "$tmp/theirs.normal" "$tmp/ours.normal" ||
		{ tail -v -n +1 "$tmp/theirs.err" "$tmp/ours.err"; return 1; }
}

# One case: both sides run CMD, and agree.
same() { # NAME CMD…
	local name=$1
	shift
	run_side theirs "$@"
	run_side ours "$@"
	cases+=("$(printf '%-8s %3s  %s' "same" "$(cat "$tmp/ours.rc")" "$name")")
	ok "$name" sides_agree
}

# One case where we differ on purpose, or Clevis 22 from Debian's: only ours runs CMD, as in the last run of
# lib.sh, and checks follow. WHY is a word: "22" or "ours".
differs() { # NAME WHY CMD…
	local name=$1 why=$2
	shift 2
	run_side ours "$@"
	rc=$(cat "$tmp/ours.rc")
	cp "$tmp/ours.out" "$tmp/out"
	cp "$tmp/ours.err" "$tmp/err"
	cases+=("$(printf '%-8s %3s  %s' "$why" "$rc" "$name")")
}

# The table of all cases.
sides_done() {
	echo "# ${#cases[@]} cases: which behaviour, the exit status, what was run"
	printf '# %s\n' "${cases[@]}"
}
