/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machine begins a boot with the time of its hardware clock, and certificates are checked by that. */
#include "enroll/doctor.h"

#include "units/text-file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Where the hardware clock has local time the kernel is off by less than this, and no certificate should mind. */
enum { OFF_MAX = 26 * 60 * 60 };

static const struct finding_kind wrong = {"clock", FINDING_ERROR,
					  "set the hardware clock: hwclock --systohc"};
static const struct finding_kind none = {
	"clock", FINDING_WARNING, "pin the server's key by --tang-pubkey=, which has no date"};

void doctor_clock(const struct machine *machine, struct findings *findings)
{
	CLEANUP(buf_done) struct buf text = {0};
	char path[512];
	long long seconds, off;

	(void)snprintf(path, sizeof(path), "%s/sys/class/rtc/rtc0/since_epoch", machine->root);
	if (text_file_read(path, 64, &text) < 0) {
		finding_add(findings, &none,
			    "a server's certificate is checked, and the machine has no hardware "
			    "clock that would know the date at boot");
		return;
	}

	seconds = strtoll((const char *)text.p, NULL, 10);
	off = seconds - (long long)time(NULL);
	if (off > OFF_MAX || off < -OFF_MAX)
		finding_add(findings, &wrong,
			    "a server's certificate is checked, and the machine's hardware clock "
			    "is %lld days %s",
			    (off < 0 ? -off : off) / (24 * 60 * 60), off < 0 ? "slow" : "fast");
}
