/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats log lines and hands them to their sink. */
#include "crypto/log.h"

#include <stdarg.h>
#include <stdio.h>

static void PRINTF_LIKE(3, 0)
	emit(const struct log *log, enum log_level level, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];

	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		return;
	for (char *c = line; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	log->sink(log->to, level, line);
}

int log_err(const struct log *log, int err, const char *fmt, ...)
{
	va_list ap;

	if (!log)
		return err;

	va_start(ap, fmt);
	emit(log, LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	return err;
}

int log_dbg(const struct log *log, int err, const char *fmt, ...)
{
	va_list ap;

	if (!log || !log->debug)
		return err;

	va_start(ap, fmt);
	emit(log, LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
	return err;
}
