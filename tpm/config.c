/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the configuration of a new tpm2 binding. */
#include "tpm/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name;
	json_type type; /* JSON_NULL: several */
} members[] = {
	{"hash", JSON_STRING},        {"key", JSON_STRING},        {"pcr_bank", JSON_STRING},
	{"pcr_ids", JSON_NULL},       {"pcr_digest", JSON_STRING}, {"pcrs", JSON_STRING},
	{"parent", JSON_NULL},        {"pin", JSON_NULL},          {"pubkey", JSON_STRING},
	{"pubkey_pcrs", JSON_STRING}, {"signature", JSON_STRING},  {"tcti", JSON_STRING},
};

void config_done(struct config *config)
{
	sealed_free(config->sealed);
	*config = (struct config){0};
}

/* A misspelt member would silently drop a condition, so only known ones pass. */
static int check_members(const json_t *cfg, const struct log *log)
{
	const char *name;
	const json_t *value;

	json_object_foreach((json_t *)(uintptr_t)cfg, name, value) {
		size_t i = 0;

		while (i < ARRAY_SIZE(members) && strcmp(members[i].name, name) != 0)
			i++;
		if (i == ARRAY_SIZE(members))
			return log_err(log, -EINVAL,
				       "tpm2: the configuration has an unknown member \"%.64s\"",
				       name);
		if (members[i].type != JSON_NULL && json_typeof(value) != members[i].type)
			return log_err(log, -EINVAL, "tpm2: \"%s\" is not a string", name);
	}
	return 0;
}

static bool has(const json_t *cfg, const char *name)
{
	return json_object_get(cfg, name) != NULL;
}

/* Clevis's primary by default; a persistent key where Clevis could not read the result anyway. */
static int read_parent(const json_t *cfg, const struct log *log, struct sealed *s)
{
	const char *hash = js_str(cfg, "hash"), *key = js_str(cfg, "key");
	const json_t *parent = json_object_get(cfg, "parent");

	if (parent && sealed_read_handle(parent, &s->parent) < 0)
		return log_err(log, -EINVAL,
			       "the TPM key to seal under is named by a handle from 0x81000000 to "
			       "0x81ffffff");
	if (!parent && (s->has_pin || s->pubkey.modulus_len > 0))
		s->parent = TPM_SRK;

	s->object_hash = hash_alg_by_id(TPM2_ALG_SHA256);
	if (s->parent) {
		if (hash || key)
			return log_err(log, -EINVAL,
				       "tpm2: \"hash\" and \"key\" describe the primary key that "
				       "is used without PIN, signed policy and \"parent\"");
		return 0;
	}
	s->hash = hash_alg_by_name(ref_str(hash ? hash : "sha256"));
	s->key = key_type_by_name(key ? key : "ecc");
	if (!s->hash || !s->key)
		return log_err(log, -EINVAL, "tpm2: the %s \"%.32s\" is not supported",
			       s->hash ? "key type" : "hash", s->hash ? key : hash);
	s->object_hash = s->hash;
	return 0;
}

/* Clevis's pcr_digest: the values, one after the other. */
static int read_values(const json_t *cfg, const struct log *log, struct pcr_set *set)
{
	CLEANUP(buf_done) struct buf values = {0};
	int r;

	r = js_b64(cfg, "pcr_digest", &values);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || values.n != set->n * set->pcrs[0].bank->size)
		return log_err(log, -EINVAL,
			       "tpm2: \"pcr_digest\" does not hold the values of these PCRs");
	for (size_t i = 0; i < set->n; i++) {
		size_t size = set->pcrs[i].bank->size;

		memcpy(set->pcrs[i].value, values.p + i * size, size);
		set->pcrs[i].has_value = true;
	}
	return 0;
}

static int read_clevis_pcrs(const json_t *cfg, const struct hash_alg *bank, const struct log *log,
			    struct pcr_set *set)
{
	if (pcr_parse_ids(json_object_get(cfg, "pcr_ids"), bank, log, set) < 0)
		return -EINVAL;
	return has(cfg, "pcr_digest") ? read_values(cfg, log, set) : 0;
}

