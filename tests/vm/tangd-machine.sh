#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What tangd.sh has run on a machine where cotter and Debian's Tang are installed. What each command gives is
# told as "NAME: LINE" and "NAME: status N".
set -u
url=http://127.0.0.1
id=$(cat /recipes/id)
state=/var/lib/private/cotter-tangd

say() { # NAME CMD…
	local name=$1 status
	shift
	"$@" >/tmp/said 2>&1 </dev/null
	status=$?
	sed "s/^/$name: /" /tmp/said
	echo "$name: status $status"
}

until_is() { # WORD CMD…
	local word=$1 end=$((SECONDS + 60))
	shift
	while [ $SECONDS -lt $end ]; do
		[ "$("$@" 2>/dev/null)" = "$word" ] && return 0
		sleep 0.05
	done
	return 1
}

# As one types "systemctl edit UNIT": lines with which the page fills it are in the file.
edit() { # RECIPE
	local unit
	unit=$(sed -n '1s/.* edit //p' "/recipes/$1")
	mkdir -p "/etc/systemd/system/$unit.d"
	sed 1d "/recipes/$1" >"/etc/systemd/system/$unit.d/$1.conf"
	systemctl daemon-reload
}

unedit() { # RECIPE
	rm -f /etc/systemd/system/*.d/"$1.conf"
	systemctl daemon-reload
}

main_pid() {
	systemctl show -P MainPID cotter-tangd.service
}

advertised() {
	curl -sSf "$url/adv" | jose fmt -j- -g payload -yo- | jose jwk thp -i- | sort
}

# Recoveries, each by a connection of its own.
recover() { # N
	local key point i
	curl -sSf "$url/adv" | jose fmt -j- -g payload -yo- | jose jwk use -i- -r -u deriveKey -o- >/tmp/exchange
	key=$(jose jwk thp -i /tmp/exchange | head -n 1)
	point=$(jose jwk gen -i '{"alg":"ECMR"}' | jose jwk pub -i-)
	for ((i = 0; i < $1; i++)); do
		printf 'url = "%s/rec/%s"\noutput = /dev/null\n' "$url" "$key"
	done >/tmp/urls
	curl -sSf -H 'Content-Type: application/jwk+json' -H 'Connection: close' -d "$point" -w '%{http_code}\n' \
		--no-progress-meter -K /tmp/urls | sort | uniq -c | tr -s ' '
}

key_folder() {
	stat -L -c '%a %F' /var/lib/cotter-tangd /var/lib/private
	stat -c '%a %F' $state/*.jwk | sort | uniq -c | tr -s ' '
	[ "$(stat -c %u $state/*.jwk $state | sort -u | wc -l)" = 1 ] && echo 'all of one user'
}

units() {
	systemctl list-units --all --plain --no-legend 'tangd*' 'cotter-tangd*' | cut -d' ' -f1 | sort
}

# Names the interfaces there, and the sandbox that the kernel knows of.
sandbox() {
	local pid
	pid=$(main_pid)
	nsenter -t "$pid" -n cat /proc/self/net/dev | sed -nE 's/^ *([^ ]+):.*/interface \1/p'
	grep -E '^(Seccomp|NoNewPrivs|CapEff|CapBnd):' "/proc/$pid/status" | tr '\t' ' '
	[ "$(stat -c %u "/proc/$pid")" != 0 ] && echo 'not root'
}

# Recoveries and advertisements, while the service is restarted.
while_restarted() {
	local i
	(for ((i = 0; i < 30; i++)); do curl -sS -o /dev/null -w '%{http_code}\n' "$url/adv"; done) >/tmp/answers 2>&1 &
	for i in 1 2; do
		systemctl restart cotter-tangd.service
	done
	wait
	sort /tmp/answers | uniq -c | tr -s ' '
}

after_a_kill() {
	kill -KILL "$(main_pid)"
	curl -sS -o /dev/null -w '%{http_code}\n' "$url/adv"
}

journal() {
	journalctl --sync
	journalctl -o json MESSAGE_ID=$id | jq -rs '.[-1] | [.PEER, .KEY, .STATUS, .PRIORITY, ._SYSTEMD_UNIT,
		.SYSLOG_IDENTIFIER] | join(" ")'
}

cd /

# --- a first start ---

say first bash -e /recipes/start
say first-keys key_folder
say first-show cotter-tang-keys show
say first-advertised advertised
say alias systemctl show -P Id tangd.socket
say once recover 200
say once-units units
say once-restarts systemctl show -P NRestarts cotter-tangd.service
recorded() {
	cotter-tang-keys list | grep -ow 200 | uniq
}
until_is 200 recorded # what was recovered last is written within a second
say once-usage cotter-tang-keys list
say sandbox sandbox
say journal journal
say health curl -sS -o /dev/null -w '%{http_code}\n' $url/healthz

# --- through its life ---

say restart while_restarted
say kill after_a_kill
old=$(cotter-tang-keys show)
say rotate bash -e /recipes/rotate
new=$(cotter-tang-keys show)
rotated() {
	advertised | grep -xF -e "$old" -e "$new"
}
until_is "$new" rotated
say rotated advertised
say rotated-show cotter-tang-keys show
say rotated-keys key_folder
say rotated-recover recover 1

edit firewall
# So that this machine is also one that is not listed.
sed -i 's/localhost/127.0.0.1/' /etc/systemd/system/*.d/firewall.conf
systemctl daemon-reload
systemctl restart cotter-tangd.socket
say allowed curl -sS -m 20 -o /dev/null -w '%{http_code}\n' $url/adv
say denied curl -sS -m 2 -o /dev/null -w '%{http_code}\n' --interface 127.0.0.2 $url/adv
unedit firewall
systemctl restart cotter-tangd.socket
say metrics bash -e /recipes/metrics
say metrics-text curl -sSf http://127.0.0.1:9464/metrics
say metrics-adv curl -sS -o /dev/null -w '%{http_code}\n' $url/adv
systemctl disable --now cotter-tangd-metrics.socket cotter-tangd.socket
systemctl stop cotter-tangd.service
rm -rf $state /var/lib/cotter-tangd /etc/systemd/system/cotter-tangd.socket.d
systemctl daemon-reload

# --- in Tang's place ---

systemctl enable --now tangd.socket
tang=$(tang-show-keys 80)
say bind cotter-enroll --quiet --unlock-key-file=/passphrase --tang=$url --tang-thumbprint="$tang" /image
say theirs cotter-enroll --test /image
say takeover bash -e /recipes/takeover
say ours cotter-enroll --test /image
say ours-units units
say ours-running systemctl is-active cotter-tangd.service
say ours-keys key_folder
say ours-socket systemctl show -P Id tangd.socket
rotate_both() {
	cotter-tang-keys rotate && cotter-enroll --renew /image
}
say renew rotate_both
say back bash -e /recipes/back
say back-serves systemctl show -P Id tangd.socket
# Tang's own folder has been left alone, so it has the key bound to first only.
say back-recover curl -sS -o /dev/null -w '%{http_code}\n' "$url/adv/$tang"
say failed systemctl --failed --plain --no-legend
say warnings journalctl -q -o cat -p warning -u cotter-tangd.service -u cotter-tangd.socket
