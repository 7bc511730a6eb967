/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Draws the bar. */
#include "enroll/progress.h"

#include "enroll/output.h"

#include <stdio.h>

enum { BAR = 30, STEP = 10, MIB = 1024 * 1024, MINUTE = 60 };

static unsigned percent_of(uint64_t size, uint64_t done)
{
	return size == 0 || done >= size ? 100 : (unsigned)((double)done / (double)size * 100);
}

void progress_line(uint64_t size, uint64_t done, uint64_t at_first, uint64_t took_us,
		   char ret[PROGRESS_LINE_MAX])
{
	unsigned percent = percent_of(size, done), filled = percent * BAR / 100;
	char left[64] = "";

	if (done > at_first && done < size && took_us > USEC_PER_SEC) {
		double seconds = (double)(size - done) / (double)(done - at_first) *
				 (double)took_us / USEC_PER_SEC;
		uint64_t whole = (uint64_t)seconds + 1;

		(void)snprintf(left, sizeof(left), ", %llu:%02llu left",
			       (unsigned long long)(whole / MINUTE),
			       (unsigned long long)(whole % MINUTE));
	}
	(void)snprintf(ret, PROGRESS_LINE_MAX, "[%.*s%.*s] %3u %%  %llu of %llu MiB%s", (int)filled,
		       "##############################", (int)(BAR - filled),
		       "                              ", percent, (unsigned long long)(done / MIB),
		       (unsigned long long)(size / MIB), left);
}

void progress_show(struct progress *progress, uint64_t size, uint64_t done)
{
	unsigned percent = percent_of(size, done);
	char line[PROGRESS_LINE_MAX];

	if (!progress->begun) {
		progress->begun = true;
		progress->began_us = now_us();
		progress->at_first = done;
		progress->terminal = isatty(STDERR_FILENO) == 1;
		progress->percent = percent - percent % STEP;
	} else if (!progress->terminal && percent < progress->percent + STEP) {
		return;
	}
	if (progress->quiet)
		return;

	if (!progress->terminal) {
		progress->percent = percent - percent % STEP;
		output_warn("re-encrypted %u %%", percent);
		return;
	}
	progress_line(size, done, progress->at_first, now_us() - progress->began_us, line);
	(void)fprintf(stderr, "\r%-79s", line);
	(void)fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->begun && progress->terminal && !progress->quiet)
		(void)fputs("\n", stderr);
	*progress = (struct progress){.quiet = progress->quiet};
}
