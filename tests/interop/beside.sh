#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the README says of Clevis and of systemd-cryptenroll, by Debian's packages of them; of cotter the tests that
# stand beside it show the same.
. "$(dirname "$0")/../lib.sh"

has_pins() { # PIN…
	local pin
	for pin; do
		command -v "clevis-encrypt-$pin" "clevis-decrypt-$pin" || return 1
	done
}
ok "Clevis has Tang, the TPM and thresholds" has_pins tang tpm2 sss
start_tpm tpm
with_pin() {
	echo text | clevis encrypt tpm2 '{"pin":"1234","pcr_ids":"7"}' | clevis decrypt | grep -x text
}
ok "its TPM asks for no PIN" with_pin
files_of_clevis() {
	dpkg -L clevis clevis-luks clevis-tpm2
}
ok "it has no plugin for libcryptsetup" not grep -q libcryptsetup-token <(files_of_clevis)
ok "nor looks at signatures of PCR policies" not grep -qiE 'policyauthorize' /usr/bin/clevis-{en,de}crypt-tpm2

if command -v systemd-cryptenroll >/dev/null; then
	systemd-cryptenroll --help >"$tmp/help"
	for option in tpm2-device tpm2-with-pin tpm2-public-key; do
		ok "systemd-cryptenroll has --$option=" grep -q -- "--$option=" "$tmp/help"
	done
	ok "and neither Tang nor thresholds" not grep -qiE 'tang|threshold' "$tmp/help"
	cryptsetup_plugins() {
		dpkg -L systemd systemd-cryptsetup 2>/dev/null || true
	}
	ok "its tokens are opened by plugins" grep -q libcryptsetup-token-systemd-tpm2.so <(cryptsetup_plugins)
else
	skip "systemd-cryptenroll" "it is not installed"
fi

done_testing
