/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A header of which power was lost between its two copies. */
#include "enroll/reencrypt-torn.h"

#include "enroll/luks2-area.h"
#include "tests/unit/opened.h"

#define NOTE   "\"tokens\":{\"0\":{\"type\":\"cotter_reencryption\",\"keyslots\":[]}}"
#define WITHIN "\"segments\":{\"0\":{\"flags\":[\"in-reencryption\"]}}"
#define CLEAN  "\"segments\":{\"0\":{\"flags\":[\"backup-final\"]},\"1\":{}}"

static bool torn(const char *first, const char *second)
{
	json_t *a = json_of(first), *b = json_of(second);
	bool is = torn_is(a, b);

	json_decref(a);
	json_decref(b);
	return is;
}

static void test_is(void **state)
{
	(void)state;
	assert_true(torn("{" NOTE "," WITHIN "}", "{" NOTE "," CLEAN "}"));
	/* the next chunk begins, or this one ends, with both there */
	assert_false(torn("{" NOTE "," CLEAN "}", "{" NOTE "," WITHIN "}"));
	assert_false(torn("{" NOTE "," WITHIN "}", "{" NOTE "," WITHIN "}"));
	assert_false(torn("{" NOTE "," CLEAN "}", "{" NOTE "," CLEAN "}"));
	/* another program's */
	assert_false(torn("{" WITHIN "}", "{" CLEAN "}"));
	assert_false(torn("{" NOTE "," WITHIN "}", "{" CLEAN "}"));
	assert_false(torn("{}", "{}"));
}

/* The first copy `ahead` of the second, both with what they say of a chunk. */
static void write_copies(struct opened *o, unsigned ahead)
{
	size_t size = area_size(o->luks->fd);

	for (unsigned i = 0; i < 2; i++) {
		struct buf area = {0};
		json_t *json, *note = json_of("{" NOTE "}"),
			      *more = json_of(i == 0 ? "{" WITHIN "}" : "{" CLEAN "}");

		assert_int_equal(area_read(o->luks->fd, i * size, size, &area), 0);
		assert_int_equal(area_json(&area, &json), 0);
		(void)json_object_update(json, note);
		(void)json_object_update(json, more);
		for (unsigned j = 0; j < (i == 0 ? 1 + ahead : 1); j++)
			assert_int_equal(area_set(&area, json), 0);
		assert_int_equal(pwrite(o->luks->fd, area.p, size, (off_t)(i * size)), size);
		buf_done(&area);
		json_decref(json);
		json_decref(note);
		json_decref(more);
	}
}

static bool first_counts(const struct opened *o)
{
	struct buf area = {0};
	bool ok;

	assert_int_equal(area_read(o->luks->fd, 0, area_size(o->luks->fd), &area), 0);
	ok = area_ok(&area);
	buf_done(&area);
	return ok;
}

static void test_mend(void **state)
{
	struct opened o;

	(void)state;
	opened_begin(&o);
	assert_int_equal(torn_mend(o.volume.path, NULL), 0);
	assert_true(first_counts(&o));

	write_copies(&o, 0);
	assert_int_equal(torn_mend(o.volume.path, NULL), 0);
	assert_true(first_counts(&o));
	write_copies(&o, 1);
	assert_int_equal(torn_mend(o.volume.path, NULL), 0);
	assert_false(first_counts(&o));
	/* once more, where the second alone is good */
	assert_int_equal(torn_mend(o.volume.path, NULL), 0);
	opened_end(&o);
}

static void test_no_header(void **state)
{
	(void)state;
	assert_int_equal(torn_mend("/dev/null", NULL), 0);
	assert_int_equal(torn_mend("/missing", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_mend),
		cmocka_unit_test(test_no_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
