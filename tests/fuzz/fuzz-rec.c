/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Replies to a recovery. The input is the body; one that begins with a digit is an HTTP status of three
 * digits and a body. An empty input is the true answer, by which the key comes out.
 */
#include "tang/exchange.h"

#include "crypto/ecmr.h"
#include "tang/server/request.h"
#include "tests/fuzz/fetch-stub.h"
#include "tests/fuzz/keys.h"

static struct exchange exchange;
static struct binding binding;
static struct jwk server;
static json_t *hdr;
static struct buf want; /* the key */

static json_t *make_header(struct buf *ret_cek)
{
	CLEANUP_JSON json_t *key = jwk_to_json(&server);
	char kid[JWK_THUMBPRINT_MAX + 1];
	json_t *json;

	CHECK(key && jwk_thumbprint(&server, "S256", kid) == 0);
	CHECK(json_object_set_new(key, "alg", json_string("ECMR")) == 0);
	CHECK(json_object_set_new(key, "key_ops", json_pack("[s]", "deriveKey")) == 0);
	json = json_pack("{s:s, s:{s:s, s:{s:s, s:{s:[O]}}}}", "kid", kid, "clevis", "pin", "tang",
			 "tang", "url", "http://fuzz", "adv", "keys", key);
	CHECK(json && jwe_agree(json, &server, ret_cek) == 0);
	return json;
}

/* The blinded point goes out once; each input is an answer to it. */
static void begin(void)
{
	struct cot cot = {0};

	fuzz_key(FUZZ_EXCHANGE_KEY, &server);
	hdr = make_header(&want);
	CHECK(binding_read(hdr, &fuzz_log, &binding) == 0);
	CHECK(exchange_begin(&cot, &fuzz_log, &binding, &exchange) == 0);
}

static void answer(struct buf *ret)
{
	struct jwk asked = {0}, point = {0};

	CHECK(request_parse(buf_ref(&stub.asked), &asked) == 0);
	CHECK(ecmr_mul(&asked, &server, &point) == 0);
	CHECK(request_reply(&point, ret) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP(buf_done) struct buf truth = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	struct ref body = {data, n};
	struct cot cot = {0};
	long status = 200;
	int r;

	if (!hdr)
		begin();
	if (n == 0) {
		answer(&truth);
		body = buf_ref(&truth);
	} else if (n >= 3 && data[0] >= '0' && data[0] <= '9') {
		status = (data[0] - '0') * 100 + (data[1] % 10) * 10 + data[2] % 10;
		body = (struct ref){data + 3, n - 3};
	}
	stub.status = status;
	stub.body = body;
	r = exchange_step(&cot, &fuzz_log, &binding, &exchange, hdr, &cek);
	CHECK_RESULT(r, -EPROTO);
	CHECK((r == 0) == (cek.n == JWE_CEK_SIZE));
	if (n == 0)
		CHECK(r == 0 && ref_equal(buf_ref(&cek), buf_ref(&want)));
	return 0;
}
