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

enum { NAMES_AT = 512, TABLE_AT = 1024, TABLE_ROOM = 64 * 1024 };

/* A library that is linked `n` times with what is called so, and what reading it comes to. */
static int read_linked(const char *name, size_t n)
{
	static uint8_t file[TABLE_AT + TABLE_ROOM];
	const size_t size = (n + 2) * sizeof(ElfW(Dyn));
	const ElfW(Ehdr) header = {
		.e_ident = {0x7f, 'E', 'L', 'F', sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32},
		.e_phoff = sizeof(header),
		.e_phentsize = sizeof(ElfW(Phdr)),
		.e_phnum = 2};
	const ElfW(Phdr)
		segments[] = {{.p_type = PT_LOAD, .p_vaddr = 0x1000, .p_filesz = sizeof(file)},
			      {.p_type = PT_DYNAMIC, .p_offset = TABLE_AT, .p_filesz = size}};
	ElfW(Dyn) entry = {.d_tag = DT_STRTAB, .d_un.d_ptr = 0x1000 + NAMES_AT};

	memset(file, 0, sizeof(file));
	memcpy(file, &header, sizeof(header));
	memcpy(file + sizeof(header), segments, sizeof(segments));
	memcpy(file + NAMES_AT, name, strlen(name));
	memcpy(file + TABLE_AT, &entry, sizeof(entry));
	entry = (ElfW(Dyn)){.d_tag = DT_NEEDED};
	for (size_t i = 1; i <= n; i++)
		memcpy(file + TABLE_AT + i * sizeof(entry), &entry, sizeof(entry));
	return read_copy(file, sizeof(file));
}

/* What is read is no more than a file that can be run would have. */
static void test_limits(void **state)
{
	char name[300] = "";

	(void)state;
	memset(name, 'x', 255);
	assert_int_equal(read_linked(name, 1), 0);
	assert_int_equal(read_linked(name, 1024), 0);
	assert_int_equal(read_linked(name, 1025), -EBADMSG);
	name[255] = 'x';
	assert_int_equal(read_linked(name, 1), -EBADMSG);
	assert_int_equal(read_linked("", 1), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
