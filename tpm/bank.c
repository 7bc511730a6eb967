/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads PCRs. */
#include "tpm/bank.h"

#include <errno.h>

/* The first PCR that has no value; NULL where all have. */
static struct pcr *unread(struct pcr_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (!set->pcrs[i].has_value)
			return &set->pcrs[i];
	return NULL;
}

static void forget_values(struct pcr_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		set->pcrs[i].has_value = false;
}

static bool selected(const TPML_PCR_SELECTION *selection, const struct pcr *pcr)
{
	for (uint32_t i = 0; i < selection->count; i++) {
		const TPMS_PCR_SELECTION *bank = &selection->pcrSelections[i];

		if (bank->hash == pcr->bank->id && pcr->index / 8 < bank->sizeofSelect)
			return bank->pcrSelect[pcr->index / 8] & 1 << pcr->index % 8;
	}
	return false;
}

/* A reply has the first few of those asked for, in the order of the set. */
static int take_values(struct pcr_set *set, const TPML_PCR_SELECTION *selection,
		       const TPML_DIGEST *values)
{
	uint32_t next = 0;

	for (size_t i = 0; i < set->n; i++) {
		struct pcr *pcr = &set->pcrs[i];

		if (pcr->has_value || !selected(selection, pcr))
			continue;
		if (next == values->count || values->digests[next].size != pcr->bank->size)
			return -EPROTO;
		memcpy(pcr->value, values->digests[next++].buffer, pcr->bank->size);
		pcr->has_value = true;
	}
	return next > 0 ? 0 : -ENOENT;
}

/* The PCRs of the set that have no value, for the TPM. */
static void select_unread(const struct pcr_set *set, TPML_PCR_SELECTION *ret)
{
	struct pcr_set wanted = {0};

	for (size_t i = 0; i < set->n; i++)
		if (!set->pcrs[i].has_value)
			wanted.pcrs[wanted.n++] = set->pcrs[i];
	pcr_selection(&wanted, ret);
}

/* -ENOENT: the TPM has none of them. */
static int read_some(struct tss *tss, struct pcr_set *set)
{
	TPML_PCR_SELECTION wanted, *selection = NULL;
	TPML_DIGEST *values = NULL;
	uint32_t counter;
	TSS2_RC rc;
	int r;

	select_unread(set, &wanted);
	rc = ESYS(tss, PCR_Read, (tss->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted),
		  (tss->esys, &counter, &selection, &values));
	if (tss_base(rc) == TPM2_RC_HASH || tss_base(rc) == TPM2_RC_VALUE)
		return -ENOENT;
	if (rc != TSS2_RC_SUCCESS)
		return tss_fail(tss, rc, "the PCRs cannot be read");

	r = take_values(set, selection, values);
	tss->lib.Esys_Free(selection);
	tss->lib.Esys_Free(values);
	return r == -EPROTO ? log_err(tss->log, r, "the TPM's reply about its PCRs is malformed")
			    : r;
}

/* One reply has a few of them. */
static int read_all(struct tss *tss, struct pcr_set *set)
{
	int r = 0;

	while (r == 0 && unread(set))
		r = read_some(tss, set);
	return r;
}

int bank_read(struct tss *tss, struct pcr_set *set)
{
	struct pcr_set now = *set;
	const struct pcr *pcr;
	int r;

	forget_values(&now);
	r = read_all(tss, &now);
	if (r == -ENOENT) {
		pcr = unread(&now);
		return log_err(tss->log, -EINVAL, "the TPM has no PCR %u in the bank %s",
			       pcr->index, pcr->bank->name);
	}
	if (r < 0)
		return r;

	for (size_t i = 0; i < set->n; i++)
		if (!set->pcrs[i].has_value)
			set->pcrs[i] = now.pcrs[i];
	return 0;
}

static bool is_measured(const struct pcr *pcr)
{
	bool zeros = true, ones = true;

	for (size_t i = 0; i < pcr->bank->size; i++) {
		zeros = zeros && pcr->value[i] == 0x00;
		ones = ones && pcr->value[i] == 0xff;
	}
	return !zeros && !ones;
}

