/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /sbin/init of the root that a booted image is to reach: says so on the console, and ends the machine. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

int main(void)
{
	char uptime[64] = "", pcr[65] = "";
	int fd, console;

	console = open("/dev/console", O_RDWR | O_NOCTTY);
	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)mount("sysfs", "/sys", "sysfs", 0, NULL);
	fd = open("/proc/uptime", O_RDONLY);
	if (fd >= 0 && read(fd, uptime, sizeof(uptime) - 1) > 0)
		uptime[strcspn(uptime, " ")] = '\0';

	fd = open("/sys/class/tpm/tpm0/pcr-sha256/15", O_RDONLY);
	if (fd >= 0 && read(fd, pcr, sizeof(pcr) - 1) > 0)
		dprintf(console, "\nPCR 15: %s\n", pcr);
	dprintf(console, "\nROOT REACHED after %s s\n", uptime);
	(void)tcdrain(console);
	(void)reboot(RB_POWER_OFF);
	for (;;)
		(void)pause();
}
