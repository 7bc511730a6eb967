#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Boots with the root on the TPM: with and without a PIN, with other PCRs, and beside a token that fails.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
. "$(dirname "$0")/stage.sh"

make_kernel_and_root

bind() { # NAME OPTION…
	make_volume "$1"
	"$cotter_enroll" --unlock-key-file="$passphrase" --tpm2-device=auto --quiet "${@:2}" "$image"
}

start_tpm mine
bind good --tpm2-pcrs=23
bind changed --tpm2-pcrs=7
make_volume pin
/usr/bin/python3 "$src/tests/terminal.py" "New PIN: " $'2580\n' "The same again: " $'2580\n' -- "$cotter_enroll" \
	--unlock-key-file="$passphrase" --tpm2-device=auto --tpm2-pcrs=23 --tpm2-with-pin=yes "$image" >/dev/null 2>&1
bind beside --tpm2-pcrs=23
start_tpm other
PASSWORD=$(cat "$passphrase") systemd-cryptenroll --tpm2-device="$TPM2TOOLS_TCTI" --tpm2-pcrs= "$image" >/dev/null 2>&1
machine_tpm mine

image=$tmp/good.luks
make_dracut_initrd tpm2 "root UUID=$root_uuid none"
ok "the image has the libraries for a TPM" image_has 'libtss2-tcti-device\.so'
ok "and no network" not image_has 'networkd|libcurl|NetworkManager|dhclient'
ok "nor programs that unlocking does not use" not image_has 'bin/(curl|jose|clevis.*|tpm2.*)$'
boot "$reached" ''
ok_unasked "a root on the TPM is reached"
ok "and no network was started" report_has_not 'network-online.target'
say_time "TPM"

image=$tmp/changed.luks
boot "$prompt" "$(cat "$passphrase")" "$reached" ''
ok "with another PCR 7, the passphrase opens" assert_booted
ok "no unit failed" assert_no_unit_failed
ok "the journal says why" report_has 'PCR'
say_time "PCR changed"

image=$tmp/pin.luks
boot 'LUKS2 token PIN' 2580 "$reached" ''
ok "a PIN typed at the console opens" assert_booted
ok "no unit failed" assert_no_unit_failed
say_time "PIN"
boot 'LUKS2 token PIN' $'\r' "$prompt" "$(cat "$passphrase")" "$reached" ''
ok "after an empty one, the passphrase does" assert_booted
ok "no unit failed" assert_no_unit_failed
say_time "empty PIN"

image=$tmp/beside.luks
make_generic_initrd
boot "$reached" ''
ok_unasked "beside a token of systemd that fails, ours opens"
say_time "beside a failing token"

start_tpm early
bind early --tpm2-pcrs="23+15:sha256=$pcr_zeros"
machine_tpm early
make_dracut_initrd early "root UUID=$root_uuid none"
boot "$reached" ''
ok_unasked "a policy that ends with the initramfs opens there"
ok "and PCR 15 is extended before the real root" assert_extended
say_time "PCR 15"
vm_append='rd.break=pre-mount rd.shell=1' boot 'to continue): ' $'\r' '# ' \
	'cat /sys/class/tpm/tpm0/pcr-sha256/15; poweroff -f' 'Powering off' ''
ok "a shell in the initramfs comes" assert_rc 0
ok "when it is extended" grep -aqE '(^|[^0])[0-9A-F]{63}' "$tmp/console"
ok "and not before" not grep -aqE '0{64}' "$tmp/console"
done_testing
