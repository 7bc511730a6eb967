#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the commands of the drop-in cost, and what Debian's do for the same: the runs of both take turns, with
# the same TPM, volume and server, one that costs next to nothing. Prints a table.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
. "$(dirname "$0")/../clevis/side.sh"
. "$(dirname "$0")/medians.sh"

rounds=${ROUNDS:-9}

start_tangd
curl -sSf "$tang_url/adv" >"$tmp/adv"
jq -c 'select(.key_ops == ["deriveKey"])' "$tmp"/tang/*.jwk >"$tmp/exchange.jwk"
stop_tangd
start_server fast "$build/tests/slow-tangs" 0 1 "$tmp/adv" "$tmp/exchange.jwk"
wait_until 60 test -s "$tmp/fast.out"
tang_url=http://127.0.0.1:$(cat "$tmp/fast.out")
start_tpm tpm
head -c 64 /dev/urandom | base64 -w0 >"$tmp/plain"
tang="{\"url\":\"$tang_url\",\"thp\":\"$tang_thumbprint\"}"
tpm2='{"pcr_bank":"sha256","pcr_ids":"7"}'
sss="{\"t\":2,\"pins\":{\"tang\":[$tang,$tang],\"tpm2\":$tpm2}}"

# NAME and what it runs; the standard input of decryption is what Debian's sealed.
ways=(encrypt-tang encrypt-tpm2 encrypt-sss decrypt-tang decrypt-tpm2 decrypt-sss list unlock)
encrypt_tang=(clevis encrypt tang "$tang")
encrypt_tpm2=(clevis encrypt tpm2 "$tpm2")
encrypt_sss=(clevis encrypt sss "$sss")
decrypt_tang=(clevis decrypt)
decrypt_tpm2=(clevis decrypt)
decrypt_sss=(clevis decrypt)

make_image
theirs clevis luks bind -f -k "$passphrase" -d "$image" tang "$tang" >/dev/null 2>&1
list=(clevis luks list -d "$image")
slot=$(theirs "${list[@]}" | cut -d: -f1)
unlock=(clevis luks unlock -d "$image" -t "$slot")

for pin in tang tpm2 sss; do
	declare -n cmd=encrypt_$pin
	theirs "${cmd[@]}" <"$tmp/plain" >"$tmp/decrypt-$pin.in"
	cp "$tmp/plain" "$tmp/encrypt-$pin.in"
	close_all
done
touch "$tmp/list.in" "$tmp/unlock.in"

# What tpm2-tools leave in the TPM is none of the time.
run_way() { # SIDE WAY [PROGRAM…]
	local -n words=${2//-/_}
	"$1" "${@:3}" "${words[@]}" <"$tmp/$2.in" >"$tmp/$1.$2.out" 2>"$tmp/$1.$2.err" || return
	[ "$1" = ours ] || close_all
}

for way in "${ways[@]}"; do
	both() {
		run_way theirs "$way" && run_way ours "$way"
	}
	ok "$way: both do it" both
	[ "${way%-*}" != decrypt ] || ok "$way: to the same end" cmp "$tmp/ours.$way.out" "$tmp/plain"
done
ok "list: to the letter" cmp "$tmp/ours.list.out" "$tmp/theirs.list.out"
[ $failures = 0 ] || done_testing

measure_rounds() {
	local way side
	for ((round = 0; round < rounds; round++)); do
		for way in "${ways[@]}"; do
			for side in theirs ours; do
				run_way $side "$way" "$measure" "$tmp/$side.$way.times" || return
			done
		done
	done
}

ok "all do, $rounds times" measure_rounds
[ $failures = 0 ] || done_testing

ratio() { # WAY COLUMN
	awk -v theirs="$(least "theirs.$1" "$2")" -v ours="$(least "ours.$1" "$2")" \
		'BEGIN { printf "%.1f", theirs / ours }'
}

row() { # WAY
	printf '# %-14s %9.1f %9.1f %6s %10.1f %9.1f %6s\n' "$1" \
		"$(least "theirs.$1" 1)e-3" "$(least "ours.$1" 1)e-3" "$(ratio "$1" 1)" \
		"$(least "theirs.$1" 2)e-3" "$(least "ours.$1" 2)e-3" "$(ratio "$1" 2)"
}

printf '# %-14s %9s %9s %6s %10s %9s %6s\n' "least of $rounds" 'Clevis' 'ours' '' 'Clevis' 'ours' ''
printf '# %-14s %9s %9s %6s %10s %9s %6s\n' '' 'wall, ms' 'wall, ms' times 'CPU, ms' 'CPU, ms' times
for way in "${ways[@]}"; do
	row "$way"
done
for way in "${ways[@]}"; do
	ok "$way: takes at most a fifth of Clevis's time" \
		test $((5 * $(least "ours.$way" 1))) -le "$(least "theirs.$way" 1)"
	ok "$way: and of its CPU time" \
		test $((5 * $(least "ours.$way" 2))) -le "$(least "theirs.$way" 2)"
done
done_testing
