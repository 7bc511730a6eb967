#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Boots with Debian's initramfs-tools: the root on a Tang server, by name, and where nobody answers.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
. "$(dirname "$0")/stage.sh"

prompt='unlock disk'
make_kernel_and_root
get_initramfs_tools
start_network
start_net_tang

make_volume tang
bind_net_tang
make_initrd mkinitramfs mkinitramfs "$vm/initramfs-tools" "root UUID=$root_uuid none luks,initramfs"
ok "the image has the plugin" image_has 'cryptsetup/libcryptsetup-token-cotter-tang.so$'
ok "and libcurl" image_has 'libcurl\.so\.4'
ok "and no libraries for a TPM" not image_has 'libtss2'

boot "$reached" ''
ok "a root on Tang by host name is reached" assert_booted
ok "by its token" grep -aF 'root: opened by its token' "$tmp/console"
ok "without a question" assert_not_shown "$prompt"
say_time "Tang by name, initramfs-tools"

stop_net_tang
boot "$prompt" "$(cat "$passphrase")" "$reached" ''
ok "without Tang, the passphrase opens" assert_booted
ok "and the console says why it was asked for" grep -aF 'http://tang.test:7500' "$tmp/console"
say_time "No Tang, initramfs-tools"

in_net=()
start_tpm early
make_volume early
"$cotter_enroll" --unlock-key-file="$passphrase" --tpm2-device=auto --quiet \
	--tpm2-pcrs="23+15:sha256=$pcr_zeros" "$image"
machine_tpm early
make_initrd mkinitramfs-tpm2 mkinitramfs "$vm/initramfs-tools" "root UUID=$root_uuid none luks,initramfs"
ok "the image for a TPM has no libcurl" not image_has 'libcurl'
boot "$reached" ''
ok "a policy that ends with the initramfs opens there" assert_booted
ok "without a question" assert_not_shown "$prompt"
ok "and PCR 15 is extended before the real root" assert_extended
say_time "TPM, initramfs-tools"
done_testing
