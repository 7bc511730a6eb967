#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What cotter-renew.service runs writes to the journal what became of each binding, and fails where one
# failed; the timer starts it weekly, where an administrator enables it.
if [ -z "${IN_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP only root can mount"; exit 0; }
	IN_NAMESPACE=1 exec unshare -m "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"

# A journal that writes each entry as a line of JSON to $tmp/journal.
mkdir -p /run/systemd/journal
mount -t tmpfs journal /run/systemd/journal
cat >"$tmp/journal.py" <<-'END'
	import json, socket, struct, sys
	listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	listener.bind("/run/systemd/journal/socket")
	while True:
	    data, fields = listener.recv(1 << 20), {}
	    while data:
	        line, _, data = data.partition(b"\n")
	        name, equals, value = line.partition(b"=")
	        if not equals:
	            size = struct.unpack("<Q", data[:8])[0]
	            value, data = data[8:8 + size], data[9 + size:]
	        fields[name.decode()] = value.decode()
	    with open(sys.argv[1], "a") as journal:
	        print(json.dumps(fields), file=journal)
END
start_server journal /usr/bin/python3 "$tmp/journal.py" "$tmp/journal"
wait_until 60 test -S /run/systemd/journal/socket

# Runs cotter-renew; its entries are then in $tmp/entries. N of them are waited for.
renew() { # N COTTER-ENROLL
	: >"$tmp/journal"
	run "$build/units/cotter-renew" "$2"
	wait_until 60 entries_came "$1" || true
	jq -s . "$tmp/journal" >"$tmp/entries"
}

entries_came() { # N
	[ "$(wc -l <"$tmp/journal")" -ge "$1" ]
}

assert_entries() { # FILTER
	jq -e "$1" "$tmp/entries" >/dev/null || { echo "not so: $1"; cat "$tmp/entries"; show_run; return 1; }
}

renewed=4dc36c3fe8e9b08ead576e6852c19106
not_due=d376483150e79fe19f0a1d08007b9665
failed=97fcce63ca5ec085c067ed82196bc727

# --- what cotter-enroll tells ---

