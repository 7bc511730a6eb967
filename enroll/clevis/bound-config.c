/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From headers to configurations. */
#include "enroll/clevis/bound-config.h"

#include "enroll/clevis/jwe-text.h"

#include <errno.h>
#include <stdio.h>

enum { DEPTH_MAX = 8, PINS_MAX = 64 };

/* What Clevis's configurations have, in the order in which it prints them. */
struct kind {
	const char *pin;
	const char *members[8];
};

/* Those of cotter's own come last: without them nothing could be bound so again. */
static const struct kind kinds[] = {
	{"null", {NULL}},
	{"pkcs11", {"uri", "mechanism", "hash", NULL}},
	{"tang", {"url", "ca", "pubkey", NULL}},
	{"tpm2", {"hash", "key", "pcr_bank", "pcr_ids", "pcr_digest", NULL}},
};

static const struct kind *kind_of(const char *pin)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].pin, pin) == 0)
			return &kinds[i];
	return NULL;
}

static int config_of_leaf(const struct kind *kind, const json_t *content, json_t **ret)
{
	CLEANUP_JSON json_t *config = json_object();

	for (const char *const *member = kind->members; *member; member++) {
		json_t *value = json_object_get(content, *member);

		if (json_is_string(value) && json_object_set(config, *member, value) != 0)
			return -ENOMEM;
	}
	*ret = TAKE_PTR(config);
	return *ret ? 0 : -ENOMEM;
}

static int config_at(const json_t *hdr, unsigned depth, const char **ret_pin, json_t **ret);

/* The configurations of each kind of pin, in the order of the shares. */
static int sort_shares(const json_t *content, unsigned depth, json_t *pins)
{
	const json_t *share;
	size_t i;

	json_array_foreach(json_object_get(content, "jwe"), i, share) {
		const char *text = json_string_value(share), *pin = NULL;
		CLEANUP_JSON json_t *hdr = NULL, *config = NULL;
		json_t *list;

		if (!text || jwe_text_header(text, &hdr) < 0 ||
		    config_at(hdr, depth + 1, &pin, &config) < 0 || !config)
			continue;
		list = json_object_get(pins, pin);
		if (!list) {
			list = json_array();
			if (json_object_set_new(pins, pin, list) != 0)
				return -ENOMEM;
		}
		if (json_array_append(list, config) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int config_of_node(const json_t *content, unsigned depth, json_t **ret)
{
	static const char *const order[] = {"null", "pkcs11", "tang", "tpm2", "sss"};
	CLEANUP_JSON json_t *sorted = json_object(), *pins = json_object(), *config = NULL;
	int r;

	r = sorted ? sort_shares(content, depth, sorted) : -ENOMEM;
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		json_t *list = json_object_get(sorted, order[i]);
		/* As Clevis prints it, which of several policies has but the last. */
		bool bare = strcmp(order[i], "sss") == 0 && json_array_size(list) == 1;

		if (list &&
		    json_object_set(pins, order[i], bare ? json_array_get(list, 0) : list) != 0)
			return -ENOMEM;
	}
	config = json_pack("{s:O, s:O}", "t", json_object_get(content, "t"), "pins", pins);
	*ret = TAKE_PTR(config);
	return *ret ? 0 : -ENOMEM;
}

static int config_at(const json_t *hdr, unsigned depth, const char **ret_pin, json_t **ret)
{
	const json_t *clevis = json_object_get(hdr, "clevis");
	const char *pin = js_str(clevis, "pin");
	const json_t *content = pin ? json_object_get(clevis, pin) : NULL;
	const struct kind *kind = pin ? kind_of(pin) : NULL;
	int r = 0;

	if (!json_is_object(content) || depth > DEPTH_MAX)
		return -EBADMSG;
	*ret_pin = pin;
	if (strcmp(pin, "sss") == 0)
		r = json_is_integer(json_object_get(content, "t"))
			    ? config_of_node(content, depth, ret)
			    : -EBADMSG;
	else if (kind)
		r = config_of_leaf(kind, content, ret);
	return r;
}

int bound_config_of(const json_t *hdr, const char **ret_pin, json_t **ret)
{
	const char *pin = NULL;
	json_t *config = NULL;
	int r;

	r = config_at(hdr, 0, &pin, &config);
	if (r < 0)
		return r;
	*ret_pin = pin;
	*ret = config;
	return 0;
}

/* What cotter alone binds to is not written out. */
static bool is_clevis(const json_t *content)
{
	return !json_object_get(content, "parent") && !json_object_get(content, "pubkey_pcrs") &&
	       !json_object_get(content, "salt");
}

static bool is_whole(const json_t *hdr, unsigned depth)
{
	const json_t *clevis = json_object_get(hdr, "clevis");
	const char *pin = js_str(clevis, "pin");
	const json_t *share;
	size_t i;

	if (!pin || depth > DEPTH_MAX)
		return false;
	if (strcmp(pin, "sss") != 0)
		return kind_of(pin) && is_clevis(json_object_get(clevis, pin));
	json_array_foreach(json_object_get(json_object_get(clevis, pin), "jwe"), i, share) {
		const char *text = json_string_value(share);
		CLEANUP_JSON json_t *below = NULL;

		if (!text || jwe_text_header(text, &below) < 0 || !is_whole(below, depth + 1))
			return false;
	}
	return true;
}

bool bound_config_is_whole(const json_t *hdr)
{
	return is_whole(hdr, 0);
}

/* Known pins alone have a configuration, so that there are few names. */
static void mark_pins(const char *pin, const json_t *config, bool *marks)
{
	const json_t *pins = json_object_get(config, "pins"), *value, *item;
	const char *name;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		marks[i] |= strcmp(kinds[i].pin, pin) == 0;
	if (strcmp(pin, "sss") != 0)
		return;
	json_object_foreach((json_t *)(uintptr_t)pins, name, value) {
		if (!json_is_array(value))
			mark_pins(name, value, marks);
		json_array_foreach(value, i, item)
			mark_pins(name, item, marks);
	}
}

int bound_config_pins(const char *pin, const json_t *config, json_t **ret)
{
	/* "sss" comes between "pkcs11" and "tang". */
	bool marks[ARRAY_SIZE(kinds)] = {false}, node = strcmp(pin, "sss") == 0;
	CLEANUP_JSON json_t *names = json_array();
	int r = 0;

	if (!config)
		r = json_array_append_new(names, json_string(pin));
	else
		mark_pins(pin, config, marks);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++) {
		if (marks[i])
			r = json_array_append_new(names, json_string(kinds[i].pin));
		if (r == 0 && i == 1 && node)
			r = json_array_append_new(names, json_string("sss"));
	}
	if (r != 0)
		return -ENOMEM;

	*ret = TAKE_PTR(names);
	return 0;
}

char *bound_config_text(const json_t *config)
{
	return js_text(config, JSON_COMPACT);
}
