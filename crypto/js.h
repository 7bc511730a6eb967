/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON with limits, on jansson. Secrets never pass through here: jansson does not wipe. */
#pragma once

#include "crypto/buf.h"

#include <jansson.h>

enum {
	JS_TEXT_MAX = 128 * 1024, /* bytes of JSON that are looked at */
	JS_DEPTH_MAX = 24,        /* nested arrays and objects */
};

#define CLEANUP_JSON CLEANUP(json_decrefp)

/*
 * Parses a whole text whose top is an object. Duplicate names, NUL characters and whatever exceeds
 * the limits are refused. The caller owns *ret. Errors: -EBADMSG, -E2BIG (too long, too deep),
 * -ENOMEM.
 */
MUST int js_load(struct ref text, json_t **ret);

/* Text as json_dumps() would write it with these flags; NULL where there is no memory. The caller frees it. */
char *js_text(const json_t *value, size_t flags);

/* Compact text with sorted names, as José writes it. The caller frees *ret. Errors: -ENOMEM. */
MUST int js_dump(const json_t *value, char **ret);

/* The string member `key`, borrowed; NULL where it is missing or no string. */
const char *js_str(const json_t *object, const char *key);

/*
 * Decodes the base64url string member `key` to a new buffer. Errors: -EBADMSG (missing, no string,
 * not base64url), -ENOMEM.
 */
MUST int js_b64(const json_t *object, const char *key, struct buf *ret);

/* A new JSON string holding base64url of `src`; NULL out of memory. For public bytes alone. */
json_t *js_from_b64(struct ref src);