static int read_pcrs(const json_t *cfg, const struct log *log, struct sealed *s)
{
	const char *name = js_str(cfg, "pcr_bank"), *pcrs = js_str(cfg, "pcrs");
	const struct hash_alg *bank = name ? hash_alg_by_name(ref_str(name)) : NULL;
	int r;

	if (name && !bank)
		return log_err(log, -EINVAL, "tpm2: \"%.32s\" is not a PCR bank", name);
	if (pcrs && (has(cfg, "pcr_ids") || has(cfg, "pcr_digest")))
		return log_err(log, -EINVAL, "tpm2: \"pcrs\" and \"pcr_ids\" exclude each other");
	if (has(cfg, "pcr_digest") && !has(cfg, "pcr_ids"))
		return log_err(log, -EINVAL, "tpm2: \"pcr_digest\" wants \"pcr_ids\"");
	if (has(cfg, "pcr_ids"))
		return read_clevis_pcrs(cfg, bank ? bank : hash_alg_by_id(TPM2_ALG_SHA1), log,
					&s->pcrs);
	if (!pcrs)
		return 0;

	r = pcr_parse(pcrs, log, &s->pcrs);
	if (r == 0 && bank)
		pcr_set_bank(&s->pcrs, bank);
	return r;
}

static int read_pubkey_pcrs(const json_t *cfg, const struct log *log, struct pcr_set *set)
{
	const char *pcrs = js_str(cfg, "pubkey_pcrs");
	int r;

	r = pcr_parse(pcrs ? pcrs : "11", log, set);
	if (r < 0)
		return r;

	pcr_set_bank(set, hash_alg_by_id(TPM2_ALG_SHA256));
	for (size_t i = 0; i < set->n; i++)
		if (set->pcrs[i].has_value)
			return log_err(log, -EINVAL,
				       "the PCRs of a signed policy have no values of their own");
	return pcr_one_bank(set)
		       ? 0
		       : log_err(log, -EINVAL, "the PCRs of a signed policy must be in one bank");
}

static int read_signed(const json_t *cfg, const struct log *log, struct sealed *s)
{
	const char *pem = js_str(cfg, "pubkey"), *path = js_str(cfg, "signature");
	int r;

	if (!pem)
		return has(cfg, "pubkey_pcrs") || path
			       ? log_err(log, -EINVAL,
					 "tpm2: \"pubkey_pcrs\" and \"signature\" want \"pubkey\"")
			       : 0;
	r = rsa_from_pem(ref_str(pem), &s->pubkey);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return log_err(log, -EINVAL,
			       "the policy key is not an RSA public key of 2048 to 4096 bits in "
			       "PEM form");
	if (path && (path[0] != '/' || strlen(path) >= sizeof(s->signature)))
		return log_err(log, -EINVAL,
			       "the file of PCR signatures must be given by its absolute path");
	(void)snprintf(s->signature, sizeof(s->signature), "%s", path ? path : "");
	return read_pubkey_pcrs(cfg, log, &s->pubkey_pcrs);
}

static int read_pin(const json_t *cfg, const struct log *log, struct sealed *s)
{
	const json_t *pin = json_object_get(cfg, "pin");
	CLEANUP(buf_done) struct buf salt = {0};
	int r;

	if (pin && !json_is_boolean(pin))
		return log_err(log, -EINVAL, "tpm2: \"pin\" is neither true nor false");
	s->has_pin = json_is_true(pin);
	if (!s->has_pin)
		return 0;

	r = buf_random(&salt, sizeof(s->salt));
	if (r < 0)
		return r;
	memcpy(s->salt, salt.p, salt.n);
	return 0;
}

int config_read(const json_t *cfg, const struct log *log, struct config *ret)
{
	CLEANUP(config_done) struct config c = {.tcti = js_str(cfg, "tcti")};
	int r;

	c.sealed = calloc(1, sizeof(*c.sealed));
	if (!c.sealed)
		return -ENOMEM;

	r = check_members(cfg, log);
	if (r == 0)
		r = read_pin(cfg, log, c.sealed);
	if (r == 0)
		r = read_signed(cfg, log, c.sealed);
	if (r == 0)
		r = read_parent(cfg, log, c.sealed);
	if (r == 0)
		r = read_pcrs(cfg, log, c.sealed);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(c);
	return 0;
}
