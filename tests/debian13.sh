# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A root with Debian 13, which stays in the build folder: what images of its initramfs are made on, and what more is
# installed on. To be sourced after lib.sh.

debian13=$build/vm/debian13
debian13_mirror=http://deb.debian.org/debian

get_debian13() {
	mkdir -p "$build/vm"
	make_once "$debian13" make_debian13
}

make_debian13() {
	local packages=(ca-certificates cpio cryptsetup-bin cryptsetup-initramfs dbus dmsetup dracut-core
		dracut-network initramfs-tools iproute2 kmod libcurl4t64 libjansson4 libtss2-esys-3.0.2-0t64
		libtss2-rc0t64 libtss2-tcti-device0t64 libtss2-tctildr0t64 netbase procps systemd
		systemd-cryptsetup systemd-resolved udev zstd)
	rm -rf "$debian13.new"
	debootstrap --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" trixie "$debian13.new" \
		"$debian13_mirror"
	rm -rf "$debian13".new/var/{cache,lib}/apt
	mv "$debian13.new" "$debian13"
}
