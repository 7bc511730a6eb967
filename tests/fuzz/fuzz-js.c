/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON with limits, and the reader in place beside it: both see the same members. */
#include "crypto/js.h"

#include "crypto/scan.h"
#include "tests/fuzz/fuzz.h"

struct seen {
	struct ref text;
	const json_t *json; /* NULL: not known */
	size_t n;
};

static bool is_within(struct ref part, struct ref whole)
{
	return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static int see(void *arg, struct ref name, struct ref value)
{
	struct seen *seen = arg;
	struct ref inside;

	CHECK(is_within(name, seen->text) && is_within(value, seen->text));
	if (scan_string(value, &inside) == 0)
		CHECK(is_within(inside, value));
	if (json_is_object(seen->json))
		CHECK(json_object_getn(seen->json, (const char *)name.p, name.n));
	(void)!scan_object(value, see, &(struct seen){.text = value});
	(void)!scan_array(value, see, &(struct seen){.text = value});
	seen->n++;
	return 0;
}

static void compare(struct ref text, const json_t *json)
{
	struct seen seen = {.text = text, .json = json};
	int r = scan_object(text, see, &seen);

	CHECK_RESULT(r, -EBADMSG);
	if (json && !memchr(text.p, '\\', text.n))
		CHECK(r == 0 && seen.n == json_object_size(json));
	seen.json = NULL;
	CHECK_RESULT(scan_array(text, see, &seen), -EBADMSG);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP_JSON json_t *json = NULL;
	CLEANUP_JSON json_t *again = NULL;
	CLEANUP(free_text) char *text = NULL;
	CLEANUP(free_text) char *text_again = NULL;
	int r = js_load((struct ref){data, n}, &json);

	CHECK_RESULT(r, -EBADMSG, -E2BIG);
	CHECK((r == 0) == json_is_object(json));
	if (n <= 4096)
		compare((struct ref){data, n}, json);
	if (r < 0)
		return 0;

	CHECK(js_dump(json, &text) == 0);
	if (strlen(text) > JS_TEXT_MAX)
		return 0;
	CHECK(js_load(ref_str(text), &again) == 0);
	CHECK(json_equal(json, again));
	CHECK(js_dump(again, &text_again) == 0);
	CHECK(strcmp(text, text_again) == 0);
	return 0;
}
