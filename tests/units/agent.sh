#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-agent answers what systemd's own program asks, as soon as a volume's policy holds; and leaves
# everything else alone.
if [ -z "${IN_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP only root can mount"; exit 0; }
	IN_NAMESPACE=1 exec unshare -m "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../questions.sh"

# Takes a question away as its asker does when somebody typed.
withdraw() { # NAME
	pkill -TERM -P $$ -f "systemd-ask-password.*$1" || true
	wait_until 60 nothing_asked
}

bind() { # [OPTION…]
	"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$tang_url" \
		--tang-advertisement="$tmp/adv" "$@" "$image"
}

start_tangd
curl -sSf "$tang_url/adv" >"$tmp/adv"
make_image bare
bare=$image
make_image one
bind
one=$image
make_image two
bind
bind
two=$image

run timeout 10 "$agent"
ok "nothing asked: it ends" assert_rc 0

ask first "cryptsetup:$one"
run_agent
finish first
answer=$(head -c 20 "$tmp/out")
ok "answers" opens "$one"
finish agent
ok "and ends" assert_rc 0
ok "saying which token it was" assert_error_has "$one: token 0 gave the passphrase"
ok "but not what" not grep -qF "$answer" "$tmp/err"

ask first "cryptsetup:$one"
ask second "cryptsetup:$two"
run_agent
finish first
ok "two at once: answers one" opens "$one"
finish second
ok "and the other" opens "$two"
finish agent
ok "and ends then" assert_rc 0

# --- what is not for it ---

ask pin ""
ask other "other:$one"
ask verify "cryptsetup-verification:$one"
ask bare "cryptsetup:$bare"
ask gone "cryptsetup:/nonexistent"
run_agent
put_question first "cryptsetup:$one"
finish first
ok "among others it answers its own" opens "$one"
ok "and stays while others are asked" kill -0 "${later[agent]}"
withdraw ""
finish agent
ok "until they are gone" assert_rc 0
for name in pin other verify bare gone; do
	finish $name
	ok "$name has no answer" not grep -q . "$tmp/out"
done

# --- a server that comes later ---

stop_tangd
ask first "cryptsetup:$one"
run_agent
wait_until 60 agent_says "connection refused"
ok "waits for the server" kill -0 "${later[agent]}"
start_tangd tang "$tang_port"
finish first
ok "and answers once it is there" opens "$one"
ok "having said once why it could not" assert_equal "$(grep -c '^<3>.*connection refused' "$tmp/agent.err")" 1
finish agent
ok "then ends" assert_rc 0

stop_tangd
ask first "cryptsetup:$one"
run_agent
wait_until 60 agent_says "connection refused"
withdraw "$one"
finish agent
ok "ends when somebody typed the passphrase" assert_rc 0
finish first

# --- headers elsewhere ---

start_tangd tang "$tang_port"
cp "$one" "$tmp/header"
truncate -s 20M "$tmp/data disk"
cat >/etc/crypttab <<-END
	# name device key options
	data  $tmp/data\\040disk  none  header=$tmp/header
	other $tmp/data none header=$tmp/header
END
truncate -s 20M "$tmp/data"
ask first "cryptsetup:$tmp/data"
run_agent
finish first
ok "the header that crypttab names is used" opens "$tmp/header"
finish agent
ok "and it ends" assert_rc 0

# --- its units ---

units_are_sound() {
	local unit
	mkdir "$tmp/units"
	cp "$src"/units/cotter-agent.path "$src"/units/cotter-key@.socket "$tmp/units"
	for unit in cotter-agent cotter-key@; do
		sed "s|^\(ExecStart=-*\).*/|\1$build/units/|" "$build/units/$unit.service" >"$tmp/units/$unit.service"
	done
	systemd-analyze verify --man=no "$tmp"/units/cotter-agent.{path,service} \
		"$tmp"/units/cotter-key@data.socket "$tmp"/units/cotter-key@0.service 2>"$tmp/verify" &&
		! grep -F "$tmp/units" "$tmp/verify" || { cat "$tmp/verify"; return 1; }
}

ok "its units are sound" units_are_sound

done_testing
