#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-udisks has UDisks unlock removable volumes with a binding while somebody works at the desktop, on a bus of
# its own where a stand-in for UDisks shows what it is asked; and leaves all others alone.
if [ -z "${IN_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP only root can mount"; exit 0; }
	IN_NAMESPACE=1 exec unshare -m -n "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"

ip link set lo up
mkdir -p /run/systemd
mount -t tmpfs logind /run/systemd
mkdir /run/systemd/{seats,sessions,users,machines}
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$tmp/bus

# The session that becomes active at a seat, as logind writes it down.
sit_down() { # SEAT CLASS TYPE
	local run=/run/systemd
	printf 'UID=1000\nACTIVE=1\nSTATE=active\nREMOTE=0\nTYPE=%s\nCLASS=%s\nSEAT=%s\n' "$3" "$2" "$1" >$run/session
	printf 'ACTIVE=of%s\nACTIVE_UID=1000\nSESSIONS=of%s\n' "$1" "$1" >$run/seat
	mv $run/session "$run/sessions/of$1"
	mv $run/seat "$run/seats/$1"
}

stand_up() { # SEAT
	rm -f "/run/systemd/seats/$1" "/run/systemd/sessions/of$1"
}

start_bus() {
	start_server bus dbus-daemon --session --nofork --address="$DBUS_SYSTEM_BUS_ADDRESS"
	wait_until 60 test -S "$tmp/bus"
}

start_mock() {
	rm -f "$tmp/lines"
	mkfifo "$tmp/lines"
	start_server mock sh -c 'exec "$1" <"$2"' sh "$build/tests/udisks-mock" "$tmp/lines"
	exec 7>"$tmp/lines"
	wait_until 60 grep -q ready "$tmp/mock.out"
	mock drive stick seat0
}

mock() { # LINE…
	local n
	n=$(grep -c '^did' "$tmp/mock.out" || true)
	echo "$*" >&7
	wait_until 60 did_more "$n"
}

did_more() { # N
	[ "$(grep -c '^did' "$tmp/mock.out")" -gt "$1" ]
}

start_service() {
	start_server service env SYSTEMD_LOG_LEVEL=debug "$build/units/cotter-udisks"
}

# The service's lines for people, who may read no debug messages.
says() { # TEXT
	grep '^<[0-5]>' "$tmp/service.log" | grep -qF -e "$1"
}

unlocked() { # NAME
	grep -q "^unlock $1 " "$tmp/mock.out"
}

calls() { # NAME
	grep -c "^unlock $1 " "$tmp/mock.out" || true
}

called_times() { # NAME TIMES
	[ "$(calls "$1")" = "$2" ]
}

# Whether Unlock was called once, with what opens IMAGE, and asks nobody.
unlocked_rightly() { # NAME IMAGE
	assert_equal "$(calls "$1")" 1
	grep "^unlock $1 " "$tmp/mock.out" | grep -F ' auth.no_user_interaction=1'
	grep "^unlock $1 " "$tmp/mock.out" | cut -d ' ' -f 3 | basenc -d --base16 |
		cryptsetup open --test-passphrase --disable-external-tokens --key-file=- "$2"
}

# A volume that is surely unlocked after what came before it was looked at.
fence=0
fence() { # [DRIVE]
	fence=$((fence + 1))
	mock block "fence$fence" "$tmp/ours" "${1:-stick}" auto
	wait_until 60 unlocked "fence$fence"
	mock remove "fence$fence"
}

start_tangd
make_small_image bare
make_small_image ours
curl -sSf "$tang_url/adv" >"$tmp/adv"
"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$tang_url" --tang-advertisement="$tmp/adv" "$image"
make_small_image theirs
clevis luks bind -y -k "$passphrase" -d "$image" tang "{\"url\":\"$tang_url\"}" >/dev/null 2>&1
make_small_image shares
clevis luks bind -y -k "$passphrase" -d "$image" sss \
	"{\"t\":2,\"pins\":{\"tang\":[{\"url\":\"$tang_url\"},{\"url\":\"$tang_url\"}]}}" >/dev/null 2>&1
make_small_image wrong # whose token was another volume's
token_json "$tmp/ours" 0 | jq -c '.keyslots = ["0"]' | cryptsetup token import "$tmp/wrong"

start_bus
start_mock
sit_down seat0 user wayland
start_service

# --- what appears ---

