/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What holds of every tpm2 header that was read. */
#pragma once

#include "tests/fuzz/fuzz.h"
#include "tpm/sealed.h"
#include "tpm/tpm2.h"

/* A writer is given what cotter makes: the parent's Name, and the values of all PCRs. */
static inline bool fuzz_sealed_is_ours(const struct sealed *sealed)
{
	bool ours = sealed->name_len > 0;

	for (size_t i = 0; i < sealed->pcrs.n; i++)
		ours = ours && sealed->pcrs.pcrs[i].has_value;
	return ours;
}

static inline json_t *fuzz_sealed_write(const struct sealed *sealed)
{
	json_t *hdr = json_pack("{s:{s:s}}", "clevis", "pin", "tpm2");

	CHECK(hdr && sealed_write(sealed, hdr) == 0);
	return hdr;
}

static inline void fuzz_sealed_check(const struct sealed *sealed)
{
	CLEANUP(sealed_freep) struct sealed *again = NULL;
	CLEANUP_JSON json_t *hdr = NULL;
	CLEANUP_JSON json_t *hdr_again = NULL;

	CHECK(sealed->object_hash && sealed->priv.size > 0);
	CHECK(sealed->parent || (sealed->hash && sealed->key));
	(void)sealed_has_policy(sealed);
	if (!fuzz_sealed_is_ours(sealed))
		return;
	hdr = fuzz_sealed_write(sealed);
	CHECK(sealed_read(hdr, &fuzz_log, &again) == 0);
	hdr_again = fuzz_sealed_write(again);
	CHECK(json_equal(hdr, hdr_again));
}

static inline void fuzz_sealed_read(const json_t *hdr)
{
	CLEANUP_JSON json_t *facts = json_object();
	struct sealed *sealed = NULL;
	int r = sealed_read(hdr, &fuzz_log, &sealed);

	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	CHECK((r == 0) == (sealed != NULL));
	CHECK(pin_tpm2.check(NULL, hdr, &fuzz_log) == r);
	(void)pin_tpm2.wants_pin(NULL, hdr);
	if (r < 0)
		return;
	CHECK(pin_tpm2.describe(NULL, hdr, facts) == 0);
	fuzz_sealed_check(sealed);
	sealed_free(sealed);
}
