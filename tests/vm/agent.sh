#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Boots where the agent has its part: a Tang server that comes late, an agent that dies, and no network at all.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

delay=30 # of the server, after the prompt: the plugin has given up, and the agent's pauses have grown
opened='token 0 gave the passphrase'

make_kernel_and_root
start_network
start_net_tang
make_volume late
bind_net_tang
make_dracut_initrd tang "root UUID=$root_uuid none token-type=cotter-tang,_netdev,x-initrd.attach"
net_tang_addresses del
before=$(recoveries)

# --- the server comes up while the prompt waits ---

come_late() {
	wait_until $vm_seconds grep -aqF "$prompt" "$tmp/console"
	sleep $delay
	net_tang_addresses add
}

come_late &
late=$!
boot "$prompt" '' "$reached" ''
kill $late 2>/dev/null || true
ok "where Tang comes after the prompt, the root is reached with nothing typed" assert_booted
ok "not before" not assert_within $delay "$prompt" "$reached"
ok "but soon after" assert_within $((delay + 30)) "$prompt" "$reached"
ok "it was the agent" report_has "$opened"
ok "with one request" assert_equal "$(recoveries)" $((before + 1))
ok "no unit failed" assert_no_unit_failed
say_time "Tang $delay s after the prompt"

# --- no network ---

network=("${in_net[@]}")
in_net=()
boot 'Wait for Network to be Configured' '' "$prompt" "$(cat "$passphrase")" "$reached" ''
ok "without a network device, the passphrase opens" assert_booted
ok "it was asked for before long" assert_within 40 'Wait for Network to be Configured' "$prompt"
ok "no unit failed" assert_no_unit_failed
say_time "no network device"
in_net=("${network[@]}")

# --- an agent that dies ---

stop_net_tang
program=$(sed -n 's/^ExecStart=//p' "$build/units/cotter-agent.service")
mkdir -p "$tmp/over/${program%/*}"
printf '#!/bin/sh\nkill -KILL $$\n' >"$tmp/over/$program"
chmod 755 "$tmp/over/$program"
overlay_initrd "$tmp/over"
boot "$prompt" "$(cat "$passphrase")" "$reached" ''
ok "with an agent that dies, the passphrase opens" assert_booted
ok "it did die" report_has 'cotter-agent.service: Main process exited, code=killed, status=9/KILL'
ok "and nothing else failed" assert_failed_only 'cotter-agent\.(service|path)'
say_time "dead agent"
done_testing
