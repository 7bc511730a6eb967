#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# gcc's analyser, which follows paths through a file and knows cleanup attributes, finds nothing in the product.
# What gcc 12 is wrong about is in analyzer.known, with the reasons.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/static.sh"

version=$(gcc -dumpversion)
version=${version%%.*}
[ "$version" -ge 12 ] || skip_all "gcc $version is older than what this is written for"

# Each command as a line for a shell that analyses and keeps nothing.
analysing() { # COMMANDS
	jq -r '.[] | .directory as $dir | .command | sub(" -MD -MQ \\S+ -MF \\S+"; "") | sub(" -Werror "; " ")
		| sub(" -o \\S+"; " -o /dev/null -fanalyzer -fdiagnostics-plain-output")
		| "cd \($dir | @sh) && exec \(.)"' "$1"
}

# Leaves what gcc wrote in $tmp/analyzer.log and FILE:CHECK of each finding in $tmp/found.
analyse() { # COMMANDS
	: >"$tmp/found"
	analysing "$1" | xargs -d '\n' -P "$(nproc)" -n 1 sh -c >"$tmp/analyzer.log" 2>&1 || return 1
	sed -nE 's|^(\.\./)*([^ :]+):[0-9]+:[0-9]+: warning: .*\[-Wanalyzer-([a-z-]+)\]$|\2:\3|p' \
		"$tmp/analyzer.log" | sed "s|^$src/||" | sort -u >"$tmp/found"
}

found_only() { # FILE-OF-KNOWN
	! comm -13 "$1" "$tmp/found" | grep . || { grep -E 'warning:' "$tmp/analyzer.log"; return 1; }
}

product_commands >"$tmp/commands"
sed -E '/^(#|$)/d' "$src/tests/lint/analyzer.known" | sort -u >"$tmp/known"
ok "all of the product is analysed" analyse "$tmp/commands"
if [ "$version" = 12 ]; then
	ok "nothing is found but what is known" found_only "$tmp/known"
	ok "and all that is known is found" not grep . <(comm -23 "$tmp/known" "$tmp/found")
else
	skip "nothing is found but what is known" "what gcc $version is wrong about is not known"
fi

cat >"$tmp/planted.c" <<-'END'
	#include <stdlib.h>
	int main(void)
	{
		char *text = malloc(1);

		free(text);
		free(text);
		return 0;
	}
END
jq -n --arg dir "$tmp" '[{directory: $dir, command: "gcc -o planted.o -c planted.c"}]' >"$tmp/commands"
ok "a planted fault is found" analyse "$tmp/commands"
ok "by its name" grep -x planted.c:double-free "$tmp/found"
done_testing
