/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing TPM structures within bounds. */
#include "tpm/wire.h"

#include "tests/unit/vectors/tpm.h"

static void test_read(void **state)
{
	static const uint8_t bytes[] = {0x01, 0x02, 0xfe, 0xdc, 0xba, 0x98, 0x00, 0x02, 0xaa, 0xbb};
	struct wire_reader in = {.left = {bytes, sizeof(bytes)}};
	struct ref sized;

	(void)state;
	assert_int_equal(wire_get16(&in), 0x0102);
	assert_int_equal(wire_get32(&in), 0xfedcba98);
	assert_false(wire_ended(&in));
	sized = wire_get2b(&in, 2);
	assert_int_equal(sized.n, 2);
	assert_ptr_equal(sized.p, bytes + 8);
	assert_true(wire_ended(&in));
}

/* Whatever is asked for past the end is empty, also if less is asked for later. */
static void test_read_short(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x03, 0xaa, 0xbb};

	(void)state;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct wire_reader in = {.left = {bytes, n}};

		assert_int_equal(wire_get2b(&in, 16).n, 0);
		assert_true(in.bad);
		assert_int_equal(wire_get16(&in), 0);
		assert_int_equal(wire_get(&in, 1).n, 0);
		assert_false(wire_ended(&in));
	}
}

static void test_read_too_long(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x02, 0xaa, 0xbb};
	struct wire_reader in = {.left = {bytes, sizeof(bytes)}};

	(void)state;
	assert_int_equal(wire_get2b(&in, 1).n, 0);
	assert_true(in.bad);
}

static void test_write(void **state)
{
	struct wire_writer out = {0};

	(void)state;
	wire_put16(&out, 0x0102);
	wire_put32(&out, 0xfedcba98);
	wire_put2b(&out, ref_str("ab"));
	wire_put2b(&out, (struct ref){0});
	assert_false(out.bad);
	assert_hex("written", out.p, out.n, "0102fedcba98000261620000");
}

static void test_write_too_much(void **state)
{
	static const uint8_t bytes[WIRE_MAX];
	struct wire_writer out = {0};

	(void)state;
	wire_put(&out, (struct ref){bytes, WIRE_MAX - 1});
	assert_false(out.bad);
	wire_put16(&out, 1);
	assert_true(out.bad);
	assert_int_equal(out.n, WIRE_MAX - 1);
	wire_put(&out, (struct ref){bytes, 1});
	assert_int_equal(out.n, WIRE_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),           cmocka_unit_test(test_read_short),
		cmocka_unit_test(test_read_too_long),  cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
