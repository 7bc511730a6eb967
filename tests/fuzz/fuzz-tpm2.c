/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Protected headers of tpm2 JWEs. */
#include "tests/fuzz/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP_JSON json_t *hdr = NULL;

	if (js_load((struct ref){data, n}, &hdr) == 0)
		fuzz_sealed_read(hdr);
	return 0;
}
