/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JWEs in the compact serialization; also by the reader of JWEs that are not ours. */
#include "tests/fuzz/jwe.h"

#include "enroll/clevis/jwe-text.h"

/* Whatever is one to us is one there, and is written the same. */
static void rewrite(const char *text, const struct jwe *jwe)
{
	CLEANUP(free_text) char *compact = NULL;
	CLEANUP(free_text) char *again = NULL;
	CLEANUP_JSON json_t *json = NULL;
	CLEANUP_JSON json_t *hdr = NULL;
	int r = jwe_text_to_json(text, &json);

	CHECK_RESULT(r, -EBADMSG);
	CHECK_RESULT(jwe_text_header(text, &hdr), -EBADMSG, -E2BIG);
	if (r == 0 && jwe_text_to_compact(json, &again) == 0) {
		CLEANUP_JSON json_t *second = NULL;

		CHECK(jwe_text_to_json(again, &second) == 0 && json_equal(json, second));
	}
	if (!jwe || text[0] == ' ' || text[0] == '\t' || text[0] == '\n' || text[0] == '\r')
		return;
	CHECK(r == 0 && json_equal(hdr, jwe->hdr));
	CHECK(jwe_to_compact(jwe, &compact) == 0 && strcmp(compact, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP(free_text) char *text = fuzz_text((struct ref){data, n});
	struct jwe jwe;
	int r;

	FUZZ_MARK(jwe);
	r = jwe_from_compact((struct ref){data, n}, &jwe);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	CHECK(jwe_explain(r));
	if (r == 0)
		fuzz_jwe_check(&jwe);
	else
		CHECK(FUZZ_IS_MARK(jwe));
	if (strlen(text) == n)
		rewrite(text, r == 0 ? &jwe : NULL);
	if (r == 0)
		jwe_done(&jwe);
	return 0;
}
