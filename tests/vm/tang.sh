#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Boots with the root on a Tang server: by its name, by address, and where nobody answers.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

make_kernel_and_root
start_network
start_net_tang

make_volume name
bind_net_tang
make_dracut_initrd tang "root UUID=$root_uuid none token-type=cotter-tang,_netdev,x-initrd.attach"
ok "the build says which leaf asked for the network" \
	grep -F 'the network is brought up for http://tang.test:7500' "$initrd.log"
ok "the image has libcurl" image_has 'libcurl\.so\.4'
ok "and no libraries for a TPM" not image_has 'libtss2'
ok "nor programs that unlocking does not use" not image_has 'bin/(curl|jose|clevis.*|tpm2.*)$'

boot "$reached" ''
ok_unasked "a root on Tang by host name is reached"
say_time "Tang by name"

stop_net_tang
boot 'Cryptography Setup for root' '' "$prompt" 'not this' "$prompt" "$(cat "$passphrase")" "$reached" ''
ok "without Tang, the passphrase opens, after a wrong one too" assert_booted
ok "it was asked for within the deadline" assert_within 30 'Cryptography Setup for root' "$prompt"
ok "no unit failed" assert_no_unit_failed
ok "the journal says why" report_has 'http://tang.test:7500'
say_time "No Tang"

start_net_tang
make_volume address
bind_net_tang 'http://[fd77::2]:7500'
make_generic_initrd
boot "$reached" ''
ok_unasked "a root on Tang by IPv6 address is reached, with an image for any machine"
say_time "Tang by address"
done_testing
