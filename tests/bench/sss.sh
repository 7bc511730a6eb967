#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a policy costs: sealing and recovering two of three Tang servers, against Clevis; and how long
# recovery takes with more servers, and with servers that do not do their part. Prints tables of medians.
if [ -z "${IN_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP only root can make a network"; exit 0; }
	IN_NAMESPACE=1 exec unshare -n "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/medians.sh"
ip link set lo up # no way leads elsewhere

rounds=${ROUNDS:-11}
clevis_rounds=${ROUNDS:-5}

# Clevis's configuration of a policy over the servers in $leaves.
policy() { # THRESHOLD
	printf '%s\n' "${leaves[@]}" | jq -cs --argjson t "$1" '{$t, pins: {tang: .}}'
}

add_leaf() { # URL
	leaves+=("$(jq -nc --arg url "$1" --arg thp "$tang_thumbprint" '{$url, $thp}')")
}

bind_policy() { # CONFIG
	"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --policy="$1" "$image"
}

# One volume with a token of each, and the same secret sealed by each.
declare -a leaves=()
for name in a b c; do
	start_tangd $name
	add_leaf "$tang_url"
done
config=$(policy 2)
make_image policy --luks2-metadata-size=64k
policy_image=$image
bind_policy "$config"
clevis luks bind -y -k "$passphrase" -d "$image" sss "$config" >/dev/null 2>&1
clevis_slot=$(clevis luks list -d "$image" | cut -d: -f1)
echo "not much of a secret" >"$tmp/secret"

measure_rounds() {
	local measured=("$measure" "$tmp/recover.times")
	for ((round = 0; round < clevis_rounds; round++)); do
		with_plugins "${measured[@]}" cryptsetup open --test-passphrase --token-only "$policy_image"
		"$measure" "$tmp/clevis_recover.times" clevis luks unlock -d "$policy_image" -t "$clevis_slot"
		"$measure" "$tmp/seal.times" "$build/tests/pin-helper" seal sss "$config" \
			<"$tmp/secret" >"$tmp/ours.jwe"
		"$measure" "$tmp/clevis_seal.times" clevis encrypt sss "$config" <"$tmp/secret" >"$tmp/theirs.jwe"
	done
}

ok "both seal and recover, $clevis_rounds times" measure_rounds
[ $failures = 0 ] || done_testing

row() { # NAME TITLE
	printf '# %-44s %9.1f %8.1f\n' "$2" "$(median "$1" 1)e-3" "$(median "$1" 2)e-3"
}

printf '# %-44s %9s %8s\n' "2 of 3 Tang servers, medians of $clevis_rounds" 'wall, ms' 'CPU, ms'
row seal "sealing"
row clevis_seal "clevis encrypt sss"
row recover "cryptsetup open --token-only, cotter-sss"
row clevis_recover "clevis luks unlock -t"
ok "sealing takes at most a tenth of Clevis's CPU time" \
	test $((10 * $(median seal 2))) -le "$(median clevis_seal 2)"
ok "recovering takes at most a fifth of it" \
	test $((5 * $(median recover 2))) -le "$(median clevis_recover 2)"

# --- many servers ---

jose jwk gen -i '{"alg":"ES512"}' -o "$tmp/signing.jwk"
jose jwk gen -i '{"alg":"ECMR","crv":"P-521"}' -o "$tmp/exchange.jwk"
jose jwk pub -s -i "$tmp/signing.jwk" -i "$tmp/exchange.jwk" -o "$tmp/keys"
jose jws sig -I "$tmp/keys" -s '{"protected":{"alg":"ES512","cty":"jwk-set+json"}}' \
	-k "$tmp/signing.jwk" -o "$tmp/adv"
tang_thumbprint=$(jose jwk thp -i "$tmp/signing.jwk")
counts=(1 2 4 8 16 32)
start_server slow "$build/tests/slow-tangs" 100 32 "$tmp/adv" "$tmp/exchange.jwk"
slow_ones_listen() {
	mapfile -t ports <"$tmp/slow.out" && [ ${#ports[@]} = 32 ]
}
wait_until 60 slow_ones_listen

for count in "${counts[@]}"; do
	leaves=()
	for port in "${ports[@]:0:count}"; do
		add_leaf "http://127.0.0.1:$port"
	done
	make_image "many-$count" --luks2-metadata-size=128k
	bind_policy "$(policy 1)"
done

# Opens each volume by its token, one after the other, so that what else the machine does meets all alike.
measure_volumes() { # NAME…
	local name
	for ((round = 0; round < rounds; round++)); do
		for name in "$@"; do
			with_plugins "$measure" "$tmp/$name.times" \
				cryptsetup open --test-passphrase --token-only "$tmp/$name"
		done
	done
}

ok "all numbers of servers do, $rounds times" measure_volumes "${counts[@]/#/many-}"
[ $failures = 0 ] || done_testing
printf '# %-44s %9s %8s\n' "1 of N servers, each after 100 ms" 'wall, ms' 'CPU, ms'
for count in "${counts[@]}"; do
	row "many-$count" "$count"
done
ok "32 servers take at most one and a half times what one takes" \
	test $((2 * $(median many-32 1))) -le $((3 * $(median many-1 1)))

# --- one good server among three bad ones ---

start_hostile silent --mode=silent
silent_url=$hostile_url
start_hostile garbage --mode=garbage
declare -A faults=(
	[refused]=http://127.0.0.1:1
	[silent]=$silent_url
	[garbage]=$hostile_url
	[unreachable]=http://192.0.2.1
	[unresolvable]=http://tang.invalid
)
start_tangd good
curl -sSf "$tang_url/adv" >"$tmp/good.adv"

# A leaf whose server need not be there to bind to it.
add_saved_leaf() { # URL
	leaves+=("$(jq -nc --arg url "$1" --arg adv "$tmp/good.adv" '{$url, $adv}')")
}

# A volume with four servers, the good one at PLACE and the others like FAULT.
make_faulty() { # FAULT PLACE
	local i
	leaves=()
	for i in 0 1 2 3; do
		add_saved_leaf "$([ "$i" = "$2" ] && echo "$tang_url" || echo "${faults[$1]}")"
	done
	make_small_image "$1-$2"
	bind_policy "$(policy 1)"
}

leaves=()
add_saved_leaf "$tang_url"
make_small_image alone
bind_policy "$(policy 1)"
ways=(alone)
for fault in "${!faults[@]}"; do
	for place in 0 1 2 3; do
		make_faulty "$fault" $place
		ways+=("$fault-$place")
	done
done

ok "the good one of four opens, $rounds times" measure_volumes "${ways[@]}"
[ $failures = 0 ] || done_testing
limit=$((12 * $(median alone 1) / 10 + 50000))
printf '# %-44s %9s %8s\n' "1 of 4 servers, three of them bad" 'wall, ms' 'CPU, ms'
for way in "${ways[@]}"; do
	row "$way" "${way/-/, the good one at }"
done
for way in "${ways[@]:1}"; do
	ok "$way takes no more than a fifth and 50 ms longer than the good one alone" \
		test "$(median "$way" 1)" -le $limit
done
done_testing
