#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the token module promises about PINs: it asks only where one would open the volume now, tries
# each that is typed once, and makes an end after three wrong ones, so that the passphrase is asked for.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

host=$build/tests/host
enoent=-2 enoano=-55
pin=7391

# The results of all tokens, in one line.
assert_results() { # RESULT…
	assert_equal "$(sed -n 's/^result \(-*[0-9]*\) .*/\1/p' "$tmp/out" | paste -sd' ')" "$*" ||
		{ show_run; return 1; }
}

run_host() { # TOKEN…
	run with_plugins "$host" "$image" "$@"
}

no_error_line() {
	! grep -q '^ERROR' "$tmp/out" || { show_run; return 1; }
}

bind_with_pin() {
	run "$src/tests/terminal.py" "New PIN: " "$pin"$'\n' "The same again: " "$pin"$'\n' -- \
		"$cotter_enroll" --tpm2-device=auto --tpm2-with-pin=yes "$@" \
		--unlock-key-file="$passphrase" "$image"
	[ $rc = 0 ] || show_run
}

# Token 0 takes a PIN, token 1 does not, and is of no use here.
start_tpm tpm
tpm2_dictionarylockout --setup-parameters --max-tries=10 --recovery-time=1000 --lockout-recovery-time=1000
make_image
bind_with_pin
"$cotter_enroll" --quiet --tpm2-device=auto --unlock-key-file="$passphrase" --tpm2-pcrs=16 "$image"
extend_pcr 16:sha256

run_host 0
ok "a PIN is asked for" assert_results $enoano
ok "which is no failure, and nothing is said of it" no_error_line
run_host 0 0="$pin"
ok "a question is not remembered as a failure: the PIN opens" assert_results $enoano 1
run_host any
ok "it is asked for where another token failed, too" assert_results $enoano
run_host any="$pin"
ok "and given to the token that takes it" assert_results 1
ok "of which none was wrong" assert_equal "$(wrong_pins)" 0x0

run_host 0= 0="$pin"
ok "an empty PIN is refused, and costs no try" assert_results $enoent 1
ok "with a line that says so" assert_output_has "the PIN is empty, so nothing was tried"
ok "and was not counted" assert_equal "$(wrong_pins)" 0x0

start_proxy tpm
forget_traffic
run_host 1="$pin"
ok "a token that takes no PIN refuses one" assert_results $enoent
ok "without asking the TPM" assert_equal "$(count_commands)" 0
forget_traffic
run_host 0=1 0=2 0=3
ok "two wrong PINs are asked for again, the third is not" assert_results $enoano $enoano $enoent
ok "and the reason is given" assert_output_has "3 wrong PINs were given, so no further one is tried; use the passphrase"
ok "each was tried once" assert_equal "$(wrong_pins)" 0x3
used=$(count_commands)
forget_traffic
run_host 0=1 0=2 0=3 0="$pin"
ok "then the right one is not tried either" assert_results $enoano $enoano $enoent $enoent
ok "nor is the TPM asked" assert_equal "$(count_commands)" "$used"
ok "each process has three" assert_equal "$(wrong_pins)" 0x6
run_host 0=1 0="$pin" 0=2 0=3
ok "a right one between wrong ones opens" assert_results $enoano 1 $enoano $enoent
use_tpm tpm

# Nobody is asked for a PIN that could not help.
tpm2_dictionarylockout --setup-parameters --max-tries=1 --recovery-time=1000 --lockout-recovery-time=1000
run_host 0="$pin"
ok "in lockout a PIN is no help" assert_results $enoent
ok "which is said" assert_output_has "the TPM is locked after too many wrong PINs"
run_host 0
ok "and not asked for" assert_results $enoent
tpm2_dictionarylockout --clear-lockout
extend_pcr 7:sha256
run_host 0 0="$pin"
ok "nor where a PCR changed" assert_results $enoent $enoent
ok "which is named" assert_output_has "PCR 7 (sha256, secure-boot-policy)"
ok "and nothing was counted" assert_equal "$(wrong_pins)" 0x0
restart_tpm tpm
run_host 0="$pin"
ok "after a restart the PIN opens again" assert_results 1
ok "nothing is left open in the TPM" nothing_open
stop_server tpm
run_host 0
ok "without a TPM no PIN is asked for" not grep -q "result $enoano" "$tmp/out"
ok "and the host goes on" assert_rc 0

done_testing
