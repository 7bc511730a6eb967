/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clevis's tokens, from which ours are made, and its JWEs as LUKS1 volumes hold them. */
#include "enroll/clevis-token.h"

#include "enroll/clevis/keyslot-place.h"
#include "tests/fuzz/fuzz.h"

static void convert(const char *text)
{
	CLEANUP(free_text) char *converted = NULL;
	CLEANUP(token_done) struct token token = {0};
	int r = clevis_token_convert(text, "a label", &fuzz_log, &converted);

	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG, -EPERM, -ENOPKG);
	CHECK((r == 0) == (converted != NULL));
	if (r < 0)
		return;
	CHECK(token_parse(ref_str(converted), &fuzz_log, &token) == 0);
	CHECK(token.label && strcmp(token.label, "a label") == 0);
}

static void wrap(struct ref text)
{
	CLEANUP_JSON json_t *token = NULL;
	int r = clevis_token_from_compact(text, 7, &token);

	CHECK_RESULT(r, -EBADMSG);
	CHECK((r == 0) == json_is_object(token));
}

static void place(const char *text)
{
	CLEANUP(free_text) char *with = NULL;
	CLEANUP(free_text) char *without = NULL;
	int r = keyslot_place_write(text, 5, &with);

	CHECK(keyslot_place_read(text) >= LUKS_ANY && keyslot_place_read(text) < LUKS_KEYSLOTS);
	CHECK_RESULT(r, -EBADMSG);
	if (r < 0)
		return;
	CHECK(keyslot_place_read(with) == 5);
	CHECK(keyslot_place_write(with, LUKS_ANY, &without) == 0);
	CHECK(keyslot_place_read(without) == LUKS_ANY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP(free_text) char *text = fuzz_text((struct ref){data, n});

	convert(text);
	wrap((struct ref){data, n});
	place(text);
	return 0;
}