cat >"$tmp/told" <<-'END'
	#!/bin/bash
	printf '%s\n' "$*" >"${0%/*}/arguments"
	echo "cotter-enroll: a line" >&2
	cat "${0%/*}/output"
	exit "$(cat "${0%/*}/status")"
END
chmod +x "$tmp/told"
cat >"$tmp/output" <<-'END'
	[{"verb": "renew", "device": "/dev/vda3", "result": "ok", "tokens": [
	    {"token": 0, "keyslot": 2, "state": "renewed", "leaves": [
	        {"pin": "tang", "where": "http://a", "state": "unreachable", "cause": "line\nend"},
	        {"pin": "tang", "where": "http://b", "state": "changed", "cause": "new keys"}]},
	    {"token": 1, "keyslot": 1, "state": "not-due"}]},
	 {"verb": "renew", "device": "/dev/vdb", "result": "failed", "errors": ["it is gone"]}]
END
echo 1 >"$tmp/status"
renew 4 "$tmp/told"
ok "runs cotter-enroll for all volumes" assert_equal "$(cat "$tmp/arguments")" \
	"--renew --all --json=short --quiet"
ok "an entry a binding, a part that was kept, and a volume that could not be read" assert_entries "
	[.[] | [.MESSAGE_ID, .PRIORITY, .COTTER_DEVICE, .COTTER_TOKEN, .COTTER_KEYSLOT, .COTTER_LEAF, .COTTER_CAUSE,
	.COTTER_RESULT]] == [
	[\"$renewed\", \"5\", \"/dev/vda3\", \"0\", \"2\", null, null, \"renewed\"],
	[\"$failed\", \"4\", \"/dev/vda3\", \"0\", \"2\", \"http://a\", \"line\\nend\", \"kept\"],
	[\"$not_due\", \"6\", \"/dev/vda3\", \"1\", \"1\", null, null, \"not-due\"],
	[\"$failed\", \"3\", \"/dev/vdb\", null, null, null, \"it is gone\", \"failed\"]]"
ok "in the program's name, and with no place in its code" assert_entries \
	'all(.[]; .SYSLOG_IDENTIFIER == "cotter-renew" and .CODE_FILE == null)'
ok "and with words" assert_entries '.[0].MESSAGE == "token 0 of /dev/vda3 was renewed"'
ok "cotter-enroll's status is the service's" assert_rc 1
ok "and its lines go where the service's do" assert_error_has "cotter-enroll: a line"

echo '[]' >"$tmp/output"
echo 0 >"$tmp/status"
renew 0 "$tmp/told"
ok "nothing to renew is no failure" assert_rc 0
ok "and no entry" assert_entries '. == []'

fails() { # WORDS
	assert_rc 1 && assert_error_has "$1" && assert_entries '. == []'
}

for output in '' '[' '{}' '[{"device": "/dev/vda3"}]'; do
	echo "$output" >"$tmp/output"
	renew 0 "$tmp/told"
	ok "what is no output of --renew is a failure: $output" fails "told does not reach the journal"
done
head -c 5000000 /dev/zero >"$tmp/output"
renew 0 "$tmp/told"
ok "so is too much of it" fails "could not be run to its end"
printf '#!/bin/sh\nkill -KILL $$\n' >"$tmp/told"
renew 0 "$tmp/told"
ok "so is a cotter-enroll that is killed" fails "ended with signal 9"
renew 0 "$tmp/none"
ok "or is not there" fails "could not be run to its end: No such file"
run "$build/units/cotter-renew"
ok "its path must be given" assert_error_has "cotter-renew wants the path of cotter-enroll"

# --- a real one ---

own_etc
mkdir "$tmp/block"
mount --bind "$tmp/block" /sys/block

bind() { # OPTION…
	"$cotter_enroll" --quiet --unlock-key-file="$passphrase" "$@" "$image"
}

# cotter-enroll with the capabilities that the service leaves it. Sanitizers want more.
confined=$cotter_enroll
if [ "$sanitized" = 0 ]; then
	confined=$tmp/confined
	capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$build/units/cotter-renew.service" |
		tr ' ' '\n' | sed 's/^CAP_/,+/' | tr -d '\n' | tr '[:upper:]' '[:lower:]')
	printf '#!/bin/sh\nexec setpriv --no-new-privs --bounding-set=-all%s "%s" "$@"\n' "$capabilities" \
		"$cotter_enroll" >"$confined"
	chmod +x "$confined"
fi

# New keys, the old ones hidden, as tangd's own program has it.
rotate() { # SERVER
	local key
	for key in "$tmp/$1"/*.jwk; do
		mv "$key" "$tmp/$1/.${key##*/}"
	done
	/usr/libexec/tangd-keygen "$tmp/$1"
}

# Each entry as DEVICE TOKEN RESULT [LEAF].
entries_are() { # ENTRY…
	assert_equal "$(jq -r '.[] | [.COTTER_DEVICE, .COTTER_TOKEN, .COTTER_RESULT, .COTTER_LEAF // empty] |
		join(" ")' "$tmp/entries")" "$(printf '%s\n' "$@")" || { cat "$tmp/entries"; show_run; return 1; }
}

start_tangd first
first_url=$tang_url first_port=$tang_port first_thumbprint=$tang_thumbprint
start_tangd second
second_url=$tang_url
make_small_image plain
make_small_image one
one=$image
bind --tang="$first_url" --tang-thumbprint="$first_thumbprint"
make_small_image two
two=$image
bind --policy="1 of (tang($first_url, thp=$first_thumbprint), tang($second_url, thp=$tang_thumbprint))"
cat >/etc/crypttab <<-END
	plain $tmp/plain none
	one $one none token-type=cotter-tang,_netdev
	gone $tmp/gone none nofail
	two $two none token-type=cotter-sss,_netdev
