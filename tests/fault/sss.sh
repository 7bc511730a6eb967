#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Policies of which most servers fail, each in its own way, in a network of their own; what leaves the
# machine; and many volumes and tokens at once.
. "$(dirname "$0")/../lib.sh"

# The rest runs where there is nothing but a loopback interface, and where names are asked of a server
# that does not answer.
if [ "${COTTER_NETWORK:-}" != own ]; then
	[ "$(id -u)" = 0 ] || skip_all "only root can make a network of its own"
	ended=true
	status=0
	COTTER_NETWORK=own unshare -mn "$0" || status=$?
	exit $status
fi
. "$(dirname "$0")/../tpm.sh"
. "$(dirname "$0")/../sss.sh"

host=$build/tests/host
eagain=-11

/usr/bin/python3 -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 1)) # SIOCSIFFLAGS, IFF_UP'
echo 'nameserver 127.0.0.1' >"$tmp/resolv.conf"
mount --bind "$tmp/resolv.conf" /etc/resolv.conf
start_server names /usr/bin/python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print("ready", flush=True)
time.sleep(600)'
wait_until 60 grep -q ready "$tmp/names.out"

start_tangd
curl -sSf "$tang_url/adv" >"$tmp/adv"
good=$tang_url
start_hostile silent --mode=silent
silent=$hostile_url
start_hostile mute --mode=mute
mute=$hostile_url
start_hostile garbage --mode=garbage
garbage=$hostile_url
start_hostile lying --rec="$tmp/lie"
jose jwk gen -i '{"alg": "ECMR"}' | jose jwk pub -i- -o "$tmp/lie"
lying=$hostile_url

