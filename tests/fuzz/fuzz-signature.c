/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd's tpm2-pcr-signature.json. */
#include "tpm/signature.h"

#include "tests/fuzz/file.h"
#include "tests/unit/vectors/tpm.h"

static struct sealed *sealed;

static void begin(void)
{
	CLEANUP_JSON json_t *hdr = NULL;

	CHECK(js_load(ref_str(FULL_HEADER), &hdr) == 0);
	CHECK(sealed_read(hdr, &fuzz_log, &sealed) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	TPM2B_DIGEST policy = {.size = 32};
	TPMT_SIGNATURE signature;
	int r;

	if (!sealed)
		begin();
	(void)snprintf(sealed->signature, sizeof(sealed->signature), "%s",
		       fuzz_file((struct ref){data, n})->path);
	memset(policy.buffer, 0x41, policy.size);
	FUZZ_MARK(signature);
	r = signature_find(sealed, &policy, &fuzz_log, &signature);
	CHECK_RESULT(r, -EKEYREJECTED);
	if (r < 0)
		CHECK(FUZZ_IS_MARK(signature));
	else
		CHECK(signature.sigAlg == TPM2_ALG_RSASSA &&
		      signature.signature.rsassa.sig.size > 0 &&
		      signature.signature.rsassa.sig.size <=
			      sizeof(signature.signature.rsassa.sig.buffer));
	return 0;
}
