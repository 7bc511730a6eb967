/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the generator reads: the kernel command line, crypttab and fstab, with NULs between. */
#include "units/order.h"

#include "tests/fuzz/fuzz.h"
#include "units/unit-name.h"

static void name_unit(const char *volume)
{
	CLEANUP(free_text) char *unit = NULL;
	int r = unit_name_of_volume(volume, &unit);

	CHECK_RESULT(r, -EINVAL);
	CHECK((r == 0) == (unit != NULL));
	if (r == 0)
		CHECK(strlen(unit) < 256 && !strchr(unit, '/') && !strpbrk(unit, " \t\n"));
}

static void order(const struct listed *listed, bool initrd, struct ref fstab)
{
	for (size_t i = 0; i < listed->n; i++) {
		enum order order = ORDER_NONE;

		CHECK(listed->volumes[i].name);
		CHECK(order_of(&listed->volumes[i], initrd, fstab, &order) == 0);
		CHECK(order <= ORDER_LOCAL_USER);
		CHECK(order != ORDER_NETWORK || order_is_ours(&listed->volumes[i]));
		name_unit(listed->volumes[i].name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ref rest = {data, n};
	CLEANUP(buf_done) struct buf line = fuzz_part_copy(&rest);
	CLEANUP(buf_done) struct buf crypttab = fuzz_part_copy(&rest);
	CLEANUP(buf_done) struct buf fstab = {0};

	CHECK(buf_copy(&fstab, rest) == 0);
	for (int initrd = 0; initrd < 2; initrd++) {
		CLEANUP(cmdline_done) struct cmdline cmdline = {0};
		CLEANUP(listed_done) struct listed listed = {0};
		int r = cmdline_parse(buf_ref(&line), initrd, &fuzz_log, &cmdline);

		CHECK_RESULT(r, -E2BIG);
		if (r < 0)
			continue;
		CHECK(listed_read(buf_ref(&crypttab), &cmdline, &fuzz_log, &listed) == 0);
		order(&listed, initrd, buf_ref(&fstab));
	}
	return 0;
}
