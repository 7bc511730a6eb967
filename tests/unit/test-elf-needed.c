/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this program is linked with is read from it; cut off or damaged anywhere it harms nobody. */
#include "enroll/elf-needed.h"

#include "tests/unit/root.h"
#include "units/text-file.h"

#include <elf.h>
#include <errno.h>
#include <link.h>

enum { SIZE_MAX_READ = 64 * 1024 * 1024 };

static struct buf whole;

static int begin(void **state)
{
	(void)state;
	return root_begin() < 0 ? -1 : text_file_read("/proc/self/exe", SIZE_MAX_READ, &whole);
}

static int end(void **state)
{
	buf_done(&whole);
	return remove_root(state);
}

static int read_copy(const uint8_t *p, size_t n)
{
	CLEANUP_JSON json_t *names = NULL;
	FILE *f;

	put("/copy", "");
	f = fopen(under("/copy"), "we");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
	return elf_needed(under("/copy"), &names);
}

static void test_self(void **state)
{
	CLEANUP_JSON json_t *names = NULL;
	bool cmocka = false;
	const json_t *name;
	size_t i;

	(void)state;
	assert_int_equal(elf_needed("/proc/self/exe", &names), 0);
	json_array_foreach(names, i, name)
		cmocka = cmocka || strncmp(json_string_value(name), "libcmocka.so", 12) == 0;
	assert_true(cmocka);
}

static void test_bad(void **state)
{
	CLEANUP_JSON json_t *names = NULL;
	uint8_t *copy = malloc(whole.n);
	ElfW(Ehdr) header;

	(void)state;
	assert_non_null(copy);
	assert_int_equal(elf_needed("/nowhere", &names), -ENOENT);
	assert_int_equal(read_copy((const uint8_t *)"text", 4), -EBADMSG);
	for (size_t n = 0; n < sizeof(header) + 8 * sizeof(ElfW(Phdr)); n += 7)
		assert_int_equal(read_copy(whole.p, n), -EBADMSG);

	/* Each byte of the headers set, so that offsets and sizes are anything. */
	memcpy(&header, whole.p, sizeof(header));
	for (size_t i = 4; i < header.e_phoff + header.e_phnum * sizeof(ElfW(Phdr)); i++) {
		memcpy(copy, whole.p, whole.n < 64 * 1024 ? whole.n : 64 * 1024);
		copy[i] = 0xff;
		(void)read_copy(copy, whole.n < 64 * 1024 ? whole.n : 64 * 1024);
	}
	free(copy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
