/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy digests (TPM 2.0 Library, part 3, section 23), computed without a TPM. */
#pragma once

#include "crypto/rsa.h"
#include "tpm/pcr.h"

/* A policy so far; it begins with hash set and the digest zero. */
struct policy {
	const struct hash_alg *hash; /* the nameAlg of what it guards */
	uint8_t digest[PCR_DIGEST_MAX];
};

/*
 * What a policy command of the TPM makes of its session's digest. PolicyPCR: these PCRs have these values.
 * PolicyAuthorize: the owner of this key signed the policy until here, which is now forgotten.
 * PolicyAuthValue: the object's authorization value is proven. Errors: -EOPNOTSUPP (OpenSSL does not have
 * the hash here), -ENOMEM.
 */
MUST int policy_pcr(struct policy *policy, const struct pcr_set *set);
MUST int policy_authorize(struct policy *policy, const TPM2B_NAME *key);
MUST int policy_auth_value(struct policy *policy);

/*
 * A key that signs policies as the TPM loads it, and the Name that it then has. Errors:
 * -EOPNOTSUPP, -ENOMEM.
 */
void policy_key_public(const struct rsa_public *key, TPM2B_PUBLIC *ret);
MUST int policy_key_name(const struct rsa_public *key, TPM2B_NAME *ret);
