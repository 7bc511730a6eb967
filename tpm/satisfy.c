/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy sessions: PCRs, signed PCRs, PIN. */
#include "tpm/satisfy.h"

#include "crypto/hash.h"
#include "tpm/signature.h"

#include <errno.h>

static int policy_pcrs(struct tss *tss, ESYS_TR session, const struct pcr_set *pcrs)
{
	static const TPM2B_DIGEST as_they_are;
	TPML_PCR_SELECTION selection;
	TSS2_RC rc;

	pcr_selection(pcrs, &selection);
	rc = ESYS(tss, PolicyPCR,
		  (tss->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &as_they_are,
		   &selection),
		  (tss->esys));
	return rc == TSS2_RC_SUCCESS ? 0 : tss_fail(tss, rc, "the PCR policy cannot be used");
}

int satisfy_digest(struct tss *tss, ESYS_TR session, TPM2B_DIGEST *ret)
{
	TPM2B_DIGEST *digest = NULL;
	TSS2_RC rc;

	rc = ESYS(tss, PolicyGetDigest,
		  (tss->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
		  (tss->esys, &digest));
	if (rc != TSS2_RC_SUCCESS)
		return tss_fail(tss, rc, "the policy's digest cannot be read");

	*ret = *digest;
	tss->lib.Esys_Free(digest);
	return 0;
}

/* In the owner's hierarchy: PolicyAuthorize takes no ticket of the null hierarchy. */
static int load_key(struct tss *tss, const struct sealed *sealed, ESYS_TR *ret)
{
	TPM2B_PUBLIC public;
	TSS2_RC rc;

	policy_key_public(&sealed->pubkey, &public);
	rc = ESYS(tss, LoadExternal,
		  (tss->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, &public,
		   ESYS_TR_RH_OWNER),
		  (tss->esys, ret));
	return rc == TSS2_RC_SUCCESS ? 0 : tss_fail(tss, rc, "the policy key is not for this TPM");
}

int satisfy_can_verify(struct tss *tss, const struct sealed *sealed)
{
	ESYS_TR key;
	int r;

	r = load_key(tss, sealed, &key);
	if (r == 0)
		tcti_flush_last(&tss->tcti);
	return r;
}

/* A ticket with which the TPM attests to itself that it saw a good signature of this digest. */
static int verify(struct tss *tss, const struct sealed *sealed, const TPM2B_DIGEST *policy,
		  TPMT_TK_VERIFIED **ret)
{
	struct ref message = {policy->buffer, policy->size};
	TPM2B_DIGEST digest = {.size = 32};
	TPMT_SIGNATURE signature;
	ESYS_TR key;
	TSS2_RC rc;
	int r;

	r = signature_find(sealed, policy, tss->log, &signature);
	if (r == 0)
		r = hash_digest("SHA256", &message, 1, digest.buffer);
	if (r == 0)
		r = load_key(tss, sealed, &key);
	if (r < 0)
		return r;

	rc = ESYS(tss, VerifySignature,
		  (tss->esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &signature),
		  (tss->esys, ret));
	if (tss_base(rc) == TPM2_RC_SIGNATURE)
		return log_err(tss->log, -EKEYREJECTED,
			       "the signature of the present PCR values is not the policy key's");
	if (rc != TSS2_RC_SUCCESS)
		return tss_fail(tss, rc, "the signature of the PCR values cannot be verified");
	tcti_flush_last(&tss->tcti); /* a TPM may have room for three keys alone */
	return 0;
}

static int policy_signed(struct tss *tss, ESYS_TR session, const struct sealed *sealed)
{
	static const TPM2B_NONCE no_reference;
	TPMT_TK_VERIFIED *ticket = NULL;
	TPM2B_DIGEST policy;
	TPM2B_NAME name;
	TSS2_RC rc;
	int r;

	r = policy_pcrs(tss, session, &sealed->pubkey_pcrs);
	if (r == 0)
		r = satisfy_digest(tss, session, &policy);
	if (r == 0)
		r = policy_key_name(&sealed->pubkey, &name);
	if (r == 0)
		r = verify(tss, sealed, &policy, &ticket);
	if (r < 0)
		return r;

	rc = ESYS(tss, PolicyAuthorize,
		  (tss->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &policy,
		   &no_reference, &name, ticket),
		  (tss->esys));
	tss->lib.Esys_Free(ticket);
	return rc == TSS2_RC_SUCCESS ? 0 : tss_fail(tss, rc, "the signed policy cannot be used");
}

static int policy_pin(struct tss *tss, ESYS_TR session)
{
	TSS2_RC rc;

	rc = ESYS(tss, PolicyAuthValue,
		  (tss->esys, session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE), (tss->esys));
	return rc == TSS2_RC_SUCCESS ? 0 : tss_fail(tss, rc, "the PIN policy cannot be used");
}

/* The signed part comes first: PolicyAuthorize replaces what was there before. */
int satisfy(struct tss *tss, ESYS_TR session, const struct sealed *sealed)
{
	int r = 0;

	if (sealed->pubkey.modulus_len > 0)
		r = policy_signed(tss, session, sealed);
	if (r == 0 && sealed->pcrs.n > 0)
		r = policy_pcrs(tss, session, &sealed->pcrs);
	if (r == 0 && sealed->has_pin)
		r = policy_pin(tss, session);
	return r;
}
