/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts questions for PINs, and takes their answers. */
#include "units/pin-question.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_PREFIX "cotter-"

enum { ANSWER_MAX = 512, TEXT_MAX = 512 };

bool pin_question_name(const char *name)
{
	const char *own = "ask." NAME_PREFIX;

	return strncmp(name, own, strlen(own)) == 0;
}

void pin_question_sweep(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (pin_question_name(entry->d_name) ||
		    strncmp(entry->d_name, "sck." NAME_PREFIX, strlen("sck." NAME_PREFIX)) == 0)
			(void)unlinkat(folder, entry->d_name, 0);
	if (dir)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
}

void pin_question_done(struct pin_question *question)
{
	if (!question->open)
		return;
	(void)unlink(question->file);
	(void)unlink(question->from.sun_path);
	(void)close(question->fd);
	*question = (struct pin_question){0};
}

static int open_socket(struct pin_question *question)
{
	const int yes = 1;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -EIO;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0 ||
	    bind(fd, (const struct sockaddr *)&question->from, sizeof(question->from)) < 0) {
		(void)close(fd);
		return -EIO;
	}
	question->fd = fd;
	question->open = true;
	return 0;
}

static int write_text(int fd, const struct pin_question *question, const char *text)
{
	char shown[TEXT_MAX];
	size_t n = 0;
	int r;

	for (; n < sizeof(shown) - 1 && text[n]; n++)
		shown[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7f || text[n] == '\\'
				   ? '?'
				   : text[n];
	shown[n] = '\0';
	r = dprintf(fd,
		    "[Ask]\nPID=%d\nSocket=%s\nAcceptCached=0\nEcho=0\nNotAfter=0\n"
		    "Message=%s\nIcon=drive-harddisk\n",
		    (int)getpid(), question->from.sun_path, shown);
	return r < 0 || fchmod(fd, 0644) < 0 ? -EIO : 0;
}

/* The file appears with all that is in it. */
static int publish(const struct pin_question *question, uint64_t number, const char *text)
{
	char made[sizeof(question->file)];
	int fd, r;

	(void)snprintf(made, sizeof(made), QUESTION_FOLDER "/tmp." NAME_PREFIX "%016" PRIx64,
		       number);
	fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -EIO;
	r = write_text(fd, question, text);
	(void)close(fd);
	if (r == 0 && rename(made, question->file) < 0)
		r = -EIO;
	if (r < 0)
		(void)unlink(made);
	return r;
}

int pin_question_ask(struct pin_question *question, const char *text)
{
	struct pin_question asked = {.from.sun_family = AF_UNIX};
	uint64_t number;
	int r;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return -EIO;
	(void)snprintf(asked.from.sun_path, sizeof(asked.from.sun_path),
		       QUESTION_FOLDER "/sck." NAME_PREFIX "%016" PRIx64, number);
	(void)snprintf(asked.file, sizeof(asked.file),
		       QUESTION_FOLDER "/ask." NAME_PREFIX "%016" PRIx64, number);
	r = open_socket(&asked);
	if (r == 0)
		r = publish(&asked, number, text);
	if (r < 0) {
		pin_question_done(&asked);
		return r;
	}
	*question = asked;
	return 0;
}

/* Whether it was root, or who runs this, that sent a message. */
static bool from_own(struct msghdr *message)
{
	const struct cmsghdr *control = CMSG_FIRSTHDR(message);
	struct ucred sender;

	if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_CREDENTIALS)
		return false;
	memcpy(&sender, CMSG_DATA(control), sizeof(sender));
	return sender.uid == 0 || sender.uid == geteuid();
}

/* What an answer's bytes say: "+" and the text, which may end with NULs, or "-". */
static int read_answer(struct ref answer, struct buf *ret)
{
	const uint8_t *end;

	if (answer.n == 0 || answer.p[0] != '+')
		return -ECANCELED;
	answer = (struct ref){answer.p + 1, answer.n - 1};
	end = memchr(answer.p, '\0', answer.n);
	answer.n = end ? (size_t)(end - answer.p) : answer.n;
	return buf_copy(ret, answer);
}

int pin_question_take(struct pin_question *question, struct buf *ret)
{
	union {
		struct cmsghdr header;
		uint8_t space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	CLEANUP(buf_done) struct buf answer = {0};
	struct iovec part;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;
	int r;

	if (!question->open)
		return -EAGAIN;
	r = buf_init(&answer, ANSWER_MAX);
	if (r < 0)
		return r;
	part = (struct iovec){.iov_base = answer.p, .iov_len = answer.cap};
	n = recvmsg(question->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 || !from_own(&message))
		return -EAGAIN;
	answer.n = (size_t)n;
	r = read_answer(buf_ref(&answer), ret);
	if (r != -ENOMEM)
		pin_question_done(question);
	return r;
}
