/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes the protected header of a tpm2 JWE. */
#include "tpm/sealed.h"

#include "crypto/b64.h"
#include "tpm/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct key_type key_types[] = {
	{"ecc", TPM2_ALG_ECC, TPM2_ECC_NIST_P256},
	{"ecc256", TPM2_ALG_ECC, TPM2_ECC_NIST_P256},
	{"ecc384", TPM2_ALG_ECC, TPM2_ECC_NIST_P384},
	{"ecc521", TPM2_ALG_ECC, TPM2_ECC_NIST_P521},
	{"rsa", TPM2_ALG_RSA, 2048},
	{"rsa1024", TPM2_ALG_RSA, 1024},
	{"rsa2048", TPM2_ALG_RSA, 2048},
	{"rsa3072", TPM2_ALG_RSA, 3072},
	{"rsa4096", TPM2_ALG_RSA, 4096},
};

const struct key_type *key_type_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
		if (strcmp(key_types[i].name, name) == 0)
			return &key_types[i];
	return NULL;
}

void sealed_free(struct sealed *sealed)
{
	if (!sealed)
		return;
	rsa_public_done(&sealed->pubkey);
	free(sealed);
}

bool sealed_has_policy(const struct sealed *sealed)
{
	return sealed->pcrs.n > 0 || sealed->has_pin || sealed->pubkey.modulus_len > 0;
}

/* A member that must be a string where it is there at all. */
static int string_member(const json_t *tpm2, const char *name, const struct log *log,
			 const char **ret)
{
	const json_t *value = json_object_get(tpm2, name);

	if (value && !json_is_string(value))
		return log_err(log, -EBADMSG, "tpm2: \"%s\" is not a string", name);
	*ret = json_string_value(value);
	return 0;
}

/* A member of bytes, with its length; an absent one has the length 0. */
static int bytes_member(const json_t *tpm2, const char *name, const struct log *log, uint8_t *ret,
			size_t max, size_t *ret_len)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int r;

	*ret_len = 0;
	if (!json_object_get(tpm2, name))
		return 0;
	r = js_b64(tpm2, name, &bytes);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || bytes.n == 0 || bytes.n > max)
		return log_err(log, -EBADMSG, "tpm2: \"%s\" is not base64url of what it should be",
			       name);
	memcpy(ret, bytes.p, bytes.n);
	*ret_len = bytes.n;
	return 0;
}

int sealed_read_handle(const json_t *value, TPM2_HANDLE *ret)
{
	const char *text = json_string_value(value);
	unsigned long long n = 0;

	if (json_is_integer(value) && json_integer_value(value) > 0) {
		n = (unsigned long long)json_integer_value(value);
	} else if (text && strncmp(text, "0x", 2) == 0 && strlen(text) <= 10) {
		char *end;

		n = strtoull(text + 2, &end, 16);
		if (end == text + 2 || *end != '\0')
			return -EBADMSG;
	}
	if (n < TPM_PERSISTENT_FIRST || n > TPM_PERSISTENT_LAST)
		return -EBADMSG;

	*ret = (TPM2_HANDLE)n;
	return 0;
}

static int read_parent(const json_t *tpm2, const struct log *log, struct sealed *s)
{
	const json_t *parent = json_object_get(tpm2, "parent");
	const char *hash = NULL, *key = NULL;
	int r;

	r = bytes_member(tpm2, "name", log, s->name, sizeof(s->name), &s->name_len);
	if (r == 0)
		r = string_member(tpm2, "hash", log, &hash);
	if (r == 0)
		r = string_member(tpm2, "key", log, &key);
	if (r < 0)
		return r;

	if (parent) {
		if (sealed_read_handle(parent, &s->parent) < 0)
			return log_err(log, -EBADMSG,
				       "tpm2: \"parent\" is not the handle of a persistent key");
		return s->name_len ? 0 : log_err(log, -EBADMSG, "tpm2: there is no \"name\"");
	}
	if (!hash || !key)
		return log_err(log, -EBADMSG, "tpm2: there is no \"%s\"", hash ? "key" : "hash");
	s->hash = hash_alg_by_name(ref_str(hash));
	s->key = key_type_by_name(key);
	if (!s->hash || !s->key)
		return log_err(log, -EOPNOTSUPP, "tpm2: the %s \"%.32s\" is not supported",
			       s->hash ? "key type" : "hash", s->hash ? key : hash);
	return 0;
}

