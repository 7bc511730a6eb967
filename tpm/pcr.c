/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parses and formats sets of PCRs. */
#include "tpm/pcr.h"

#include "tpm/tpm2.h"

#include <errno.h>

const struct hash_alg hash_algs[HASH_ALGS] = {
	{"sha1", "SHA1", TPM2_ALG_SHA1, 20},
	{"sha256", "SHA256", TPM2_ALG_SHA256, 32},
	{"sha384", "SHA384", TPM2_ALG_SHA384, 48},
	{"sha512", "SHA512", TPM2_ALG_SHA512, 64},
};

/* systemd's names (systemd-cryptenroll(1)), which say what each PCR measures. */
static const char *const pcr_names[PCR_COUNT] = {
	[0] = "platform-code",
	[1] = "platform-config",
	[2] = "external-code",
	[3] = "external-config",
	[4] = "boot-loader-code",
	[5] = "boot-loader-config",
	[6] = "host-platform",
	[7] = "secure-boot-policy",
	[9] = "kernel-initrd",
	[10] = "ima",
	[11] = "kernel-boot",
	[12] = "kernel-config",
	[13] = "sysexts",
	[14] = "shim-policy",
	[15] = "system-identity",
	[16] = "debug",
	[23] = "application-support",
};

const struct hash_alg *hash_alg_by_name(struct ref name)
{
	for (size_t i = 0; i < HASH_ALGS; i++)
		if (ref_is(name, hash_algs[i].name))
			return &hash_algs[i];
	return NULL;
}

const struct hash_alg *hash_alg_by_id(TPM2_ALG_ID id)
{
	for (size_t i = 0; i < HASH_ALGS; i++)
		if (hash_algs[i].id == id)
			return &hash_algs[i];
	return NULL;
}

static int compare(const struct pcr *a, const struct pcr *b)
{
	if (a->bank != b->bank)
		return !a->bank || (b->bank && a->bank < b->bank) ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

const char *pcr_name(unsigned index)
{
	return index < PCR_COUNT ? pcr_names[index] : NULL;
}

int pcr_add(struct pcr_set *set, const struct pcr *pcr)
{
	size_t at = set->n;

	if (pcr->index >= PCR_COUNT)
		return -EINVAL;
	while (at > 0 && compare(pcr, &set->pcrs[at - 1]) <= 0)
		at--;
	if (at < set->n && compare(pcr, &set->pcrs[at]) == 0)
		return -EEXIST;
	if (set->n == PCR_SET_MAX)
		return -E2BIG;

	memmove(&set->pcrs[at + 1], &set->pcrs[at], (set->n - at) * sizeof(*pcr));
	set->pcrs[at] = *pcr;
	set->n++;
	return 0;
}

struct ref pcr_token(struct ref *text, const char *ends)
{
	struct ref taken = {text->p, 0};

	while (taken.n < text->n && !strchr(ends, text->p[taken.n]))
		taken.n++;
	text->p += taken.n;
	text->n -= taken.n;
	return taken;
}

bool pcr_skip(struct ref *text, char c)
{
	if (text->n == 0 || text->p[0] != (uint8_t)c)
		return false;
	text->p++;
	text->n--;
	return true;
}

unsigned pcr_index(struct ref text)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PCR_COUNT; i++)
		if (pcr_names[i] && ref_is(text, pcr_names[i]))
			return i;
	if (text.n == 0 || text.n > 2)
		return PCR_COUNT;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return PCR_COUNT;
		n = n * 10 + (text.p[i] - '0');
	}
	return n < PCR_COUNT ? n : PCR_COUNT;
}

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* A value of as many digits as one of the banks has, which decides the bank where none is said. */
static bool read_value(struct ref text, struct pcr *pcr)
{
	if (text.n > 2 && text.p[0] == '0' && (text.p[1] | 0x20) == 'x')
		text = (struct ref){text.p + 2, text.n - 2};

	for (size_t i = 0; i < HASH_ALGS && !pcr->bank; i++)
		if (text.n == 2U * hash_algs[i].size)
			pcr->bank = &hash_algs[i];
	if (!pcr->bank || text.n != 2U * pcr->bank->size)
		return false;

	for (size_t i = 0; i < pcr->bank->size; i++) {
		int high = hex_digit(text.p[2 * i]), low = hex_digit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		pcr->value[i] = (uint8_t)(high << 4 | low);
	}
	pcr->has_value = true;
	return true;
}

