/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is made of UDisks's objects; tests/units/udisks.sh has them come by a bus. */
#include "units/udisks.h"

#include "tests/unit/lines.h"

#define VOLUME "/org/freedesktop/UDisks2/block_devices/sdb1"

const struct pin *const pins[] = {NULL};

static struct udisks_object stick(void)
{
	return (struct udisks_object){
		.path = VOLUME,
		.drive = "/drives/stick",
		.backing = "/",
		.cleartext = "/",
		.device = "/dev/sdb1",
		.encrypted = true,
		.hint_auto = true,
	};
}

static void test_removable(void **state)
{
	struct udisks_object object = stick();

	(void)state;
	assert_true(udisks_removable(&object));
	object.hint_system = true;
	assert_false(udisks_removable(&object));
	object = stick();
	object.hint_ignore = true;
	assert_false(udisks_removable(&object));
	object = stick();
	object.hint_auto = false;
	assert_false(udisks_removable(&object));
	object = stick();
	object.encrypted = false;
	assert_false(udisks_removable(&object));
	object = stick();
	object.device[0] = '\0';
	assert_false(udisks_removable(&object));
}

static void test_unlocked(void **state)
{
	struct udisks_object object = stick(), other = stick();

	(void)state;
	object.next = &other;
	assert_false(udisks_unlocked(&object, &object));
	(void)snprintf(other.backing, sizeof(other.backing), "%s", VOLUME);
	assert_true(udisks_unlocked(&object, &object));
	object.next = NULL;
	assert_false(udisks_unlocked(&object, &object));
	(void)snprintf(object.cleartext, sizeof(object.cleartext), "/dm");
	assert_true(udisks_unlocked(&object, &object));
	/* Older ones do not have it. */
	object.cleartext[0] = '\0';
	assert_false(udisks_unlocked(&object, &object));
}

static void test_seat(void **state)
{
	struct udisks_object drive = {.path = "/drives/stick", .seat = "seat7"};
	struct udisks_object other = {.path = "/drives/disk", .seat = "seat8", .next = &drive};
	struct udisks_object object = stick();

	(void)state;
	object.next = &other;
	assert_string_equal(udisks_seat(&object, &object), "seat7");
	other.next = NULL;
	assert_string_equal(udisks_seat(&object, &object), "seat0");
	(void)snprintf(object.drive, sizeof(object.drive), "/");
	assert_string_equal(udisks_seat(&object, &object), "seat0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_removable),
		cmocka_unit_test(test_unlocked),
		cmocka_unit_test(test_seat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
