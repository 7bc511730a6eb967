#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What documents name is there: tests, files, pages, versions; and mandoc finds no fault with the pages.
. "$(dirname "$0")/../lib.sh"
cd "$src"

# --- the README's tables: the last cell of a row names the tests that show it ---

# Prints ROW<tab>CELL of each table that begins with "Shown by".
claims() { # FILE
	awk -F'|' '
		!/^\|/ { table = 0 }
		/^\|/ && $(NF - 1) ~ /^ *Shown by *$/ { table = 1; next }
		table && !/^\|---/ { printf "%s\t%s\n", $2, $(NF - 1) }' "$1"
}

meson introspect "$build" --tests | jq -r '.[].name' | sort >"$tmp/tests"
is_test() { # FOLDER/FILE or FOLDER/
	local name=${1%.*}
	case $1 in
	*/) grep -q "^${1%/}-" "$tmp/tests" ;;
	*) [ -e "tests/$1" ] && grep -qxF -e "${name/\//-}" -e "${name/\/test-/-}" "$tmp/tests" ;;
	esac
}

# Prints what is wrong with claims on stdin.
wrong_claims() {
	local claim cell name
	while IFS=$'\t' read -r claim cell; do
		[[ $cell =~ ^\ *\`[^\`]+\`(,\ \`[^\`]+\`)*\ *$ ]] || { echo "names no test:$claim"; continue; }
		for name in ${cell//[\`,]/ }; do
			is_test "$name" || echo "$name is no test, of:$claim"
		done
	done
}

claims README.md >"$tmp/claims"
ok "the README has tables of claims" test "$(wc -l <"$tmp/claims")" -gt 40
ok "each names its tests, which are there" assert_equal "$(wrong_claims <"$tmp/claims")" ""
ok "a test that is not there is found" assert_equal \
	"$(printf ' a \t `vm/tang.sh`, `vm/none.sh` \n b \t by hand \n' | wrong_claims)" \
	$'vm/none.sh is no test, of: a \nnames no test: b '

# --- files and pages ---

documents=(*.md)
links() { # PATTERN, of what the first group is a path
	grep -ohP "$1" "${documents[@]}" | sort -u
}
missing() {
	local path
	while read -r path; do
		[ -e "$path" ] || [ -e "tests/$path" ] || echo "$path"
	done
}
ok "there are the documents that a newcomer looks for" ls README.md SECURITY.md HACKING.md CHANGELOG.md LICENSE
ok "links lead to what is there" assert_equal "$(links '\]\(\K(?!https?:)[^)#]+' | missing)" ""
ok "paths are there" assert_equal \
	"$(links '`\K(crypto|debian|enroll|man|sss|tang|tests|token|tpm|units)/[\w./-]*(?=`)' |
		sed '/NAME/d' | missing)" ""

# Prints NAME.SECTION of each page of ours that pages or documents refer to. clevis.1 has all its names.
references() {
	{
		grep -ohP '^\.BR \K(clevis|cotter)\S* \(\d\)' man/*.[0-9] | tr -d '\\' | sed 's/ (/./; s/)//'
		grep -ohP '\b(clevis|cotter-[a-z.-]+)\(\d\)' "${documents[@]}" | sed 's/(/./; s/)//'
	} | sed 's/^clevis-.*\.1$/clevis.1/' | sort -u
}
ok "pages refer to pages that are there" assert_equal "$(references | sed 's,^,man/,' | missing)" ""
ok "there are such" test "$(references | wc -l)" -gt 8

# --- manual pages ---

# What mandoc says of them that is as it should be.
not_meant=(
	'STYLE: input text line longer than 80 bytes' # the sources' lines have 120, as a sentence begins a line
	'WARNING: missing date, using "": TH'         # a page is of its version, and builds are reproducible
)
faults() { # PAGE…
	mandoc -T lint "$@" 2>&1 | grep -vF "${not_meant[@]/#/-e}" || true
}
ok "mandoc finds no fault with the manual pages" assert_equal "$(faults man/*.[0-9])" ""
printf '.TH A 1\n.SH NAME\na \\- b\n.XY\n.PP\n' >"$tmp/bad.1"
ok "and would" grep -q 'unknown macro' <(faults "$tmp/bad.1")

# --- versions ---

version=$(sed -n "s/^ *version: '\(.*\)',$/\1/p" meson.build | head -n 1)
ok "the changes of this version are told" grep -qxF "## $version" CHANGELOG.md
ok "Debian's package is of it" grep -qE "^cotter \(${version//./\\.}-[0-9]+\)" <(head -n 1 debian/changelog)
ok "and the RPM" grep -qE "^Version: +${version//./\\.}$" cotter.spec

done_testing
