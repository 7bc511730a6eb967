/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests for recovery: the client's point in, the multiplied one out. */
#include "tang/server/request.h"

#include "crypto/b64.h"
#include "tang/server/use.h"

#include <errno.h>

static int read_coordinate(const json_t *json, const char *name, size_t size, uint8_t *ret)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int r;

	r = js_b64(json, name, &bytes);
	if (r < 0)
		return r;
	if (bytes.n != size)
		return -EBADMSG;

	memcpy(ret, bytes.p, size);
	return 0;
}

/* In Tang's order: whether it may comes before what it is. */
static int check(const json_t *json)
{
	const json_t *alg = json_object_get(json, "alg");
	const char *kty = js_str(json, "kty");

	if (!use_allows(json, "deriveKey", USE_NONE_ALLOWS))
		return -EKEYREJECTED;
	if (!kty || strcmp(kty, "EC") != 0)
		return -EBADMSG;
	if (alg && (!json_is_string(alg) || strcmp(json_string_value(alg), "ECMR") != 0))
		return -EBADMSG;
	return 0;
}

/* Errors: -EBADMSG, -ENOMEM. */
static int read_point(const json_t *json, struct jwk *point)
{
	const char *crv = js_str(json, "crv");
	int r;

	point->curve = crv ? curve_by_name(crv) : NULL;
	if (!point->curve)
		return -EBADMSG;

	r = read_coordinate(json, "x", point->curve->size, point->x);
	return r < 0 ? r : read_coordinate(json, "y", point->curve->size, point->y);
}

int request_parse(struct ref text, struct jwk *ret)
{
	CLEANUP_JSON json_t *json = NULL;
	struct jwk point = {0};
	int r;

	if (text.n > JWK_TEXT_MAX)
		return -E2BIG;

	r = js_load(text, &json);
	if (r == 0)
		r = check(json);
	if (r < 0)
		return r;

	r = read_point(json, &point);
	if (r == -EBADMSG)
		point.curve = NULL;
	else if (r < 0)
		return r;

	jwk_move(&point, ret);
	return 0;
}

int request_reply(const struct jwk *point, struct buf *ret)
{
	static const char head[] = "{\"alg\":\"ECMR\",\"crv\":\"";
	static const char middle[] = "\",\"key_ops\":[\"deriveKey\"],\"kty\":\"EC\",\"x\":\"";
	static const char between[] = "\",\"y\":\"", tail[] = "\"}";
	CLEANUP(buf_done) struct buf text = {0};
	size_t size = point->curve->size;
	int r;

	r = buf_init(&text, sizeof(head) + sizeof(middle) + sizeof(between) + sizeof(tail) +
				    strlen(point->curve->name) + 2 * b64_encoded_len(size));
	if (r == 0)
		r = buf_append_str(&text, head);
	if (r == 0)
		r = buf_append_str(&text, point->curve->name);
	if (r == 0)
		r = buf_append_str(&text, middle);
	if (r == 0)
		r = b64_encode((struct ref){point->x, size}, &text);
	if (r == 0)
		r = buf_append_str(&text, between);
	if (r == 0)
		r = b64_encode((struct ref){point->y, size}, &text);
	if (r == 0)
		r = buf_append_str(&text, tail);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(text);
	return 0;
}
