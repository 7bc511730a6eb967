#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The whole farm comes back: a thousand machines recover at once from one cotter-tangd, none in vain, also while
# its keys are rotated, and while others sit on connections.
. "$(dirname "$0")/../lib.sh"

farm=$build/tests/farm
recoveries=10000 clients=1000 sitters=500
[ "$sanitized" = 0 ] || recoveries=3000 clients=300 sitters=200
tangd=cotter
tangd_options=(--log=error)
tang_keys=$tmp/keys

# All recoveries succeed. What farm wrote is the last run's output, and shown.
come_back() { # NAME [FARM-OPTION…]
	local name=$1
	shift
	rc=0
	"$farm" -n $recoveries -c $clients "$@" "127.0.0.1:$tang_port" "${known[@]}" >"$tmp/$name.farm" || rc=$?
	cp "$tmp/$name.farm" "$tmp/out"
	assert_rc 0 && assert_json ".failed == 0 and .recovered == $recoveries"
}

tell() { # NAME
	jq -r --arg name "$1" '"# \($name): \(.recovered) recovered, \(.rate)/s, p50 \(.p50_ms) ms, p99 \(.p99_ms) ms, " +
		"longest \(.max_ms) ms"' "$tmp/$1.farm"
}

# With its sanitizers' leave, in those builds.
ends_well() {
	rc=0
	kill -TERM "${servers[server]}"
	wait "${servers[server]}" || rc=$?
	unset "servers[server]"
	: >"$tmp/out"
	cp "$tmp/server.log" "$tmp/err"
}

advertised() {
	curl -sSf "$tang_url/adv" | jose fmt -j- -g payload -yo- | jq -r '.keys[] | select(.key_ops == ["deriveKey"]).x'
}

# --- at rest ---

start_tangd server
known=("$tang_keys"/*.jwk)
mkdir "$tmp/known"
cp "${known[@]}" "$tmp/known"
known=("$tmp/known"/*.jwk)

ok "$recoveries recoveries by $clients clients at a time" come_back at-rest
tell at-rest
ok "on connections that are kept alive" come_back kept-alive -k
tell kept-alive
ok "of which none waits for half of the time" jq -e '.max_ms < .seconds * 500' "$tmp/kept-alive.farm"

# --- while keys are rotated ---

# Every 100 ms until the file $tmp/enough is there; once by the program that comes with tangd, which
# hides the old keys before the new ones are there.
rotate() {
	local n next=${EPOCHREALTIME/./} now
	for ((n = 1; ; n++)); do
		[ ! -e "$tmp/enough" ] || break
		if [ $n = 4 ]; then
			/usr/libexec/tangd-rotate-keys -d "$tang_keys"
		else
			"$cotter_tang_keys" rotate "$tang_keys"
		fi || echo "rotation $n: status $?" >>"$tmp/rotations.bad"
		echo $n >"$tmp/rotations"
		next=$((next + 100000)) now=${EPOCHREALTIME/./}
		[ $next -le $now ] || sleep "$(printf '0.%06d' $((next - now)))"
	done >"$tmp/rotate.log" 2>&1
}

# Newly bound clients meanwhile: each fetches the advertisement, checks it, and recovers by its key.
bind_meanwhile() {
	"$farm" -a -n $((recoveries / 10)) -c 10 "127.0.0.1:$tang_port"
}

come_back_rotated() {
	local status=0
	rotate &
	local rotating=$!
	bind_meanwhile >"$tmp/new.farm" &
	local binding=$!
	come_back rotated || status=1
	wait $binding || status=1
	touch "$tmp/enough"
	wait $rotating
	cat "$tmp/new.farm"
	return $status
}

ok "the same while keys are rotated every 100 ms" come_back_rotated
tell rotated
tell new
echo "# $(cat "$tmp/rotations") rotations, of which new clients saw $(jq .exchange_keys "$tmp/new.farm")"
ok "every rotation went well" test ! -e "$tmp/rotations.bad"
ok "there were many" test "$(cat "$tmp/rotations")" -ge 8
ok "every advertisement fetched meanwhile was good, and its key recovered" jq -e '.failed == 0' "$tmp/new.farm"
ok "and new keys were advertised all along" test "$(jq .exchange_keys "$tmp/new.farm")" -ge 3

newest=$(cat "$tang_keys"/*.jwk | jq -r 'select(.key_ops == ["deriveKey"]).x')
advertises_newest() {
	assert_equal "$(advertised)" "$newest"
}
ok "the newest key is advertised within a second" wait_until 1 advertises_newest
ok "the keys of the first clients are no longer" not grep -qxF "$(jq -r 'select(.key_ops == ["deriveKey"]).x' \
	"${known[@]}")" <(advertised)
ok "which recover all the same" come_back hidden
tell hidden
ends_well
ok "told to stop, the server ends well" assert_rc 0

# --- while others sit on connections ---

# From ADDRESS on; FROM 127.0.0.1 is the farm's own.
sit() { # KIND FROM [SPREAD]
	local kind=$1
	start_server crowd /usr/bin/python3 "$src/tests/fault/crowd.py" "$kind" $sitters "127.0.0.1:$tang_port" "${@:2}"
	wait_until 60 grep -q open "$tmp/crowd.out"
}

come_back_crowded() { # NAME
	local status=0
	come_back "$1" || status=1
	kill "${servers[crowd]}"
	wait_until 60 grep -q reopened "$tmp/crowd.out"
	sed -n 2p "$tmp/crowd.out" | tee "$tmp/out"
	assert_json ".open == $sitters" || status=1
	return $status
}

# As at rest, but for what noise does: at least half its rate.
not_slowed() { # NAME
	jq -se '.[0].rate > .[1].rate / 2' "$tmp/$1.farm" "$tmp/at-rest.farm"
}

crowded() { # NAME TEXT KIND FROM [SPREAD]
	sit "${@:3}"
	ok "the same while $sitters others $2" come_back_crowded "$1"
	tell "$1"
	unset "servers[crowd]"
}

start_tangd server
crowded idle "say nothing" idle 127.0.0.2 200
crowded drip "send a byte a second" drip 127.0.0.2 200
ends_well
ok "told to stop beside the slow ones, the server ends well" assert_rc 0
tangd_options+=(--max-connections-per-address=4000)
start_tangd server
crowded same "at the same address send a byte a second" drip 127.0.0.1
ends_well
ok "and once more" assert_rc 0

# --- while the server is restarted, its socket being kept by who started it, as systemd does ---

start_server keeper /usr/bin/python3 "$src/tests/fault/keeper.py" 0 "$cotter_tangd" "${tangd_options[@]}" "$tang_keys"
wait_until 60 grep -qE '^listening on .*:[0-9]+$' "$tmp/keeper.log"
tang_port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$tmp/keeper.log")

starts() { # HOW-MANY
	[ "$(grep -c 'cotter-tangd: listening' "$tmp/keeper.log")" = "$1" ]
}

come_back_restarted() {
	local n
	come_back restarted &
	local coming=$!
	for n in 1 2 3; do
		wait_until 60 starts "$n"
		sleep 0.5
		kill "$(tail -n 1 "$tmp/keeper.out")"
	done
	wait $coming
}

ok "the same while the server is restarted three times" come_back_restarted
tell restarted
ok "and it was" wait_until 60 starts 4
done_testing
