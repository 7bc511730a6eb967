/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs editors. */
#include "enroll/clevis/editor.h"

#include "enroll/clevis/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

void edited_done(struct edited *edited)
{
	if (edited->file)
		(void)unlink(edited->file);
	if (edited->folder)
		(void)rmdir(edited->folder);
	free(edited->file);
	free(edited->folder);
	*edited = (struct edited){0};
}

static int write_file(const char *name, const char *text)
{
	CLEANUP(close_fd) int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = ref_write(ref_str(text), fd);
	return r < 0 ? r : ref_write(ref_str("\n"), fd);
}

int edited_begin(const char *text, const struct log *log, struct edited *ret)
{
	CLEANUP(edited_done) struct edited edited = {0};
	char *folder = NULL;
	int r;

	if (asprintf(&folder, "%s/clevis-edit-XXXXXX", environment_value("TMPDIR", "/tmp")) < 0)
		return -ENOMEM;
	if (!mkdtemp(folder)) {
		r = log_err(log, -EIO, "%s could not be made: %s", folder, strerror(errno));
		free(folder);
		return r;
	}
	edited.folder = folder;
	if (asprintf(&edited.file, "%s/cfg", folder) < 0) {
		edited.file = NULL;
		return -ENOMEM;
	}
	r = write_file(edited.file, text);
	if (r < 0)
		return log_err(log, -EIO, "%s could not be written: %s", edited.file, strerror(-r));

	*ret = TAKE_STRUCT(edited);
	return 0;
}

static int run(const char *editor, const char *file)
{
	char *const argv[] = {(char *)(uintptr_t)editor, (char *)(uintptr_t)file, NULL};
	pid_t child;
	int status, r;

	r = posix_spawnp(&child, editor, NULL, NULL, argv, environ);
	if (r != 0)
		return -r;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int edited_run(const struct edited *edited, const struct log *log, struct buf *ret)
{
	const char *editor = environment_value("EDITOR", "vi");
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(close_fd) int fd = -1;
	int r;

	r = run(editor, edited->file);
	if (r < 0)
		return log_err(
			log, r == -ENOENT ? r : -EIO,
			"the editor \"%s\" could not be run: %s; name one in the environment "
			"variable EDITOR",
			editor, strerror(-r));
	fd = open(edited->file, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : buf_init(&text, EDITOR_TEXT_MAX + 1);
	if (r == 0)
		r = buf_read(&text, fd);
	if (r < 0)
		return log_err(log, r == -ENOMEM ? r : -EIO, "%s could not be read: %s",
			       edited->file, strerror(-r));
	if (text.n > EDITOR_TEXT_MAX)
		return log_err(log, -E2BIG, "the configuration is longer than %d bytes",
			       EDITOR_TEXT_MAX);

	*ret = TAKE_STRUCT(text);
	return 0;
}
