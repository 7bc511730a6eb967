/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The record of recoveries. */
#include "tang/server/usage.h"

#include "tang/server/put.h"

#include <errno.h>
#include <fcntl.h>

static const char since_name[] = "since", started_name[] = "started", keys_name[] = "keys";
static const char recoveries_name[] = "recoveries", last_name[] = "last";
static const char since_start_name[] = "recoveries_since_start";

void usage_done(struct usage *usage)
{
	free(usage->keys);
	*usage = (struct usage){0};
}

int usage_new(uint64_t now, struct usage *ret)
{
	struct usage_key *keys = calloc(USAGE_KEYS_MAX, sizeof(*keys));

	if (!keys)
		return -ENOMEM;

	*ret = (struct usage){.since = now, .started = now, .keys = keys};
	return 0;
}

static int number(const json_t *object, const char *name, uint64_t *ret)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return -EBADMSG;

	*ret = (uint64_t)json_integer_value(value);
	return 0;
}

static int parse_key(const char *thumbprint, const json_t *json, struct usage_key *ret)
{
	size_t n = strlen(thumbprint);
	int r;

	if (n != JWK_THUMBPRINT_MAX)
		return -EBADMSG;

	memcpy(ret->thumbprint, thumbprint, n + 1);
	r = number(json, recoveries_name, &ret->recoveries);
	if (r == 0)
		r = number(json, last_name, &ret->last);
	return r < 0 ? r : number(json, since_start_name, &ret->since_start);
}

static int parse(const json_t *json, struct usage *usage)
{
	json_t *keys = json_object_get(json, keys_name), *value;
	const char *thumbprint;
	int r;

	r = number(json, since_name, &usage->since);
	if (r == 0)
		r = number(json, started_name, &usage->started);
	if (r == 0 && !json_is_object(keys))
		r = -EBADMSG;
	if (r == 0 && json_object_size(keys) > USAGE_KEYS_MAX)
		r = -E2BIG;
	if (r < 0)
		return r;

	json_object_foreach(keys, thumbprint, value) {
		r = parse_key(thumbprint, value, &usage->keys[usage->n]);
		if (r < 0)
			return r;
		usage->n++;
	}
	return 0;
}

int usage_load(const char *path, struct usage *ret)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP(usage_done) struct usage usage = {0};
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP_JSON json_t *json = NULL;
	int r;

	if (fd < 0)
		return -errno;

	r = buf_init(&text, JS_TEXT_MAX + 1);
	if (r == 0)
		r = buf_read(&text, fd);
	if (r == 0)
		r = js_load(buf_ref(&text), &json);
	if (r == 0)
		r = usage_new(0, &usage);
	if (r == 0)
		r = parse(json, &usage);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(usage);
	return 0;
}

static json_t *to_json(const struct usage *usage)
{
	CLEANUP_JSON json_t *json =
		json_pack("{s:I, s:I, s:{}}", since_name, (json_int_t)usage->since, started_name,
			  (json_int_t)usage->started, keys_name);

	for (size_t i = 0; json && i < usage->n; i++) {
		const struct usage_key *key = &usage->keys[i];

		if (json_object_set_new(json_object_get(json, keys_name), key->thumbprint,
					json_pack("{s:I, s:I, s:I}", recoveries_name,
						  (json_int_t)key->recoveries, last_name,
						  (json_int_t)key->last, since_start_name,
						  (json_int_t)key->since_start)) < 0)
			return NULL;
	}
	return TAKE_PTR(json);
}

int usage_save(const struct usage *usage, const char *path)
{
	CLEANUP_JSON json_t *json = to_json(usage);
	CLEANUP(free_text) char *text = NULL;
	int r;

	if (!json)
		return -ENOMEM;

	r = js_dump(json, &text);
	return r < 0 ? r : put_path(path, ref_str(text), S_IRUSR | S_IWUSR | S_IRGRP);
}

const struct usage_key *usage_find(const struct usage *usage, const char *thumbprint)
{
	for (size_t i = 0; i < usage->n; i++)
		if (strcmp(usage->keys[i].thumbprint, thumbprint) == 0)
			return &usage->keys[i];
	return NULL;
}

int usage_add(struct usage *usage, const struct usage_key *more)
{
	struct usage_key *key = usage->keys;

	while (key < usage->keys + usage->n && strcmp(key->thumbprint, more->thumbprint) != 0)
		key++;
	if (key == usage->keys + USAGE_KEYS_MAX)
		return -E2BIG;

	if (key == usage->keys + usage->n) {
		*key = *more;
		usage->n++;
		return 0;
	}
	key->recoveries += more->recoveries;
	key->since_start += more->since_start;
	if (key->last < more->last)
		key->last = more->last;
	return 0;
}
