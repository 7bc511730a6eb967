#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Boots with images that Debian 13 makes, by dracut-ng and by initramfs-tools, and with its systemd.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
. "$(dirname "$0")/stage.sh"

make_kernel_and_root
use_debian13
start_tpm mine
make_volume tpm2
"$cotter_enroll" --unlock-key-file="$passphrase" --tpm2-device=auto --tpm2-pcrs=23 --quiet "$image"
machine_tpm mine

make_dracut_initrd tpm2-13 "root UUID=$root_uuid none"
ok "an image for the TPM has no network" not image_has 'networkd|libcurl|NetworkManager'
boot "$reached" ''
ok_unasked "a root on the TPM is reached"
say_time "TPM, Debian 13"

make_dracut_initrd measured-13 "root UUID=$root_uuid none tpm2-measure-pcr=yes"
vm_append=systemd.setenv=SYSTEMD_FORCE_MEASURE=1 boot "$reached" ''
ok_unasked "so is one whose key is measured, which no token opens"
ok "and PCR 15 is extended" assert_extended
say_time "key socket, Debian 13"

vm_tpm=
start_network
start_net_tang
make_volume tang
bind_net_tang
make_dracut_initrd tang-13 "root UUID=$root_uuid none token-type=cotter-tang,_netdev,x-initrd.attach"
boot "$reached" ''
ok_unasked "a root on Tang by host name is reached"
say_time "Tang by name, Debian 13"
dracut_initrd=$initrd

make_initrd mkinitramfs-13 mkinitramfs "$debs" "root UUID=$root_uuid none luks,initramfs"
prompt='unlock disk' boot "$reached" ''
ok "by initramfs-tools, too" assert_booted
ok "by its token" grep -aF 'root: opened by its token' "$tmp/console"
say_time "Tang by name, Debian 13, initramfs-tools"

stop_net_tang
initrd=$dracut_initrd
boot 'Cryptography Setup for root' '' "$prompt" 'not this' "$prompt" "$(cat "$passphrase")" "$reached" ''
ok "without Tang, the passphrase opens, after a wrong one too" assert_booted
ok "it was asked for within the deadline" assert_within 30 'Cryptography Setup for root' "$prompt"
ok "no unit failed" assert_no_unit_failed
say_time "No Tang, Debian 13"
done_testing
