/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advertisements as servers send them. */
#include "tang/adv.h"

#include "tests/fuzz/fuzz.h"

/* What a token keeps of it is enough to recover by, and to know the server again. */
static void keep(const struct adv *adv)
{
	const struct jwk *key = adv_exchange_key(adv);
	CLEANUP(adv_done) struct adv kept = {0};
	CLEANUP_JSON json_t *jwks = NULL;
	char kid[JWK_THUMBPRINT_MAX + 1];

	CHECK(key && jwk_thumbprint(key, "S256", kid) == 0);
	jwks = adv_to_jwks(adv, key);
	CHECK(jwks && adv_from_jwks(jwks, "fuzz", &fuzz_log, &kept) == 0);
	CHECK(adv_find(&kept, kid) && kept.n_keys <= adv->n_keys);
}

static void check(struct ref text, const struct adv *adv)
{
	CLEANUP_JSON json_t *thumbprints = adv_thumbprints(adv);
	const json_t *thumbprint;
	size_t i;

	CHECK(adv->n_keys > 0 && adv->n_keys <= ADV_KEYS_MAX);
	CHECK(json_array_size(thumbprints) > 0);
	json_array_foreach(thumbprints, i, thumbprint)
		CHECK(adv_signed_by(adv, json_string_value(thumbprint)));
	for (i = 0; i < adv->n_keys; i++)
		if (jwk_allows(&adv->keys[i], JWK_OP_VERIFY))
			CHECK(adv_vouched(text, &adv->keys[i]) == 0);
	keep(adv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct ref text = {data, n};
	struct adv adv;
	int r;

	FUZZ_MARK(adv);
	r = adv_parse(text, "fuzz", &fuzz_log, &adv);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG, -EKEYREJECTED, -EPROTO);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(adv));
		return 0;
	}
	check(text, &adv);
	adv_done(&adv);
	return 0;
}
