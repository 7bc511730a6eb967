#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds an initramfs with dracut or initramfs-tools, as a machine would that has cotter installed and VOLUME
# under its root. To be run in a mount namespace of its own: that machine is the one whose root is at SYSTEM,
# with what is below laid over it in memory.
#
#	initrd.sh dracut|mkinitramfs SYSTEM BUILD VOLUME CRYPTTAB KERNEL DEBS OUT [OPTION…]
set -eu -o pipefail

builder=$1 system=$2 build=$3 volume=$4 crypttab=$5 kernel=$6 debs=$7 out=$8
shift 8
version=$(ls "$kernel/lib/modules")
drivers='virtio_blk virtio_pci virtio_net virtio_rng dm_mod dm_crypt xts ecb cbc aesni_intel'

work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/overlay" "$work/root"
root=$work/root
mount -t overlay overlay -o "lowerdir=$system,upperdir=$work/upper,workdir=$work/overlay" "$root"

loop=$(losetup --find --show --read-only "$volume")
trap 'losetup --detach "$loop"; umount -l "$work"; rmdir "$work"' EXIT

# Devices of its own: where nothing runs udev its links are missing.
mount -t tmpfs tmpfs "$root/dev"
cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "$loop" "$root/dev"
ln -s /proc/self/fd "$root/dev/fd"
mkdir -p "$root/dev/disk/by-uuid" "$root/dev/block" "$root/dev/shm"
ln -s "$loop" "$root/dev/disk/by-uuid/$(cryptsetup luksUUID --disable-external-tokens "$loop")"
ln -s "$loop" "$root/dev/block/$(lsblk -dno MAJ:MIN "$loop" | tr -d ' ')"
for folder in proc sys; do
	mount --rbind /$folder "$root/$folder"
done
mkdir -p "$root/usr/lib/modules/$version" "$root/tmp/vm/conf"
mount --bind "$kernel/lib/modules/$version" "$root/usr/lib/modules/$version"

# What this machine has not got, then cotter.
for deb in "$debs"/*.deb; do
	[ ! -e "$deb" ] || dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink
done
DESTDIR=$root meson install -C "$build" --no-rebuild --quiet
ldconfig -r "$root"
cp "$crypttab" "$root/etc/crypttab"
: >"$root/etc/fstab"

case $builder in
dracut)
	cp -r "$(dirname "$0")/99cotter-report" "$root/usr/lib/dracut/modules.d/"
	command=(dracut --force --conf /dev/null --confdir /tmp/vm/conf --no-early-microcode --reproducible
		--compress 'zstd -1 -q -T0' --kver "$version" --add-device "$loop" --add cotter-report
		--filesystems ext4 --drivers "$drivers" "$@" /tmp/vm/initrd)
	;;
mkinitramfs)
	cp "$kernel/boot/config-$version" "$root/boot/"
	tr ' ' '\n' <<<"$drivers" >"$root/etc/initramfs-tools/modules"
	echo 'MODULES=list' >"$root/etc/initramfs-tools/conf.d/cotter-test"
	command=(mkinitramfs -v -o /tmp/vm/initrd "$@" "$version")
	;;
esac
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C chroot "$root" "${command[@]}"
cp "$root/tmp/vm/initrd" "$out.new"
mv "$out.new" "$out"