declare -A urls=(
	[refused]=http://127.0.0.1:1 [silent]=$silent [mute]=$mute [noroute]=http://192.0.2.1
	[unresolvable]=http://tang.example [garbage]=$garbage [lying]=$lying)
declare -A causes=(
	[refused]="connection refused (tried for " [silent]="stayed silent for 5 s"
	[mute]="stayed silent for 5 s" [noroute]="network unreachable (tried for "
	[unresolvable]="its name cannot be resolved (tried for " [garbage]="does not speak HTTP"
	[lying]="the key recovered does not open this token")
kinds=(refused silent mute noroute unresolvable garbage lying)

leaf() { # KIND
	tang_leaf "${urls[$1]:-$good}" "$tmp/adv"
}

opens_within() { # MS IMAGE [TOKEN]
	local limit=$1
	[ "$sanitized" = 0 ] || limit=$((limit * 3))
	run with_plugins "$host" "$2" "${3:-0}"
	assert_result 1 $((${3:-0} + 1)) && assert_ms 1 0 "$limit"
}

# --- one good server among others ---

for kind in "${kinds[@]}"; do
	for place in 0 1 2 3; do
		leaves=()
		for ((i = 0; i < 4; i++)); do
			leaves+=("$([ $i = $place ] && leaf good || leaf "$kind")")
		done
		make_image "$kind-$place"
		bind_policy 0 "$(tang_policy 1 "${leaves[@]}")"
		ok "three servers $kind, the good one at place $((place + 1)): opens at once" \
			opens_within 1500 "$image"
	done
done

# Seven kinds of failures at once, with a deadline before the last of them would be certain.
all=()
for kind in "${kinds[@]}"; do
	all+=("$(leaf "$kind")")
done
make_image all --luks2-metadata-size 64k
bind_policy 0 "$(tang_policy 1 "${all[@]}" "$(leaf good)")"
ok "one good server among all kinds: opens at once" opens_within 1500 "$image"

make_image two --luks2-metadata-size 64k
bind_policy 0 "$(tang_policy 2 "${all[@]}" "$(leaf good)")"
edit_token 0 '.cotter = {deadline: 7}'
run with_plugins "$host" "$image" 0
ok "two are needed: fails as something missing" assert_result 1 $eagain
ok "at the deadline, which the unresolvable and the unreachable are given" assert_ms 1 6500 8500
for kind in "${kinds[@]}"; do
	ok "the report says of $kind: ${causes[$kind]}" \
		grep -q "tang ${urls[$kind]}: .*${causes[$kind]}" <(errors_of_run)
done
ok "and of the good one that it was recovered" grep -qF "tang $good: recovered" <(errors_of_run)
ok "and how many were" grep -qxF "Token 0 (cotter-sss): sss: 1 of 2 needed parts was recovered" \
	<(errors_of_run)
ok "a line for each leaf and one for the whole" assert_equal "$(errors_of_run | wc -l)" 9

# --- every set of servers down, in a tree ---

declare -A up=()
for i in 0 1 2 3; do
	start_tangd s$i 750$i # no port that a client of this network could get
	urls[s$i]=$tang_url
	curl -sSf "$tang_url/adv" >"$tmp/s$i.adv"
	up[s$i]=1
done

server_leaf() { # NAME
	tang_leaf "${urls[$1]}" "$tmp/$1.adv"
}

set_server() { # NUMBER UP
	local name=s$1
	[ "${up[$name]}" != "$2" ] || return 0
	if [ "$2" = 1 ]; then
		start_tangd "$name" "750$1"
	else
		stop_tangd "$name"
	fi
	up[$name]=$2
}

# Each is there or was not needed, or is not there and was found so or was not needed.
all_reported() {
	local i state
	for i in 0 1 2 3; do
		state=recovered
		[ "${up[s$i]}" = 1 ] || state='connection refused (tried for 1 s)'
		errors_of_run | grep -qxE ".* tang ${urls[s$i]}: (${state//[()]/.}|not needed)" ||
			{ echo "${urls[s$i]}: not $state"; show_run; return 1; }
	done
	assert_equal "$(errors_of_run | wc -l)" 5
}

tree=$(jq -nc --argjson a "$(server_leaf s0)" --argjson b "$(server_leaf s1)" \
	--argjson c "$(server_leaf s2)" --argjson d "$(server_leaf s3)" \
	'{t: 2, pins: {tang: $a, sss: [{t: 1, pins: {tang: $b, sss: {t: 2, pins: {tang: [$c, $d]}}}}]}}')
make_image tree --luks2-metadata-size 64k
bind_policy 0 "$tree"
edit_token 0 '.cotter = {deadline: 1}'
for ((set = 0; set < 16; set++)); do
	there=() names=
	for i in 0 1 2 3; do
		set_server $i $((set >> i & 1))
		[ "${up[s$i]}" = 1 ] || continue
		there+=("tang=$(server_leaf s$i)")
		names+=" s$i"
	done
	want=1
	"$src/tests/policies.py" --holds "$tree" "${there[@]}" || want=$eagain
	run with_plugins "$host" "$image" 0
	ok "a tree, of whose servers there are${names:- none}: ends with $want" assert_result 1 $want
	[ $want = 1 ] || ok "its report is right about each" all_reported
done

# --- what leaves the machine ---

# By the table of this network alone, whichever /sys is mounted.
packets() {
	awk -F'[: ]+' 'NR > 2 { n += $12 } END { print n }' /proc/self/net/dev
}

sends() { # IMAGE: how many packets the opening takes
	local before
	before=$(packets)
	run with_plugins "$host" "$1" 0
	echo $(($(packets) - before)) >"$tmp/sent"
}

start_tpm tpm
make_image tpm
bind_policy 0 "$(jq -nc --argjson tang "$(leaf good)" --argjson name "$(leaf unresolvable)" \
	'{t: 1, pins: {tang: [$tang, $name], tpm2: {pcr_bank: "sha256", pcr_ids: "16"}}}')"
sends "$image"
ok "the TPM alone satisfies a threshold of one" assert_result 1 1
ok "and not one packet leaves" assert_equal "$(cat "$tmp/sent")" 0
extend_pcr 16:sha256
sends "$image"
ok "where it does not, the servers open it" assert_result 1 1
ok "and packets do leave" test "$(cat "$tmp/sent")" -gt 0

# --- many at once ---

make_image ten
ten=$image
bind_policy 0 "$(tang_policy 2 "$(leaf good)" "$(leaf good)" "$(leaf silent)")"
for ((i = 0; i < 10; i++)); do
	cp "$ten" "$tmp/ten-$i"
	run_later "ten-$i" with_plugins timeout 60 cryptsetup open --test-passphrase --token-only \
		"$tmp/ten-$i"
done
for ((i = 0; i < 10; i++)); do
	finish "ten-$i"
	ok "ten volumes at once: number $((i + 1)) opens" assert_rc 0
	ok "without a word" assert_equal "$(cat "$tmp/out" "$tmp/err")" ""
done

make_image tokens --luks2-metadata-size 128k
for ((i = 0; i < 10; i++)); do
	kind=good
	[ $i != 3 ] && [ $i != 7 ] || kind=garbage
	bind_policy $i "$(tang_policy 1 "$(leaf $kind)")"
done
run with_plugins "$host" "$image" {0..9}
for ((i = 0; i < 10; i++)); do
	want=$((i + 1))
	[ $i != 3 ] && [ $i != 7 ] || want=-2
	ok "one volume with ten tokens: number $i ends with $want" assert_result $((i + 1)) $want
done
run with_plugins "$host" "$image" any
ok "and any of them will do" assert_output_has "result 1 "
done_testing