/*
 * Whether the TPM has these PCRs in this bank, and whether something was measured into them: a bank
 * can be there that the firmware never uses.
 */
static int look_at(struct tss *tss, const struct pcr_set *set, const struct hash_alg *bank,
		   bool *ret_measured)
{
	struct pcr_set probe = {0};
	int r;

	for (size_t i = 0; i < set->n; i++)
		if (!set->pcrs[i].bank)
			probe.pcrs[probe.n++] =
				(struct pcr){.bank = bank, .index = set->pcrs[i].index};
	r = read_all(tss, &probe);

	*ret_measured = false;
	for (size_t i = 0; i < probe.n && r == 0; i++)
		*ret_measured = *ret_measured || is_measured(&probe.pcrs[i]);
	return r;
}

int bank_best(struct tss *tss, const struct pcr_set *set, const struct hash_alg **ret)
{
	static const TPM2_ALG_ID order[] = {TPM2_ALG_SHA256, TPM2_ALG_SHA384, TPM2_ALG_SHA512,
					    TPM2_ALG_SHA1};
	const struct hash_alg *unmeasured = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const struct hash_alg *bank = hash_alg_by_id(order[i]);
		bool measured;
		int r = look_at(tss, set, bank, &measured);

		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		if (measured) {
			*ret = bank;
			return 0;
		}
		unmeasured = unmeasured ? unmeasured : bank;
	}
	if (!unmeasured)
		return log_err(tss->log, -EINVAL, "the TPM has no bank with these PCRs");
	*ret = unmeasured;
	return 0;
}

static bool is_empty(const TPMS_PCR_SELECTION *bank)
{
	for (size_t i = 0; i < bank->sizeofSelect; i++)
		if (bank->pcrSelect[i])
			return false;
	return true;
}

int bank_first(struct tss *tss, const struct hash_alg **ret)
{
	const struct hash_alg *found = NULL;
	TPMS_CAPABILITY_DATA *data = NULL;
	const TPML_PCR_SELECTION *banks;
	TSS2_RC rc;

	rc = ESYS(tss, GetCapability,
		  (tss->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_PCRS, 0, 1),
		  (tss->esys, NULL, &data));
	if (rc != TSS2_RC_SUCCESS)
		return tss_fail(tss, rc, "its PCR banks cannot be listed");

	banks = &data->data.assignedPCR;
	for (uint32_t i = 0; i < banks->count && !found; i++)
		if (!is_empty(&banks->pcrSelections[i]))
			found = hash_alg_by_id(banks->pcrSelections[i].hash);
	tss->lib.Esys_Free(data);
	if (!found)
		return log_err(tss->log, -EINVAL, "the TPM has no bank with PCRs");
	*ret = found;
	return 0;
}

int bank_complete(struct tss *tss, struct pcr_set *set)
{
	const struct hash_alg *bank;
	int r;

	/* PCRs without a bank come first. */
	if (set->n > 0 && !set->pcrs[0].bank) {
		r = bank_best(tss, set, &bank);
		if (r < 0)
			return r;
		pcr_set_bank(set, bank);
	}
	return set->n > 0 ? bank_read(tss, set) : 0;
}

int bank_changed(struct tss *tss, const struct pcr_set *set, struct pcr_set *ret)
{
	struct pcr_set now = *set;
	size_t n = 0;
	int r;

	forget_values(&now);
	r = read_all(tss, &now);
	if (r < 0 && r != -ENOENT)
		return r;

	for (size_t i = 0; i < set->n; i++)
		if (set->pcrs[i].has_value &&
		    (!now.pcrs[i].has_value ||
		     memcmp(now.pcrs[i].value, set->pcrs[i].value, set->pcrs[i].bank->size) != 0))
			now.pcrs[n++] = now.pcrs[i];
	now.n = n;
	*ret = now;
	return 0;
}
