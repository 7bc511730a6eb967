/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and answers questions for passphrases. */
#include "units/question.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What systemd-cryptsetup puts before the device; that of PINs has no id at all. */
#define ID_PREFIX "cryptsetup:"

bool question_name(const char *name)
{
	return strncmp(name, "ask.", 4) == 0;
}

/* The value of the first line NAME=VALUE in the section [Ask]; p NULL where there is none. */
static struct ref find(struct ref text, const char *name)
{
	size_t name_len = strlen(name);
	bool inside = false;

	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		struct ref line = {text.p, end ? (size_t)(end - text.p) : text.n};

		text.p += line.n + (end ? 1 : 0);
		text.n -= line.n + (end ? 1 : 0);
		if (line.n > 0 && line.p[0] == '[')
			inside = ref_is(line, "[Ask]");
		else if (inside && line.n > name_len && memcmp(line.p, name, name_len) == 0 &&
			 line.p[name_len] == '=')
			return (struct ref){line.p + name_len + 1, line.n - name_len - 1};
	}
	return (struct ref){0};
}

static int read_number(struct ref text, uint64_t *ret)
{
	uint64_t n = 0;

	if (text.n == 0 || text.n > 19)
		return -EBADMSG;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -EBADMSG;
		n = n * 10 + (text.p[i] - '0');
	}
	*ret = n;
	return 0;
}

/* -1 where it is no digit of this base. */
static int digit(int c, int base)
{
	int value = c >= '0' && c <= '9'   ? c - '0'
		    : c >= 'a' && c <= 'f' ? c - 'a' + 10
		    : c >= 'A' && c <= 'F' ? c - 'A' + 10
					   : base;

	return value < base ? value : -1;
}

/* The character that an escape as in C stands for, after its backslash; -1 where it is none. */
static int unescape(struct ref *text)
{
	static const char letters[] = "a\ab\bf\fn\nr\rt\tv\v\\\\\"\"''s ";
	bool hex = text->n > 0 && text->p[0] == 'x';
	int value = 0, base = hex ? 16 : 8;
	size_t digits = hex ? 2 : 3;

	if (text->n == 0)
		return -1;
	for (const char *l = letters; *l; l += 2)
		if (text->p[0] == (uint8_t)l[0]) {
			*text = (struct ref){text->p + 1, text->n - 1};
			return (uint8_t)l[1];
		}

	if (hex)
		*text = (struct ref){text->p + 1, text->n - 1};
	if (text->n < digits)
		return -1;
	for (size_t i = 0; i < digits; i++) {
		int d = digit(text->p[i], base);

		if (d < 0)
			return -1;
		value = value * base + d;
	}
	*text = (struct ref){text->p + digits, text->n - digits};
	return value > 0 && value <= UINT8_MAX ? value : -1;
}

static int read_device(struct ref id, char ret[QUESTION_DEVICE_MAX])
{
	size_t prefix = strlen(ID_PREFIX), n = 0;

	if (id.n <= prefix || memcmp(id.p, ID_PREFIX, prefix) != 0)
		return -ENOENT;
	id = (struct ref){id.p + prefix, id.n - prefix};

	while (id.n > 0) {
		int c = id.p[0];

		id = (struct ref){id.p + 1, id.n - 1};
		if (c == '\\')
			c = unescape(&id);
		if (c <= 0 || n == QUESTION_DEVICE_MAX - 1)
			return -EBADMSG;
		ret[n++] = (char)c;
	}
	ret[n] = '\0';
	return 0;
}

/* Only sockets that lie beside the questions: their folder is root's. systemd 257 puts two slashes after it. */
static int read_socket(struct ref path, struct sockaddr_un *ret)
{
	static const char folder[] = QUESTION_FOLDER "/";
	size_t name = strlen(folder);
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (!ref_begins(path, folder))
		return -EBADMSG;
	while (name < path.n && path.p[name] == '/')
		name++;
	if (name == path.n || path.n >= sizeof(to.sun_path) ||
	    memchr(path.p + name, '/', path.n - name) || memchr(path.p, '\0', path.n))
		return -EBADMSG;
	memcpy(to.sun_path, path.p, path.n);
	*ret = to;
	return 0;
}

int question_parse(struct ref text, struct question *ret)
{
	struct question q = {0};
	struct ref not_after = find(text, "NotAfter"), pid = find(text, "PID");
	uint64_t number = 0;
	int r;

	r = read_device(find(text, "Id"), q.device);
	if (r == 0)
		r = read_socket(find(text, "Socket"), &q.to);
	if (r == 0 && not_after.p)
		r = read_number(not_after, &q.not_after_us);
	if (r == 0 && pid.p)
		r = read_number(pid, &number);
	if (r == 0 && number > INT32_MAX)
		r = -EBADMSG;
	if (r < 0)
		return r;

	q.pid = (pid_t)number;
	*ret = q;
	return 0;
}

static int read_own(int fd, struct question *ret)
{
	uint8_t text[QUESTION_TEXT_MAX];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return -EPERM;
	n = read(fd, text, sizeof(text));
	if (n < 0 || (size_t)n == sizeof(text))
		return -EBADMSG;
	return question_parse((struct ref){text, (size_t)n}, ret);
}

int question_read(int folder, const char *name, struct question *ret)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), r;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -EPERM;
	r = read_own(fd, ret);
	(void)close(fd);
	return r;
}

bool question_open(const struct question *question)
{
	if (question->not_after_us != 0 && question->not_after_us <= now_us())
		return false;
	return question->pid == 0 || kill(question->pid, 0) == 0 || errno != ESRCH;
}

int question_answer(const struct question *question, struct ref passphrase)
{
	struct iovec parts[] = {
		{.iov_base = (char[]){'+'}, .iov_len = 1},
		{.iov_base = (void *)(uintptr_t)passphrase.p, .iov_len = passphrase.n},
	};
	struct sockaddr_un to = question->to;
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = parts,
		.msg_iovlen = ARRAY_SIZE(parts),
	};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ssize_t n;

	if (fd < 0)
		return -EIO;
	n = sendmsg(fd, &message, MSG_NOSIGNAL);
	(void)close(fd);
	return n < 0 ? -EIO : 0;
}
