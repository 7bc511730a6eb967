/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the output of cotter-enroll --renew, and words it for the journal. */
#include "units/renewed.h"

#include "crypto/js.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* The results that a token may have; others are of a later version, and taken for the last. */
static const struct kind {
	const char *result, *id;
	int priority;
	const char *words; /* behind what it is about */
} kinds[] = {
	{"renewed", RENEWED_ID_RENEWED, LOG_NOTICE, "was renewed"},
	{"not-due", RENEWED_ID_NOT_DUE, LOG_INFO, "need not be renewed"},
	{"kept", RENEWED_ID_FAILED, LOG_WARNING, "was kept as it is"},
	{"failed", RENEWED_ID_FAILED, LOG_ERR, "could not be renewed"},
};

static const struct kind *kind_of(const char *result)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(kinds) && (!result || strcmp(kinds[i].result, result) != 0))
		i++;
	return &kinds[i];
}

static int number_of(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);
	json_int_t n = json_is_integer(member) ? json_integer_value(member) : -1;

	return n >= 0 && n < 32 ? (int)n : -1;
}

static bool is_well(const char *result)
{
	return strcmp(result, "renewed") == 0 || strcmp(result, "not-due") == 0;
}

/* Whether a leaf went the way of the whole. */
static bool went_along(const json_t *leaf)
{
	const char *state = js_str(leaf, "state");

	return state && (strcmp(state, "current") == 0 || strcmp(state, "changed") == 0);
}

/* One that did not keeps what it had, whatever became of the whole. */
static int each_leaf(const struct renewed *token, const json_t *leaves, renewed_fn fn, void *arg)
{
	const json_t *leaf;
	size_t i;

	json_array_foreach(leaves, i, leaf) {
		struct renewed renewed = *token;
		const char *where = js_str(leaf, "where");
		int r;

		renewed.leaf = where ? where : js_str(leaf, "pin");
		renewed.cause = js_str(leaf, "cause");
		if (!renewed.leaf || !renewed.cause || went_along(leaf))
			continue;
		if (is_well(renewed.result))
			renewed.result = "kept";
		r = fn(arg, &renewed);
		if (r < 0)
			return r;
	}
	return 0;
}

static int each_token(const char *device, const json_t *tokens, renewed_fn fn, void *arg,
		      bool *ret_failed)
{
	const json_t *token;
	size_t i;

	*ret_failed = false;
	json_array_foreach(tokens, i, token) {
		const struct renewed renewed = {
			.device = device,
			.token = number_of(token, "token"),
			.keyslot = number_of(token, "keyslot"),
			.result = kind_of(js_str(token, "state"))->result,
			.cause = js_str(token, "cause"),
		};
		int r;

		if (renewed.token < 0)
			return -EBADMSG;
		*ret_failed = *ret_failed || !is_well(renewed.result);
		r = fn(arg, &renewed);
		if (r == 0)
			r = each_leaf(&renewed, json_object_get(token, "leaves"), fn, arg);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The errors of a volume that no token answers for. */
static int each_error(const char *device, const json_t *errors, renewed_fn fn, void *arg)
{
	struct renewed renewed = {.device = device, .token = -1, .keyslot = -1, .result = "failed"};
	const json_t *error;
	size_t i;
	int r = 0;

	if (json_array_size(errors) == 0)
		return fn(arg, &renewed);
	json_array_foreach(errors, i, error) {
		renewed.cause = json_string_value(error);
		if (r == 0)
			r = fn(arg, &renewed);
	}
	return r;
}

static int each_of_volume(const json_t *volume, renewed_fn fn, void *arg)
{
	const char *device = js_str(volume, "device"), *result = js_str(volume, "result");
	bool told;
	int r;

	if (!device || !result)
		return -EBADMSG;
	r = each_token(device, json_object_get(volume, "tokens"), fn, arg, &told);
	if (r == 0 && !told && strcmp(result, "ok") != 0)
		r = each_error(device, json_object_get(volume, "errors"), fn, arg);
	return r;
}

int renewed_each(const json_t *output, renewed_fn fn, void *arg)
{
	const json_t *volume;
	size_t i;

	if (json_is_object(output))
		return each_of_volume(output, fn, arg);
	if (!json_is_array(output))
		return -EBADMSG;
	json_array_foreach(output, i, volume) {
		int r = each_of_volume(volume, fn, arg);

		if (r < 0)
			return r;
	}
	return 0;
}

void renewed_fields_done(struct renewed_fields *fields)
{
	for (size_t i = 0; i < fields->n; i++)
		free(fields->fields[i]);
	*fields = (struct renewed_fields){0};
}

static int PRINTF_LIKE(2, 3) add(struct renewed_fields *fields, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	fields->fields[fields->n++] = text;
	return 0;
}

/* "token 1 of /dev/vda3", "token 1 of /dev/vda3, in its part http://tang" or "/dev/vda3" */
static int add_message(const struct renewed *renewed, const struct kind *kind,
		       struct renewed_fields *fields)
{
	const char *cause = renewed->cause ? renewed->cause : "";
	const char *colon = renewed->cause ? ": " : "";

	if (renewed->token < 0)
		return add(fields, "MESSAGE=%s %s%s%s", renewed->device, kind->words, colon, cause);
	if (renewed->leaf)
		return add(fields, "MESSAGE=token %d of %s: %s %s%s%s", renewed->token,
			   renewed->device, renewed->leaf, kind->words, colon, cause);
	return add(fields, "MESSAGE=token %d of %s %s%s%s", renewed->token, renewed->device,
		   kind->words, colon, cause);
}

int renewed_fields(const struct renewed *renewed, struct renewed_fields *ret)
{
	CLEANUP(renewed_fields_done) struct renewed_fields fields = {0};
	const struct kind *kind = kind_of(renewed->result);
	int r = add_message(renewed, kind, &fields);

	if (r == 0)
		r = add(&fields, "MESSAGE_ID=%s", kind->id);
	if (r == 0)
		r = add(&fields, "PRIORITY=%d", kind->priority);
	if (r == 0)
		r = add(&fields, "COTTER_DEVICE=%s", renewed->device);
	if (r == 0 && renewed->token >= 0)
		r = add(&fields, "COTTER_TOKEN=%d", renewed->token);
	if (r == 0 && renewed->keyslot >= 0)
		r = add(&fields, "COTTER_KEYSLOT=%d", renewed->keyslot);
	if (r == 0 && renewed->leaf)
		r = add(&fields, "COTTER_LEAF=%s", renewed->leaf);
	if (r == 0 && renewed->cause)
		r = add(&fields, "COTTER_CAUSE=%s", renewed->cause);
	if (r == 0)
		r = add(&fields, "COTTER_RESULT=%s", kind->result);
	if (r == 0)
		*ret = TAKE_STRUCT(fields);
	return r;
}
