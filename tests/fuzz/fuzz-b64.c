/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base64url: each text has one meaning, and each meaning one text. */
#include "crypto/b64.h"

#include "tests/fuzz/fuzz.h"

static void encode(struct ref bytes, struct buf *ret)
{
	size_t len = b64_encoded_len(bytes.n);

	CHECK(buf_init(ret, len) == 0);
	CHECK(b64_encode(bytes, ret) == 0);
	CHECK(ret->n == len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct ref input = {data, n};
	CLEANUP(buf_done) struct buf bytes = {0};
	CLEANUP(buf_done) struct buf again = {0};
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(buf_done) struct buf decoded = {0};
	int r = b64_decode(input, &bytes);

	CHECK_RESULT(r, -EBADMSG);
	if (r == 0) {
		encode(buf_ref(&bytes), &again);
		CHECK(ref_equal(buf_ref(&again), input));
	} else {
		CHECK(!bytes.p && bytes.n == 0 && bytes.cap == 0);
	}

	encode(input, &text);
	CHECK(b64_decode(buf_ref(&text), &decoded) == 0);
	CHECK(ref_equal(buf_ref(&decoded), input));
	return 0;
}
