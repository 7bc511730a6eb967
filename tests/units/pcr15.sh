#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A policy that wants PCR 15 as it is when the machine starts, and what ends that.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

bind() { # PCRS
	run "$cotter_enroll" --unlock-key-file="$passphrase" --tpm2-device=auto --tpm2-pcrs="$1" "$image"
	assert_rc 0
}

pcr15() { # BANK
	tpm2_pcrread "$1:15" | sed -n 's/.*0x//p'
}

start_tpm tpm
make_image volume
image=$tmp/volume
ok "a policy binds to the zeros that PCR 15 begins with" bind "7+15:sha256=$pcr_zeros"
ok "and opens the volume" opens_by_token "$image"

run "$build/units/cotter-pcr15"
ok "cotter-pcr15 extends it" assert_rc 0
ok "without a word" assert_equal "$(cat "$tmp/out" "$tmp/err")" ""
sha256=$(printf 'cotter: end of the initramfs' | sha256sum | cut -c 1-64)
extended=$({ printf %s "$pcr_zeros$sha256" | /usr/bin/python3 -c 'import sys
sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'; } | sha256sum | cut -c 1-64)
ok "by the hash of what happened" assert_equal "$(pcr15 sha256 | tr A-F a-f)" "$extended"
ok "in its other banks too" not assert_equal "$(pcr15 sha1)" "${pcr_zeros:24}"
ok "and leaves nothing open" nothing_open

ok "then the volume does not open" not opens_by_token "$image"
run "$cotter_enroll" --test "$image"
ok "which --test says, and takes for right" assert_rc 0
ok "in words" assert_output_has "token 0 (cotter-tpm2): holds only before switch-root"
run "$cotter_enroll" --test --json=short "$image"
ok "and in JSON" assert_json '.tokens[0] | .result == "early" and .facts.holds == "only before switch-root"'
ok "its needs have it" grep -qx 'measure 15' <("$build/units/dracut/cotter-needs" "$image")
extend_pcr 7:sha256
run "$cotter_enroll" --test "$image"
ok "not where another PCR changed as well" assert_rc 4

make_image other
image=$tmp/other
ok "another one is not bound to PCR 15" bind 7
ok "so it does not need that" not grep -q measure <("$build/units/dracut/cotter-needs" "$image")
make_image late
image=$tmp/late
ok "bound to its present value" bind 15
ok "it is as any other PCR" not grep -q measure <("$build/units/dracut/cotter-needs" "$image")

start_proxy tpm
echo "error 1 $((0x101))" >"$proxy/plan"
run "$build/units/cotter-pcr15"
ok "a TPM that does not do it is a failure" assert_rc 1
ok "with its cause" assert_error_has "PCR 15 cannot be extended: the TPM: it is in failure mode"
done_testing
