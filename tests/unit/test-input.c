/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standard input, however large and in whatever pieces. */
#include "enroll/clevis/input.h"

#include "tests/unit/vectors/jose.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Standard input is a file of so many bytes, each its index's low bits. */
static void stand_in(size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	uint8_t *bytes = malloc(size + 1);

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7);
	assert_int_equal(ref_write((struct ref){bytes, size}, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	(void)close(fd);
	free(bytes);
}

static void test_sizes(void **state)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 131072, 1000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CLEANUP(buf_done) struct buf bytes = {0};

		stand_in(sizes[i]);
		assert_int_equal(input_read(&bytes), 0);
		assert_int_equal(bytes.n, sizes[i]);
		for (size_t j = 0; j < bytes.n; j++)
			assert_int_equal(bytes.p[j], (uint8_t)(j * 7));
	}
}

static void test_endless(void **state)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	(void)close(fd);
	assert_int_equal(input_read(&bytes), -E2BIG);
	assert_null(bytes.p);
}

static void test_unreadable(void **state)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int fd = open("/", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	(void)close(fd);
	assert_int_equal(input_read(&bytes), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
