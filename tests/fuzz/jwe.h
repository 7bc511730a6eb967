/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What holds of every JWE that was read. */
#pragma once

#include "crypto/jwe.h"
#include "tests/fuzz/fuzz.h"

static inline void fuzz_jwe_same(const struct jwe *a, const struct jwe *b)
{
	CHECK(json_equal(a->hdr, b->hdr) && strcmp(a->prot, b->prot) == 0);
	CHECK(ref_equal(buf_ref(&a->ciphertext), buf_ref(&b->ciphertext)));
	CHECK(memcmp(a->iv, b->iv, sizeof(a->iv)) == 0);
	CHECK(memcmp(a->tag, b->tag, sizeof(a->tag)) == 0);
}

/* It is read as the same from both of its serializations, and opened by its key alone. */
static inline void fuzz_jwe_check(const struct jwe *jwe)
{
	static const uint8_t z[JWE_CEK_SIZE];
	CLEANUP(free_text) char *compact = NULL;
	CLEANUP_JSON json_t *json = jwe_to_json(jwe), *string = NULL;
	CLEANUP(jwe_done) struct jwe from_compact = {0};
	CLEANUP(jwe_done) struct jwe from_json = {0};
	CLEANUP(jwe_done) struct jwe from_string = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	CLEANUP(buf_done) struct buf plaintext = {0};
	int r;

	CHECK(json && jwe_to_compact(jwe, &compact) == 0);
	string = json_string(compact);
	CHECK(jwe_from_compact(ref_str(compact), &from_compact) == 0);
	CHECK(jwe_from_json(json, &from_json) == 0);
	CHECK(jwe_from_json(string, &from_string) == 0);
	fuzz_jwe_same(jwe, &from_compact);
	fuzz_jwe_same(jwe, &from_json);
	fuzz_jwe_same(jwe, &from_string);

	r = jwe_derive_cek(jwe->hdr, (struct ref){z, sizeof(z)}, &cek);
	CHECK_RESULT(r, -EBADMSG);
	CHECK((r == 0) == (cek.n == JWE_CEK_SIZE));
	r = jwe_open(jwe, (struct ref){z, sizeof(z)}, &plaintext);
	CHECK_RESULT(r, -EBADMSG);
	CHECK((r == 0) == (plaintext.p != NULL));
	if (r == 0)
		CHECK(plaintext.n == jwe->ciphertext.n);
}
