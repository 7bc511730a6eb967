/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uses of JWKs. */
#include "tang/server/use.h"

static const char *const signature_ops[] = {"sign", "verify"};
static const char *const private_ops[] = {"sign", "decrypt", "unwrapKey"};

static bool is_one_of(const char *const words[], size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

static bool array_has(const json_t *array, const char *word)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *one = json_string_value(json_array_get(array, i));

		if (one && strcmp(one, word) == 0)
			return true;
	}
	return false;
}

bool use_allows(const json_t *json, const char *op, enum use_none none)
{
	const json_t *use = json_object_get(json, "use");
	const json_t *key_ops = json_object_get(json, "key_ops");

	if (!use && !key_ops)
		return none == USE_NONE_ALLOWS;
	if (use && !json_is_string(use))
		return false;
	if (array_has(key_ops, op))
		return true;

	return use && strcmp(json_string_value(use), "sig") == 0 &&
	       is_one_of(signature_ops, ARRAY_SIZE(signature_ops), op);
}

void use_make_public(json_t *json)
{
	json_t *key_ops = json_object_get(json, "key_ops");

	for (size_t i = 0; i < json_array_size(key_ops);) {
		const char *op = json_string_value(json_array_get(key_ops, i));

		if (op && is_one_of(private_ops, ARRAY_SIZE(private_ops), op))
			(void)json_array_remove(key_ops, i);
		else
			i++;
	}
}
