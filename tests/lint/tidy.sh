#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# clang-tidy finds nothing in the product, by .clang-tidy, which says what is not looked for and why.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/static.sh"

command -v clang-tidy-14 >/dev/null ||
	skip_all ".clang-tidy is written for clang-tidy-14, which is not installed (Debian 12 has it)"

tidy() { # FILE…
	printf '%s\0' "$@" |
		xargs -0 -P "$(nproc)" -n 4 clang-tidy-14 -p "$tmp" --quiet \
			--config-file="$src/.clang-tidy" 2>"$tmp/tidy.err"
}

product_commands >"$tmp/compile_commands.json"
mapfile -t files < <(cd "$build" && jq -r '.[].file' "$tmp/compile_commands.json" | xargs realpath)
ok "the product's files are known" test ${#files[@]} -gt 200
ok "nothing is found in them" tidy "${files[@]}"

# strcmp() may return any negative number.
cat >"$tmp/planted.c" <<-'END'
	#include <string.h>
	int planted(const char *text);
	int planted(const char *text)
	{
		return strcmp(text, "a") == -1;
	}
END
jq -n --arg dir "$tmp" '[{directory: $dir, file: "planted.c", command: "gcc -c planted.c"}]' \
	>"$tmp/compile_commands.json"
ok "a planted fault is" not tidy "$tmp/planted.c"
ok "by its name" grep -q bugprone-suspicious-string-compare <(tidy "$tmp/planted.c")
done_testing
