/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives a fuzzer each file of a corpus once: libFuzzer's place in builds without it. Prints TAP. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

enum { INPUT_MAX = 1024 * 1024 };

static void read_input(const char *path, struct buf *ret)
{
	CLEANUP(buf_done) struct buf whole = {0};
	FILE *file = fopen(path, "re");

	CHECK(file);
	CHECK(buf_init(&whole, INPUT_MAX) == 0);
	CHECK(buf_read(&whole, fileno(file)) == 0);
	CHECK(fclose(file) == 0);
	/* Of just this size, so that a sanitizer sees each byte too many. */
	CHECK(buf_copy(ret, buf_ref(&whole)) == 0);
}

/* What dies says by its last line which input it was. */
static void replay(const char *path)
{
	CLEANUP(buf_done) struct buf input = {0};

	read_input(path, &input);
	(void)printf("# %s\n", path);
	(void)fflush(stdout);
	(void)LLVMFuzzerTestOneInput(input.p, input.n);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_folder(const char *folder)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, is_input, alphasort);

	for (int i = 0; i < n; i++) {
		char path[4096];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		replay(path);
		free(entries[i]);
	}
	free(entries);
	return n;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int main(int argc, char **argv)
{
	int n = 0;

	(void)setvbuf(stdout, NULL, _IOFBF, 0);
	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		if (is_folder(argv[i])) {
			n += replay_folder(argv[i]);
		} else {
			replay(argv[i]);
			n++;
		}
	}
	(void)printf("%sok 1 - %d inputs\n1..1\n", n > 0 ? "" : "not ", n);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
