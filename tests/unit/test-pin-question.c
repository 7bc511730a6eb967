/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our questions for PINs: what others read of them, and what is taken as an answer. */
#include "units/pin-question.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder of questions of our own, where that can be had. */
static int own_folder(void **state)
{
	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
		return 0;
	(void)mkdir("/run/systemd", 0755);
	(void)mkdir(QUESTION_FOLDER, 0755);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("questions", QUESTION_FOLDER, "tmpfs", 0, NULL) == 0)
		*state = (void *)(uintptr_t) "";
	return 0;
}

static void need_folder(void *const *state)
{
	if (!*state)
		skip();
}

static void read_file(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	ret[fread(ret, 1, size - 1, file)] = '\0';
	assert_int_equal(fclose(file), 0);
}

static void send_answer(const struct pin_question *question, const char *answer, size_t n)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(sendto(fd, answer, n, 0, (const struct sockaddr *)&question->from,
				sizeof(question->from)),
			 n);
	assert_int_equal(close(fd), 0);
}

static void test_text(void **state)
{
	struct pin_question question = {0};
	char text[1024], socket_line[160];
	struct stat st;

	need_folder(state);
	assert_int_equal(pin_question_ask(&question, "PIN of \"a\nId=cryptsetup:/dev/x\\\":"), 0);
	assert_true(pin_question_name(strrchr(question.file, '/') + 1));
	assert_true(question_name(strrchr(question.file, '/') + 1));
	assert_int_equal(stat(question.file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	read_file(question.file, text, sizeof(text));
	assert_ptr_equal(strstr(text, "[Ask]\nPID="), text);
	(void)snprintf(socket_line, sizeof(socket_line), "\nSocket=%s\n", question.from.sun_path);
	assert_non_null(strstr(text, socket_line));
	assert_non_null(strstr(text, "\nEcho=0\n"));
	assert_non_null(strstr(text, "\nMessage=PIN of \"a?Id=cryptsetup:/dev/x?\":\n"));
	assert_null(strstr(text, "\nId="));

	pin_question_done(&question);
	assert_false(question.open);
}

static void assert_answer(const char *answer, size_t n, int error, const char *pin)
{
	CLEANUP(buf_done) struct buf typed = {0};
	struct pin_question question = {0};
	struct stat st;
	char file[sizeof(question.file)];

	assert_int_equal(pin_question_ask(&question, "PIN:"), 0);
	(void)snprintf(file, sizeof(file), "%s", question.file);
	assert_int_equal(pin_question_take(&question, &typed), -EAGAIN);
	assert_int_equal(stat(file, &st), 0);
	send_answer(&question, answer, n);
	assert_int_equal(pin_question_take(&question, &typed), error);
	assert_false(question.open);
	assert_int_equal(stat(file, &st), -1);
	if (pin) {
		assert_int_equal(typed.n, strlen(pin));
		assert_memory_equal(typed.p, pin, typed.n);
	}
}

static void test_answers(void **state)
{
	need_folder(state);
	assert_answer("+7391", 5, 0, "7391");
	assert_answer("+7391", 6, 0, "7391"); /* as systemd's own agent ends it */
	assert_answer("+a\0b", 5, 0, "a");
	assert_answer("+", 1, 0, "");
	assert_answer("+", 2, 0, "");
	assert_answer("-", 1, -ECANCELED, NULL);
	assert_answer("", 0, -ECANCELED, NULL);
}

/* Whoever else can write to the socket is not heard. */
static void test_sender(void **state)
{
	CLEANUP(buf_done) struct buf typed = {0};
	struct pin_question question = {0};
	int status;
	pid_t child;

	need_folder(state);
	assert_int_equal(pin_question_ask(&question, "PIN:"), 0);
	assert_int_equal(chmod(question.from.sun_path, 0666), 0);
	child = fork();
	if (child == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(1);
		send_answer(&question, "+7391", 5);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(pin_question_take(&question, &typed), -EAGAIN);
	assert_true(question.open);
	pin_question_done(&question);
}

static void test_sweep(void **state)
{
	struct pin_question question = {0}, gone;
	int folder;

	need_folder(state);
	assert_int_equal(pin_question_ask(&question, "PIN:"), 0);
	gone = question;
	assert_int_equal(fclose(fopen(QUESTION_FOLDER "/ask.other", "w")), 0);
	folder = open(QUESTION_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder >= 0);
	pin_question_sweep(folder);
	assert_int_equal(close(folder), 0);
	assert_int_equal(access(gone.file, F_OK), -1);
	assert_int_equal(access(gone.from.sun_path, F_OK), -1);
	assert_int_equal(unlink(QUESTION_FOLDER "/ask.other"), 0);
	pin_question_done(&question);
}

static void test_nobody_asks(void **state)
{
	CLEANUP(buf_done) struct buf typed = {0};
	struct pin_question question = {0};

	(void)state;
	assert_int_equal(pin_question_take(&question, &typed), -EAGAIN);
	pin_question_done(&question);
	assert_false(pin_question_name("ask.x1Y2z3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),        cmocka_unit_test(test_answers),
		cmocka_unit_test(test_sender),      cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_nobody_asks),
	};

	return cmocka_run_group_tests(tests, own_folder, NULL);
}
