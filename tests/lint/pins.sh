#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each pin that needs a library of its own can be left out: the rest builds without it, and knows nothing
# of it.
. "$(dirname "$0")/../lib.sh"

plugins_of() { # BUILD
	find "$1/token" -name 'libcryptsetup-token-cotter-*.so' -printf '%f\n' | sort
}

check_without() { # PIN
	local without=$tmp/without-$1
	builds() {
		meson setup --werror "$without" "$src" -Dtests=false -D"$1"=disabled &&
			ninja -C "$without"
	}
	ok "builds without $1" builds "$1"
	ok "$1 has no plugin then" assert_equal "$(plugins_of "$without")" \
		"$(plugins_of "$build" | grep -v -- "-$1.so")"
	run "$without/enroll/cotter-enroll" --wipe-slot="$1" /nonexistent
	ok "nor a name" assert_rc 2
	rm -rf "$without"
}

check_without tang
check_without tpm2
done_testing
