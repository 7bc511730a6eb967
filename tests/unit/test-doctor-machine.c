/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is read of a machine: its files, the words of its boot, units that are enabled, its clock and its image. */
#include "enroll/doctor.h"

#include "tests/unit/archive.h"
#include "tests/unit/root.h"

#include <errno.h>
#include <sys/utsname.h>
#include <time.h>

static void make_image(const char *path)
{
	FILE *to;

	put(path, "");
	to = fopen(under(path), "we");
	assert_non_null(to);
	archive_add(to, "etc/cmdline.d/50-cotter.conf", S_IFREG | 0644, "rd.neednet=1\n");
	archive_end(to);
	assert_int_equal(fclose(to), 0);
}

static void test_nothing(void **state)
{
	CLEANUP(machine_done) struct machine machine = {0};

	(void)state;
	assert_int_equal(machine_read(root, NULL, &machine), 0);
	assert_int_equal(machine.crypttab.n, 0);
	assert_int_equal(machine_read_image(&machine, NULL, NULL), 0);
	assert_null(machine.image_path);
	assert_false(machine_asks(&machine, "rd"));
	assert_false(machine_wants(&machine, "*", "a.target"));
	assert_int_equal(machine_read_image(&machine, "/nowhere", NULL), -ENOENT);
}

static void test_image(void **state)
{
	CLEANUP(machine_done) struct machine machine = {0};
	struct utsname kernel;
	char path[256];

	(void)state;
	assert_int_equal(uname(&kernel), 0);
	(void)snprintf(path, sizeof(path), "/efi/0123/%s/initrd", kernel.release);
	make_image(path);
	put("/proc/cmdline", "root=UUID=1 ip=dhcp quiet\n");
	assert_int_equal(machine_read(root, NULL, &machine), 0);
	assert_int_equal(machine_read_image(&machine, NULL, NULL), 0);
	assert_string_equal(machine.image_path, under(path));
	assert_true(machine.image_by_dracut);
	assert_true(machine_asks(&machine, "ip="));
	assert_true(machine_asks(&machine, "rd.neednet=1"));
	assert_false(machine_asks(&machine, "neednet"));
	assert_false(machine_asks(&machine, "rd.neednet=11"));
}

static void test_units(void **state)
{
	const struct machine machine = {.root = root};

	(void)state;
	put("/usr/lib/systemd/system/initrd-root-device.target.wants/a.target", "");
	put("/etc/systemd/system/multi-user.target.wants/cotter-key@x\\x2dy.socket", "");
	assert_false(machine_wants(&machine, "*", "a.target"));
	assert_true(machine_wants(&machine, "*", "cotter-key@x\\x2dy.socket"));
	assert_true(machine_wants(&machine, "multi-user.target", "*"));
	assert_false(machine_wants(&machine, "network-online.target", "*"));
	put("/etc/systemd/system/multi-user.target.wants/a.target", "");
	assert_true(machine_wants(&machine, "*", "a.target"));
}

/* The weight of what the clock of this machine is found to be; NULL: nothing. */
static const char *clock_weight(json_t *list)
{
	const struct machine machine = {.root = root};
	struct findings findings = {.list = list};

	assert_int_equal(json_array_clear(list), 0);
	findings_of(&findings, 1);
	doctor_clock(&machine, &findings);
	assert_false(findings.failed);
	return js_str(json_array_get(list, 0), "weight");
}

static void set_clock(long long off)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld\n", (long long)time(NULL) + off);
	put("/sys/class/rtc/rtc0/since_epoch", text);
}

static void test_clock(void **state)
{
	enum { HOUR = 60 * 60, DAY = 24 * HOUR };
	CLEANUP_JSON json_t *list = json_array();

	(void)state;
	assert_string_equal(clock_weight(list), "warning");
	set_clock(-14 * HOUR); /* it has local time */
	assert_null(clock_weight(list));
	set_clock(-3 * DAY - HOUR);
	assert_string_equal(clock_weight(list), "error");
	assert_non_null(strstr(js_str(json_array_get(list, 0), "cause"), "3 days slow"));
	set_clock(400LL * DAY + HOUR);
	assert_string_equal(clock_weight(list), "error");
	assert_non_null(strstr(js_str(json_array_get(list, 0), "cause"), "400 days fast"));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "token")), 1);
}

static int begin_root(void **state)
{
	(void)state;
	return root_begin();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, begin_root, remove_root);
}
