#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --doctor on the images that other tests boot: by dracut and initramfs-tools, with a kernel's modules, as they are
# made for a server and for a TPM. Nothing is booted here.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
. "$(dirname "$0")/stage.sh"

make_kernel_and_root
get_initramfs_tools
start_network
start_net_tang

# A machine with one network device, whose driver is there, and nothing in /boot.
mkdir -p "$tmp/none" "$tmp/net/eth0/device/driver" "$tmp/drivers"/{virtio_net,other_net}
cp -a /etc "$tmp/etc"
cp "$tmp/resolv.conf" "$tmp/etc/resolv.conf"
: >"$tmp/cmdline"

# Runs --doctor on $initrd where crypttab has this line, on a machine whose network device has that DRIVER.
driver=virtio_net
doctor() { # LINE
	echo "$1" >"$tmp/etc/crypttab"
	ln -sfn "$tmp/drivers/$driver" "$tmp/net/eth0/device/driver/module"
	run with_plugins nsenter "--net=/proc/${servers[network]}/ns/net" sh -c 'mount --bind "$1/etc" /etc &&
		mount --bind "$1/cmdline" /proc/cmdline && mount --bind "$1/net" /sys/class/net || exit 125
		shift; exec "$@"' doctor "$tmp" "$cotter_enroll" --doctor --json=short --initrd="$initrd"
}

# Whether the kernel has drivers for TPMs as modules is up to who made it.
finds() { # STATUS [FINDING…]
	local status=$1
	shift
	assert_rc "$status" && assert_equal "$(jq -r '[.volumes[].findings[].finding] - ["tpm-driver"] | unique |
		join(" ")' "$tmp/out")" "$*" || { show_run; return 1; }
}

# --- for a server ---

dracut_options=token-type=cotter-tang,_netdev,x-initrd.attach
make_volume tang
bind_net_tang
tang=$image
make_dracut_initrd tang "root UUID=$root_uuid none $dracut_options"
dracut_tang=$initrd
doctor "root $tang none $dracut_options"
ok "an image by dracut for a server by name has nothing wrong" finds 0
ok "which was told by its volume's opening" assert_json '.volumes[0].tokens[0].verdict == "unlocks"'
driver=other_net doctor "root $tang none $dracut_options"
ok "on a machine with another network device it has" finds 4 network-driver
make_initrd mkinitramfs mkinitramfs "$vm/initramfs-tools" "root UUID=$root_uuid none luks,initramfs"
tools_tang=$initrd
doctor "root $tang none luks,initramfs"
ok "one by initramfs-tools has nothing wrong" finds 0
driver=other_net doctor "root $tang none luks,initramfs"
ok "but with another network device" finds 4 network-driver
doctor "other $tang none luks,initramfs"
ok "or for another volume" finds 4 volume

# --- for a TPM ---

start_tpm early
make_volume early
"$cotter_enroll" --unlock-key-file="$passphrase" --tpm2-device=auto --quiet \
	--tpm2-pcrs="23+15:sha256=$pcr_zeros" "$image"
initrd=$tools_tang
doctor "root $image none luks,initramfs"
ok "an image by initramfs-tools for a server misses what a TPM needs" finds 4 library pcr15 plugin
initrd=$dracut_tang
doctor "root $image none $dracut_options"
ok "and one by dracut" finds 4 library pcr15 plugin
make_initrd mkinitramfs-tpm2 mkinitramfs "$vm/initramfs-tools" "root UUID=$root_uuid none luks,initramfs"
doctor "root $image none luks,initramfs"
ok "that by initramfs-tools for it has nothing wrong" finds 0
doctor "root $tang none luks,initramfs"
ok "and misses what a server needs" finds 4 library plugin volume
done_testing
