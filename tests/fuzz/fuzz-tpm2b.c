/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TPM2B_PUBLIC and TPM2B_PRIVATE in a header: two bytes of length, so many of the first, and the second. */
#include "tests/fuzz/sealed.h"

#include "tpm/wire.h"

static json_t *member(struct ref bytes)
{
	json_t *value = js_from_b64(bytes);

	CHECK(value);
	return value;
}

/* Any way to read them ends, and stays within them. */
static void read_wire(struct ref bytes)
{
	struct wire_reader in = {.left = bytes};

	while (!in.bad && in.left.n > 0) {
		struct ref part = wire_get2b(&in, 64);

		CHECK(part.n <= 64 &&
		      (part.n == 0 || (part.p >= bytes.p && part.p + part.n <= bytes.p + bytes.n)));
		(void)wire_get32(&in);
	}
	(void)!wire_ended(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct wire_reader in = {.left = {data, n}};
	struct ref public = wire_get2b(&in, n);
	CLEANUP_JSON json_t *hdr = NULL;

	read_wire((struct ref){data, n});
	if (in.bad)
		return 0;
	hdr = json_pack("{s:s, s:s, s:{s:s, s:{s:s, s:s, s:s, s:o, s:o}}}", "alg", "dir", "enc",
			"A256GCM", "clevis", "pin", "tpm2", "tpm2", "hash", "sha256", "key", "ecc",
			"name", "AAsA", "jwk_pub", member(public), "jwk_priv", member(in.left));
	CHECK(hdr);
	fuzz_sealed_read(hdr);
	return 0;
}
