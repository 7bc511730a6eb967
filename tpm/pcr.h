/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hash algorithms, sets of PCRs, and the texts in which people and headers name them. */
#pragma once

#include "crypto/js.h"
#include "crypto/log.h"

#include <tss2/tss2_tpm2_types.h>

enum {
	PCR_COUNT = 24,
	PCR_SET_MAX = 24,
	PCR_DIGEST_MAX = 64,
	PCR_TEXT_MAX = 256, /* of pcr_format(), with its NUL */
};

/* A hash algorithm; also a bank of PCRs. */
struct hash_alg {
	const char *name;   /* as Clevis and tpm2-tools call it */
	const char *digest; /* as OpenSSL calls it */
	TPM2_ALG_ID id;
	uint16_t size;
};

enum { HASH_ALGS = 4 };

/* In the order in which their PCRs enter a policy. */
extern const struct hash_alg hash_algs[HASH_ALGS];

/* By name or by number; NULL where there is none. */
const struct hash_alg *hash_alg_by_name(struct ref name);
const struct hash_alg *hash_alg_by_id(TPM2_ALG_ID id);

struct pcr {
	const struct hash_alg *bank; /* NULL: not said, to be chosen with pcr_set_bank() */
	unsigned index;
	bool has_value;
	uint8_t value[PCR_DIGEST_MAX]; /* bank->size bytes */
};

/* Sorted by bank and index, each PCR once. A zeroed struct is the empty set. */
struct pcr_set {
	struct pcr pcrs[PCR_SET_MAX];
	size_t n;
};

/*
 * Adds a PCR. Errors: -EEXIST (it is in the set), -E2BIG (the set is full), -EINVAL (its index).
 */
MUST int pcr_add(struct pcr_set *set, const struct pcr *pcr);

/*
 * Reads what a person writes: PCRs by number or systemd's name, with '+' or ',' between them, each
 * with its bank (":sha384") and its value ("=" and hexadecimal digits) where wanted. A value also
 * tells the bank. The cause goes to `log` at ERROR. Errors: -EINVAL.
 */
MUST int pcr_parse(const char *text, const struct log *log, struct pcr_set *ret);

/*
 * Reads Clevis's pcr_ids, all in one bank: a string like "1,3" (or "all"), or an array of numbers or
 * strings. The cause goes to `log` at ERROR. Errors: -EBADMSG.
 */
MUST int pcr_parse_ids(const json_t *ids, const struct hash_alg *bank, const struct log *log,
		       struct pcr_set *ret);

/* Whether it is PCR 15 as it is when the machine starts, see TPM2_PCR_EARLY. */
bool pcr_is_early(const struct pcr *pcr);

/* Gives a bank to all that have none. */
void pcr_set_bank(struct pcr_set *set, const struct hash_alg *bank);

/* The bank that all PCRs of the set share; NULL where they do not, or the set is empty. */
const struct hash_alg *pcr_one_bank(const struct pcr_set *set);

/*
 * The object that keeps a set with its values in a header, {"sha256:7": base64url, …}, and its
 * reader, which takes values of the right length alone. The cause goes to `log` at ERROR. Errors:
 * -EBADMSG; NULL out of memory.
 */
json_t *pcr_to_values(const struct pcr_set *set);
MUST int pcr_from_values(const json_t *values, const struct log *log, struct pcr_set *ret);

/*
 * What pcr_parse() reads: a new buffer with each PCR's bank and value, as far as it has them; nothing
 * for the empty set. Errors: -ENOMEM.
 */
MUST int pcr_write(const struct pcr_set *set, struct buf *ret);

/* Whether both sets name the same PCRs. */
bool pcr_same(const struct pcr_set *a, const struct pcr_set *b);

/* "sha256:7,11+sha384:7", as tpm2-tools writes it; of Clevis's pcr_ids, "7,11", without banks. */
void pcr_format(const struct pcr_set *set, char ret[PCR_TEXT_MAX]);
void pcr_format_ids(const struct pcr_set *set, char ret[PCR_TEXT_MAX]);

/* "7 (sha256, secure-boot-policy)": one PCR for a person. */
void pcr_describe(const struct pcr *pcr, char ret[PCR_TEXT_MAX]);

/* systemd's name of a PCR, which says what it measures; NULL where it has none. */
const char *pcr_name(unsigned index);

/* What the readers of such texts share: see pcr.c and pcr-form.c. */
/* The bytes up to one of the characters `ends`; *text then begins with that, or is empty. */
struct ref pcr_token(struct ref *text, const char *ends);
/* Takes the separator c where the text begins with it. */
bool pcr_skip(struct ref *text, char c);
/* A PCR by number or name; PCR_COUNT where it is neither. */
unsigned pcr_index(struct ref text);

/* The set in the TPM's own form. */
void pcr_selection(const struct pcr_set *set, TPML_PCR_SELECTION *ret);
