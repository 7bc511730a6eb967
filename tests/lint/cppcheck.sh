#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cppcheck finds nothing in the product and in the tests but what is in cppcheck.known, with the reasons.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/static.sh"

command -v cppcheck >/dev/null || skip_all "cppcheck is not installed"
version=$(cppcheck --version | grep -oE '[0-9]+\.[0-9]+')
[ "$version" = 2.10 ] ||
	skip_all "cppcheck.known is written for cppcheck 2.10, and this is $version (Debian 12 has it)"

find_faults() { # OPTION… FILE…
	(cd "$src" && cppcheck --quiet -j "$(nproc)" --std=c11 --language=c --library=posix --error-exitcode=1 \
		--enable=warning,performance,portability --suppressions-list=tests/lint/cppcheck.known \
		--template='{file}:{line}: {id}: {message}' --include=tests/lint/cppcheck.h -I . \
		-D_GNU_SOURCE -D__linux__ -DCOTTER_VERSION='"0"' "$@" 2>&1)
}

ok "nothing is found in the product and in the tests" find_faults "${rooms[@]}" tests

cat >"$tmp/planted.c" <<-'END'
	int planted(int i)
	{
		int list[4] = {0};

		return i >= 0 ? list[4] : 0;
	}
END
ok "a planted fault is" not find_faults "$tmp/planted.c"
ok "by its name" grep -q arrayIndexOutOfBounds <(find_faults "$tmp/planted.c")
done_testing