/* Clevis's pair where it is there, else what only pcr_values can say; the values then go with it. */
static int read_pcrs(const json_t *tpm2, const struct log *log, struct sealed *s)
{
	const json_t *ids = json_object_get(tpm2, "pcr_ids");
	const json_t *values = json_object_get(tpm2, "pcr_values");
	const char *bank_name = NULL;
	const struct hash_alg *bank;
	struct pcr_set valued;
	int r;

	r = string_member(tpm2, "pcr_bank", log, &bank_name);
	if (r < 0)
		return r;
	if (ids) {
		bank = bank_name ? hash_alg_by_name(ref_str(bank_name)) : NULL;
		if (!bank)
			return log_err(log, bank_name ? -EOPNOTSUPP : -EBADMSG,
				       "tpm2: \"pcr_bank\" is not a known PCR bank");
		r = pcr_parse_ids(ids, bank, log, &s->pcrs);
	}
	if (r < 0 || !values)
		return r;

	r = pcr_from_values(values, log, &valued);
	if (r < 0)
		return r;
	if (ids && !pcr_same(&s->pcrs, &valued))
		return log_err(log, -EBADMSG,
			       "tpm2: \"pcr_values\" and \"pcr_ids\" are about different PCRs");
	s->pcrs = valued;
	return 0;
}

/* "sha256:11,12", in one bank */
static int read_pubkey_pcrs(const char *text, struct pcr_set *ret)
{
	struct ref left = ref_str(text);
	const struct hash_alg *bank = hash_alg_by_name(pcr_token(&left, ":"));

	if (!bank || !pcr_skip(&left, ':'))
		return -EBADMSG;
	if (pcr_parse((const char *)left.p, NULL, ret) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < ret->n; i++)
		if (ret->pcrs[i].bank || ret->pcrs[i].has_value)
			return -EBADMSG;
	pcr_set_bank(ret, bank);
	return 0;
}

static int read_signed(const json_t *tpm2, const struct log *log, struct sealed *s)
{
	CLEANUP(buf_done) struct buf der = {0};
	const char *pcrs = NULL, *path = NULL;
	int r;

	r = string_member(tpm2, "pubkey_pcrs", log, &pcrs);
	if (r == 0)
		r = string_member(tpm2, "signature", log, &path);
	if (r < 0)
		return r;
	if (!json_object_get(tpm2, "pubkey"))
		return pcrs || path ? log_err(log, -EBADMSG, "tpm2: there is no \"pubkey\"") : 0;

	r = js_b64(tpm2, "pubkey", &der);
	if (r == 0)
		r = rsa_from_der(buf_ref(&der), &s->pubkey);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return log_err(log, r, "tpm2: \"pubkey\" is not an RSA public key");
	if (!pcrs || read_pubkey_pcrs(pcrs, &s->pubkey_pcrs) < 0)
		return log_err(log, -EBADMSG,
			       "tpm2: \"pubkey_pcrs\" is not a list of PCRs like sha256:11");
	if (path && (path[0] != '/' || strlen(path) >= sizeof(s->signature)))
		return log_err(log, -EBADMSG, "tpm2: \"signature\" is not an absolute path");
	(void)snprintf(s->signature, sizeof(s->signature), "%s", path ? path : "");
	return 0;
}

