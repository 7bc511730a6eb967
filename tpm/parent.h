/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keys under which secrets are sealed, and the sessions that hide what crosses the bus. */
#pragma once

#include "tpm/sealed.h"
#include "tpm/tss.h"

/*
 * Makes the parent that the header asks for usable: makes Clevis's primary again, or reads the
 * persistent key. Its Name must be the header's, where that has one. Nothing is authorized by this,
 * so it costs no try. The cause goes to the log at ERROR. Errors: those of tss_fail(), and
 * -EKEYREJECTED (another TPM, or it was cleared), -EINVAL (no key to seal under).
 */
MUST int parent_open(struct tss *tss, const struct sealed *sealed, ESYS_TR *ret);

/* Puts the open parent's Name into the header struct. Errors: those of tss_fail(). */
MUST int parent_keep_name(struct tss *tss, ESYS_TR parent, struct sealed *sealed);

/* Whether there is a persistent key with this handle. Errors: those of tss_fail(). */
MUST int parent_exists(struct tss *tss, TPM2_HANDLE handle, bool *ret);

/*
 * Makes the storage root key by the TCG's template for P-256 (or RSA 2048, where the TPM has no
 * P-256) and keeps it in the TPM at TPM_SRK. Errors: those of tss_fail().
 */
MUST int parent_create_srk(struct tss *tss);

/* What a session is for. */
struct session {
	TPM2_SE type;
	const struct hash_alg *hash;
	TPMA_SESSION attributes; /* which parameters it encrypts */
};

/*
 * Begins a session whose key only the TPM that holds the parent can know. The first command that it
 * authorizes ends it: tcti_forget_session() is to follow that. Errors: those of tss_fail().
 */
MUST int parent_session(struct tss *tss, ESYS_TR parent, const struct session *session,
			ESYS_TR *ret);