/* INDEX[:BANK][=VALUE] */
static int parse_one(struct ref text, const struct log *log, struct pcr *ret)
{
	struct ref all = text, name = pcr_token(&text, ":=");
	struct pcr pcr = {.index = pcr_index(name)};

	if (pcr.index == PCR_COUNT)
		return log_err(log, -EINVAL, "\"%.*s\" is not a PCR: they have the numbers 0 to 23",
			       (int)name.n, (const char *)name.p);
	if (pcr_skip(&text, ':')) {
		struct ref bank = pcr_token(&text, "=");

		pcr.bank = hash_alg_by_name(bank);
		if (!pcr.bank)
			return log_err(log, -EINVAL,
				       "\"%.*s\" is not a PCR bank: there are sha1, sha256, "
				       "sha384 and sha512",
				       (int)bank.n, (const char *)bank.p);
	}
	if (pcr_skip(&text, '=') && !read_value(text, &pcr))
		return log_err(log, -EINVAL,
			       "\"%.*s\": the value is not the hexadecimal digest of a PCR bank",
			       (int)all.n, (const char *)all.p);

	*ret = pcr;
	return 0;
}

int pcr_parse(const char *text, const struct log *log, struct pcr_set *ret)
{
	struct pcr_set set = {0};
	struct ref left = ref_str(text);
	int r;

	do {
		struct pcr pcr;

		r = parse_one(pcr_token(&left, "+,"), log, &pcr);
		if (r < 0)
			return r;
		r = pcr_add(&set, &pcr);
		if (r == -EEXIST)
			return log_err(log, -EINVAL, "PCR %u is named twice", pcr.index);
		if (r < 0)
			return log_err(log, -EINVAL, "more than %d PCRs are named", PCR_SET_MAX);
	} while (pcr_skip(&left, '+') || pcr_skip(&left, ','));

	*ret = set;
	return 0;
}

bool pcr_is_early(const struct pcr *pcr)
{
	static const uint8_t zeros[PCR_DIGEST_MAX];

	return pcr->index == TPM2_PCR_EARLY && pcr->has_value &&
	       memcmp(pcr->value, zeros, pcr->bank->size) == 0;
}

void pcr_set_bank(struct pcr_set *set, const struct hash_alg *bank)
{
	struct pcr_set sorted = {0};

	for (size_t i = 0; i < set->n; i++) {
		struct pcr pcr = set->pcrs[i];

		pcr.bank = pcr.bank ? pcr.bank : bank;
		/* A PCR that was named with this bank, too, is in the set by then. */
		(void)!pcr_add(&sorted, &pcr);
	}
	*set = sorted;
}

const struct hash_alg *pcr_one_bank(const struct pcr_set *set)
{
	const struct hash_alg *bank = set->n > 0 ? set->pcrs[0].bank : NULL;

	return bank && set->pcrs[set->n - 1].bank == bank ? bank : NULL;
}

bool pcr_same(const struct pcr_set *a, const struct pcr_set *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (compare(&a->pcrs[i], &b->pcrs[i]) != 0)
			return false;
	return true;
}

void pcr_selection(const struct pcr_set *set, TPML_PCR_SELECTION *ret)
{
	*ret = (TPML_PCR_SELECTION){0};

	for (size_t i = 0; i < set->n; i++) {
		const struct pcr *pcr = &set->pcrs[i];

		if (i == 0 || pcr->bank != set->pcrs[i - 1].bank)
			ret->pcrSelections[ret->count++] = (TPMS_PCR_SELECTION){
				.hash = pcr->bank->id, .sizeofSelect = PCR_COUNT / 8};
		ret->pcrSelections[ret->count - 1].pcrSelect[pcr->index / 8] |=
			(BYTE)(1 << pcr->index % 8);
	}
}
