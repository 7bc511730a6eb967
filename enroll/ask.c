/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks at the terminal. */
#include "enroll/ask.h"

#include "enroll/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 512 }; /* as cryptsetup takes from a terminal */

static void close_tty(const int *tty)
{
	if (*tty >= 0)
		(void)close(*tty);
}

static int open_tty(void)
{
	return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

bool ask_possible(void)
{
	CLEANUP(close_tty) int tty = open_tty();

	return tty >= 0;
}

static int put(int tty, const char *text)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t done = write(tty, text, n);

		if (done < 0 && errno != EINTR)
			return -EIO;
		if (done > 0) {
			text += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

/* Up to a newline. Errors: -EINTR (a signal), -ECANCELED (end of input), -E2BIG, -EIO. */
static int read_line(int tty, const struct signals *held, struct buf *line)
{
	for (;;) {
		ssize_t n;
		uint8_t c;
		int r;

		r = signals_poll(held, tty);
		if (r < 0)
			return r;

		n = read(tty, &c, 1);
		if (n < 0)
			return -EIO;
		if (n == 0)
			return -ECANCELED;
		if (c == '\n')
			return 0;
		r = buf_append(line, &c, 1);
		explicit_bzero(&c, 1);
		if (r < 0)
			return r;
	}
}

static int ask_once(int tty, const char *prompt, bool echo, struct buf *line)
{
	struct termios before, during;
	struct signals held;
	int r;

	if (tcgetattr(tty, &before) < 0)
		return -ENOTTY;

	signals_hold(&held, true);
	during = before;
	if (!echo)
		during.c_lflag = (during.c_lflag & ~(tcflag_t)ECHO) | ECHONL;
	/* What was typed ahead was not meant as an answer. */
	r = tcsetattr(tty, TCSAFLUSH, &during) < 0 ? -EIO : 0;
	if (r == 0)
		r = put(tty, prompt);
	if (r == 0)
		r = read_line(tty, &held, line);
	/* What is left of an answer that was not taken must not reach whoever reads there next. */
	(void)tcsetattr(tty, r < 0 ? TCSAFLUSH : TCSANOW, &before);
	if (r < 0 && r != -EIO)
		(void)put(tty, "\n");
	signals_release(&held);
	return r;
}

static int ask(const char *prompt, bool echo, struct buf *ret)
{
	CLEANUP(buf_done) struct buf line = {0};
	CLEANUP(close_tty) int tty = open_tty();
	int r;

	if (tty < 0)
		return -ENOTTY;
	r = buf_init(&line, LINE_MAX_BYTES);
	if (r < 0)
		return r;

	/* A signal that did not end the process stopped it for a while: ask anew. */
	do {
		line.n = 0;
		r = ask_once(tty, prompt, echo, &line);
	} while (r == -EINTR);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(line);
	return 0;
}

int ask_secret(const char *prompt, struct buf *ret)
{
	return ask(prompt, false, ret);
}

int ask_yes(const char *question)
{
	CLEANUP(buf_done) struct buf answer = {0};
	int r;

	r = ask(question, true, &answer);
	if (r < 0)
		return r == -E2BIG ? -ECANCELED : r;
	if (ref_equal(buf_ref(&answer), ref_str("y")) ||
	    ref_equal(buf_ref(&answer), ref_str("Y")) ||
	    ref_equal(buf_ref(&answer), ref_str("yes")))
		return 0;
	return -ECANCELED;
}
