/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of a Tang server, made and read. Include after the room's header. */
#pragma once

#include "tang/server/key.h"
#include "tang/server/keyring.h"
#include "tang/server/keys.h"
#include "tang/server/request.h"
#include "tests/unit/vectors/jose.h"

static const char *const curve_names[] = {"P-256", "P-384", "P-521"};

/* The text of a new key's file, as a string; the caller frees it. */
static inline char *new_key_text(const char *curve, enum keyring_use use)
{
	struct jwk key = {0};
	struct buf text = {0};
	char *copy;

	assert_int_equal(jwk_generate(curve_by_name(curve), &key), 0);
	assert_int_equal(keyring_text(&key, use, &text), 0);
	copy = strndup((const char *)text.p, text.n);
	assert_non_null(copy);
	buf_done(&text);
	jwk_done(&key);
	return copy;
}

static inline struct key *parsed(const char *text)
{
	const char *why = NULL;
	struct key *key = NULL;
	int r = key_parse(ref_str(text), &key, &why);

	if (r < 0)
		fail_msg("%s: %d, %s", text, r, why);
	return key;
}

static inline struct key *new_key(const char *curve, enum keyring_use use)
{
	char *text = new_key_text(curve, use);
	struct key *key = parsed(text);

	free(text);
	return key;
}

/* A snapshot of the keys, which it takes over; names with a dot before them are hidden ones. */
static inline struct keys *keys_of(const char *const names[], struct key *const list[], size_t n)
{
	struct keys_file *files = calloc(n + 1, sizeof(*files));
	struct keys *keys = NULL;

	assert_non_null(files);
	for (size_t i = 0; i < n; i++)
		files[i] = (struct keys_file){
			.name = strdup(names[i]), .key = list[i], .hidden = names[i][0] == '.'};
	assert_int_equal(keys_new(files, n, &keys), 0);
	return keys;
}

/* A request for the point, without NUL behind it. */
static inline struct buf request_of(const struct jwk *point)
{
	struct buf request = {0};

	assert_int_equal(request_reply(point, &request), 0);
	return request;
}
