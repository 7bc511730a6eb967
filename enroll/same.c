/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares bindings by their headers alone. */
#include "enroll/same.h"

#include "enroll/options-pin.h"

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

bool same_server(const char *url, const char *other)
{
	return ref_equal(bare_url(url), bare_url(other));
}

static bool same_url(const json_t *a, const json_t *b)
{
	return json_is_string(a) && json_is_string(b) &&
	       same_server(json_string_value(a), json_string_value(b));
}

/* What is other each time that the same is bound is in both or in neither. */
static bool take_away(const char *const *each_time, json_t *a, json_t *b)
{
	for (size_t i = 0; i < PIN_EACH_TIME_MAX && each_time[i]; i++)
		if (json_object_del(a, each_time[i]) != json_object_del(b, each_time[i]))
			return false;
	return true;
}

/* What of a pin's configuration makes the binding what it is. */
static bool same_config(const char *pin, const json_t *a, const json_t *b)
{
	CLEANUP_JSON json_t *left = json_copy((json_t *)a), *right = json_copy((json_t *)b);
	const struct pin_options *options = pin_options_find(pin);

	if (!left || !right)
		return false;
	if (same_url(json_object_get(a, "url"), json_object_get(b, "url"))) {
		(void)json_object_del(left, "url");
		(void)json_object_del(right, "url");
	}
	return (!options || take_away(options->each_time, left, right)) && json_equal(left, right);
}

/* The protected header of a share; NULL where it has none that can be read. */
static json_t *share_header(const json_t *share)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};

	if (!json_is_string(share) || jwe_from_compact(ref_str(json_string_value(share)), &jwe) < 0)
		return NULL;
	return json_incref(jwe.hdr);
}

static json_t *share_headers(const json_t *config)
{
	CLEANUP_JSON json_t *headers = json_array();
	const json_t *share;
	size_t i;

	json_array_foreach(json_object_get(config, "jwe"), i, share)
		if (json_array_append_new(headers, share_header(share)) < 0)
			return NULL;
	return TAKE_PTR(headers);
}

/* The same shares in any order, each as often; and as many are needed. */
static bool same_policy(const json_t *a, const json_t *b)
{
	CLEANUP_JSON json_t *left = share_headers(a), *right = share_headers(b);
	const json_t *share;
	size_t i;

	if (!left || !right || json_array_size(left) != json_array_size(right) ||
	    !json_equal(json_object_get(a, "t"), json_object_get(b, "t")))
		return false;
	json_array_foreach(left, i, share) {
		size_t other = 0;

		while (other < json_array_size(right) &&
		       !same_binding(share, json_array_get(right, other)))
			other++;
		if (json_array_remove(right, other) < 0)
			return false;
	}
	return true;
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
	of_a = json_object_get(of_a, pin);
	of_b = json_object_get(of_b, pin);
	return json_object_get(of_a, "jwe") ? same_policy(of_a, of_b)
					    : same_config(pin, of_a, of_b);
}

const struct item *same_find(const struct inventory *inventory, const json_t *hdr,
			     const struct wipe *gone, bool orphaned)
{
	for (size_t i = 0; i < inventory->n; i++) {
		const struct item *item = &inventory->items[i];

		if (item->valid && (item->keyslots == 0) == orphaned &&
		    !(gone->tokens & UINT32_C(1) << item->id) &&
		    !(gone->keyslots & item->keyslots) && same_binding(item->token.jwe.hdr, hdr))
			return item;
	}
	return NULL;
}
