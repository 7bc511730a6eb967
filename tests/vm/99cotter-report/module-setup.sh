#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# dracut module of the tests: the journal goes to the second serial line as it is written, and before the
# switch to the real root the list of units that failed.

check() {
	return 255
}

depends() {
	echo dracut-systemd
}

install() {
	inst_multiple systemctl
	inst_hook pre-pivot 99 "$moddir/report.sh"
	mkdir -p "$initdir/etc/systemd/journald.conf.d"
	printf '[Journal]\nForwardToConsole=yes\nTTYPath=/dev/ttyS1\n' \
		> "$initdir/etc/systemd/journald.conf.d/report.conf"
}
