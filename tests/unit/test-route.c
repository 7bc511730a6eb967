/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths and methods of a Tang server. */
#include "tang/server/route.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_paths(void **state)
{
	static const struct {
		const char *endpoint, *path;
		enum route_kind kind;
		const char *thumbprint;
	} cases[] = {
		{NULL, "/adv", ROUTE_ADV, NULL},         {NULL, "/adv/", ROUTE_ADV, NULL},
		{NULL, "//adv//", ROUTE_ADV, NULL},      {NULL, "/adv/aZ09-_", ROUTE_ADV, "aZ09-_"},
		{NULL, "//adv//a", ROUTE_ADV, "a"},      {NULL, "/rec/a", ROUTE_REC, "a"},
		{NULL, "/rec//a", ROUTE_REC, "a"},       {NULL, "/healthz", ROUTE_HEALTH, NULL},
		{NULL, "/metrics", ROUTE_METRICS, NULL}, {NULL, "", ROUTE_OTHER, NULL},
		{NULL, "/", ROUTE_OTHER, NULL},          {NULL, "adv", ROUTE_OTHER, NULL},
		{NULL, "*", ROUTE_OTHER, NULL},          {NULL, "/advx", ROUTE_OTHER, NULL},
		{NULL, "/adv/a/", ROUTE_OTHER, NULL},    {NULL, "/adv/a/b", ROUTE_OTHER, NULL},
		{NULL, "/adv/a b", ROUTE_OTHER, NULL},   {NULL, "/adv/a%20", ROUTE_OTHER, NULL},
		{NULL, "/adv/a.", ROUTE_OTHER, NULL},    {NULL, "/adv/+", ROUTE_OTHER, NULL},
		{NULL, "/rec", ROUTE_OTHER, NULL},       {NULL, "/rec/", ROUTE_OTHER, NULL},
		{NULL, "/rec/a/", ROUTE_OTHER, NULL},    {NULL, "/ADV", ROUTE_OTHER, NULL},
		{NULL, "/healthz/", ROUTE_OTHER, NULL},  {NULL, "http://x/adv", ROUTE_OTHER, NULL},
		{"x", "/x/adv", ROUTE_ADV, NULL},        {"x", "//x//adv/a", ROUTE_ADV, "a"},
		{"x", "/x/rec/a", ROUTE_REC, "a"},       {"x", "/adv", ROUTE_OTHER, NULL},
		{"x", "/x", ROUTE_OTHER, NULL},          {"x", "/xy/adv", ROUTE_OTHER, NULL},
		{"x", "/x/x/adv", ROUTE_OTHER, NULL},    {"x", "/healthz", ROUTE_HEALTH, NULL},
		{"x", "/x/healthz", ROUTE_OTHER, NULL},  {"x/y", "/x/y/rec/a", ROUTE_REC, "a"},
		{"x/y", "/x/rec/a", ROUTE_OTHER, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct route route = route_find(cases[i].path, cases[i].endpoint);

		if (route.kind != cases[i].kind)
			fail_msg("%s is %s", cases[i].path, route_name(route.kind));
		if (!cases[i].thumbprint)
			assert_null(route.thumbprint);
		else
			assert_string_equal(route.thumbprint, cases[i].thumbprint);
	}
}

static void test_methods(void **state)
{
	(void)state;
	assert_true(route_allows(ROUTE_ADV, "GET"));
	assert_true(route_allows(ROUTE_ADV, "HEAD"));
	assert_false(route_allows(ROUTE_ADV, "POST"));
	assert_false(route_allows(ROUTE_ADV, "get"));
	assert_true(route_allows(ROUTE_REC, "POST"));
	assert_false(route_allows(ROUTE_REC, "GET"));
	assert_false(route_allows(ROUTE_REC, "PUT"));
	assert_string_equal(route_methods(ROUTE_REC), "POST");
	assert_string_equal(route_methods(ROUTE_HEALTH), "GET, HEAD");
	assert_null(route_methods(ROUTE_OTHER));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
