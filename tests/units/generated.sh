#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests of the generator share: one crypttab, fstab and kernel command line for ours and
# systemd's own, which write to the same folders.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

generator=$build/units/cotter-generator
systemd_generators=/usr/lib/systemd/system-generators
cryptsetup_generator=$systemd_generators/systemd-cryptsetup-generator
crypttab=$tmp/crypttab fstab=$tmp/fstab out=$tmp/generated
touch "$crypttab" "$fstab"

[ -x $cryptsetup_generator ] ||
	skip_all "systemd-cryptsetup-generator is missing (Debian 13: install systemd-cryptsetup)"

# Runs GENERATOR as systemd would, in the initramfs where $initrd is 1, with $cmdline.
initrd=0 cmdline=
run_generator() { # GENERATOR
	env -u SYSTEMD_EXEC_PID SYSTEMD_LOG_LEVEL=debug SYSTEMD_CRYPTTAB="$crypttab" \
		SYSTEMD_FSTAB="${fstab_for[$1]:-$fstab}" SYSTEMD_PROC_CMDLINE="$cmdline" \
		SYSTEMD_IN_INITRD="$initrd" RUNTIME_DIRECTORY="$tmp/runtime" \
		"$1" "$out/normal" "$out/early" "$out/late"
}
declare -A fstab_for=() # generator -> another fstab for it alone

# All that the generators write, ours last; its run is what run leaves behind.
generate() {
	rm -rf "$out" "$tmp/runtime"
	mkdir -p "$out"/{normal,early,late}
	run_generator $cryptsetup_generator >"$tmp/theirs.log" 2>&1 ||
		{ cat "$tmp/theirs.log" >&2; return 1; }
	run run_generator "$generator"
}

# The units that systemd made of volumes, and those that ours ordered.
made_units() {
	find "$out/normal" -name 'systemd-cryptsetup@*.service' -type f -printf '%P\n' | sort
}

ordered_units() {
	find "$out/normal" -path '*.d/50-cotter.conf' -printf '%P\n' | sed 's|\.d/[^/]*$||' | sort
}
