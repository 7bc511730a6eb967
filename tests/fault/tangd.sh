#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-tangd met by clients that are wrong, slow or too many, and by folders without keys: each gets the right
# status, none stops the server, and nothing secret is in any reply or log.
. "$(dirname "$0")/../lib.sh"

tangd=$build/tang/server/cotter-tangd

# Ours on a free port. Sets $port and $pid.
serve() { # NAME FOLDER [OPTION…]
	local name=$1 folder=$2
	shift 2
	start_server "$name" "$tangd" --listen=127.0.0.1:0 "$@" "$folder"
	wait_until 60 grep -q ' listening on ' "$tmp/$name.log" || { cat "$tmp/$name.log" >&2; return 1; }
	port=$(sed -n 's/.* listening on .*:\([0-9]*\)$/\1/p' "$tmp/$name.log" | head -n 1)
	pid=${servers[$name]}
}

status() { # PATH [CURL-OPTION…]
	curl -s -o /dev/null -w '%{http_code}' "${@:2}" "http://127.0.0.1:$port$1"
}

has_status() { # STATUS PATH [CURL-OPTION…]
	assert_equal "$(status "${@:2}")" "$1"
}

mkdir "$tmp/keys"
/usr/libexec/tangd-keygen "$tmp/keys"
exchange=$(cat "$tmp"/keys/*.jwk | jq -cs '{keys: .}' | jose jwk use -i- -r -u deriveKey -o- | jose jwk thp -i- -a S256)
jose jwk gen -i '{"alg": "ECMR"}' | jose jwk pub -i- -o "$tmp/request"

# --- requests, well made and not ---

# NAME STATUS: those that ours shares with Debian's tangd.
same="
adv 200
adv-slash 200
adv-slashes 200
adv-sha1 200
adv-sha224 200
adv-sha256 200
adv-sha384 200
adv-sha512 200
adv-exchange-key 404
adv-unknown 404
adv-long 404
adv-escape 404
adv-nul 404
adv-deep 404
adv-dots 404
adv-query 404
adv-upper 404
advx 404
root 404
other 404
absolute 404
adv-post 405
adv-put 405
adv-delete 405
rec-get 405
rec-head 405
rec-put 405
rec-none 404
rec-none-slash 404
rec-deep 404
rec 200
rec-sha1 200
rec-sha224 200
rec-sha384 200
rec-sha512 200
rec-bare 200
rec-spaces 200
rec-more-members 200
rec-unknown-key 404
rec-signing-key 403
rec-unknown-key-bad-body 400
rec-empty 400
rec-no-length 400
rec-words 400
rec-array 400
rec-null 400
rec-empty-object 400
rec-binary 400
rec-utf8 400
rec-cut 400
rec-twice 400
rec-duplicate-member 400
rec-deep-json 400
rec-no-kty 400
rec-rsa 400
rec-oct 400
rec-no-crv 400
rec-bad-crv 400
rec-alg 400
rec-alg-number 400
rec-sign-only 403
rec-use-sig 403
rec-other-curve 400
rec-crv-of-another 400
rec-off-curve 400
rec-infinity-zeros 400
rec-infinity-x0 400
rec-infinity-empty 400
rec-infinity-missing 400
rec-no-y 400
rec-long-coordinates 400
rec-coordinate-plus-p 400
rec-number-coordinate 400
rec-not-base64url 400
rec-padded 400
rec-own-private 200
rec-chunked 200
rec-chunked-bytes 200
rec-chunked-trailer 200
rec-chunked-empty 400
rec-chunked-no-end closed
rec-length-short 400
rec-length-long closed
rec-type 200
http10 200
http10-rec 200
http10-keep 200 200
blank-first 200
nothing closed
header-high 200
headers-4k 200
get-with-body 200
get-with-big-body 200
pipelined 200 200 404 400 200
pipelined-20 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200 200
whole 200
"

# NAME PATTERN: those in which the two differ, or which versions of libmicrohttpd or of tangd's parser see
# differently.
other="
star 404|400
adv-head 200
unknown-method 405
lower-method 405
rec-private 200
rec-5000 413
rec-60k 413
rec-1M 413
rec-chunked-5000 413
rec-chunked-600k 413|closed
rec-chunked-bad-size 400
rec-chunked-huge-size 400|413
rec-chunked-and-length 400
rec-expect (100 )?200
rec-expect-5000 413
rec-length-negative 400( 400)?
rec-length-words 400( 400)?
rec-length-huge (400|413)( 413)?
rec-length-4G 413
rec-length-twice 400|closed
http09 400|closed
http09-blank 400
http2 400|505
http99 400|505
http-word 400|505
not-http 400
tls 400|closed
junk 400|closed
junk-binary 400|closed
junk-long 400|414|431|closed
blank closed
line-feeds 200|400
no-host 200|400
two-hosts 200|400
no-colon 400
space-name 200|400
folded 200|400
header-nul 200|400
headers-100k 431
headers-many 431
path-100k 414|431
close 200
pipelined-junk 200( 400)?
"

# It closes a connection when the client has, long before it would for idleness.
serve all "$tmp/keys" --metrics=127.0.0.1:0 --idle-timeout=60
all_port=$port all_pid=$pid
metrics=http://127.0.0.1:$(sed -n 's/.* metrics on .*:\([0-9]*\)$/\1/p' "$tmp/all.log")/metrics
"$src/tests/http-cases.py" "127.0.0.1:$port" "$tmp/keys" "$tmp/replies" >"$tmp/ours"
cp -a "$tmp/keys" "$tmp/debian"
start_tangd debian
mapfile -t names < <(grep -v '^cut-' "$tmp/ours" | cut -d' ' -f1)
"$src/tests/http-cases.py" "127.0.0.1:$tang_port" "$tmp/keys" "$tmp/replies-debian" "${names[@]}" >"$tmp/theirs"
stop_tangd debian

answered() { # NAME FILE
	sed -n "s/^$1 //p" "$2"
}

while read -r name statuses; do
	[ -n "$name" ] || continue
	ok "$name: $statuses" assert_equal "$(answered "$name" "$tmp/ours")" "$statuses"
	ok "$name: as tangd" assert_equal "$(answered "$name" "$tmp/theirs")" "$statuses"
done <<<"$same"

while read -r name pattern; do
	[ -n "$name" ] || continue
	ok "$name: $pattern" grep -qxE "$name ($pattern)" "$tmp/ours"
	echo "# tangd: $(answered "$name" "$tmp/theirs")"
done <<<"$other"

ok "no other requests were made" assert_equal "$(grep -cv '^cut-' "$tmp/ours")" \
	"$(grep -c . <<<"$(sed '/^$/d' <<<"$same$other")")"
ok "a request that is cut off, at each byte, has no answer" \
	assert_equal "$(sed -n 's/^cut-[0-9]* //p' "$tmp/ours" | sort -u)" closed
ok "there were as many as it has bytes" [ "$(grep -c '^cut-' "$tmp/ours")" -gt 350 ]
ok "the server lives" kill -0 "$all_pid"
ok "and is healthy" has_status 200 /healthz

# --- counters ---

curl -sS "$metrics" >"$tmp/metrics"
good=$(grep -cE '^rec.* 200$' "$tmp/ours")

counter() { # NAME
	awk -v name="cotter_tangd_$1" '$1 == name { print $2 }' "$tmp/metrics"
}

ok "metrics end as OpenMetrics has it" assert_equal "$(tail -n 1 "$tmp/metrics")" "# EOF"
ok "recoveries are counted" [ "$(counter 'requests_total{route="rec",status="200"}')" -ge "$good" ]
ok "and by key" assert_equal "$(counter "key_recoveries_total{key=\"$exchange\"}")" \
	"$(counter 'requests_total{route="rec",status="200"}')"
ok "so are their failures" [ "$(counter 'requests_total{route="rec",status="400"}')" -gt 20 ]
ok "the type is OpenMetrics'" grep -q '^application/openmetrics-text' <(curl -sS -o /dev/null -w '%{content_type}' "$metrics")
ok "metrics are served at their address alone" has_status 404 /metrics
ok "and nothing of Tang there" assert_equal "$(curl -s -o /dev/null -w '%{http_code}' "${metrics%/metrics}/adv")" 404

kill -USR1 "$all_pid"
ok "SIGUSR1 has it log its counters" wait_until 60 grep -qE ' recoveries: [0-9]+, failed: [0-9]+; ' "$tmp/all.log"
ok "a recovery is a line in the log" grep -qF "recovery by key $exchange for 127.0.0.1: HTTP 200" "$tmp/all.log"
ok "no core is ever dumped" grep -qE '^Max core file size +0 +0 ' "/proc/$all_pid/limits"

no_secrets() { # FILE…
	local d
	for d in $(jq -r .d "$tmp"/keys/*.jwk "$tmp"/keys/.*.jwk 2>/dev/null); do
		[ "${#d}" -gt 40 ] || return 1
		! grep -aF -e "$d" "$@" || return 1
	done
}

ok "the keys have private parts" assert_equal "$(jq -r .d "$tmp"/keys/*.jwk | grep -c ...)" 2
ok "none of them is in any reply or log" no_secrets "$tmp/replies" "$tmp/all.log" "$tmp/metrics"

# --- folders ---

mkdir "$tmp/empty"
serve empty "$tmp/empty"
ok "an empty folder: no advertisement" has_status 500 /adv
ok "an empty folder: none of a key" has_status 500 "/adv/$exchange"
ok "an empty folder: no recovery" has_status 500 "/rec/$exchange" --data-binary @"$tmp/request"
ok "an empty folder: not healthy" has_status 503 /healthz
ok "which is said" grep -q 'holds no pair' "$tmp/empty.log"
cp -a "$tmp"/keys/*.jwk "$tmp/empty"
ok "keys that come are served" wait_until 60 has_status 200 /adv
ok "and it is healthy" wait_until 60 has_status 200 /healthz
stop_server empty

cp -a "$tmp/keys" "$tmp/closed"
chmod 700 "$tmp/closed"
chmod 711 "$tmp"
serve closed "$tmp/closed" # as root, who may read anything
stop_server closed
cp "$tangd" "$tmp/tangd"
tangd=$tmp/tangd
chmod 755 "$tmp/tangd"
start_server closed setpriv --reuid=65534 --regid=65534 --clear-groups "$tangd" --listen=127.0.0.1:0 "$tmp/closed"
wait_until 60 grep -q ' listening on ' "$tmp/closed.log"
port=$(sed -n 's/.* listening on .*:\([0-9]*\)$/\1/p' "$tmp/closed.log")
ok "an unreadable folder: no advertisement" has_status 500 /adv
ok "an unreadable folder: not healthy" has_status 503 /healthz
chmod 755 "$tmp/closed"
chmod 644 "$tmp"/closed/*
ok "once it is readable it is served" wait_until 60 has_status 200 /adv
stop_server closed

cp -a "$tmp/keys" "$tmp/junk"
head -c 100000 /dev/urandom >"$tmp/junk/random.jwk"
head -c 3000000 /dev/zero >"$tmp/junk/zeros.jwk"
: >"$tmp/junk/nothing.jwk"
mkdir "$tmp/junk/folder.jwk"
mkfifo "$tmp/junk/pipe.jwk"
ln -s nowhere "$tmp/junk/dangling.jwk"
ln -s loop.jwk "$tmp/junk/loop.jwk"
jose jwk gen -i '{"kty": "oct", "bytes": 32}' -o "$tmp/junk/oct.jwk"
jose jwk gen -i '{"kty": "RSA", "bits": 2048}' -o "$tmp/junk/rsa.jwk"
echo '{"kty": "EC", "crv": "P-521"' >"$tmp/junk/cut.jwk"
echo '[]' >"$tmp/junk/list.jwk"
for i in $(seq 200); do echo "$i" >"$tmp/junk/$i.txt"; done
serve junk "$tmp/junk"
curl -sS "http://127.0.0.1:$port/adv" | jose fmt -j- -g payload -yo- >"$tmp/junk-adv"
curl -sS "http://127.0.0.1:$all_port/adv" | jose fmt -j- -g payload -yo- >"$tmp/adv"
ok "a folder full of junk: the keys in it are advertised" assert_same_file "$tmp/junk-adv" "$tmp/adv"
ok "a folder full of junk: and recover" has_status 200 "/rec/$exchange" --data-binary @"$tmp/request"
ok "each odd file is named" grep -q 'random.jwk' "$tmp/junk.log"
stop_server junk

not_started() { # TEXT ARGUMENT…
	run timeout 10 "$tangd" "${@:2}" </dev/null
	assert_one_sentence && assert_error_has "$1"
}

ok "no such folder" not_started nowhere --listen=127.0.0.1:0 "$tmp/nowhere"
ok "a file for a folder" not_started "is not a folder" --listen=127.0.0.1:0 "$tmp/request"
ok "an address of another machine" not_started "cannot listen on 192.0.2.1:80" --listen=192.0.2.1:80 "$tmp/keys"
ok "a port that is taken" not_started "Address already in use" --listen="127.0.0.1:$all_port" "$tmp/keys"

# --- limits ---

serve limits "$tmp/keys" --max-connections=6 --max-connections-per-address=4 --idle-timeout=2 \
	--request-timeout=4 --metrics=127.0.0.1:0 --workers=2
limits_metrics=http://127.0.0.1:$(sed -n 's/.* metrics on .*:\([0-9]*\)$/\1/p' "$tmp/limits.log")/metrics
slow="$src/tests/slow-client.py 127.0.0.1:$port"

limits_counter() { # NAME
	curl -sS "$limits_metrics" >"$tmp/metrics"
	counter "$1"
}

# Starts clients that linger, and waits until they are connected.
linger() { # NAME ARGUMENT…
	start_server "$1" $slow "${@:2}"
	wait_until 60 grep -q open "$tmp/$1.out"
}

lingered() { # NAME
	wait_until 60 grep -q seconds "$tmp/$1.out"
	tail -n 1 "$tmp/$1.out" >"$tmp/out"
	: >"$tmp/err"
	wait "${servers[$1]}"
	unset "servers[$1]"
}

linger idle idle 127.0.0.2 4
wait_until 60 eval '[ "$(limits_counter connections)" = 4 ]'
ok "per address: further connections are closed" not curl -s -o /dev/null --interface 127.0.0.2 "http://127.0.0.1:$port/adv"
ok "per address: which is counted" [ "$(limits_counter connections_refused_total)" -ge 1 ]
ok "per address: others are served" has_status 200 /adv
linger more idle 127.0.0.3 2
wait_until 60 eval '[ "$(limits_counter connections)" = 6 ]'
begin=$EPOCHREALTIME
ok "in all: one more waits until others are closed, and is served" has_status 200 /adv --max-time 20
waited=$(awk "BEGIN { print ($EPOCHREALTIME - $begin > 0.5) }")
ok "in all: it did wait" assert_equal "$waited" 1
lingered idle
ok "idle: closed after its time" assert_json '.seconds > 1.5 and .seconds < 10'
lingered more
linger drip drip
lingered drip
ok "a drip of bytes: cut at the total" assert_json '.seconds > 3 and .seconds < 12'
ok "a drip of bytes: which is counted" [ "$(limits_counter connections_cut_total)" -ge 1 ]
run $slow alive 5
ok "one that makes requests lives on" assert_json '.seconds >= 5 and .good >= 8'
ok "all connections are over" wait_until 60 eval '[ "$(limits_counter connections)" = 0 ]'
stop_server limits

(ulimit -n 200 && exec setsid "$tangd" --listen=127.0.0.1:0 "$tmp/keys" 2>"$tmp/files.log") &
files=$!
servers[files]=$files
wait_until 60 grep -q ' listening on ' "$tmp/files.log"
more_or_less() {
	grep -qF "at most 200 files can be open, so at most 100 connections are accepted" "$tmp/files.log" ||
		grep -qE '^Max open files +4224 ' "/proc/$files/limits"
}

ok "few files: more where this user may, else fewer connections" more_or_less
stop_server files

# --- the end ---

serve stop "$tmp/keys"
run "$src/tests/slow-client.py" "127.0.0.1:$port" stop "$pid"
ok "stopping: what is under way is finished" assert_json '.statuses == [200, 200]'
ok "stopping: and is the last on its connection" assert_json .last
ok "stopping: an idle connection is closed" assert_json .idle_ended
ok "stopping: no new one is accepted" assert_json .refused
rc=0
wait "$pid" || rc=$?
unset "servers[stop]"
ok "stopping: status 0" assert_equal "$rc" 0

# --- the journal ---

mkdir "$tmp/journal"
start_server journal socat -u "UNIX-RECV:$tmp/journal/socket" "CREATE:$tmp/journal.txt"
wait_until 60 test -S "$tmp/journal/socket"
: >"$tmp/logged.log"
start_server logged unshare -m sh -c 'mount -t tmpfs none /run && mkdir -p /run/systemd/journal &&
	mount --bind "$1" /run/systemd/journal && shift &&
	JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr) exec "$@"' sh "$tmp/journal" "$tangd" --listen=127.0.0.1:0 "$tmp/keys"
wait_until 60 grep -qa 'listening on' "$tmp/journal.txt"
port=$(grep -a 'listening on' "$tmp/journal.txt" | sed -n 's/.*:\([0-9]*\)$/\1/p' | head -n 1)
status "/rec/$exchange" --data-binary @"$tmp/request" >/dev/null
status "/rec/AAAA" --data-binary @"$tmp/request" >/dev/null
for field in "MESSAGE=recovery by key $exchange for 127.0.0.1: HTTP 200" "KEY=$exchange" PEER=127.0.0.1 \
	STATUS=200 MESSAGE_ID= STATUS=404 KEY=AAAA PRIORITY=6; do
	ok "the journal has $field" wait_until 60 grep -qaF "$field" "$tmp/journal.txt"
done
ok "standard error nothing of it" assert_equal "$(grep -c recovery "$tmp/logged.log")" 0
ok "no secret is in the journal" no_secrets "$tmp/journal.txt"
stop_server logged

serve quiet "$tmp/keys" --log=error
status "/rec/$exchange" --data-binary @"$tmp/request" >/dev/null
stop_server quiet
ok "--log=error logs no recoveries" assert_equal "$(grep -c recovery "$tmp/quiet.log")" 0

# --- ways to be started ---

serve endpoint "$tmp/keys" -e /some/where/
ok "an endpoint: below it" has_status 200 /some/where/adv
ok "an endpoint: recovers" has_status 200 "//some/where//rec/$exchange" --data-binary @"$tmp/request"
ok "an endpoint: not beside it" has_status 404 /adv
ok "an endpoint: health is where it was" has_status 200 /healthz
stop_server endpoint
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
start_server tangd15 "$tangd" -p "$port" -l "$tmp/keys"
ok "as tangd 15 is started" wait_until 60 has_status 200 /adv
ok "on IPv6 too" curl -sSfg -o /dev/null "http://[::1]:$port/adv"
ok "which is said" grep -qF " listening on [::]:$port" "$tmp/tangd15.log"
stop_server tangd15

# One connection, with a request in the file $tmp/get, answered on standard output.
printf 'GET /healthz HTTP/1.1\r\nHost: t\r\n\r\nGET /x HTTP/1.0\r\n\r\n' >"$tmp/get"

answers() { # CMD…
	run timeout 20 "$@"
	assert_rc 0
	assert_equal "$(sed -n 's/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$tmp/out" | xargs)" "200 404"
}

ok "inetd: files" answers sh -c 'exec "$0" "$1" <"$2"' "$tangd" "$tmp/keys" "$tmp/get"
ok "inetd: pipes" answers sh -c 'cat "$2" | "$0" "$1" | cat' "$tangd" "$tmp/keys" "$tmp/get"
ok "inetd: pipes whose input stays open" answers sh -c '(cat "$2"; exec sleep 1) | "$0" "$1"' "$tangd" "$tmp/keys" "$tmp/get"
run timeout 20 "$tangd" "$tmp/keys" </dev/null
ok "inetd: nothing" assert_rc 0

under() { # NAME CMD…
	local name=$1
	shift
	port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
	start_server "$name" "${@//PORT/$port}"
	ok "under $name" wait_until 60 has_status 200 /adv
	ok "under $name: again" has_status 200 "/rec/$exchange" --data-binary @"$tmp/request"
	ok "under $name: two on one connection" assert_equal \
		"$(curl -s -o /dev/null -o /dev/null -w '%{http_code} %{num_connects},' "http://127.0.0.1:$port/adv" "http://127.0.0.1:$port/x")" \
		"200 1,404 0,"
	stop_server "$name"
}

under "socat, a socket pair" socat TCP4-LISTEN:PORT,bind=127.0.0.1,reuseaddr,fork "EXEC:$tangd $tmp/keys"
under "socat, pipes" socat TCP4-LISTEN:PORT,bind=127.0.0.1,reuseaddr,fork "EXEC:$tangd $tmp/keys,pipes"
under "systemd, a process each" systemd-socket-activate -a -l 127.0.0.1:PORT "$tangd" "$tmp/keys"
under "systemd, as inetd" systemd-socket-activate -a --inetd -l 127.0.0.1:PORT "$tangd" "$tmp/keys"
under "systemd, one process" systemd-socket-activate -l 127.0.0.1:PORT "$tangd" "$tmp/keys"
start_server several systemd-socket-activate -l "$tmp/a.sock" -l "$tmp/b.sock" -l "$tmp/c.sock" \
	--fdname=a:b:metrics "$tangd" "$tmp/keys"
wait_until 60 test -S "$tmp/c.sock"

by_socket() { # SOCKET PATH STATUS
	assert_equal "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$tmp/$1.sock" "http://t$2")" "$3"
}

ok "several sockets: the first" wait_until 60 by_socket a /adv 200
ok "several sockets: the second" by_socket b /adv 200
ok "several sockets: one for metrics" by_socket c /metrics 200
ok "several sockets: which is for nothing else" by_socket c /adv 404
stop_server several

ok "the first server still lives" kill -0 "$all_pid"
stop_server all
ok "nothing secret was ever logged" no_secrets "$tmp"/*.log
ok "no sanitizer had anything to say" not grep -E 'Sanitizer|runtime error' "$tmp"/*.log
done_testing
