# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Where secrets go, seen by strace: to be sourced after lib.sh.

export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # the leak detector is a tracer itself

# Runs a program in empty folders of its own. Its system calls and those of its children go to
# $tmp/trace, every string whole and in hex; those that read also to $tmp/trace.in, others to trace.out.
traced() { # CMD…
	local reading='^[0-9]+ +(<\.\.\. )?(p?read(v|v2|64)?|recv[a-z]*|getrandom)( resumed>|\()'
	rm -rf "$tmp"/{cwd,home,tmpdir}
	mkdir "$tmp"/{cwd,home,tmpdir}
	cd "$tmp/cwd"
	HOME=$tmp/home TMPDIR=$tmp/tmpdir \
		run strace -f -v -xx -s 300000 -o "$tmp/trace" "$@"
	cd "$tmp"
	grep -E "$reading" trace >trace.in
	grep -vE "$reading" trace >trace.out
}

# Bytes as strace shows them.
in_hex() {
	hex | sed 's/../\\x&/g'
}

# The file's first or second half, so that a piece of a secret is found too.
crosses() { # FILE TRACE
	local half=$(($(stat -c %s "$1") / 2))
	grep -qF -e "$(head -c $half "$1" | in_hex)" -e "$(tail -c $half "$1" | in_hex)" "$2"
}

goes_nowhere() { # FILE
	! crosses "$1" "$tmp/trace.out"
}

no_file_is_left() {
	assert_equal "$(find "$tmp"/{cwd,home,tmpdir} -mindepth 1)" ""
}

# But for those of gcc --coverage.
creates_no_file() {
	! grep -F O_CREAT "$tmp/trace.out" | grep -vF "$(printf .gcda | in_hex)\""
}

# The processes that made such a call.
processes() { # REGEX
	grep -E "^[0-9]+ +$1" "$tmp/trace.out" | cut -d ' ' -f 1 | sort -u
}
