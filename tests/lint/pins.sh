#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each pin that needs a library of its own can be left out, and so can the Tang server: the rest builds without it,
# and knows nothing of it.
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

check_without pkcs11
check_without tang
check_without tpm2

# What is installed that has to do with the server, and whether all is there, as the names of files.
of_server() { # BUILD
	meson introspect "$1" --installed | jq -r 'values[]' | sed 's|.*/||' |
		grep -E 'tangd|tang-keys' | sort
}

without=$tmp/without-tangd
builds_without_server() {
	meson setup --werror "$without" "$src" -Dtests=false -Dtangd=disabled && ninja -C "$without"
}
ok "the server, its tool, units, preset, manual pages and completion are installed" assert_equal \
	"$(of_server "$build" | paste -sd' ')" "50-cotter-tangd.preset cotter-tang-keys cotter-tang-keys \
cotter-tang-keys.8 cotter-tangd cotter-tangd-metrics.socket cotter-tangd.8 cotter-tangd.service cotter-tangd.socket"
ok "all builds without them" builds_without_server
ok "and nothing of them is left" assert_equal "$(of_server "$without")" ""
done_testing
