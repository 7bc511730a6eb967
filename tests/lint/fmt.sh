#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# All C files are as .clang-format says, by the version of clang-format that it is written for.
. "$(dirname "$0")/../lib.sh"

formatter=$(command -v clang-format-14) ||
	skip_all ".clang-format is written for clang-format-14, which is not installed (Debian 12 has it)"

c_files() {
	(cd "$src" && find . -path ./build -prune -o -name '*.[ch]' -print | sort)
}

formatted() {
	(cd "$src" && c_files | xargs "$formatter" --dry-run -Werror)
}

ok "there are C files" grep -q . <(c_files)
ok "they are formatted" formatted
done_testing
