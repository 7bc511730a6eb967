#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Boots with the root on two of a TPM and two Tang servers, one of which is dead.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
. "$(dirname "$0")/stage.sh"

make_kernel_and_root
start_network
start_net_tang
start_tpm mine

# The other server is this one at an address that nobody has later.
make_volume sss
"${in_net[@]}" ip address add 10.77.0.3/24 dev tap0
"${in_net[@]}" "$cotter_enroll" --unlock-key-file="$passphrase" --tpm2-device=auto --tpm2-pcrs=23 \
	--tang=http://10.77.0.3:7500 --tang-thumbprint="$tang_thumbprint" \
	--tang=http://tang.test:7500 --tang-thumbprint="$tang_thumbprint" --threshold=2 --quiet "$image"
"${in_net[@]}" ip address del 10.77.0.3/24 dev tap0
tpm2_shutdown --clear
stop_server mine
vm_tpm=$tmp/mine.state

make_dracut_initrd sss "root UUID=$root_uuid none token-type=cotter-sss,_netdev,x-initrd.attach"
ok "the image has libcurl" image_has 'libcurl\.so\.4'
ok "and the libraries for a TPM" image_has 'libtss2-tcti-device\.so'
ok "and the agent" image_has 'libexec/cotter-agent$'

boot "$reached" ''
ok_unasked "a root on TPM and two Tang servers, one dead, is reached"
say_time "TPM and Tang"

stop_net_tang
boot "$prompt" "$(cat "$passphrase")" "$reached" ''
ok "with both dead the TPM is not enough, and the passphrase opens" assert_booted
ok "no unit failed" assert_no_unit_failed
say_time "TPM without Tang"
done_testing
