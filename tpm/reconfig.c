/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a sealed object's header back to a configuration that seals the same again. */
#include "tpm/tpm2.h"

#include "tpm/bank.h"
#include "tpm/parent.h"
#include "tpm/seal.h"
#include "tpm/unseal.h"

#include <errno.h>
#include <stdio.h>

/* Takes the reference to `value`, which is NULL where memory ran out. */
static int set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0 ? 0 : -ENOMEM;
}

/*
 * That another TPM would seal it from now on is not what keeping means. Clevis wrote no Name to tell by;
 * a TPM that unsealed is not asked anything else.
 */
static int check_origin(const struct sealed *s, const struct log *log)
{
	CLEANUP(tss_closep) struct tss *tss = NULL;
	CLEANUP(buf_done) struct buf key = {0};
	ESYS_TR parent;
	int r;

	r = tss_open_now(NULL, log, &tss);
	if (r < 0)
		return r;
	return s->name_len > 0 ? parent_open(tss, s, &parent)
			       : unseal(tss, s, (struct ref){0}, &key);
}

static bool has_policy(const struct sealed *s, const TPM2B_DIGEST *policy)
{
	const TPM2B_DIGEST *own = &s->pub.publicArea.authPolicy;

	return own->size == policy->size && memcmp(own->buffer, policy->buffer, own->size) == 0;
}

/* The values that the object's policy has in its digest; -EKEYREJECTED where nobody knows them. */
static int find_values(struct sealed *s, const struct log *log)
{
	CLEANUP(tss_closep) struct tss *tss = NULL;
	bool told = s->pcrs.n == 0 || s->pcrs.pcrs[0].has_value;
	char pcrs[PCR_TEXT_MAX];
	TPM2B_DIGEST policy;
	int r = 0;

	if (!told)
		r = tss_open_now(NULL, log, &tss);
	if (!told && r == 0)
		r = bank_read(tss, &s->pcrs);
	if (r == 0)
		r = seal_digest(s, &policy);
	if (r < 0 || has_policy(s, &policy))
		return r;
	if (told)
		return log_err(log, -EBADMSG,
			       "the sealed key has another policy than the token says: it was "
			       "altered");
	pcr_format(&s->pcrs, pcrs);
	return log_err(log, -EKEYREJECTED, "at least one of the PCRs %s changed since enrollment",
		       pcrs);
}

static int keep_values(struct sealed *s, const struct log *log)
{
	int r = check_origin(s, log);

	return r < 0 ? r : find_values(s, log);
}

static int set_pcrs(json_t *config, const char *name, const struct pcr_set *pcrs)
{
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	if (pcrs->n == 0)
		return 0;
	r = pcr_write(pcrs, &text);
	return r < 0 ? r : set(config, name, json_stringn((const char *)text.p, text.n));
}

static int set_parent(json_t *config, const struct sealed *s)
{
	char handle[sizeof("0x81000001")];
	int r;

	if (s->parent) {
		(void)snprintf(handle, sizeof(handle), "0x%08x", s->parent);
		return set(config, "parent", json_string(handle));
	}
	r = set(config, "hash", json_string(s->hash->name));
	return r < 0 ? r : set(config, "key", json_string(s->key->name));
}

static int set_signed(json_t *config, const struct sealed *s)
{
	CLEANUP(buf_done) struct buf pem = {0};
	int r;

	if (s->pubkey.modulus_len == 0)
		return 0;
	r = rsa_to_pem(&s->pubkey, &pem);
	if (r == 0)
		r = set(config, "pubkey", json_stringn((const char *)pem.p, pem.n));
	if (r == 0)
		r = set_pcrs(config, "pubkey_pcrs", &s->pubkey_pcrs);
	if (r == 0 && s->signature[0])
		r = set(config, "signature", json_string(s->signature));
	return r;
}

/* Other PCRs than the header's, or the same ones with the values that they have when it is sealed. */
static int choose_pcrs(struct sealed *s, const char *pcrs, const struct log *log)
{
	if (pcrs) {
		s->pcrs = (struct pcr_set){0};
		return *pcrs ? pcr_parse(pcrs, log, &s->pcrs) : 0;
	}
	/* PCR 15 is to be as it was before this was asked for. */
	for (size_t i = 0; i < s->pcrs.n; i++)
		s->pcrs.pcrs[i].has_value = pcr_is_early(&s->pcrs.pcrs[i]);
	return 0;
}

/* The digest of the policy that sealing with these PCRs now would give the object. */
static int policy_now(struct sealed *s, const struct log *log, TPM2B_DIGEST *ret)
{
	CLEANUP(tss_closep) struct tss *tss = NULL;
	int r;

	r = tss_open_now(NULL, log, &tss);
	if (r == 0)
		r = bank_complete(tss, &s->pcrs);
	return r < 0 ? r : seal_digest(s, ret);
}

int tpm2_differs(const json_t *hdr, const struct tpm2_again *how, const struct log *log, bool *ret)
{
	CLEANUP(sealed_freep) struct sealed *s = NULL;
	bool other = how->reseal || how->pcrs;
	TPM2B_DIGEST policy;
	int r;

	r = sealed_read(hdr, log, &s);
	if (r == 0 && other)
		r = choose_pcrs(s, how->pcrs, log);
	if (r == 0 && other)
		r = policy_now(s, log, &policy);
	if (r < 0)
		return r;

	/* What is wrong with the TPM besides, sealing will tell. */
	*ret = other && !(has_policy(s, &policy) && check_origin(s, NULL) == 0);
	return 0;
}

int tpm2_config(const json_t *hdr, const struct tpm2_again *how, const struct log *log,
		json_t **ret)
{
	CLEANUP(sealed_freep) struct sealed *s = NULL;
	CLEANUP_JSON json_t *config = json_object();
	int r;

	r = config ? sealed_read(hdr, log, &s) : -ENOMEM;
	if (r == 0)
		r = how->reseal || how->pcrs ? choose_pcrs(s, how->pcrs, log) : keep_values(s, log);
	if (r == 0)
		r = set_parent(config, s);
	if (r == 0)
		r = set_pcrs(config, "pcrs", &s->pcrs);
	if (r == 0)
		r = set_signed(config, s);
	if (r == 0 && s->has_pin)
		r = set(config, "pin", json_true());
	if (r < 0)
		return r;

	*ret = TAKE_PTR(config);
	return 0;
}