/* A TPM2B_PUBLIC of a sealed object, which is all that a header may hold. */
static int read_public(struct ref bytes, struct sealed *s)
{
	struct wire_reader in = {.left = bytes};
	TPMT_PUBLIC *area = &s->pub.publicArea;
	struct ref policy, unique;

	if (wire_get16(&in) != in.left.n)
		return -EBADMSG;
	area->type = wire_get16(&in);
	area->nameAlg = wire_get16(&in);
	area->objectAttributes = wire_get32(&in);
	policy = wire_get2b(&in, sizeof(area->authPolicy.buffer));
	area->parameters.keyedHashDetail.scheme.scheme = wire_get16(&in);
	unique = wire_get2b(&in, sizeof(area->unique.keyedHash.buffer));

	s->object_hash = hash_alg_by_id(area->nameAlg);
	if (!wire_ended(&in) || area->type != TPM2_ALG_KEYEDHASH || !s->object_hash ||
	    area->parameters.keyedHashDetail.scheme.scheme != TPM2_ALG_NULL)
		return -EBADMSG;

	area->authPolicy.size = (UINT16)policy.n;
	memcpy(area->authPolicy.buffer, policy.p, policy.n);
	area->unique.keyedHash.size = (UINT16)unique.n;
	memcpy(area->unique.keyedHash.buffer, unique.p, unique.n);
	return 0;
}

static int read_object(const json_t *tpm2, const struct log *log, struct sealed *s)
{
	CLEANUP(buf_done) struct buf pub = {0};
	CLEANUP(buf_done) struct buf priv = {0};
	struct wire_reader in;
	struct ref bytes;
	int r;

	r = js_b64(tpm2, "jwk_pub", &pub);
	if (r == 0)
		r = read_public(buf_ref(&pub), s);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return log_err(log, r,
			       "tpm2: \"jwk_pub\" is not the public part of a sealed object");

	r = js_b64(tpm2, "jwk_priv", &priv);
	if (r == -ENOMEM)
		return r;
	in = (struct wire_reader){.left = buf_ref(&priv), .bad = r < 0};
	bytes = wire_get2b(&in, sizeof(s->priv.buffer));
	if (!wire_ended(&in) || bytes.n == 0)
		return log_err(log, -EBADMSG,
			       "tpm2: \"jwk_priv\" is not the private part of a sealed object");
	s->priv.size = (UINT16)bytes.n;
	memcpy(s->priv.buffer, bytes.p, bytes.n);
	return 0;
}

int sealed_read(const json_t *hdr, const struct log *log, struct sealed **ret)
{
	const json_t *tpm2 = json_object_get(json_object_get(hdr, "clevis"), "tpm2");
	CLEANUP(sealed_freep) struct sealed *s = NULL;
	const char *alg = js_str(hdr, "alg");
	size_t salt_len = 0;
	int r;

	if (!alg || strcmp(alg, "dir") != 0)
		return log_err(log, -EBADMSG, "tpm2: the header's \"alg\" is not dir");
	if (!json_is_object(tpm2))
		return log_err(log, -EBADMSG, "tpm2: the header has no clevis.tpm2");
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;

	r = read_parent(tpm2, log, s);
	if (r == 0)
		r = read_pcrs(tpm2, log, s);
	if (r == 0)
		r = read_signed(tpm2, log, s);
	if (r == 0)
		r = bytes_member(tpm2, "salt", log, s->salt, sizeof(s->salt), &salt_len);
	if (r == 0)
		r = read_object(tpm2, log, s);
	if (r < 0)
		return r;
	if (salt_len != 0 && salt_len != sizeof(s->salt))
		return log_err(log, -EBADMSG, "tpm2: \"salt\" is not %d bytes long", TPM_SALT_SIZE);
	s->has_pin = salt_len != 0;

	*ret = TAKE_PTR(s);
	return 0;
}

/* Takes the reference to `value`, which is NULL where memory ran out. */
static int set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0 ? 0 : -ENOMEM;
}

