/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-tang-keys list and show. */
#include "crypto/ecmr-key.h"
#include "tang/server/keyring.h"
#include "tang/server/tool.h"
#include "tang/server/usage.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { SECONDS_A_DAY = 24 * 60 * 60, SECONDS_AN_HOUR = 60 * 60, NUMBER_MAX = 24 };

static const char *use_word(const struct key *key)
{
	if (key->signs && key->exchange)
		return "both";
	return key->signs ? "signing" : "exchange";
}

static const char *state_word(const struct keys_file *file)
{
	return file->hidden ? "hidden" : "advertised";
}

static uint64_t made(const struct keyring *ring, size_t i)
{
	struct stat st;

	return fstatat(ring->folder, ring->files[i].name, &st, 0) < 0 ? 0
								      : (uint64_t)st.st_mtim.tv_sec;
}

/* The record's line, zeroed where there is none. */
static struct usage_key used(const struct usage *usage, const struct key *key)
{
	const struct usage_key *found = usage_find(usage, key_name(key));

	return found ? *found : (struct usage_key){0};
}

static json_t *to_json(const struct keyring *ring, size_t i, const struct usage *usage)
{
	const struct keys_file *file = &ring->files[i];
	struct usage_key record = used(usage, file->key);
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "file", file->name, "thumbprint",
				 key_name(file->key), "use", use_word(file->key), "state",
				 state_word(file), "curve", file->key->jwk.curve->name, "made",
				 (json_int_t)made(ring, i));
	json_t *counts = json_pack("{s:I, s:I, s:I}", "recoveries", (json_int_t)record.recoveries,
				   "recoveries_since_start", (json_int_t)record.since_start, "last",
				   (json_int_t)record.last);

	/* What was not recorded is not 0, but not known. */
	if (json && counts && usage->keys && file->key->exchange)
		(void)json_object_update(json, counts);
	json_decref(counts);
	return json;
}

static int print_json(const struct keyring *ring, const struct usage *usage)
{
	CLEANUP_JSON json_t *json = json_pack("{s:[]}", "keys");
	CLEANUP(free_text) char *text = NULL;

	for (size_t i = 0; json && i < ring->n; i++)
		if (json_array_append_new(json_object_get(json, "keys"), to_json(ring, i, usage)) <
		    0)
			return -ENOMEM;
	if (json && usage->keys &&
	    (json_object_set_new(json, "since", json_integer((json_int_t)usage->since)) < 0 ||
	     json_object_set_new(json, "started", json_integer((json_int_t)usage->started)) < 0))
		return -ENOMEM;
	if (!json || !(text = js_text(json, JSON_INDENT(2))))
		return -ENOMEM;

	return puts(text) == EOF ? -EIO : 0;
}

static void format_age(uint64_t then, uint64_t now, char ret[NUMBER_MAX])
{
	uint64_t age = now > then ? now - then : 0;

	if (age >= SECONDS_A_DAY)
		(void)snprintf(ret, NUMBER_MAX, "%llu d",
			       (unsigned long long)(age / SECONDS_A_DAY));
	else if (age >= SECONDS_AN_HOUR)
		(void)snprintf(ret, NUMBER_MAX, "%llu h",
			       (unsigned long long)(age / SECONDS_AN_HOUR));
	else
		(void)snprintf(ret, NUMBER_MAX, "%llu min", (unsigned long long)(age / 60));
}

/* What the record says of one key: how often since the server started and in all, and how long ago. */
static void print_counts(const struct usage *usage, const struct key *key, uint64_t now)
{
	struct usage_key record = used(usage, key);
	char last[NUMBER_MAX] = "never";

	if (!usage->keys || !key->exchange) {
		(void)printf("  %9s  %9s  %s\n", "-", "-", "-");
		return;
	}
	if (record.last)
		format_age(record.last, now, last);
	(void)printf("  %9llu  %9llu  %s\n", (unsigned long long)record.since_start,
		     (unsigned long long)record.recoveries, last);
}

static int print_table(const struct keyring *ring, const struct usage *usage)
{
	uint64_t now = (uint64_t)time(NULL);
	char age[NUMBER_MAX];

	(void)printf("%-48s  %-8s  %-5s  %-10s  %8s  %9s  %9s  %s\n", "FILE", "USE", "CURVE",
		     "STATE", "AGE", "RECOVERED", "IN ALL", "LAST");
	for (size_t i = 0; i < ring->n; i++) {
		const struct keys_file *file = &ring->files[i];

		format_age(made(ring, i), now, age);
		(void)printf("%-48s  %-8s  %-5s  %-10s  %8s", file->name, use_word(file->key),
			     file->key->jwk.curve->name, state_word(file), age);
		print_counts(usage, file->key, now);
	}
	if (usage->keys) {
		format_age(usage->since, now, age);
		(void)printf("The record began %s ago; ", age);
		format_age(usage->started, now, age);
		(void)printf("RECOVERED counts since the server's start %s ago.\n", age);
	}
	return 0;
}

enum tool_exit tool_list(const struct tool_options *options, const struct log *log)
{
	CLEANUP(keyring_done) struct keyring ring = {.folder = -1};
	CLEANUP(usage_done) struct usage usage = {0};

	if (keyring_open(options->folder, KEYRING_READ, log, &ring) < 0 ||
	    tool_read_usage(options, log, &usage) < 0)
		return TOOL_FAILED;

	return (options->json ? print_json(&ring, &usage) : print_table(&ring, &usage)) < 0
		       ? TOOL_FAILED
		       : TOOL_OK;
}

enum tool_exit tool_show(const struct tool_options *options, const struct log *log)
{
	CLEANUP(keyring_done) struct keyring ring = {.folder = -1};
	size_t n = 0;

	if (keyring_open(options->folder, KEYRING_READ, log, &ring) < 0)
		return TOOL_FAILED;

	for (size_t i = 0; i < ring.n && !ring.files[i].hidden; i++)
		if (ring.files[i].key->signs) {
			(void)puts(key_name(ring.files[i].key));
			n++;
		}
	if (n == 0) {
		(void)log_err(log, 0, "%s holds no signing key that is advertised.", ring.path);
		return TOOL_FAILED;
	}
	return TOOL_OK;
}
