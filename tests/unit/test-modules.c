/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which modules are loaded, and which tokens are found in their slots; with SoftHSM. */
#include "pkcs11/modules.h"

#include "tests/unit/softhsm.h"

static struct softhsm hsm;

static void test_modules(void **state)
{
	char path[64], command[256], text[128];
	struct modules modules;
	struct lines lines;
	struct uri uri;

	(void)state;
	assert_int_equal(uri_read("pkcs11:?module-path=/nonexistent.so", NULL, &uri), 0);
	assert_int_equal(modules_open(&uri, lines_begin(&lines), &modules), -ENODEV);
	assert_told("none", &lines, "/nonexistent.so is not there");
	uri_done(&uri);

	assert_int_equal(uri_read("pkcs11:?module-path=/etc/passwd", NULL, &uri), 0);
	assert_int_equal(modules_open(&uri, lines_begin(&lines), &modules), -ENODEV);
	assert_told("text", &lines, "is no PKCS #11 module");
	uri_done(&uri);

	/* A header may be anyone's writing, and so may be a file. */
	(void)snprintf(path, sizeof(path), "%s/module.so", hsm.dir);
	(void)snprintf(command, sizeof(command), "cp %s %s && chmod 0666 %s", hsm.module, path,
		       path);
	assert_int_equal(softhsm_run(command), 0);
	(void)snprintf(text, sizeof(text), "pkcs11:?module-path=%s", path);
	assert_int_equal(uri_read(text, NULL, &uri), 0);
	assert_int_equal(modules_open(&uri, lines_begin(&lines), &modules), -EKEYREJECTED);
	assert_told("writable", &lines, "can be written to by others");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(modules_open(&uri, lines_begin(&lines), &modules), 0);
	modules_close(&modules);
	assert_int_equal(chmod(hsm.dir, 0777), 0);
	assert_int_equal(modules_open(&uri, lines_begin(&lines), &modules), -EKEYREJECTED);
	assert_told("folder", &lines, "or a folder above it");
	assert_int_equal(chmod(hsm.dir, 0700), 0);
	uri_done(&uri);
}

/* How many of SoftHSM's tokens a URI means. */
static size_t find(const char *path, struct place places[PLACES_MAX])
{
	const char *text = softhsm_uri(&hsm, path, "");
	CLEANUP(uri_done) struct uri uri = {0};
	struct modules modules = {0};
	size_t n;

	expect(text, uri_read(text, NULL, &uri), 0);
	expect(text, modules_open(&uri, NULL, &modules), 0);
	n = modules_find(&modules, &uri, places);
	modules_close(&modules);
	return n;
}

static void test_find(void **state)
{
	static const struct {
		const char *path;
		size_t n;
	} cases[] = {
		{"", 2},
		{"token=one", 1},
		{"token=two", 1},
		{"token=on", 0},
		{"token=one;manufacturer=SoftHSM%20project", 1},
		{"manufacturer=SoftHSM%20project", 2},
		{"manufacturer=SoftHSM", 0},
		{"model=SoftHSM%20v2", 2},
		{"serial=0", 0},
		{"slot-id=77", 0},
	};
	struct place places[PLACES_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(cases[i].path, (int)find(cases[i].path, places), (int)cases[i].n);
}

/* A slot is its number, or where no slot has that, the place among those that have a token. */
static void test_slot(void **state)
{
	struct place places[PLACES_MAX], one[PLACES_MAX];
	char path[48];

	(void)state;
	assert_int_equal(find("token=one", places), 1);
	(void)snprintf(path, sizeof(path), "slot-id=%lu", places[0].slot);
	assert_int_equal(find(path, one), 1);
	assert_int_equal(one[0].slot, places[0].slot);
	(void)snprintf(path, sizeof(path), "slot-id=%zu", places[0].index);
	assert_int_equal(find(path, one), 1);
	assert_int_equal(one[0].slot, places[0].slot);
	(void)snprintf(path, sizeof(path), "slot-id=%lu;token=two", places[0].slot);
	assert_int_equal(find(path, one), 0);
}

static void test_names(void **state)
{
	struct place place = {0};
	char name[PLACE_NAME_MAX], text[URI_LABEL_MAX];

	(void)state;
	memset(&place.info, ' ', sizeof(place.info));
	place_name(&place, name);
	assert_string_equal(name, "\"\" (serial number )");
	memcpy(place.info.label, "a card", 6);
	memcpy(place.info.serialNumber, "0123456789abcdef", 16);
	place_name(&place, name);
	assert_string_equal(name, "\"a card\" (serial number 0123456789abcdef)");
	memset(place.info.label, 'x', sizeof(place.info.label));
	place_text(place.info.label, sizeof(place.info.label), text);
	assert_int_equal(strlen(text), 32);
	memcpy(place.info.label, "nul\0\0", 5);
	memset(place.info.label + 5, 0, sizeof(place.info.label) - 5);
	place_text(place.info.label, sizeof(place.info.label), text);
	assert_string_equal(text, "nul");
}

/* Without a name and a module, only what wants a login is a card: stores of certificates do not. */
static void test_cards_alone(void **state)
{
	struct place places[PLACES_MAX];
	struct modules modules = {0};
	struct uri uri = {0};
	size_t n;

	(void)state;
	assert_int_equal(modules_open(&uri, NULL, &modules), 0);
	n = modules_find(&modules, &uri, places);
	assert_true(n >= 2);
	for (size_t i = 0; i < n; i++)
		assert_true(places[i].info.flags & CKF_LOGIN_REQUIRED);
	modules_close(&modules);
	modules_close(&modules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modules),     cmocka_unit_test(test_find),
		cmocka_unit_test(test_slot),        cmocka_unit_test(test_names),
		cmocka_unit_test(test_cards_alone),
	};

	softhsm_start(&hsm);
	softhsm_token("one");
	softhsm_token("two");
	return cmocka_run_group_tests(tests, NULL, softhsm_group_end);
}
