/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a long work is: a bar at a terminal, else a line now and then. */
#pragma once

#include "crypto/util.h"

#include <stdbool.h>

enum { PROGRESS_LINE_MAX = 256 };

struct progress {
	bool quiet, terminal;
	uint64_t began_us;
	uint64_t at_first; /* bytes that were done when it began */
	bool begun;
	unsigned percent; /* that were shown last */
};

/*
 * The bar's line, without carriage return or newline. `took_us` is what the bytes from `at_first` to `done` took;
 * what is left is told once that is known.
 */
void progress_line(uint64_t size, uint64_t done, uint64_t at_first, uint64_t took_us,
		   char ret[PROGRESS_LINE_MAX]);

/* Shows it on stderr where it has changed. */
void progress_show(struct progress *progress, uint64_t size, uint64_t done);

/* Leaves the bar's line, where there is one. */
void progress_end(struct progress *progress);
