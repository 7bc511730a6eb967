#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The units of cotter-tangd: what systemd says of them, that they take the place of Tang's socket, and that the
# server and the tool for its keys do all their work within what the service leaves them. tests/vm/tangd.sh has them
# at work under systemd.
. "$(dirname "$0")/../lib.sh"

units=$tmp/root/usr/lib/systemd/system
etc=$tmp/root/etc/systemd/system
service=$build/units/cotter-tangd.service
mkdir -p "$units" "$tmp/root/etc" "$units/../system-preset"
cp "$src"/units/50-cotter*.preset "$units/../system-preset"
echo 'enable *' >"$units/../system-preset/99-default.preset"
cp "$src"/units/cotter-tangd*.socket "$units"
sed -E "s|^(ExecStart=)[^ ]*|\1$cotter_tangd|; s|^(ExecStartPre=)[^ ]*|\1$cotter_tang_keys|" "$service" \
	>"$units/cotter-tangd.service"

verify() {
	systemd-analyze verify --man=no "$units"/cotter-tangd{.service,.socket,-metrics.socket} >"$tmp/verified" 2>&1 &&
		! grep -F cotter-tangd "$tmp/verified" || { cat "$tmp/verified"; return 1; }
}

# Of 10. It is to be below 1.5.
exposed() { # TENTHS
	systemd-analyze security --offline=yes --no-pager --threshold="$1" "$units/cotter-tangd.service" >"$tmp/exposure" ||
		{ grep -E '✗|Overall' "$tmp/exposure"; return 1; }
}

enabled_as() { # UNIT LINK
	assert_equal "$(basename "$(readlink "$etc/$2")")" "$1"
}

# A setting's values on one line.
setting() { # NAME
	sed -n "s/^$1=//p" "$service" | paste -sd' '
}

ok "systemd takes the units" verify
ok "an exposure of 14 tenths at most" exposed 14
echo "# $(grep Overall "$tmp/exposure")"
ok "the programs are where they are installed" grep -qE '^ExecStart=/.*/cotter-tangd ' "$service"
ok "both" grep -qE '^ExecStartPre=/.*/bin/cotter-tang-keys generate ' "$service"
ok "no network but the sockets that it is given" assert_equal \
	"$(setting PrivateNetwork) $(setting RestrictAddressFamilies)" "yes AF_UNIX"
ok "no capability" assert_equal "$(setting CapabilityBoundingSet)$(setting AmbientCapabilities)" ""

# --- in Tang's place ---

systemctl --root="$tmp/root" preset cotter-tangd.socket cotter-tangd-metrics.socket
ok "the preset leaves it off" assert_equal "$(find "$etc" -type l 2>/dev/null)" ""
printf '[Socket]\nListenStream=80\nAccept=true\n[Install]\nWantedBy=sockets.target\n' >"$units/tangd.socket"
systemctl --root="$tmp/root" enable tangd.socket 2>/dev/null
run systemctl --root="$tmp/root" enable cotter-tangd.socket
ok "it is enabled where Tang's own is installed and enabled, too" assert_rc 0
ok "under the name of Tang's, too" enabled_as cotter-tangd.socket tangd.socket
ok "for the start of the machine" enabled_as cotter-tangd.socket sockets.target.wants/cotter-tangd.socket
systemctl --root="$tmp/root" disable cotter-tangd.socket 2>/dev/null
ok "until it is disabled" not test -L "$etc/tangd.socket"

# --- drop-ins that the manual has ---

dropped_in() { # RECIPE
	local unit recipe=$tmp/recipe
	/usr/bin/python3 "$src/tests/recipes.py" page "$src/man/cotter-tangd.8" "$1" >"$recipe"
	unit=$(sed -nE '1s/^# systemctl edit //p' "$recipe")
	mkdir -p "$units/$unit.d"
	sed 1d "$recipe" >"$units/$unit.d/$1.conf"
	verify
	systemd-analyze cat-config --root="$tmp/root" "systemd/system/$unit" >/dev/null
	rm -r "$units/$unit.d"
}

for recipe in options port firewall tls; do
	ok "the manual's drop-in \"$recipe\" is one" dropped_in $recipe
done

# --- the manual ---

# The options that a text names, but for other programs'.
options_of() {
	tr -d '\\' | grep -v '^# \|^    ' | grep -oE -- '--[a-z][a-z0-9-]+' | sort -u |
		grep -vxE -- '--(renew|tang-ca)'
}

same_options() { # PAGE PROGRAM
	assert_equal "$(options_of <"$src/man/$1" | paste -sd' ')" "$("$2" --help | sed 's/^    //' | options_of | paste -sd' ')"
}

ok "cotter-tangd(8) has the options that there are" same_options cotter-tangd.8 "$cotter_tangd"
ok "so has cotter-tang-keys(8)" same_options cotter-tang-keys.8 "$cotter_tang_keys"

if [ "$(id -u)" != 0 ]; then
	skip "at work in the sandbox" "only root can enter it"
	done_testing
	exit
