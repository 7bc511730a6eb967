#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where neither the kernel command line nor a file says how, the network comes up by DHCP and router
# advertisements. For dracut's network modules that then do nothing; sourced by dracut-cmdline.

cotter_network_is_configured() {
	getarg ip= > /dev/null && return 0
	for file in /etc/systemd/network/*.network; do
		[ ! -e "$file" ] || return 0
	done
	return 1
}

if ! cotter_network_is_configured; then
	mkdir -p /run/systemd/network
	printf '[Match]\nType=ether\nKind=!*\n\n[Network]\nDHCP=yes\n' > /run/systemd/network/zz-cotter.network
	echo ip=dhcp > /etc/cmdline.d/51-cotter.conf
fi
