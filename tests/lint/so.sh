#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a plugin is as a file: what it exports, links with, keeps in memory, and how large it is; and how plugins and
# programs are hardened.
. "$(dirname "$0")/../lib.sh"

declare -A size_max=([clevis]=192 [sss]=192) # KiB; other types: 96
# Of gcc 12. That of Debian 13 makes 3 % more code, and a file grows by whole pages.
[ "$(gcc -dumpversion)" = 12 ] || more=4
with_pin='clevis pkcs11 sss tpm2' # token types that can hold a leaf with a PIN
data_max=$((4096 + 64)) # the memory of failed recoveries, and what the C runtime has in any library

exports() { # PLUGIN
	nm -D --defined-only --with-symbol-versions "$1" | awk '$2 != "A" { print $3 }' | sort
}

expected_exports() { # TYPE
	local pin=
	[[ " $with_pin " != *" $1 "* ]] || pin=open_pin
	printf 'cryptsetup_token_%s@@CRYPTSETUP_TOKEN_1.0\n' buffer_free dump open $pin validate version
}

foreign_libraries() { # PLUGIN
	readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		grep -vE '^(libc|libcryptsetup|libcrypto|libjansson|libdl|ld-linux.*)\.so\.[0-9]+$'
}

dynamic_has() { # PLUGIN PATTERN
	readelf -dW "$1" | grep -qE "$2"
}

segment() { # PLUGIN NAME
	readelf -lW "$1" | grep -w "$2"
}

section_size() { # PLUGIN SECTION…
	local plugin=$1 pattern
	shift
	pattern=$(printf '|%s' "$@")
	size -A "$plugin" | awk -v pattern="^\\\\.(${pattern#|})\$" '$1 ~ pattern { n += $2 } END { print n + 0 }'
}

unversioned_json() { # PLUGIN
	nm -D --undefined-only --with-symbol-versions "$1" | grep -E ' json_[a-z_]+$'
}

has_survey() { # PLUGIN
	nm "$1" | grep -w tang_surveyor
}

stripped_size() { # PLUGIN
	strip -o "$tmp/stripped" "$1"
	stat -c %s "$tmp/stripped"
}

dlopen_notes() { # PLUGIN
	objcopy -O binary --only-section=.note.dlopen --set-section-flags .note.dlopen=alloc "$1" "$tmp/notes"
	tr '\0' '\n' <"$tmp/notes"
}

imports() { # FILE PATTERN
	grep -E "^($2)(@|\$)" <(nm -D --undefined-only --with-symbol-versions "$1" | awk '{ print $NF }')
}

writable_code() { # FILE
	readelf -lW "$1" | awk '$1 == "LOAD" && / RWE /'
}

at_most() { # LIMIT VALUE
	echo "$2, of at most $1"
	[ "$2" -le "$1" ]
}

# What plugins and programs have in common.
check_hardened() { # NAME FILE
	ok "$1 resolves its symbols when it is loaded" dynamic_has "$2" 'FLAGS_1.*NOW'
	ok "$1 makes its relocations read-only" segment "$2" GNU_RELRO
	ok "$1 has no relocations in code" not dynamic_has "$2" TEXTREL
	ok "$1 has no executable stack" grep -qE ' RW +0x' <(segment "$2" GNU_STACK)
	ok "$1 has no code that can be written" assert_equal "$(writable_code "$2")" ""
	ok "$1 looks for libraries nowhere else" not dynamic_has "$2" 'RPATH|RUNPATH'
	ok "$1 watches its stack" imports "$2" __stack_chk_fail
	ok "$1 watches its buffers" imports "$2" '__[a-z_0-9]+_chk'
}

check_plugin() { # PLUGIN
	local so=$1 name
	name=$(basename "$so" .so)
	name=${name#libcryptsetup-token-}
	ok "$name exports the entry points, versioned, and nothing else" \
		diff <(expected_exports "${name#cotter-}") <(exports "$so")
	ok "$name links with few libraries" not foreign_libraries "$so"
	ok "$name is linked with libcryptsetup" dynamic_has "$so" 'NEEDED.*libcryptsetup'
	check_hardened "$name" "$so"
	ok "$name stays loaded" dynamic_has "$so" 'FLAGS_1.*NODELETE'
	ok "$name takes no json_ function without a version" not unversioned_json "$so"
	ok "$name has no constructor of its own" at_most 8 "$(section_size "$so" init_array ctors)"
	ok "$name has no destructor of its own" at_most 8 "$(section_size "$so" fini_array dtors)"
	ok "$name has no state but the memory of failures" \
		at_most $data_max "$(section_size "$so" data bss tdata tbss)"
	ok "$name leaves the survey to the tool" not has_survey "$so"
	ok "$name is small" at_most $(((${size_max[${name#cotter-}]:-96} + ${more:-0}) * 1024)) "$(stripped_size "$so")"
}

plugins=$(find "$build/token" -name 'libcryptsetup-token-*.so')
ok "there are plugins" test -n "$plugins"
for plugin in $plugins; do
	check_plugin "$plugin"
done

# What is installed and was linked, but for the plugins.
programs() {
	meson introspect "$build" --installed | jq -r 'keys[]' | grep "^$build/" | grep -v '\.so$' |
		while read -r file; do
			! readelf -hW "$file" >/dev/null 2>&1 || echo "$file"
		done
}

mapfile -t installed < <(programs)
ok "there are programs" test ${#installed[@]} -ge 8
for program in "${installed[@]}"; do
	check_hardened "${program##*/}" "$program"
	ok "${program##*/} can be loaded anywhere" dynamic_has "$program" 'FLAGS_1.*PIE'
done

# How many of these checks fail for a program with nothing of this.
weak_points() {
	echo 'int main(int n, char **v) { char copy[64]; __builtin_strcpy(copy, v[n - 1]); return copy[0]; }' \
		>"$tmp/weak.c"
	gcc -O0 -fno-stack-protector -U_FORTIFY_SOURCE -no-pie -Wl,-z,lazy,-z,norelro,-z,execstack \
		-Wl,-rpath,/nowhere -o "$tmp/weak" "$tmp/weak.c" 2>/dev/null
	(check_hardened weak "$tmp/weak" 2>&1; ok pie dynamic_has "$tmp/weak" 'FLAGS_1.*PIE') | grep -c '^not ok'
}

ok "what is not hardened is told from it" assert_equal "$(weak_points)" 7

announces() { # TYPE SONAME
	local so=$build/token/libcryptsetup-token-$1.so
	[ ! -e "$so" ] || ok "$1 announces that it loads $2" grep -qF "\"$2\"" <(dlopen_notes "$so")
}

for type in cotter-tang cotter-sss clevis; do
	announces $type libcurl.so.4
done
for type in cotter-pkcs11 cotter-sss clevis; do
	announces $type libp11-kit.so.0
done
for type in cotter-tpm2 cotter-sss clevis; do
	announces $type libtss2-esys.so.0
	announces $type libtss2-tctildr.so.0
	announces $type libtss2-tcti-device.so.0
done
# Of two functions of one name in different rooms a linker takes the first that it meets, and says nothing.
defined() {
	find "$build" \( -name tests -o -name vm -o -name portability \) -prune -o -name 'lib*.a' \
		-exec nm -gA --defined-only {} + 2>/dev/null |
		awk 'NF >= 3 && $(NF - 1) ~ /^[TDBR]$/ { print $NF }' | sort
}

ok "the search for names finds some" [ "$(defined | wc -l)" -gt 300 ]
ok "and none twice" assert_equal "$(defined | uniq -d)" ""

done_testing
