/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The copies of a header's metadata, which libcryptsetup then reads. */
#include "enroll/luks2-area.h"

#include "tests/unit/opened.h"

#include <errno.h>

static struct opened o;

static int begin(void **state)
{
	(void)state;
	opened_begin(&o);
	return 0;
}

static int end(void **state)
{
	(void)state;
	opened_end(&o);
	return 0;
}

static void test_read(void **state)
{
	size_t size = area_size(o.luks->fd);
	struct buf first = {0}, second = {0};
	json_t *a, *b;

	(void)state;
	assert_int_equal(size, 16384);
	assert_int_equal(area_read(o.luks->fd, 0, size, &first), 0);
	assert_int_equal(area_read(o.luks->fd, size, size, &second), 0);
	assert_true(area_ok(&first) && area_ok(&second));
	assert_int_equal(area_number(&first), area_number(&second));
	assert_true(area_number(&first) > 0);
	assert_int_equal(area_json(&first, &a), 0);
	assert_int_equal(area_json(&second, &b), 0);
	assert_true(json_equal(a, b));
	assert_non_null(json_object_get(a, "segments"));
	json_decref(a);
	json_decref(b);

	/* Each byte counts, those of the checksum too, and those behind the text. */
	for (size_t i = 0; i < size; i += 449) {
		first.p[i] ^= 1;
		assert_false(area_ok(&first));
		first.p[i] ^= 1;
	}
	first.p[size - 1] ^= 1;
	assert_false(area_ok(&first));

	memset(first.p + AREA_BINARY, 'x', size - AREA_BINARY);
	assert_int_equal(area_json(&first, &a), -EBADMSG);
	first.p[AREA_BINARY + 1] = '\0';
	assert_int_equal(area_json(&first, &a), -EBADMSG);
	buf_done(&first);
	buf_done(&second);
	assert_int_equal(area_read(o.luks->fd, VOLUME_SIZE, size, &first), -EIO);
	assert_null(first.p);
}

static void test_set(void **state)
{
	size_t size = area_size(o.luks->fd);
	struct buf area = {0};
	const char *type, *text;
	json_t *json;
	uint64_t number;

	(void)state;
	assert_int_equal(area_read(o.luks->fd, 0, size, &area), 0);
	number = area_number(&area);
	assert_int_equal(area_json(&area, &json), 0);
	assert_int_equal(json_object_set_new(json_object_get(json, "tokens"), "5",
					     json_pack("{s:s, s:[]}", "type", "x", "keyslots")),
			 0);
	assert_int_equal(area_set(&area, json), 0);
	assert_int_equal(area_number(&area), number + 1);
	assert_true(area_ok(&area));

	/* It is one ahead of the second, so it counts. */
	assert_int_equal(pwrite(o.luks->fd, area.p, size, 0), size);
	assert_int_equal(crypt_load(o.luks->cd, CRYPT_LUKS2, NULL), 0);
	assert_int_equal(luks_token(o.luks, 5, &type, &text), 0);
	assert_string_equal(type, "x");

	assert_int_equal(json_object_set_new(json, "long", json_sprintf("%016384d", 1)), 0);
	assert_int_equal(area_set(&area, json), -ENOSPC);
	memset(area.p + 72, 'x', 4);
	assert_false(area_ok(&area));
	(void)json_object_del(json, "long");
	assert_int_equal(area_set(&area, json), -EOPNOTSUPP);
	json_decref(json);
	buf_done(&area);
}

static void test_void(void **state)
{
	size_t size = area_size(o.luks->fd);
	struct buf area = {0};

	(void)state;
	assert_int_equal(area_void_first(o.luks->fd), 0);
	assert_int_equal(area_size(o.luks->fd), size);
	assert_int_equal(area_read(o.luks->fd, 0, size, &area), 0);
	assert_false(area_ok(&area));
	buf_done(&area);
	assert_int_equal(crypt_load(o.luks->cd, CRYPT_LUKS2, NULL), 0);
	assert_int_equal(area_read(o.luks->fd, 0, size, &area), 0);
	assert_true(area_ok(&area));
	buf_done(&area);
}

static void test_size(void **state)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	uint8_t start[16] = {'L', 'U', 'K', 'S', 0xba, 0xbe, 0, 2};

	(void)state;
	assert_int_equal(area_size(fd), 0);
	start[14] = 0x40;
	assert_int_equal(pwrite(fd, start, sizeof(start), 0), sizeof(start));
	assert_int_equal(area_size(fd), 16384);
	start[8] = 1; /* more than there can be */
	assert_int_equal(pwrite(fd, start, sizeof(start), 0), sizeof(start));
	assert_int_equal(area_size(fd), 0);
	start[8] = 0;
	start[14] = 0x10; /* no JSON */
	assert_int_equal(pwrite(fd, start, sizeof(start), 0), sizeof(start));
	assert_int_equal(area_size(fd), 0);
	start[7] = 1; /* LUKS1 */
	start[14] = 0x40;
	assert_int_equal(pwrite(fd, start, sizeof(start), 0), sizeof(start));
	assert_int_equal(area_size(fd), 0);
	close(fd);
	assert_int_equal(area_void_first(-1), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, begin, end),
		cmocka_unit_test_setup_teardown(test_set, begin, end),
		cmocka_unit_test_setup_teardown(test_void, begin, end),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
