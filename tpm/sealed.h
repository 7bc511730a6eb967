/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tpm2 JWE's protected header says, parsed into a checked struct. */
#pragma once

#include "tpm/policy.h"

/* The storage root key's persistent handle (TCG TPM v2.0 Provisioning Guidance). */
#define TPM_SRK ((TPM2_HANDLE)0x81000001)

/* The handles of persistent keys; the TSS's own macros for them overflow an int. */
#define TPM_PERSISTENT_FIRST ((TPM2_HANDLE)0x81000000)
#define TPM_PERSISTENT_LAST  ((TPM2_HANDLE)0x81ffffff)

enum {
	TPM_NAME_MAX = 2 + PCR_DIGEST_MAX,
	TPM_SALT_SIZE = 32,
	TPM_PATH_MAX = 1024,
};

/* A type of primary key, as tpm2_createprimary calls and makes it. */
struct key_type {
	const char *name;
	TPM2_ALG_ID type;
	uint16_t size; /* bits of RSA, or the curve */
};

/* NULL where it is none. */
const struct key_type *key_type_by_name(const char *name);

/* A checked header. */
struct sealed {
	/* What it is sealed under: a persistent key, or where that is 0 Clevis's primary. */
	TPM2_HANDLE parent;
	const struct hash_alg *hash; /* of that primary */
	const struct key_type *key;
	uint8_t name[TPM_NAME_MAX]; /* of the parent, whichever it is */
	size_t name_len;            /* 0: not known, Clevis does not say */

	/* What must hold. */
	struct pcr_set pcrs;
	bool has_pin;
	uint8_t salt[TPM_SALT_SIZE];
	struct rsa_public pubkey; /* of a signed policy; zeroed where there is none */
	struct pcr_set pubkey_pcrs;
	char signature[TPM_PATH_MAX]; /* a file to look for signatures in first; "": none */

	/* The sealed object itself. */
	const struct hash_alg *object_hash;
	TPM2B_PUBLIC pub;
	TPM2B_PRIVATE priv;
};

/* Frees it; takes NULL. */
void sealed_free(struct sealed *sealed);
DEFINE_CLEANUP(struct sealed *, sealed_free)

/* Whether it has a policy at all. */
bool sealed_has_policy(const struct sealed *sealed);

/*
 * Reads and checks all of a protected header that recovery uses. The cause goes to `log` at ERROR.
 * The caller frees *ret. Errors: -EBADMSG, -EOPNOTSUPP (an algorithm), -E2BIG, -ENOMEM.
 */
MUST int sealed_read(const json_t *hdr, const struct log *log, struct sealed **ret);

/*
 * Writes alg, enc and clevis.tpm2 to `hdr`. The parts that only the TPM makes (name, object) must be
 * there. Errors: -ENOMEM.
 */
MUST int sealed_write(const struct sealed *sealed, json_t *hdr);

/*
 * Reads "0x81000001" or the like, or the number itself: the handle of a persistent key. Errors:
 * -EBADMSG.
 */
MUST int sealed_read_handle(const json_t *value, TPM2_HANDLE *ret);
