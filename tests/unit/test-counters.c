/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counters by route and status. */
#include "tang/server/counters.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_counters(void **state)
{
	struct counters counters = {0};
	uint64_t others = 0;

	(void)state;
	counters_add(&counters, COUNTER_CUT, 2);
	counters_add(&counters, COUNTER_CUT, 3);
	assert_int_equal(counters_get(&counters, COUNTER_CUT), 5);
	assert_int_equal(counters_get(&counters, COUNTER_REFUSED), 0);

	counters_request(&counters, ROUTE_ADV, 200);
	counters_request(&counters, ROUTE_ADV, 200);
	counters_request(&counters, ROUTE_ADV, 404);
	counters_request(&counters, ROUTE_REC, 404);
	counters_request(&counters, ROUTE_REC, 999);
	counters_request(&counters, ROUTE_REC, 418);
	for (size_t i = 0; i < COUNTERS_STATUSES; i++) {
		uint64_t adv = counters_requests(&counters, ROUTE_ADV, i);
		uint64_t rec = counters_requests(&counters, ROUTE_REC, i);

		switch (counters_statuses[i]) {
		case 200:
			assert_int_equal(adv, 2);
			assert_int_equal(rec, 0);
			break;
		case 404:
			assert_int_equal(adv, 1);
			assert_int_equal(rec, 1);
			break;
		default:
			assert_int_equal(adv, 0);
			others += rec;
		}
	}
	assert_int_equal(others, 2);
	assert_int_equal(counters_requests(&counters, ROUTE_REC, COUNTERS_STATUSES - 1), 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
