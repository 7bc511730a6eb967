/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The server as a client of itself. */
#include "tang/server/check.h"

#include "crypto/ecmr.h"
#include "tang/server/request.h"

#include <errno.h>

/* The server's s times the client's eG must be the client's e times the server's sG. */
int check_keys(struct keys *keys)
{
	CLEANUP(jwk_done) struct jwk client = {0}, expected = {0}, answer = {0};
	CLEANUP(buf_done) struct buf request = {0}, reply = {0};
	struct key *key = keys_exchange_key(keys);
	struct ref text;
	int r;

	if (!key)
		return -ENOKEY;

	r = keys_advertisement(keys, NULL, &text);
	if (r == 0)
		r = jwk_generate(key->jwk.curve, &client);
	if (r == 0)
		r = ecmr_mul(&key->jwk, &client, &expected);
	if (r == 0)
		r = request_reply(&client, &request);
	if (r == 0)
		r = keys_recover(keys, key_name(key), buf_ref(&request), &reply, &key);
	if (r == 0)
		r = request_parse(buf_ref(&reply), &answer);
	if (r < 0)
		return r == -ENOKEY || r == -ENOMEM ? r : -EIO;

	return memcmp(answer.x, expected.x, sizeof(answer.x)) == 0 &&
			       memcmp(answer.y, expected.y, sizeof(answer.y)) == 0
		       ? 0
		       : -EIO;
}