END

cp "$one" "$tmp/before"
renew 2 "$confined"
ok "while the keys are the same, nothing is due" entries_are "$one 0 not-due" "$two 0 not-due"
ok "which is well" assert_rc 0
ok "and changes nothing" assert_same_file "$one" "$tmp/before"

rotate first
old=$(token_secret "$one" 0)
renew 2 "$confined"
ok "after new keys all are renewed" entries_are "$one 0 renewed" "$two 0 renewed"
ok "which is well too" assert_rc 0
rm -f "$tmp/first"/.*.jwk
ok "and they open with the new keys alone" opens_by_token "$one"
ok "by new secrets" not assert_equal "$(token_secret "$one" 0)" "$old"

stop_tangd second
rotate first
renew 3 "$confined"
ok "a server that is away keeps none from being renewed" entries_are "$one 0 renewed" "$two 0 renewed" \
	"$two 0 kept $second_url"
ok "and is told of" assert_entries '.[2].COTTER_CAUSE | test("refused")'
ok "as no failure" assert_rc 0

rm -rf "$tmp/first"
stop_tangd first
start_tangd first "$first_port"
cp "$one" "$tmp/before"
renew 2 "$confined"
ok "another server at the same address renews nothing" assert_same_file "$one" "$tmp/before"
ok "which the journal has" assert_entries "any(.[]; .MESSAGE_ID == \"$failed\" and
	.COTTER_DEVICE == \"$one\" and .COTTER_TOKEN == \"0\" and .COTTER_CAUSE != null)"
ok "and fails" assert_rc 1

stop_tangd first
renew 2 "$confined"
ok "with no server all stays as it is" entries_are "$one 0 kept" "$two 0 kept"
ok "and the status says that it may pass" assert_rc 3

umount /sys/block

# --- the units ---

units=$tmp/root/usr/lib/systemd/system
mkdir -p "$tmp/root"/etc "$units"/../system-preset
cp "$src/units/50-cotter.preset" "$units/../system-preset"
echo 'enable *' >"$units/../system-preset/99-default.preset"
cp "$src/units/cotter-renew.timer" "$units"
sed "s|^ExecStart=.*|ExecStart=$build/units/cotter-renew $cotter_enroll|" \
	"$build/units/cotter-renew.service" >"$units/cotter-renew.service"

verify() {
	systemd-analyze verify --man=no "$units"/cotter-renew.{service,timer} >"$tmp/verified" 2>&1 &&
		! grep -F cotter-renew "$tmp/verified" || { cat "$tmp/verified"; return 1; }
}

preset() {
	systemctl --root="$tmp/root" preset cotter-renew.timer
	[ ! -L "$tmp/root/etc/systemd/system/timers.target.wants/cotter-renew.timer" ]
}

enable() {
	systemctl --root="$tmp/root" enable cotter-renew.timer
	[ -L "$tmp/root/etc/systemd/system/timers.target.wants/cotter-renew.timer" ]
}

# Days between the times at which the timer elapses.
days_between() {
	local calendar times
	calendar=$(sed -n 's/^OnCalendar=//p' "$units/cotter-renew.timer")
	mapfile -t times < <(systemd-analyze calendar --iterations=2 --base-time=2026-06-01 "$calendar" |
		sed -nE 's/^ *(Next elapse|Iter\. #2): //p')
	echo $((($(date -d "${times[1]}" +%s) - $(date -d "${times[0]}" +%s)) / 86400))
}

ok "systemd takes the units" verify
ok "the timer elapses weekly" assert_equal "$(days_between)" 7
ok "is made up for after a pause" grep -qx Persistent=yes "$units/cotter-renew.timer"
ok "and the preset leaves it off" preset
ok "until it is enabled" enable
ok "the service runs the programs where they are installed" grep -qE \
	'^ExecStart=/.*/cotter-renew /.*/bin/cotter-enroll$' "$build/units/cotter-renew.service"

done_testing