static json_t *public_part(const TPMT_PUBLIC *area)
{
	struct ref policy = {area->authPolicy.buffer, area->authPolicy.size};
	struct ref unique = {area->unique.keyedHash.buffer, area->unique.keyedHash.size};
	size_t len = 2 + 2 + 4 + 2 + policy.n + 2 + 2 + unique.n;
	struct wire_writer out = {0};

	wire_put16(&out, (uint16_t)len);
	wire_put16(&out, area->type);
	wire_put16(&out, area->nameAlg);
	wire_put32(&out, area->objectAttributes);
	wire_put2b(&out, policy);
	wire_put16(&out, area->parameters.keyedHashDetail.scheme.scheme);
	wire_put2b(&out, unique);
	return js_from_b64((struct ref){out.p, out.n});
}

static json_t *private_part(const TPM2B_PRIVATE *priv)
{
	struct wire_writer out = {0};

	wire_put2b(&out, (struct ref){priv->buffer, priv->size});
	return out.bad ? NULL : js_from_b64((struct ref){out.p, out.n});
}

static int write_parent(const struct sealed *s, json_t *tpm2)
{
	char handle[sizeof("0x81000001")];
	int r = set(tpm2, "name", js_from_b64((struct ref){s->name, s->name_len}));

	(void)snprintf(handle, sizeof(handle), "0x%08x", s->parent);
	if (r == 0 && s->parent)
		return set(tpm2, "parent", json_string(handle));
	if (r == 0)
		r = set(tpm2, "hash", json_string(s->hash->name));
	return r < 0 ? r : set(tpm2, "key", json_string(s->key->name));
}

/* What Clevis reads where all PCRs are in one bank, and the values with which we explain changes. */
static int write_pcrs(const struct sealed *s, json_t *tpm2)
{
	const struct hash_alg *bank = pcr_one_bank(&s->pcrs);
	char ids[PCR_TEXT_MAX];
	int r = 0;

	if (s->pcrs.n == 0)
		return 0;
	pcr_format_ids(&s->pcrs, ids);
	if (bank)
		r = set(tpm2, "pcr_bank", json_string(bank->name));
	if (bank && r == 0)
		r = set(tpm2, "pcr_ids", json_string(ids));
	return r < 0 ? r : set(tpm2, "pcr_values", pcr_to_values(&s->pcrs));
}

static int write_signed(const struct sealed *s, json_t *tpm2)
{
	char pcrs[PCR_TEXT_MAX];
	int r;

	if (s->pubkey.modulus_len == 0)
		return 0;
	pcr_format(&s->pubkey_pcrs, pcrs);
	r = set(tpm2, "pubkey", js_from_b64(buf_ref(&s->pubkey.der)));
	if (r == 0)
		r = set(tpm2, "pubkey_pcrs", json_string(pcrs));
	if (r == 0 && s->signature[0])
		r = set(tpm2, "signature", json_string(s->signature));
	return r;
}

int sealed_write(const struct sealed *s, json_t *hdr)
{
	CLEANUP_JSON json_t *tpm2 = json_object();
	int r;

	r = write_parent(s, tpm2);
	if (r == 0)
		r = write_pcrs(s, tpm2);
	if (r == 0)
		r = write_signed(s, tpm2);
	if (r == 0 && s->has_pin)
		r = set(tpm2, "salt", js_from_b64((struct ref){s->salt, sizeof(s->salt)}));
	if (r == 0)
		r = set(tpm2, "jwk_pub", public_part(&s->pub.publicArea));
	if (r == 0)
		r = set(tpm2, "jwk_priv", private_part(&s->priv));
	if (r == 0)
		r = set(json_object_get(hdr, "clevis"), "tpm2", json_incref(tpm2));
	if (r == 0)
		r = set(hdr, "alg", json_string("dir"));
	return r < 0 ? r : set(hdr, "enc", json_string("A256GCM"));
}
