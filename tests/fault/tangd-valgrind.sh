#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-tangd and cotter-tang-keys under valgrind: hundreds of requests good and bad, keys that change, a stop:
# no memory is used that should not be, and none is lost.
. "$(dirname "$0")/../lib.sh"

command -v valgrind >/dev/null || skip_all "valgrind is not installed"

# A program that valgrind has something to say about ends with 99.
valgrind=(valgrind --quiet --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
	--error-exitcode=99 --log-file="$tmp/valgrind.%p")
farm=$build/tests/farm
tangd=cotter
tangd_prefix=("${valgrind[@]}")
tangd_options=(--log=recovery --usage="$tmp/usage.json" --workers=2 --request-timeout=3 --idle-timeout=2)
tang_keys=$tmp/keys

# With it, meson has all memory filled that is allocated or freed.
unset MALLOC_PERTURB_

nothing_said() {
	local said
	said=$(cat "$tmp"/valgrind.*)
	rm "$tmp"/valgrind.*
	assert_equal "$said" ""
}

keys() { # VERB [OPTION…]
	run "${valgrind[@]}" "$cotter_tang_keys" "$@" "$tang_keys"
	assert_rc 0
}

mkdir "$tang_keys"
ok "keys are generated" keys generate
ok "keys are rotated" keys rotate --curve=P-256
ok "listed, shown" eval 'keys list && keys list --json && keys show'
ok "none is pruned that no record tells of" eval \
	'run "${valgrind[@]}" "$cotter_tang_keys" prune "$tang_keys"; assert_rc 1'
ok "valgrind says nothing" nothing_said

# --- requests ---

start_tangd server
address=127.0.0.1:$tang_port
cp -r "$tang_keys" "$tmp/known"

good_requests() {
	"$farm" "$@" "$address" "$tmp/known"/*.jwk
}

ok "recoveries" good_requests -n 200 -c 20
ok "on connections that are kept alive" good_requests -n 100 -c 10 -k
ok "advertisements" good_requests -n 50 -c 5 -a
ok "the server finds itself healthy" curl -sSf -o /dev/null "$tang_url/healthz"

# Prints the status of the answer to what printf makes of TEXT, and ends the connection.
answer() { # TEXT
	printf "$1" | timeout 10 socat -t 5 - "TCP4:$address" | sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p'
}

post() { # BODY [KEY]
	local key=${2:-$(jose jwk thp -i "$(grep -l deriveKey "$tang_keys"/*.jwk)")}
	answer "POST /rec/$key HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${#1}\r\n\r\n${1//%/%%}"
}

point=$(jose jwk gen -i '{"alg":"ECMR","crv":"P-256"}' | jose jwk pub -i- -o-)
good=$(tr -d '\n' <<<"$point")

refused() { # STATUSES BODY [KEY]
	local status
	status=$(post "${@:2}")
	[[ " $1 " = *" $status "* ]] || { echo "answered \"$status\", not $1"; return 1; }
}

# What is malformed in each way once; the statuses are another test's.
bad_requests() {
	local n
	refused 200 "$good"
	refused "400 404" "$good" nosuchkey
	refused "400 404" "$good" "$(printf 'A%.0s' {1..43})"
	for n in 0 1 20 $((${#good} / 2)) $((${#good} - 1)); do
		refused 400 "${good:0:n}"
	done
	refused 400 "$(jq -c '.x = .y' <<<"$good")"
	refused 400 "$(jq -c '.x = "" | .y = ""' <<<"$good")"
	refused 400 "$(jose jwk gen -i '{"alg":"ECMR","crv":"P-384"}' | jose jwk pub -i- -o- | tr -d '\n')"
	refused 400 "$(jq -c '.alg = "ECDH"' <<<"$good")"
	refused 400 '{"kty":"oct","k":"AAAA"}'
	refused 400 "[$good]"
	refused 413 "$(printf 'x%.0s' {1..6000})"
}

odd_requests() {
	local text
	while read -r text; do
		answer "$text" >/dev/null || return
	done <<-'END'
		GET /adv/none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n
		GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n
		GET /adv HTTP/1.0\r\n\r\n
		HEAD /adv HTTP/1.0\r\n\r\n
		PUT /adv HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n
		POST /adv HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n
		GET /rec/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n
		POST /rec/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n
		GET /adv HTTP/1.1\r\nHost: x\r\n\r\nGET /adv HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n
		GET
		nonsense\r\n\r\n
		\r\n\r\n\r\n
		POST /rec/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nshort
	END
	answer "GET /adv HTTP/1.1\r\nX: $(printf 'x%.0s' {1..20000})\r\n\r\n" >/dev/null
}

ok "bad recoveries are refused" bad_requests
ok "odd requests do no harm" odd_requests

# Each while some clients recover.
reload() { # CMD…
	good_requests -n 60 -c 4 -a >"$tmp/meanwhile" &
	"$@"
	wait $! || { cat "$tmp/meanwhile"; return 1; }
	good_requests -n 20 -c 4 -a
}

ok "keys are rotated meanwhile" reload "$cotter_tang_keys" rotate "$tang_keys"
ok "by tangd's program too" reload /usr/libexec/tangd-rotate-keys -d "$tang_keys"
ok "junk is put beside them" reload eval 'echo junk >"$tang_keys/junk.jwk"; ln -s nowhere "$tang_keys/link.jwk"
	head -c 2000000 /dev/zero >"$tang_keys/big.jwk"; mkdir "$tang_keys/folder.jwk"'
ok "hidden keys are removed" reload rm -r "$tang_keys"/.*.jwk "$tang_keys"/{junk,link,big,folder}.jwk
kill -USR1 "${servers[server]}"

# Some connections stay open to the end.
sitters() {
	start_server crowd /usr/bin/python3 "$src/tests/fault/crowd.py" "$1" 20 "$address" 127.0.0.2
	wait_until 60 grep -q open "$tmp/crowd.out"
}
sitters drip
ok "the server answers beside slow clients" good_requests -n 20 -c 2 -a

rc=0
kill -TERM "${servers[server]}"
wait "${servers[server]}" || rc=$?
unset "servers[server]"
ok "told to stop, the server ends well" assert_equal "$rc" 0
ok "valgrind says nothing" nothing_said

# --- a connection on standard input, as under inetd ---

inetd() { # TEXT
	rc=0
	printf "$1" | "${valgrind[@]}" "$cotter_tangd" "$tang_keys" >"$tmp/out" 2>"$tmp/err" || rc=$?
}

inetd 'GET /adv HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
ok "inetd: an advertisement" eval 'assert_rc 0 && assert_output_has "200 OK"'
inetd 'nonsense\r\n\r\n'
ok "inetd: nonsense" test "$rc" != 99
ok "valgrind says nothing" nothing_said

ok "a record of what was recovered is there" jq -e '.keys | map(.recoveries) | add > 300' "$tmp/usage.json"
ok "keys are listed with it" keys list --usage="$tmp/usage.json"
ok "pruning is forced" keys prune --force
ok "valgrind says nothing" nothing_said
done_testing
