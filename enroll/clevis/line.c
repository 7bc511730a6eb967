/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads lines byte by byte: what follows is for whoever reads next. */
#include "enroll/clevis/line.h"

#include "enroll/ask.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static int read_line(struct buf *line)
{
	for (;;) {
		ssize_t n;
		uint8_t c;
		int r;

		n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -EIO;
		if (n == 0)
			return line->n > 0 ? 0 : -ENODATA;
		if (c == '\n')
			return 0;
		r = buf_append(line, &c, 1);
		explicit_bzero(&c, 1);
		if (r < 0)
			return r;
	}
}

int line_secret(const char *prompt, struct buf *ret)
{
	CLEANUP(buf_done) struct buf line = {0};
	int r;

	if (isatty(STDIN_FILENO))
		return ask_secret(prompt, ret);

	r = buf_init(&line, LINE_SECRET_MAX);
	if (r == 0)
		r = read_line(&line);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(line);
	return 0;
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t';
}

int line_yes(const char *question)
{
	CLEANUP(buf_done) struct buf line = {0};
	struct ref answer;
	int r;

	r = buf_init(&line, LINE_SECRET_MAX);
	if (r < 0)
		return r;
	if (isatty(STDIN_FILENO))
		(void)fputs(question, stderr);
	r = read_line(&line);
	if (r < 0)
		return r == -E2BIG ? -ECANCELED : r;

	answer = buf_ref(&line);
	while (answer.n > 0 && is_space(*answer.p))
		answer = (struct ref){answer.p + 1, answer.n - 1};
	while (answer.n > 0 && is_space(answer.p[answer.n - 1]))
		answer.n--;
	return ref_is(answer, "y") || ref_is(answer, "Y") ? 0 : -ECANCELED;
}
