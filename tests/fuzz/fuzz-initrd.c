/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images of an initramfs, and paths in them: its own and those that its links name. */
#include "enroll/initrd.h"

#include "tests/fuzz/file.h"

#include <signal.h>

/* libFuzzer's clock interrupts what is read from a pipe, which nothing does in cotter-enroll. */
static void restart_calls(void)
{
	static bool done;
	struct sigaction action;

	if (done)
		return;
	done = true;
	CHECK(sigaction(SIGALRM, NULL, &action) == 0);
	action.sa_flags |= SA_RESTART;
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
}

/* Names that --doctor looks for, whatever an image has. */
static void look(const struct initrd *initrd, const char *path)
{
	const char *text = initrd_text(initrd, path);

	CHECK(!text || initrd_has(initrd, path));
}

static void look_at_files(const struct initrd *initrd)
{
	const json_t *value;
	const char *path;

	json_object_foreach(initrd->files, path, value) {
		const char *link = json_string_value(json_array_get(value, 0));

		CHECK(json_is_string(value) || json_is_true(value) || link);
		look(initrd, path);
		if (link)
			look(initrd, link);
	}
	look(initrd, "/etc/crypttab");
	look(initrd, "/lib/../usr/lib/./libcurl.so.4");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct fuzz_file *file = fuzz_file((struct ref){data, n});
	struct initrd initrd;
	int r;

	restart_calls();
	FUZZ_MARK(initrd);
	r = initrd_read(file->path, &fuzz_log, &initrd);
	CHECK_RESULT(r, -EBADMSG, -ENOENT); /* the latter where what unpacks it is not installed */
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(initrd));
		return 0;
	}
	CHECK(json_is_object(initrd.files));
	look_at_files(&initrd);
	/* A module that is there by name is one of those that are there. */
	CHECK(!initrd_has_module(&initrd, "drivers/", "tpm_tis") ||
	      initrd_has_module(&initrd, "drivers/", NULL));
	(void)initrd_has_modules(&initrd);
	initrd_done(&initrd);
	return 0;
}
