#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The page of the benches, from tables in the form in which each prints its own, with numbers chosen for the purpose:
# tables, ratios and charts are right.
. "$(dirname "$0")/../lib.sh"

command -v gnuplot >/dev/null || skip_all "gnuplot is not installed"
benches=(bench tpm2 sss clevis tangd boot)
cp "$src"/tests/bench/sample/*.tap "$tmp"
run "$src/tests/bench/page.py" "$tmp" "${benches[@]}"
ok "the page is made" assert_rc 0
[ $failures = 0 ] || done_testing

result() { # FILTER
	jq -e "$1" "$tmp/results.json" >/dev/null || { jq -c "$1" "$tmp/results.json"; return 1; }
}

# The names of a bench's columns, table by table.
columns() { # BENCH WANTED
	assert_equal "$(jq -r --arg name "$1" '[.benches[] | select(.bench == $name).tables[].columns | join("|")] | join("; ")' \
		"$tmp/results.json")" "$2"
}

ok "each bench is there" result '[.benches[].bench] == ["bench", "tpm2", "sss", "clevis", "tangd", "boot"]'
ok "names with spaces" columns bench "wall, ms|CPU, ms|peak, MiB|objects"
ok "names with other signs" columns tpm2 "commands|bytes|wall, ms|CPU, ms|+10 ms/command"
ok "several tables" columns sss "wall, ms|CPU, ms; wall, ms|CPU, ms; wall, ms|CPU, ms"
ok "names over two lines" columns clevis "Clevis wall, ms|ours wall, ms|times|Clevis CPU, ms|ours CPU, ms|times"
ok "names that are wider than their column, or stand close" columns tangd \
	"tangd|cotter-tangd|ratio; connections|rate|p50, ms|p99, ms|max, ms"
ok "names of two words" columns boot "root, s|unlock, s|image, KiB|files|over network|over none"
ok "a row with a number in its title" result '.benches[2].tables[2].rows[1] ==
	{"title": "refused, the good one at 0", "values": [41.2, 20.1]}'
ok "a row without all values" result '.benches[4].tables[0].rows[3].values == [null, 1410, 0.78]'
ok "what is no row is a note" result '.benches[5].notes | length == 2'
ok "what a check says of its failure is no table" result '[.benches[2].tables[].rows | length] == [4, 6, 13]'
ok "a failure is named" result '.benches[2].failed ==
	["32 servers take at most one and a half times what one takes"]'
ok "ratios" result '[.headlines[].ratio] == [0.1537, 0.1133, 0.0901, 0.2353, 0.0501, 0.2]'
ok "the text has all" cmp "$src/tests/bench/sample/tables.txt" "$tmp/tables.txt"

charts() {
	assert_equal "$(grep -c '<svg' "$tmp/index.html")" "$(jq '[.benches[].tables[].columns | length] | add' \
		"$tmp/results.json")"
}
ok "a chart for each column" charts
ok "with its rows" grep -qF 'clevis luks unlock -t' "$tmp/index.html"
ok "nothing is fetched from elsewhere" not grep -qE '(src|href)="https?:|@import|<script src' "$tmp/index.html"
ok "each part of the page is reachable" grep -qF 'href="#tpm2"' "$tmp/index.html"

run "$src/tests/bench/run" nothing
ok "an unknown bench is refused" assert_rc 2
ok "with one sentence" assert_one_sentence
run "$src/tests/bench/run" --help
ok "--help names all" assert_output_has "bench tpm2 sss clevis tangd boot"
done_testing