fi

# --- at work within it ---

state=$tmp/state
# Another user must get to the folder and to the programs.
mkdir "$state"
chown 65534:65534 "$state"
chmod 711 "$tmp"
for program in "$cotter_tangd" "$cotter_tang_keys" "$src/tests/units/confined.py"; do
	install -m 755 "$program" "$tmp"
done
install -m 644 "$service" "$tmp"

# Runs one of the programs as the service does: as a user with nothing, without a network, its system calls being
# kept in $tmp/NAME.calls.
cat >"$tmp/confined" <<-END
	#!/bin/sh
	name=\$1
	shift
	exec strace -D -f -qq -o "$tmp/\$name.calls" unshare -n setpriv --reuid=65534 --regid=65534 --clear-groups \\
	    --inh-caps=-all --bounding-set=-all --no-new-privs "$tmp/confined.py" "$tmp/cotter-tangd.service" "\$@"
END
chmod 755 "$tmp/confined"

# Those that the program itself made: what was traced since it was executed.
calls_of() { # NAME PROGRAM
	sed -nE '\|execve\("[^"]*/'"$2"'"|,$ s/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$tmp/$1.calls" | sort -u
}

all_allowed() { # NAME PROGRAM
	calls_of "$1" "$2" >"$tmp/called"
	[ "$(wc -l <"$tmp/called")" -gt 10 ] || { echo "too few system calls were seen"; return 1; }
	# The limit of locked memory is not set here, as the unit has it.
	! "$src/tests/units/confined.py" --list "$service" | comm -13 - "$tmp/called" | grep . &&
		! grep -aE '= -1 EPERM' "$tmp/$1.calls" | grep -v RLIMIT_MEMLOCK
}

run "$tmp/confined" generate "$tmp/cotter-tang-keys" generate "$state"
ok "keys are made" assert_rc 0
ok "with the system calls that are allowed" all_allowed generate cotter-tang-keys

free_port() {
	/usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

port=$(free_port)
url=http://127.0.0.1:$port
start_server tangd systemd-socket-activate -l "127.0.0.1:$port" "$tmp/confined" tangd "$tmp/cotter-tangd" \
	--usage="$state/usage.json" "$state"
wait_until 60 grep -qi 'listening' "$tmp/tangd.log"

# Recoveries on connections of their own, 8 at once.
recover() { # N
	local key i
	curl -sSf "$url/adv" | jose fmt -j- -g payload -yo- | jose jwk use -i- -r -u deriveKey -o- >"$tmp/exchange"
	key=$(jose jwk thp -i "$tmp/exchange" | head -n 1)
	jose jwk gen -i '{"alg":"ECMR"}' | jose jwk pub -i- -o "$tmp/point"
	for ((i = 0; i < $1; i++)); do
		printf 'url = "%s/rec/%s"\noutput = /dev/null\n' "$url" "$key"
	done >"$tmp/urls"
	curl -sS -Z --parallel-max 8 -H 'Connection: close' -H 'Content-Type: application/jwk+json' -d "@$tmp/point" \
		-w '%{http_code}\n' --no-progress-meter -K "$tmp/urls" | sort | uniq -c | tr -s ' '
}

advertises() { # THUMBPRINT
	curl -sSf "$url/adv" | jose fmt -j- -g payload -yo- | jose jwk thp -i- | grep -xF -e "$1"
}

network_namespace() {
	readlink "/proc/$1/ns/net"
}

ok "200 recoveries" assert_equal "$(recover 200)" ' 200 200'
pid=$(pgrep -f "^$tmp/cotter-tangd " | head -n 1)
ok "without a network" not assert_equal "$(network_namespace "$pid")" "$(network_namespace self)"
ok "by a user without a capability" grep -qE '^CapBnd:\s0+$' "/proc/$pid/status"
run "$cotter_tang_keys" rotate "$state"
ok "root rotates its keys" assert_rc 0
new=$("$cotter_tang_keys" show "$state" | tail -n 1)
ok "which it advertises then" wait_until 60 advertises "$new"
ok "and recovers by" assert_equal "$(recover 8)" ' 8 200'
ok "and says that it is well" assert_equal "$(curl -sS -o /dev/null -w '%{http_code}' "$url/healthz")" 200
kill -USR1 "$pid"
ok "and keeps its record" wait_until 60 grep -F recoveries "$state/usage.json"
kill -TERM "$pid"
wait_until 60 not test -e "/proc/$pid"
ok "with the system calls that are allowed" all_allowed tangd cotter-tangd
ok "none of which opens a socket but a journal's" not grep -aE ' socket\(AF_INET' "$tmp/tangd.calls"

# --- and no other ---

ok "a program within it gets no socket of the network" not "$tmp/confined" other /usr/bin/python3 -c \
	'import socket; socket.socket()'
ok "nor another user" not "$tmp/confined" other /usr/bin/python3 -c 'import os; os.setuid(0)'
ok "nor traces another" not "$tmp/confined" other /usr/bin/strace -p $$
done_testing
