/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares bindings by their headers alone. */
#include "enroll/same.h"

#include <strings.h>

/* The part of a URL that tells servers apart. */
static struct ref bare_url(const char *url)
{
	static const char http[] = "http://";
	size_t n;

	if (strncasecmp(url, http, strlen(http)) == 0)
		url += strlen(http);
	n = strlen(url);
	while (n > 0 && url[n - 1] == '/')
		n--;
	return (struct ref){(const uint8_t *)url, n};
}

static bool same_url(const json_t *a, const json_t *b)
{
	return json_is_string(a) && json_is_string(b) &&
	       ref_equal(bare_url(json_string_value(a)), bare_url(json_string_value(b)));
}

/* What is other each time that the same is bound. */
static const char *const each_time[] = {"adv", "jwk_pub", "jwk_priv", "salt"};

/* What of a pin's configuration makes the binding what it is. */
static bool same_config(const json_t *a, const json_t *b)
{
	CLEANUP_JSON json_t *left = json_copy((json_t *)a), *right = json_copy((json_t *)b);

	if (!left || !right)
		return false;
	if (same_url(json_object_get(a, "url"), json_object_get(b, "url"))) {
		(void)json_object_del(left, "url");
		(void)json_object_del(right, "url");
	}
	for (size_t i = 0; i < ARRAY_SIZE(each_time); i++) {
		(void)json_object_del(left, each_time[i]);
		(void)json_object_del(right, each_time[i]);
	}
	return !json_object_get(a, "salt") == !json_object_get(b, "salt") &&
	       json_equal(left, right);
}

bool same_binding(const json_t *a, const json_t *b)
{
	const json_t *of_a = json_object_get(a, "clevis"), *of_b = json_object_get(b, "clevis");
	const json_t *kid = json_object_get(a, "kid"), *other_kid = json_object_get(b, "kid");
	const char *pin = js_str(of_a, "pin"), *other = js_str(of_b, "pin");

	if (!pin || !other || strcmp(pin, other) != 0)
		return false;
	if ((kid || other_kid) && !json_equal(kid, other_kid))
		return false;
	return same_config(json_object_get(of_a, pin), json_object_get(of_b, pin));
}
