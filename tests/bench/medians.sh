# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the measurements share. "$measure" $tmp/NAME.times CMD… adds a line of wall time, CPU time (both
# in microseconds) and peak memory (in KiB).

measure=$build/tests/measure

# With it, meson has all memory filled that is allocated or freed.
unset MALLOC_PERTURB_

# The median of the lines so far, an odd number of them; columns count from 1.
median() { # NAME COLUMN
	cut -d' ' -f"$2" "$tmp/$1.times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# The least: what it costs where nothing else is in the way, which costs time of the processor too.
least() { # NAME COLUMN
	cut -d' ' -f"$2" "$tmp/$1.times" | sort -n | sed -n 1p
}
