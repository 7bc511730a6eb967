/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policy digests in software. */
#include "tpm/policy.h"

#include "crypto/hash.h"
#include "tpm/wire.h"

/* digest = H(digest || command || argument) */
static int extend(struct policy *policy, TPM2_CC command, struct ref argument)
{
	uint8_t code[] = {(uint8_t)(command >> 24), (uint8_t)(command >> 16),
			  (uint8_t)(command >> 8), (uint8_t)command};
	struct ref parts[] = {{policy->digest, policy->hash->size}, {code, sizeof(code)}, argument};

	return hash_digest(policy->hash->digest, parts, ARRAY_SIZE(parts), policy->digest);
}

static int digest_values(const struct policy *policy, const struct pcr_set *set,
			 uint8_t ret[HASH_SIZE_MAX])
{
	struct ref values[PCR_SET_MAX];

	for (size_t i = 0; i < set->n; i++)
		values[i] = (struct ref){set->pcrs[i].value, set->pcrs[i].bank->size};
	return hash_digest(policy->hash->digest, values, set->n, ret);
}

int policy_pcr(struct policy *policy, const struct pcr_set *set)
{
	struct wire_writer out = {0};
	uint8_t values[HASH_SIZE_MAX];
	TPML_PCR_SELECTION selection;
	int r;

	pcr_selection(set, &selection);
	wire_put32(&out, selection.count);
	for (uint32_t i = 0; i < selection.count; i++) {
		const TPMS_PCR_SELECTION *bank = &selection.pcrSelections[i];

		wire_put16(&out, bank->hash);
		wire_put(&out, (struct ref){&bank->sizeofSelect, 1});
		wire_put(&out, (struct ref){bank->pcrSelect, bank->sizeofSelect});
	}

	r = digest_values(policy, set, values);
	if (r < 0)
		return r;
	wire_put(&out, (struct ref){values, policy->hash->size});
	return extend(policy, TPM2_CC_PolicyPCR, (struct ref){out.p, out.n});
}

/* The second step digests a reference that the signer may give; ours is empty. */
int policy_authorize(struct policy *policy, const TPM2B_NAME *key)
{
	struct ref digest = {policy->digest, policy->hash->size};
	int r;

	memset(policy->digest, 0, sizeof(policy->digest));
	r = extend(policy, TPM2_CC_PolicyAuthorize, (struct ref){key->name, key->size});
	return r < 0 ? r : hash_digest(policy->hash->digest, &digest, 1, policy->digest);
}

int policy_auth_value(struct policy *policy)
{
	return extend(policy, TPM2_CC_PolicyAuthValue, (struct ref){0});
}

void policy_key_public(const struct rsa_public *key, TPM2B_PUBLIC *ret)
{
	TPMT_PUBLIC *area = &ret->publicArea;

	*ret = (TPM2B_PUBLIC){
		.publicArea =
			{
				.type = TPM2_ALG_RSA,
				.nameAlg = TPM2_ALG_SHA256,
				.objectAttributes =
					TPMA_OBJECT_SIGN_ENCRYPT | TPMA_OBJECT_USERWITHAUTH,
				.parameters.rsaDetail =
					{
						.symmetric.algorithm = TPM2_ALG_NULL,
						.scheme.scheme = TPM2_ALG_NULL,
						.keyBits =
							(TPMI_RSA_KEY_BITS)(key->modulus_len * 8),
						/* 0 stands for 65537, and not every TPM takes the number. */
						.exponent =
							key->exponent == 65537 ? 0 : key->exponent,
					},
			},
	};
	area->unique.rsa.size = (UINT16)key->modulus_len;
	memcpy(area->unique.rsa.buffer, key->modulus, key->modulus_len);
}

int policy_key_name(const struct rsa_public *key, TPM2B_NAME *ret)
{
	const struct hash_alg *hash = hash_alg_by_id(TPM2_ALG_SHA256);
	struct wire_writer out = {0};
	TPM2B_PUBLIC pub;
	uint8_t digest[HASH_SIZE_MAX];
	struct ref text;
	int r;

	policy_key_public(key, &pub);
	wire_put16(&out, pub.publicArea.type);
	wire_put16(&out, pub.publicArea.nameAlg);
	wire_put32(&out, pub.publicArea.objectAttributes);
	wire_put2b(&out, (struct ref){0}); /* no policy of its own */
	wire_put16(&out, pub.publicArea.parameters.rsaDetail.symmetric.algorithm);
	wire_put16(&out, pub.publicArea.parameters.rsaDetail.scheme.scheme);
	wire_put16(&out, pub.publicArea.parameters.rsaDetail.keyBits);
	wire_put32(&out, pub.publicArea.parameters.rsaDetail.exponent);
	wire_put2b(&out, (struct ref){key->modulus, key->modulus_len});

	text = (struct ref){out.p, out.n};
	r = hash_digest(hash->digest, &text, 1, digest);
	if (r < 0)
		return r;

	out = (struct wire_writer){0};
	wire_put16(&out, hash->id);
	wire_put(&out, (struct ref){digest, hash->size});
	ret->size = (UINT16)out.n;
	memcpy(ret->name, out.p, out.n);
	return 0;
}
