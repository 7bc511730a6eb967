/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs and libraries, for what they are linked with. */
#include "enroll/elf-needed.h"

#include "tests/fuzz/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct fuzz_file *file = fuzz_file((struct ref){data, n});
	CLEANUP_JSON json_t *names = NULL;
	const json_t *name;
	size_t i;
	int r = elf_needed(file->path, &names);

	CHECK_RESULT(r, -EBADMSG);
	CHECK((r == 0) == (names != NULL));
	json_array_foreach(names, i, name) {
		const char *text = json_string_value(name);

		/* With the NUL behind it. */
		CHECK(text && text[0] && memmem(data, n, text, strlen(text) + 1));
	}
	return 0;
}