mock block ours "$tmp/ours" stick auto
ok "a volume of ours that appears is unlocked" wait_until 60 unlocked ours
ok "by what opens it, once and without a dialogue" unlocked_rightly ours "$tmp/ours"
ok "it says which token it was" wait_until 60 says "$tmp/ours: token 0 gave the passphrase"
mock block theirs "$tmp/theirs" stick auto
ok "so is one that Clevis bound" wait_until 60 unlocked theirs
ok "by what opens that" unlocked_rightly theirs "$tmp/theirs"
mock block shares "$tmp/shares" stick auto
ok "and one with a policy of Clevis's" wait_until 60 unlocked shares
ok "by what opens that one" unlocked_rightly shares "$tmp/shares"

# --- what is not for it ---

mock block bare "$tmp/bare" stick auto
mock block wrong "$tmp/wrong" stick auto
mock block inside "$tmp/ours" stick
mock block system "$tmp/ours" stick auto system
mock block ignored "$tmp/ours" stick auto ignore
mock block opened "$tmp/ours" stick auto open
mock plain plain "$tmp/ours" stick auto
mock block gone /nonexistent stick auto
mock drive far seat1
mock block far "$tmp/ours" far auto
fence
ok "no volume without a binding" not unlocked bare
ok "none by what does not open it" not unlocked wrong
ok "which it says" says "opens no keyslot"
ok "none that UDisks does not take for a removable one" not unlocked inside
ok "none of the system's" not unlocked system
ok "none that is to be ignored" not unlocked ignored
ok "none that is unlocked already" not unlocked opened
ok "nothing that is no volume" not unlocked plain
ok "none at a seat where nobody is" not unlocked far
ok "and it is still there" not unlocked gone

mock close ours
mock close opened
fence
ok "one that was locked again stays locked" assert_equal "$(calls ours)" 1
ok "whoever had unlocked it" not unlocked opened
mock remove ours
mock block ours "$tmp/ours" stick auto
ok "until it comes anew" wait_until 60 called_times ours 2

# --- who is there ---

sit_down seat1 user x11
ok "who comes to the other seat finds the volume there unlocked" wait_until 60 unlocked far
stand_up seat0
mock block early "$tmp/ours" stick auto
fence far
ok "nothing is done while nobody is there" not unlocked early
sit_down seat0 greeter wayland
fence far
ok "nor for a greeter" not unlocked early
sit_down seat0 user tty
fence far
ok "nor for a console" not unlocked early
sit_down seat0 user x11
ok "it is once a desktop's user has come" wait_until 60 unlocked early

# --- a server that is not there ---

stop_tangd
mock block late "$tmp/ours" stick auto
ok "a server that is away" wait_until 60 says "connection refused"
ok "leaves it locked" not unlocked late
start_tangd tang "$tang_port"
ok "it is tried again" wait_until 60 unlocked late
ok "and unlocked rightly" unlocked_rightly late "$tmp/ours"

# --- a network that comes ---

ip address add 192.0.2.1/32 dev lo
start_tangd far 0 192.0.2.1
make_small_image remote
"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" "$image"
ip address delete 192.0.2.1/32 dev lo
mock block remote "$tmp/remote" stick auto
ok "without a network" wait_until 60 grep -qF "network unreachable" "$tmp/service.log"
ok "it stays locked" not unlocked remote
ip address add 192.0.2.1/32 dev lo
ok "and is unlocked once there is one" wait_until 60 unlocked remote
ok "rightly" unlocked_rightly remote "$tmp/remote"

# --- faults ---

mock block refused "$tmp/ours" stick auto
wait_until 60 unlocked refused
mock remove refused
ok "the passphrase stands in no message" not grep -qF \
	"$(grep '^unlock ours' "$tmp/mock.out" | head -n 1 | cut -d ' ' -f 3 | basenc -d --base16)" "$tmp/service.log"

exec 7>&-
stop_server mock
start_mock
mock block again "$tmp/ours" stick auto
ok "UDisks may be started anew" wait_until 60 unlocked again

kill -TERM "${servers[service]}"
rc=0
wait "${servers[service]}" || rc=$?
unset 'servers[service]'
ok "it ends when it is told to" assert_equal $rc 0

units_are_sound() {
	mkdir "$tmp/units"
	sed "s|^\(ExecStart=\).*/|\1$build/units/|" "$build/units/cotter-udisks.service" >"$tmp/units/cotter-udisks.service"
	systemd-analyze verify --man=no "$tmp/units/cotter-udisks.service" 2>"$tmp/verify" &&
		! grep -F "$tmp/units" "$tmp/verify" || { cat "$tmp/verify"; return 1; }
}

ok "its unit is sound" units_are_sound
done_testing
