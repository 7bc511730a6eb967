#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A TPM that fails at each command in each way: one sentence, and nothing left open in it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

secret=$tmp/secret jwe=$tmp/jwe
echo "not much of a secret" >"$secret"
start_tpm tpm

# --- each command ---

# What the plugin may return at such a time: see token_errno(). A wrong PIN is no fault of the TPM, but
# one that says so may lie.
is_expected() {
	case $rc in
	5 | 19 | 55 | 71 | 74 | 129) ;;
	*) return 1 ;;
	esac
}

# The number of the command with CODE, of those noted.
number_of() { # CODE
	grep " $1 " "$proxy/commands" | head -n 1 | cut -d' ' -f1
}

# Runs CMD with one fault planned. What tpm2-tss itself writes about replies that are none is not ours,
# and about errors it must have nothing to write.
run_with() { # PLAN STDIN CMD…
	local plan=$1 input=$2
	shift 2
	echo "$plan" >"$proxy/plan"
	forget_traffic
	case $plan in
	error*) run "$@" <"$input" ;;
	*) TSS2_LOG=all+none run "$@" <"$input" ;;
	esac
	: >"$proxy/plan"
}

failed_in_one_line() {
	is_expected && [ "$(wc -l <"$tmp/err")" = 1 ] || { show_run; return 1; }
}

# All commands as one case. How many there are shows an undisturbed run.
check_each_command() { # KIND STDIN CMD…
	local kind=$1 input=$2 n count codes
	shift 2
	run_with "" "$input" "$@"
	assert_rc 0
	count=$(count_commands)
	codes=$(cut -d' ' -f2 "$proxy/commands")
	for n in $(seq 1 "$count"); do
		run_with "${kind/@/$n}" "$input" "$@"
		# That something is closed is tried twice; the result is not needed.
		if [ "$(sed -n "${n}p" <<<"$codes")" = 0x165 ] && [ "$rc" = 0 ]; then
			:
		else
			failed_in_one_line || { echo "at command $n of $count"; return 1; }
		fi
		case $kind in
		error*) nothing_open || { echo "at command $n of $count"; return 1; } ;;
		*) close_all ;; # who lies or is gone keeps what is open
		esac
	done
	[ "$count" -ge 4 ]
}

check_operation() { # WHAT KINDS STDIN CMD…
	local what=$1 kind kinds
	IFS=, read -ra kinds <<<"$2"
	shift 2
	for kind in "${kinds[@]}"; do
		ok "$what, ${kind/@/each}" check_each_command "$kind" "$@"
		tpm2_dictionarylockout --clear-lockout
	done
}

make_policy_key key
sign_pcrs key sha256:11 >"$tmp/signature"
full=$(jq -nc --rawfile key "$tmp/key.pub" --arg sig "$tmp/signature" \
	'{pubkey: $key, signature: $sig, pcrs: "7", pin: true}')
seal "$tmp/plain.jwe" '{"pcrs":"7"}'
seal "$tmp/full.jwe" "$full" --pin=1234

start_proxy tpm
faults='error @ 0x101,error @ 0x98e,lie @,noise @,cut @,late @'
more='error @ 0x902,error @ 0x921,error @ 0x12f,error @ 0x1df,error @ 0x99d'
[ "$sanitized" = 0 ] || more='error @ 0x902'
check_operation "sealing" "$faults" "$secret" "$pin_helper" seal tpm2 '{"pcrs":"7:sha256"}'
check_operation "sealing with all" "$faults" "$secret" "$pin_helper" --pin=1234 seal tpm2 "$full"
check_operation "unsealing" "$faults" "$tmp/plain.jwe" "$pin_helper" open
# provokes: unseal -EIO -EPROTO
check_operation "unsealing with all" "$faults,$more" "$tmp/full.jwe" "$pin_helper" --pin=1234 open
: >"$proxy/plan"

passes_retry() {
	local n count
	run_with "" "$tmp/full.jwe" "$pin_helper" --pin=1234 open
	count=$(count_commands)
	for n in $(seq 1 "$count"); do
		run_with "error $n 0x922" "$tmp/full.jwe" "$pin_helper" --pin=1234 open # TPM_RC_RETRY
		assert_rc 0 && nothing_open || { echo "at command $n of $count"; return 1; }
	done
}
ok "a TPM that is busy is asked again, at each command" passes_retry

# TPM_RC_PCR_CHANGED, at the command that notices.
passes_pcr_change() {
	run_with "" "$tmp/plain.jwe" "$pin_helper" open
	run_with "error $(number_of 0x15e) 0x128" "$tmp/plain.jwe" "$pin_helper" open
	assert_rc 0
	nothing_open
}
ok "a PCR that changes on the way is no failure" passes_pcr_change

# A parent without a key is made, and the fault may come at any step of that.
makes_srk() {
	local n
	for n in $(seq 1 12); do
		tpm2_evictcontrol -Q -C o -c 0x81000001
		run_with "error $n 0x101" "$secret" "$pin_helper" --pin=1234 seal tpm2 '{"pin":true}'
		nothing_open
		[ "$(count_commands)" -ge "$n" ] || break
		[ "$rc" = 0 ] || failed_in_one_line || return 1
		[ -n "$(tpm2_getcap handles-persistent)" ] || tpm2_createprimary -Q -C o -G ecc -c "$tmp/srk"
		[ -n "$(tpm2_getcap handles-persistent)" ] || tpm2_evictcontrol -Q -C o -c "$tmp/srk" 0x81000001
		tpm2_flushcontext -t
	done
	assert_rc 0
	[ "$n" -ge 8 ] || { echo "it took only $n commands"; return 1; }
}
ok "making a storage root key, error at each" makes_srk

# --- a thousand times ---

use_tpm tpm
seal "$tmp/pin.jwe" '{"pcrs":"7","pin":true}' --pin=1234
seal "$tmp/changed.jwe" '{"pcrs":"16"}'
extend_pcr 16:sha256
start_tpm other
seal "$tmp/foreign.jwe" '{}'
use_tpm tpm
with_header "$tmp/plain.jwe" '.clevis.tpm2.jwk_priv |= .[0:40] + (if .[40:41] == "A" then "B" else "A" end) + .[41:]' \
	>"$tmp/altered.jwe"

times=200
[ "$sanitized" = 0 ] || times=20

thousand() {
	local name
	for name in plain pin changed foreign altered; do
		run "$pin_helper" --times=$times --pin=1234 open <"$tmp/$name.jwe"
		case $name in
		plain | pin) [ "$rc" = 0 ] ;;
		*) [ "$rc" != 0 ] && [ "$(wc -l <"$tmp/err")" = $times ] ;;
		esac || { show_run | head -n 20; return 1; }
	done
	nothing_open
}
ok "nothing is open after $((5 * times)) unsealings, good and bad" thousand
done_testing
