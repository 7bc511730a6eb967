/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where crypttab says that volumes and their headers are. */
#include "units/place.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char table[] = "# name device key options\n"
			    "root UUID=2505567a-9e27-4efe-a4d5-15ad146c258b none luks\n"
			    "alone\n"
			    "data /dev/vdb - _netdev,header=/boot/data.header,discard\n"
			    "part PARTLABEL=\"my\\040disk/1\" none header=/h:/dev/vdc\n"
			    "label LABEL=a#b none header=relative\n"
			    "swap PARTUUID=ab-cd /dev/urandom swap\n";

static void expect(const struct place *place, const char *device, const char *header)
{
	assert_string_equal(place->device, device);
	if (header)
		assert_string_equal(place->header, header);
	else
		assert_null(place->header);
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *device, *header;
	} cases[] = {
		{"root", "/dev/disk/by-uuid/2505567a-9e27-4efe-a4d5-15ad146c258b", NULL},
		{"data", "/dev/vdb", "/boot/data.header"},
		{"part", "/dev/disk/by-partlabel/my\\x5c040disk\\x2f1", NULL},
		{"label", "/dev/disk/by-label/a#b", NULL},
		{"swap", "/dev/disk/by-partuuid/ab-cd", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(place_done) struct place place = {0};

		assert_int_equal(place_of_name(ref_str(table), ref_str(cases[i].name), &place), 0);
		expect(&place, cases[i].device, cases[i].header);
	}
}

static void test_no_name(void **state)
{
	static const char *const names[] = {"", "dat", "data2", "none", "#"};
	struct place place = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(place_of_name(ref_str(table), ref_str(names[i]), &place), -ENOENT);
	assert_int_equal(place_of_name((struct ref){0}, ref_str("data"), &place), -ENOENT);
	assert_null(place.device);
}

static void test_devices(void **state)
{
	static const struct {
		const char *device, *header;
	} cases[] = {
		{"/dev/vdb", "/boot/data.header"},
		{"/dev/disk/by-uuid/2505567a-9e27-4efe-a4d5-15ad146c258b", NULL},
		{"/dev/elsewhere", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(place_done) struct place place = {0};

		assert_int_equal(place_of_device(ref_str(table), cases[i].device, &place), 0);
		expect(&place, cases[i].device, cases[i].header);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
