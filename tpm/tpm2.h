/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tpm2 pin, compatible with Clevis's. Configuration, all of it optional:
 *
 *	hash, key	Clevis's: of its primary key ("sha256", "ecc")
 *	pcr_bank, pcr_ids, pcr_digest
 *			Clevis's: PCRs (a string like "1,3", or an array), their bank ("sha1"), their
 *			values (the present ones)
 *	pcrs		instead of these, PCRs as people write them: "7+11:sha384=…", see pcr_parse();
 *			pcr_bank, else the best bank, is the default
 *	pin		true: cot->user_pin, too, is wanted from now on
 *	pubkey		PEM text of an RSA key: whatever PCR values its owner signs will do, too
 *	pubkey_pcrs	of these PCRs, in one bank ("11", sha256)
 *	signature	absolute path of a file to look for such signatures in, before systemd's
 *	parent		handle of a persistent key to seal under, like "0x81000001"
 *	tcti		the TPM, as libtss2-tctildr names it, or a device's path; not kept
 *
 * A PIN, a pubkey or a parent put the secret under the persistent parent (by default the storage
 * root key, which is made where there is none); such a token is not for Clevis.
 */
#pragma once

#include "crypto/pin.h"

extern const struct pin pin_tpm2;

/* A policy that wants this PCR to be all zeros holds only until cotter-pcr15 has extended it. */
enum { TPM2_PCR_EARLY = 15 };

/*
 * What else our programs want of a TPM. `tcti` is as in the configuration, NULL for the usual one;
 * the cause of a failure goes to `log` at ERROR. Errors: those of pin_recover(), and -EINVAL.
 */

/* The name of the best bank for these PCRs, which are as in "pcrs". */
MUST int tpm2_best_bank(const char *tcti, const char *pcrs, const struct log *log,
			const char **ret);

/* The name of the bank that Clevis takes where none is given: the first that the TPM has. */
MUST int tpm2_first_bank(const char *tcti, const struct log *log, const char **ret);

/* Whether a binding with this configuration would hold only until PCR 15 is extended. */
bool tpm2_is_early(const json_t *cfg);

/* Whether the persistent key that `cfg` would seal under must be made first. */
MUST int tpm2_makes_parent(const json_t *cfg, const struct log *log, bool *ret);

/*
 * The PCRs of a header that have other values now than at enrollment: a new array of strings like
 * "7 (sha256, secure-boot-policy)". What Clevis wrote has no values, and gives an empty one. What
 * another TPM sealed is -EKEYREJECTED: this one's PCRs say nothing of it.
 */
MUST int tpm2_changed_pcrs(const json_t *hdr, const char *tcti, const struct log *log,
			   json_t **ret);

/* What a binding that is made anew is to demand. */
struct tpm2_again {
	/*
	 * That the PCRs be as they are now, else as they had to be so far. PCR 15 stays as it is when
	 * the machine starts where it had to be that.
	 */
	bool reseal;

	/* As in "pcrs", or "" for none: reseal to these instead; NULL: the same. */
	const char *pcrs;
};

/*
 * The configuration that seals again what this header sealed, a new object; a PIN, where it has one,
 * is not in it. Where the PCRs' values are kept, this TPM must have sealed it; Clevis wrote no values, so
 * that those of its tokens can be kept only while they are the present ones. A list of PCRs that says
 * nothing of their bank means the best one. The cause goes to `log` at ERROR. Errors: -EBADMSG
 * (malformed, altered), -EKEYREJECTED (another TPM; values that are no longer known), -EOPNOTSUPP, -E2BIG,
 * -EINVAL (`pcrs`), -ENOMEM, and those of tpm2_changed_pcrs().
 */
MUST int tpm2_config(const json_t *hdr, const struct tpm2_again *how, const struct log *log,
		     json_t **ret);

/*
 * Whether what is sealed so now would be for another TPM, or want other values of PCRs, than what the
 * header holds. Errors: as tpm2_config().
 */
MUST int tpm2_differs(const json_t *hdr, const struct tpm2_again *how, const struct log *log,
		      bool *ret);

/*
 * Extends a PCR in all its banks by the hashes of what happened (TPM 2.0 part 3, TPM2_PCR_Event), so
 * that it never again has the value that it had. -EAGAIN: the TPM is not ready yet; nothing is said.
 */
MUST int tpm2_measure(const char *tcti, unsigned pcr, const char *event, const struct log *log);

/* The TPM devices of this machine: a new array of {"device": …, "driver": …}. Errors: -ENOMEM. */
MUST int tpm2_devices(json_t **ret);
