/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Questions for passphrases: what is one, whose, until when, and how it is answered. */
#include "units/question.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ASK       "[Ask]\nPID=1\n"
#define SOCKET    "Socket=/run/systemd/ask-password/sck.1\n"
#define ID        "Id=cryptsetup:/dev/vda\n"
#define LONG_NAME "0123456789012345678901234567890123456789012345678901234567890123456789"

static int parse(const char *text, struct question *ret)
{
	return question_parse(ref_str(text), ret);
}

static void test_names(void **state)
{
	(void)state;
	assert_true(question_name("ask.x1Y2z3"));
	assert_false(question_name("sck.x1Y2z3"));
	assert_false(question_name("tmp.ask.x1"));
	assert_false(question_name(""));
}

static void test_parse(void **state)
{
	struct question q;

	(void)state;
	assert_int_equal(
		parse("# a remark\n[Ask]\nPID=77\nSocket=/run/systemd/ask-password/sck.ab\n"
		      "AcceptCached=0\nEcho=0\nNotAfter=123456789\nMessage=Please = enter\n"
		      "Id=cryptsetup:/dev/disk/by-uuid/1-2",
		      &q),
		0);
	assert_string_equal(q.device, "/dev/disk/by-uuid/1-2");
	assert_string_equal(q.to.sun_path, "/run/systemd/ask-password/sck.ab");
	assert_int_equal(q.to.sun_family, AF_UNIX);
	assert_int_equal(q.not_after_us, 123456789);
	assert_int_equal(q.pid, 77);

	assert_int_equal(parse("[Ask]\nSocket=/run/systemd/ask-password//sck.1\n" ID, &q), 0);
	assert_string_equal(q.to.sun_path, "/run/systemd/ask-password//sck.1");

	assert_int_equal(parse("[Ask]\n" SOCKET ID, &q), 0);
	assert_int_equal(q.pid, 0);
	assert_int_equal(q.not_after_us, 0);
}

