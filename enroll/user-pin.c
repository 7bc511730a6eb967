/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks for PINs and hands them on. */
#include "enroll/user-pin.h"

#include "enroll/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { USER_PIN_MAX = 512 }; /* bytes: what a terminal's line takes */

_Static_assert(USER_PIN_MAX <= PIPE_BUF, "an empty pipe takes any PIN at once");

int user_pin_choose(const struct log *log, struct buf *ret)
{
	CLEANUP(buf_done) struct buf first = {0};
	CLEANUP(buf_done) struct buf second = {0};
	int r;

	if (!ask_possible())
		return log_err(log, -ENOTTY, "there is no terminal to choose the new PIN at");

	r = ask_secret("New PIN: ", &first);
	if (r == 0 && first.n == 0)
		return log_err(log, -EINVAL, "an empty PIN protects nothing; nothing was changed");
	if (r == 0)
		r = ask_secret("The same again: ", &second);
	if (r < 0)
		return log_err(log, r, "no PIN was chosen; nothing was changed");
	if (!ref_equal(buf_ref(&first), buf_ref(&second)))
		return log_err(log, -EINVAL, "the two PINs differ; nothing was changed");

	*ret = TAKE_STRUCT(first);
	return 0;
}

int user_pin_of_card(const struct log *log, struct buf *ret)
{
	CLEANUP(buf_done) struct buf user_pin = {0};
	int r;

	if (!ask_possible())
		return log_err(log, -ENOTTY, "there is no terminal to type the card's PIN at");
	r = ask_secret("PIN of the card: ", &user_pin);
	if (r < 0 || user_pin.n == 0)
		return log_err(log, r < 0 ? r : -EINVAL, "no PIN was typed; nothing was changed");
	*ret = TAKE_STRUCT(user_pin);
	return 0;
}

int user_pin_ask(unsigned token, struct buf *ret)
{
	char prompt[64];

	(void)snprintf(prompt, sizeof(prompt), "PIN of token %u: ", token);
	return ask_secret(prompt, ret);
}

int user_pin_receive(int fd, struct buf *ret)
{
	CLEANUP(buf_done) struct buf user_pin = {0};
	int r;

	r = buf_init(&user_pin, USER_PIN_MAX + 1);
	if (r < 0)
		return r;
	if (buf_read(&user_pin, fd) < 0)
		return -EIO;
	if (user_pin.n > USER_PIN_MAX)
		return -E2BIG;

	*ret = TAKE_STRUCT(user_pin);
	return 0;
}

int user_pin_pipe(struct ref user_pin, int *ret)
{
	int pipes[2];
	ssize_t n;

	if (user_pin.n > USER_PIN_MAX)
		return -E2BIG;
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -EIO;

	n = write(pipes[1], user_pin.p, user_pin.n);
	(void)close(pipes[1]);
	if (n < 0 || (size_t)n != user_pin.n) {
		(void)close(pipes[0]);
		return -EIO;
	}

	*ret = pipes[0];
	return 0;
}
