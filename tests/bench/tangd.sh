#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What our Tang server does beside Debian's, with the same keys, and beside the elliptic curve alone: the
# server has one core and its clients another, and the runs of all take turns. Prints tables.
. "$(dirname "$0")/../lib.sh"

rounds=${ROUNDS:-9}
recoveries=1200 # a run
farm=$build/tests/farm

command -v wrk >/dev/null || skip_all "wrk is not installed"
mapfile -t cores < <(taskset -cp $$ | sed 's/.*: //' | tr , '\n' |
	awk -F- '{ for (i = $1; i <= ($2 == "" ? $1 : $2); i++) print i }' | head -n 2)
[ ${#cores[@]} = 2 ] || skip_all "this needs two cores"

# With it, meson has all memory filled that is allocated or freed.
unset MALLOC_PERTURB_

on_server=(taskset -c "${cores[0]}")
on_client=(taskset -c "${cores[1]}")

tangd_prefix=("${on_server[@]}")
tangd_options=(--log=error)
tangd_backlog=1024
tang_keys=$tmp/keys
declare -A address=() url=()
for who in debian cotter; do
	tangd=$who start_tangd $who
	address[$who]=127.0.0.1:$tang_port
	url[$who]=$tang_url
done
exchange_key=$(grep -l deriveKey "$tang_keys"/*.jwk)
kid=$(jose jwk thp -i "$exchange_key")
jose jwk gen -i '{"alg":"ECMR","crv":"P-521"}' | jose jwk pub -i- -o "$tmp/point"

# --- runs: each adds a line of JSON to $tmp/NAME.runs ---

by_farm() { # NAME WHO FARM-OPTION…
	"${on_client[@]}" "$farm" "${@:3}" "${address[$2]}" "$exchange_key" >>"$tmp/$1.runs" ||
		{ tail -n 1 "$tmp/$1.runs"; return 1; }
}

by_wrk() { # NAME WHO PATH [WRK-OPTION…]
	local file=()
	[ "$3" = adv ] || file=("$tmp/point")
	"${on_client[@]}" wrk -t1 -s "$src/tests/bench/wrk.lua" "${@:4}" "${url[$2]}/$3" -- "${file[@]}" |
		tail -n 1 >>"$tmp/$1.runs"
	jq -se 'last.failed == 0' "$tmp/$1.runs" || { tail -n 1 "$tmp/$1.runs"; return 1; }
}

the_curve() {
	"${on_server[@]}" openssl speed -elapsed -seconds 1 ecdhp521 2>/dev/null |
		awk 'END { printf "{\"rate\":%.0f}\n", $NF }' >>"$tmp/curve.runs"
}

# Processor time that our server has used, in hundredths of a second.
used() {
	awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/${servers[cotter]}/stat"
}

# Debian's takes so much longer that fewer requests are enough.
take_turns() {
	the_curve
	by_farm rec-debian debian -c 8 -n 80
	local before
	before=$(used)
	by_farm rec-cotter cotter -c 8 -n $recoveries
	echo $(($(used) - before)) >>"$tmp/used"
	by_farm adv-debian debian -g -c 8 -n 80
	by_farm adv-cotter cotter -g -c 8 -n 5000
}

all_rounds() {
	local round
	for ((round = 0; round < rounds; round++)); do
		take_turns || return
	done
}

kept_alive() {
	by_wrk kept-rec-debian debian "rec/$kid" -c 8 -d 2
	by_wrk kept-rec-cotter cotter "rec/$kid" -c 8 -d 2
	by_wrk kept-adv-debian debian adv -c 8 -d 2
	by_wrk kept-adv-cotter cotter adv -c 8 -d 2
}

# The same as take_turns() has, by wrk, which does not look at the answers. Not Debian's: wrk leaves it to the
# server to close a connection.
by_wrk_each() {
	by_wrk wrk-rec-cotter cotter "rec/$kid" -c 8 -d 2 -H 'Connection: close'
	by_wrk wrk-adv-cotter cotter adv -c 8 -d 2 -H 'Connection: close'
}

# The same beside a crowd that sends a byte a second, from addresses of its own.
crowded() {
	local round
	for ((round = 0; round < rounds; round++)); do
		by_farm quiet cotter -c 8 -n $recoveries || return
		start_server crowd "${on_client[@]}" /usr/bin/python3 "$src/tests/fault/crowd.py" drip 500 \
			"${address[cotter]}" 127.0.0.2 200
		wait_until 60 grep -q open "$tmp/crowd.out"
		by_farm crowded cotter -c 8 -n $recoveries || return
		kill "${servers[crowd]}"
		wait "${servers[crowd]}" || return
		unset "servers[crowd]"
	done
}

connections='1 8 64 512'

at_connections() {
	local n
	for n in $connections; do
		by_farm "$n-debian" debian -c "$n" -n $((n > 150 ? n : 150))
		by_farm "$n-cotter" cotter -c "$n" -n 2000
	done
}

# --- what came of them ---

best() { # NAME
	jq -s 'map(.rate) | max' "$tmp/$1.runs"
}

ratio() { # NAME NAME
	awk -v a="$(best "$1")" -v b="$(best "$2")" 'BEGIN { printf "%.2f", a / b }'
}

at_least() { # WANT NAME NAME
	awk -v want="$1" -v is="$(ratio "$2" "$3")" 'BEGIN { print is; exit is < want }'
}

rates() { # TITLE NAME
	printf '# %-44s %9s %9s %9s\n' "$1" "$(best "$2-debian")" "$(best "$2-cotter")" \
		"$(ratio "$2-cotter" "$2-debian")"
}

latencies() { # WHO
	local n
	for n in $connections; do
		jq -r --arg who "$1" --arg n "$n" '[$who, $n, .rate, .p50_ms, .p99_ms, .max_ms] | @tsv' "$tmp/$n-$1.runs" |
			awk '{ printf "# %-28s %11s %9s %9.1f %9.1f %9.1f\n", $1, $2, $3, $4, $5, $6 }'
	done
}

# Of a process at its peak, in KiB.
peak() { # SERVER
	sed -n 's/^VmHWM:\s*\([0-9]*\) kB/\1/p' "/proc/${servers[$1]}/status"
}

# Of all processes of Debian's while it has so many connections, as each shares much with the others.
peak_of_group() { # CONNECTIONS
	local pid pss sum most=0
	by_farm memory debian -c "$1" -n $((2 * $1)) &
	while kill -0 $! 2>/dev/null; do
		sum=0
		for pid in $(pgrep -g "${servers[debian]}"); do
			pss=$(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup" 2>/dev/null) || continue
			sum=$((sum + ${pss:-0}))
		done
		most=$((sum > most ? sum : most))
		sleep 0.05
	done
	echo $most
}

by_farm warm debian -c 4 -n 10
by_farm warm cotter -c 8 -n 500
before=$(peak cotter)
ok "each of $rounds rounds is answered" all_rounds
ok "likewise on connections that are kept alive" kept_alive
ok "and wrk, with a connection for each request" by_wrk_each
ok "beside 500 connections that send a byte a second" crowded
ok "from one connection at a time to 512" at_connections
[ $failures = 0 ] || { done_testing; exit; }

printf '# %-44s %9s %9s %9s\n' 'requests a second, one core, 8 connections' tangd cotter-tangd ratio
rates "POST /rec, a connection each" rec
rates "GET /adv, a connection each" adv
rates "POST /rec, kept alive" kept-rec
rates "GET /adv, kept alive" kept-adv
printf '# %-44s %9s %9s\n' "POST /rec, a connection each, by wrk" '' "$(best wrk-rec-cotter)"
printf '# %-44s %9s %9s\n' "GET /adv, a connection each, by wrk" '' "$(best wrk-adv-cotter)"
printf '# %-44s %9s %9s %9s\n' "the curve alone: openssl speed ecdhp521" '' "$(best curve)" "$(ratio rec-cotter curve)"
printf '# %-44s %9s %9s %9s\n' "POST /rec, a connection each, beside 500 slow ones" '' "$(best crowded)" "$(ratio crowded quiet)"
printf '#\n# %-28s %11s %9s %9s %9s %9s\n' 'POST /rec, a connection each' connections rate 'p50, ms' 'p99, ms' 'max, ms'
latencies debian
latencies cotter
# Here by the processor's time, on both sides.
multiplications=$("${on_server[@]}" openssl speed -seconds 1 ecdhp521 2>/dev/null | awk 'END { print $NF }')
awk -v n=$recoveries -v curve="$multiplications" '{ sum += $1 } END { printf "#\n# a recovery takes %.0f us of the" \
	" processor, of which %.0f us are the curve'"'"'s\n", sum * 1e4 / NR / n, 1e6 / curve }' "$tmp/used"
echo "# peak memory: cotter-tangd $before KiB with 8 connections, $(peak cotter) KiB with 512; tangd's processes" \
	"$(peak_of_group 64) KiB with 64"

ok "recovers at least 8 times as often as tangd" at_least 8 rec-cotter rec-debian
ok "at 0.7 of the rate of the curve alone" at_least 0.7 rec-cotter curve
ok "advertises at least 25 times as often" at_least 25 adv-cotter adv-debian
ok "slow clients cost the others less than a fifth" at_least 0.8 crowded quiet
done_testing
