/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * measure FILE PROGRAM [ARGUMENT]...: runs a program and appends a line to FILE: its wall time and CPU
 * time (its children's included) in microseconds and its peak memory in KiB. Small itself: the peak that the kernel keeps for a process begins with
 * that of the one that started it.
 */
#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t timeval_us(struct timeval value)
{
	return (int64_t)value.tv_sec * 1000000 + value.tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int64_t began_us, took_us;
	FILE *out;
	int r, status;
	pid_t pid;

	if (argc < 3)
		return 2;

	began_us = now_us();
	r = posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ);
	if (r) {
		errno = r;
		perror(argv[2]);
		return 127;
	}
	if (wait4(pid, &status, 0, &usage) != pid)
		return 126;
	took_us = now_us() - began_us;

	out = fopen(argv[1], "a");
	if (!out)
		return 126;
	fprintf(out, "%jd %jd %ld\n", (intmax_t)took_us,
		(intmax_t)(timeval_us(usage.ru_utime) + timeval_us(usage.ru_stime)),
		usage.ru_maxrss);
	if (fclose(out))
		return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
