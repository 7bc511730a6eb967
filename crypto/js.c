/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON with limits. */
#include "crypto/js.h"

#include "crypto/b64.h"

#include <errno.h>

/* jansson's own depth limit is fixed at 2048 frames of C stack, so depth is counted beforehand. */
static bool too_deep(struct ref text)
{
	bool in_string = false;
	size_t depth = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JS_DEPTH_MAX)
				return true;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

/* Jansson says nothing at all where it had no memory for its own work. */
static int why_not(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	return code == json_error_out_of_memory || code == json_error_unknown ? -ENOMEM : -EBADMSG;
}

int js_load(struct ref text, json_t **ret)
{
	CLEANUP_JSON json_t *value = NULL;
	json_error_t error = {0};

	if (text.n > JS_TEXT_MAX || too_deep(text))
		return -E2BIG;

	value = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	if (!value)
		return why_not(&error);
	if (!json_is_object(value))
		return -EBADMSG;

	*ret = TAKE_PTR(value);
	return 0;
}

/*
 * json_dumps() leaves out a name's quotation mark where it has no memory for it, and says nothing. Into memory that is
 * there it needs none.
 */
char *js_text(const json_t *value, size_t flags)
{
	size_t n = json_dumpb(value, NULL, 0, flags);
	CLEANUP(free_text) char *text = n > 0 ? malloc(n + 1) : NULL;

	if (!text || json_dumpb(value, text, n, flags) != n)
		return NULL;
	text[n] = '\0';
	return TAKE_PTR(text);
}

int js_dump(const json_t *value, char **ret)
{
	char *text = js_text(value, JSON_COMPACT | JSON_SORT_KEYS);

	if (!text)
		return -ENOMEM;

	*ret = text;
	return 0;
}

const char *js_str(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

int js_b64(const json_t *object, const char *key, struct buf *ret)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_string(member))
		return -EBADMSG;

	return b64_decode((struct ref){(const uint8_t *)json_string_value(member),
				       json_string_length(member)},
			  ret);
}

json_t *js_from_b64(struct ref src)
{
	CLEANUP(buf_done) struct buf text = {0};

	if (buf_init(&text, b64_encoded_len(src.n)) < 0 || b64_encode(src, &text) < 0)
		return NULL;

	return json_stringn((const char *)text.p, text.n);
}
