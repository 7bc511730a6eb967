#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Nothing branches on a secret or looks up by one: base64url, shares, comparisons, keys and authentication tags,
# as the build's compiler makes them and as others do. What OpenSSL does by itself is in constant-time.supp.
. "$(dirname "$0")/../lib.sh"

program=$build/tests/constant-time
command -v valgrind >/dev/null || skip_all "valgrind is not installed"
[ -e "$program" ] || skip_all "it was built without valgrind's headers"
unset MALLOC_PERTURB_ # fills what is allocated, so that it is defined

count() { # PROGRAM
	run valgrind --quiet --error-limit=no --suppressions="$src/tests/fault/constant-time.supp" \
		--log-file="$tmp/valgrind" "$1"
	assert_rc 0
}

# The errors of a case with so few and with more bytes of a secret.
errors() { # CASE
	sed -n "s/^$1 [0-9]* //p" "$tmp/out" | tr '\n' ' '
}

show_errors() {
	cat "$tmp/out"
	grep -A 6 -E ' (Conditional|Use of)' "$tmp/valgrind"
	return 1
}

looks_at_nothing() { # CASE
	[[ $(errors "$1") =~ ^(0 )+$ ]] || show_errors
}

# One or two branches, however long the secret: on whether it was right, which the caller is told anyway.
looks_at_the_verdict() { # CASE
	[[ $(errors "$1") =~ ^([012]\ )+$ ]] || show_errors
}

# As often as the secret has bytes.
is_seen_to_look() { # CASE
	[[ $(errors "$1") =~ ^([3-9][0-9]\ [0-9]{3,}|[1-9])\  ]] || show_errors
}

check() { # BY-WHOM PROGRAM
	local name
	ok "$1: runs under valgrind" count "$2"
	for name in b64_encode ref_equal-same ref_equal-other shamir_split shamir_combine jwe_derive_cek \
		jwk_write_oct; do
		ok "$1: $name looks at nothing secret" looks_at_nothing $name
	done
	for name in b64_decode b64_decode-refused shamir_check jwe_open jwe_open-refused; do
		ok "$1: $name looks at its verdict alone" looks_at_the_verdict $name
	done
	for name in leak-branch leak-table leak-compare leak-number; do
		ok "$1: $name is seen" is_seen_to_look $name
	done
}

if grep -q __gcov_ "$program"; then
	skip "as built" "gcc --coverage counts what comes out of a comparison by a branch of its own"
else
	check "as built" "$program"
fi

compile() { # COMPILER OPTION
	read -ra flags < <(pkg-config --cflags --libs jansson libcrypto)
	"$1" "$2" -gdwarf-4 -std=gnu11 -D_GNU_SOURCE -DCOTTER_VERSION='""' -ffunction-sections -Wl,--gc-sections -I"$src" \
		-o "$tmp/program" "$src/tests/fault/constant-time.c" "$src"/crypto/*.c "$src/sss/shamir.c" \
		"${flags[@]}"
}

for variant in "gcc -O3" "clang -O2"; do
	command -v "${variant% *}" >/dev/null || { skip "$variant" "it is not installed"; continue; }
	ok "$variant: compiles" compile ${variant}
	check "$variant" "$tmp/program"
done
done_testing
