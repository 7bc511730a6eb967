#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# How the initramfs ended, between lines of the journal.
{
	systemctl list-units --failed --plain --no-legend --no-pager | while read -r unit rest; do
		echo "this unit failed: $unit $rest"
	done
	echo "end of report"
} > /dev/ttyS1 2>&1
