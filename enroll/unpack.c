/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The magic numbers are those that the kernel knows. */
#include "enroll/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct method {
	const char *program;
	size_t n;
	uint8_t magic[UNPACK_MAGIC];
} methods[] = {
	{"zstd", 4, {0x28, 0xb5, 0x2f, 0xfd}},    {"gzip", 2, {0x1f, 0x8b}},
	{"xz", 6, {0xfd, '7', 'z', 'X', 'Z', 0}}, {"xz", 3, {0x5d, 0, 0}}, /* lzma */
	{"lz4", 4, {0x02, 0x21, 0x4c, 0x18}},     {"bzip2", 3, {'B', 'Z', 'h'}},
	{"lzop", 4, {0x89, 'L', 'Z', 'O'}},
};

static const struct method *find(const uint8_t magic[UNPACK_MAGIC])
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (memcmp(methods[i].magic, magic, methods[i].n) == 0)
			return &methods[i];
	return NULL;
}

/* Where packages put it; the environment has no say in what is run. */
static int find_program(const char *name, char ret[64])
{
	static const char *const folders[] = {"/usr/bin", "/bin", "/usr/local/bin"};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(ret, 64, "%s/%s", folders[i], name);
		if (access(ret, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

static int spawn(const char *path, int input, int output, pid_t *ret)
{
	char *const argv[] = {(char *)(uintptr_t)path, (char *)"-dc", NULL};
	char *const no_environment[] = {NULL};
	posix_spawn_file_actions_t actions;
	int r;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	r = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY,
						     0);
	if (r == 0)
		r = posix_spawn(ret, path, &actions, NULL, argv, no_environment);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int unpack_begin(int fd, off_t offset, const uint8_t magic[UNPACK_MAGIC], const struct log *log,
		 struct unpack *ret)
{
	const struct method *method = find(magic);
	struct unpack unpack = {0};
	char path[64];
	int pipes[2], r;

	if (!method)
		return -EMEDIUMTYPE;
	if (find_program(method->program, path) < 0)
		return log_err(log, -ENOENT,
			       "the image is compressed by %s, which is not installed: install it",
			       method->program);
	if (lseek(fd, offset, SEEK_SET) < 0 || pipe2(pipes, O_CLOEXEC) < 0)
		return log_err(log, -EIO, "the image cannot be unpacked: %s", strerror(errno));

	r = spawn(path, fd, pipes[1], &unpack.child);
	(void)close(pipes[1]);
	unpack.from = r < 0 ? NULL : fdopen(pipes[0], "re");
	if (!unpack.from)
		(void)close(pipes[0]);
	if (r == 0 && !unpack.from) {
		unpack_done(&unpack);
		r = -ENOMEM;
	}
	if (r < 0)
		return log_err(log, -EIO, "%s cannot be run: %s", path, strerror(-r));

	*ret = unpack;
	return 0;
}

void unpack_done(struct unpack *unpack)
{
	int status;

	/* It ends by the pipe's end, where it has more to write. */
	if (unpack->from)
		(void)fclose(unpack->from);
	while (unpack->child > 0 && waitpid(unpack->child, &status, 0) < 0 && errno == EINTR)
		;
	*unpack = (struct unpack){0};
}
