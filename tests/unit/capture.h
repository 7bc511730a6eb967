/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program writes to a standard stream, kept instead of shown. */
#pragma once

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct capture {
	int stream, before, memory;
};

/* Until capture_end() nothing may be asserted, since that would be written there too. */
static inline struct capture capture_begin(int stream)
{
	struct capture capture = {
		.stream = stream,
		.before = dup(stream),
		.memory = memfd_create("captured", MFD_CLOEXEC),
	};

	assert_true(capture.before >= 0 && capture.memory >= 0);
	(void)fflush(NULL);
	(void)dup2(capture.memory, stream);
	return capture;
}

/* What was written since; good until the next call but one. */
static inline const char *capture_end(const struct capture *capture)
{
	static char texts[2][32 * 1024];
	static unsigned next;
	char *text = texts[next++ % 2];
	ssize_t n;

	(void)fflush(NULL);
	(void)dup2(capture->before, capture->stream);
	n = pread(capture->memory, text, sizeof(texts[0]) - 1, 0);
	assert_in_range(n, 0, sizeof(texts[0]) - 2);
	text[n] = '\0';
	(void)close(capture->memory);
	(void)close(capture->before);
	return text;
}