static void test_escapes(void **state)
{
	static const struct {
		const char *id, *device; /* NULL: refused */
	} cases[] = {
		{"/dev/a\\x20b", "/dev/a b"},
		{"/dev/a\\040b", "/dev/a b"},
		{"/dev/\\\"q\\\"", "/dev/\"q\""},
		{"/dev/\\\\n", "/dev/\\n"},
		{"/dev/\\303\\266", "/dev/\303\266"},
		{"/dev/\303\266", "/dev/\303\266"},
		{"/dev/\\", NULL},
		{"/dev/\\x2", NULL},
		{"/dev/\\x00", NULL},
		{"/dev/\\777", NULL},
		{"/dev/\\q", NULL},
		{"/dev/\\08", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct question q;
		char text[256];
		int r;

		(void)snprintf(text, sizeof(text), ASK SOCKET "Id=cryptsetup:%s\n", cases[i].id);
		r = parse(text, &q);
		if (r != (cases[i].device ? 0 : -EBADMSG))
			fail_msg("%s gives %d", cases[i].id, r);
		if (r == 0)
			assert_string_equal(q.device, cases[i].device);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{"", -ENOENT},
		{ASK SOCKET, -ENOENT},
		{ASK SOCKET "Id=cryptsetup:\n", -ENOENT},
		{ASK SOCKET "Id=cryptsetup-verification:/dev/vda\n", -ENOENT},
		{ASK SOCKET "Id=other:/dev/vda\n", -ENOENT},
		{ASK SOCKET "XId=cryptsetup:/dev/vda\n", -ENOENT},
		{"[Other]\n" SOCKET ID, -ENOENT},
		{ASK SOCKET "[Other]\n" ID, -ENOENT},
		{ASK ID, -EBADMSG},
		{ASK ID "Socket=/tmp/sck.1\n", -EBADMSG},
		{ASK ID "Socket=/run/systemd/ask-password/\n", -EBADMSG},
		{ASK ID "Socket=/run/systemd/ask-password//\n", -EBADMSG},
		{ASK ID "Socket=/run/systemd/ask-password//a/b\n", -EBADMSG},
		{ASK ID "Socket=/run/systemd/ask-password/../x\n", -EBADMSG},
		{ASK ID "Socket=/run/systemd/ask-password/" LONG_NAME LONG_NAME "\n", -EBADMSG},
		{ASK ID SOCKET "NotAfter=soon\n", -EBADMSG},
		{ASK ID SOCKET "NotAfter=\n", -EBADMSG},
		{"[Ask]\nPID=-1\n" ID SOCKET, -EBADMSG},
		{"[Ask]\nPID=4294967296\n" ID SOCKET, -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct question q = {.pid = 5};

		if (parse(cases[i].text, &q) != cases[i].want || q.pid != 5)
			fail_msg("%s gives %d", cases[i].text, parse(cases[i].text, &q));
	}
}

/* A folder of questions, open at *ret. */
static void make_folder(char *path, int *ret)
{
	assert_non_null(mkdtemp(path));
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(*ret >= 0);
}

static void write_question(int folder, const char *name, const char *text, size_t n)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(close(fd), 0);
}

static void test_read(void **state)
{
	static const char good[] = ASK ID SOCKET, *const names[] = {"ask.1", "ask.long",
								    "ask.link"};
	static char longer[QUESTION_TEXT_MAX];
	char path[] = "/tmp/cotter-questions-XXXXXX";
	struct question q;
	int folder;

	(void)state;
	make_folder(path, &folder);
	memset(longer, '\n', sizeof(longer));
	write_question(folder, "ask.1", good, strlen(good));
	write_question(folder, "ask.long", longer, sizeof(longer));
	assert_int_equal(symlinkat("ask.1", folder, "ask.link"), 0);

	assert_int_equal(question_read(folder, "ask.1", &q), 0);
	assert_string_equal(q.device, "/dev/vda");
	assert_int_equal(question_read(folder, "ask.long", &q), -EBADMSG);
	assert_int_equal(question_read(folder, "ask.link", &q), -EPERM);
	assert_int_equal(question_read(folder, "ask.gone", &q), -ENOENT);
	assert_int_equal(question_read(folder, ".", &q), -EPERM);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(folder, "ask.1", 65534, 65534, 0), 0);
		assert_int_equal(question_read(folder, "ask.1", &q), -EPERM);
	}

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(unlinkat(folder, names[i], 0), 0);
	assert_int_equal(close(folder), 0);
	assert_int_equal(rmdir(path), 0);
}

static void test_open(void **state)
{
	struct question q = {0};
	pid_t child = fork();

	(void)state;
	assert_true(question_open(&q));
	q.not_after_us = now_us() - 1;
	assert_false(question_open(&q));
	q.not_after_us = now_us() + 3600ULL * USEC_PER_SEC;
	assert_true(question_open(&q));

	assert_true(child >= 0);
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	q.pid = child;
	assert_false(question_open(&q));
	q.pid = getpid();
	assert_true(question_open(&q));
}

static void test_answer(void **state)
{
	struct question q = {.to = {.sun_family = AF_UNIX}};
	char path[] = "/tmp/cotter-questions-XXXXXX", got[64];
	int folder, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	make_folder(path, &folder);
	(void)snprintf(q.to.sun_path, sizeof(q.to.sun_path), "%s/sck.1", path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&q.to, sizeof(q.to)), 0);

	assert_int_equal(question_answer(&q, ref_str("the key")), 0);
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 8);
	assert_memory_equal(got, "+the key", 8);

	assert_int_equal(close(fd), 0);
	assert_int_equal(question_answer(&q, ref_str("the key")), -EIO);
	assert_int_equal(unlink(q.to.sun_path), 0);
	assert_int_equal(question_answer(&q, ref_str("the key")), -EIO);
	assert_int_equal(close(folder), 0);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),   cmocka_unit_test(test_parse),
		cmocka_unit_test(test_escapes), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_read),    cmocka_unit_test(test_open),
		cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
