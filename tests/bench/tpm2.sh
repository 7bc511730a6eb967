#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What an unlock by the TPM costs: commands and bytes that cross to it, and time: ours, Clevis's and
# systemd's, with one TPM that all of them reach as a device. Prints a table of medians.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
in_own_dev "$@"
. "$(dirname "$0")/medians.sh"

rounds=${ROUNDS:-11}
pin=7391
key=(--unlock-key-file="$passphrase")

# systemd-cryptenroll and systemd's plugin look for the device here.
start_tpm tpm
start_proxy tpm
make_dev
mkdir -p /sys/class/tpmrm/tpmrm0
start_device tpmrm0 "$tmp/proxy.tpm"
unset COTTER_TPM2_TCTI
export TPM2TOOLS_TCTI=device:/dev/tpmrm0

make_image clevis
clevis luks bind -y -k "$passphrase" -d "$image" tpm2 '{"pcr_bank":"sha256","pcr_ids":"7"}' >/dev/null 2>&1
clevis_slot=$(clevis luks list -d "$image" | cut -d: -f1)
by_clevis=(clevis luks unlock -d "$image" -t "$clevis_slot")
close_all

make_image cotter
"$cotter_enroll" --quiet --tpm2-device=auto "${key[@]}" "$image"
by_cotter=(cryptsetup open --test-passphrase --token-only "$image")

make_image srk
run "$src/tests/terminal.py" "New PIN: " "$pin"$'\n' "The same again: " "$pin"$'\n' -- \
	"$cotter_enroll" --tpm2-device=auto --tpm2-with-pin=yes "${key[@]}" "$image"
ok "a PIN is bound" assert_rc 0
by_pin=(sh -c "echo $pin | cryptsetup open --test-passphrase --token-only $image")
make_image srk-only
"$cotter_enroll" --quiet --tpm2-device=auto --tpm2-seal-key-handle=0x81000001 "${key[@]}" "$image"
by_srk=(cryptsetup open --test-passphrase --token-only "$image")

systemd_enroll() { # [OPTION…]
	PASSWORD=$(cat "$passphrase") NEWPIN=$pin systemd-cryptenroll --tpm2-device=/dev/tpmrm0 \
		--tpm2-pcrs=7 "$@" "$image" >/dev/null 2>&1
}

make_image systemd
systemd_enroll
by_systemd=(cryptsetup open --test-passphrase --token-only "$image")
make_image systemd-pin
systemd_enroll --tpm2-with-pin=yes
by_systemd_pin=(sh -c "echo $pin | cryptsetup open --test-passphrase --token-only $image")

ways=(cotter srk pin systemd systemd_pin clevis)
declare -A commands bytes

# Clevis alone runs without our plugins: the cryptsetup that it calls would try our token first.
unlock_by() { # WAY [PROGRAM…]
	local -n cmd=by_$1
	local run=with_plugins
	[ "$1" != clevis ] || run=env
	$run "${@:2}" "${cmd[@]}"
}

# Sessions that a program left are closed before the next one.
count() { # WAY
	forget_traffic
	unlock_by "$1" || return
	commands[$1]=$(count_commands)
	bytes[$1]=$(awk '{ n += $3 + $4 } END { print n }' "$proxy/commands")
	close_all
}

for way in "${ways[@]}"; do
	run count "$way"
	ok "$way opens the volume" assert_rc 0
done
[ $failures = 0 ] || done_testing

measure_rounds() {
	local way
	for ((round = 0; round < rounds; round++)); do
		for way in "${ways[@]}"; do
			unlock_by "$way" "$measure" "$tmp/$way.times"
			close_all
		done
	done
}

row() { # WAY TITLE
	local wall
	wall=$(median "$1" 1)
	printf '# %-44s %8s %7s %9.1f %8.1f %14.1f\n' "$2" "${commands[$1]}" "${bytes[$1]}" "${wall}e-3" \
		"$(median "$1" 2)e-3" "$((wall + commands[$1] * 10000))e-3"
}

ok "all do, $rounds times" measure_rounds
[ $failures = 0 ] || done_testing

printf '# %-44s %8s %7s %9s %8s %14s\n' "medians of $rounds runs, PCR 7" commands bytes 'wall, ms' 'CPU, ms' '+10 ms/command'
row cotter "cotter-tpm2, as Clevis seals"
row srk "cotter-tpm2, storage root key"
row pin "cotter-tpm2, storage root key, PIN"
row systemd "systemd-tpm2"
row systemd_pin "systemd-tpm2, PIN"
row clevis "clevis luks unlock -t"

ok "needs at most 8 commands" test "${commands[cotter]}" -le 8
for way in cotter srk; do
	ok "$way: fewer commands and bytes than systemd's" \
		test "${commands[$way]}" -lt "${commands[systemd]}" -a "${bytes[$way]}" -lt "${bytes[systemd]}"
done
# Before a PIN is asked for, all else is seen to hold: the TPM is visited twice.
ok "needs at most 18 with a PIN" test "${commands[pin]}" -le 18
for way in cotter srk pin; do
	ok "$way: fewer commands and bytes than Clevis's" \
		test "${commands[$way]}" -lt "${commands[clevis]}" -a "${bytes[$way]}" -lt "${bytes[clevis]}"
done
for way in cotter srk; do
	ok "$way: takes at most a fifth of Clevis's time" \
		test $((5 * $(least "$way" 1))) -le "$(least clevis 1)"
done
# Clevis has no PIN, nor the derivation and the second visit that it takes.
ok "pin: takes at most a third of Clevis's time" test $((3 * $(least pin 1))) -le "$(least clevis 1)"
done_testing
