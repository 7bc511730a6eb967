#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# No two rooms have a function or an object of the same name: programs are linked of several of them, and
# the linker would take one for the other without a word.
. "$(dirname "$0")/../lib.sh"

mapfile -t archives < <(cd "$build" && find crypto sss tang tpm token enroll units -name '*.a')

defined() { # ARCHIVE
	nm -g --defined-only "$build/$1" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u
}

defined_twice() { # NAME…
	! for archive in "$@"; do defined "$archive"; done | sort | uniq -d | grep .
}

ok "the rooms' archives are there" test ${#archives[@]} -ge 7
ok "they define what others use" grep -qx jwe_open <(for archive in "${archives[@]}"; do defined "$archive"; done)
ok "no name twice" defined_twice "${archives[@]}"

done_testing
