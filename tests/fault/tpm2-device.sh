#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Machines without a TPM, with one whose device comes late or never, and with one that nobody may use. A
# terminal's other side stands for the device, in a mount namespace with a /dev and a /sys/class of its own.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
in_own_dev "$@"

[ ! -e /sys/firmware/acpi/tables/TPM2 ] || skip_all "this machine's firmware announces a TPM"

secret=$tmp/secret jwe=$tmp/jwe
echo "not much of a secret" >"$secret"
start_tpm tpm
seal "$jwe" '{}'
seal "$tmp/pin.jwe" '{"pin":true}' --pin=1234
unset COTTER_TPM2_TCTI

within() { # MILLISECONDS CMD…
	local start=${EPOCHREALTIME/./} limit=$1
	shift
	"$@"
	local took=$(((${EPOCHREALTIME/./} - start) / 1000))
	[ $took -le "$limit" ] || { echo "it took $took ms"; return 1; }
}

not_before() { # MILLISECONDS CMD…
	local start=${EPOCHREALTIME/./} limit=$1
	shift
	"$@"
	local took=$(((${EPOCHREALTIME/./} - start) / 1000))
	[ $took -ge "$limit" ] || { echo "it took only $took ms"; return 1; }
}

# The TPM itself is not reachable then, so what is open in it cannot be asked.
fails_here() { # JWE WORDS [OPTION…]
	local jwe=$1 words=$2
	shift 2
	run "$pin_helper" "$@" open <"$jwe"
	assert_failed ENODEV "$words"
}

make_dev
none='this machine has no TPM 2.0, or it is switched off in the firmware settings'
# provokes: tcti_find -ENODEV
ok "without a TPM it fails at once" within 3000 fails_here "$jwe" "$none" --deadline=30
ok "with a PIN, too, which nobody is asked for" within 3000 fails_here "$tmp/pin.jwe" "$none" --deadline=30
seals_nothing() {
	run seal "$tmp/none" '{}'
	assert_failed ENODEV "$none"
}
ok "and nothing is sealed" seals_nothing

mkdir -p /sys/class/tpm
ok "a driver without a device announces nothing" within 3000 fails_here "$jwe" "$none" --deadline=30
mkdir /sys/class/tpm/tpm0
# provokes: tcti_find -EAGAIN tss_open -EAGAIN
ok "one that is announced is waited for" not_before 1000 fails_here "$jwe" "the TPM is not ready yet" --deadline=1
seals_nothing_yet() {
	run seal "$tmp/none" '{}'
	assert_failed ENODEV "the TPM is not ready yet"
}
# provokes: tss_open_now -ENODEV
ok "but not for sealing" within 3000 seals_nothing_yet

comes_late() {
	run_later late sh -c '"$1" --deadline=30 --debug open <"$2"' sh "$pin_helper" "$jwe"
	wait_until 60 grep -q 'the TPM is not ready yet' "$tmp/late.err"
	start_device tpmrm0 "$tmp/tpm.tpm"
	finish late
	assert_rc 0
	assert_same_file "$tmp/out" "$secret"
}
comes_late_result() { return "$late_status"; }
late_status=0
comes_late >"$tmp/late.log" 2>&1 || { cat "$tmp/late.log" >&2; late_status=1; }
ok "it opens once the device is there" comes_late_result
ok "and again" opens "$jwe"
ok "a PIN, too" opens "$tmp/pin.jwe" --pin=1234
stop_device tpmrm0

# Told by the time of access that it saw a TPM announced, and no device.
was_looked_for() { [ "$(stat -c %X /sys/class/tpm)" != 0 ]; }
measures_late() {
	touch -a -d @0 /sys/class/tpm
	run_later pcr15 "$build/units/cotter-pcr15"
	wait_until 8 was_looked_for
	start_device tpmrm0 "$tmp/tpm.tpm"
	finish pcr15
	stop_device tpmrm0
	assert_rc 0
	assert_equal "$(cat "$tmp/out" "$tmp/err")" ""
}
# provokes: tpm2_measure -EAGAIN
ok "cotter-pcr15 waits for the device" measures_late

# As the kernel has them: a link to the driver, or none.
mkdir -p /sys/class/tpmrm/tpmrm0/device /sys/class/tpmrm/tpmrm1/device
ln -s ../../../../bus/acpi/drivers/tpm_crb /sys/class/tpmrm/tpmrm0/device/driver
run "$cotter_enroll" --tpm2-device=list --json=short
ok "devices are listed with their drivers" assert_json \
	'[.devices | sort_by(.device)[] | .device, .driver] == ["/dev/tpmrm0", "tpm_crb", "/dev/tpmrm1", ""]'

start_device tpm0 "$tmp/tpm.tpm"
ok "the device without a resource manager will do" opens "$jwe"
no_access() {
	chmod 600 "$(readlink -f /dev/tpm0)"
	run setpriv --reuid=65534 --regid=65534 --clear-groups "$pin_helper" open <"$jwe"
	assert_failed ENODEV "the TPM's device /dev/tpm0 cannot be opened: Permission denied"
}
if setpriv --reuid=65534 --clear-groups test -x "$pin_helper"; then
	ok "a device that the user may not open" no_access
else
	skip "a device that the user may not open" "nobody may run the helper"
fi
stop_device tpm0
done_testing
