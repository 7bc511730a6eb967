/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes clevis.pkcs11. */
#include "pkcs11/header.h"

#include <errno.h>

static const struct mechanism {
	const char *name, *hash;
	bool agrees;
	enum rsa_padding padding;
} mechanisms[] = {
	{"RSA-PKCS", "", false, RSA_PADDING_PKCS1},
	{"", "", false, RSA_PADDING_PKCS1},
	{"RSA-PKCS-OAEP", "", false, RSA_PADDING_OAEP_SHA256},
	{"RSA-PKCS-OAEP", "sha256", false, RSA_PADDING_OAEP_SHA256},
	{"RSA-PKCS-OAEP", "sha1", false, RSA_PADDING_OAEP_SHA1},
	{"ECDH1-DERIVE", "", true, RSA_PADDING_PKCS1},
};

void card_header_done(struct card_header *header)
{
	uri_done(&header->uri);
	buf_done(&header->key);
	jwk_done(&header->epk);
	*header = (struct card_header){0};
}

int card_header_mechanism(const char *mechanism, const char *hash, struct card_header *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		const struct mechanism *m = &mechanisms[i];

		if (strcmp(m->name, mechanism ? mechanism : "") != 0 ||
		    strcmp(m->hash, hash ? hash : "") != 0)
			continue;
		ret->agrees = m->agrees;
		ret->padding = m->padding;
		return 0;
	}
	return -EOPNOTSUPP;
}

const char *card_header_name(const struct card_header *header)
{
	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++)
		if (mechanisms[i].agrees == header->agrees &&
		    mechanisms[i].padding == header->padding)
			return mechanisms[i].name;
	return "";
}

/* A string that is missing is "", one that is something else an error. */
static int read_string(const json_t *object, const char *name, const struct log *log,
		       const char **ret)
{
	const json_t *value = json_object_get(object, name);

	if (value && !json_is_string(value))
		return log_err(log, -EBADMSG, "pkcs11: \"%s\" is no string", name);
	*ret = value ? json_string_value(value) : "";
	return 0;
}

static int read_key(const json_t *pkcs11, const struct log *log, struct card_header *header)
{
	int r;

	r = js_b64(pkcs11, "key", &header->key);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || header->key.n < PUBLIC_RSA_MIN || header->key.n > PUBLIC_RSA_MAX)
		return log_err(log, -EBADMSG,
			       "pkcs11: \"key\" is missing or not what an RSA key encrypted");
	return 0;
}

static int read_epk(const json_t *hdr, const struct log *log, struct card_header *header)
{
	int r;

	r = jwk_from_json(json_object_get(hdr, "epk"), &header->epk);
	if (r < 0 && r != -ENOMEM)
		return log_err(log, r, "pkcs11: \"epk\" is missing or not an EC key");
	return r;
}

/* That the JWE is of the kind that the mechanism makes. */
static int check_alg(const json_t *hdr, const struct log *log, const struct card_header *header)
{
	const char *alg = js_str(hdr, "alg"), *want = header->agrees ? "ECDH-ES" : "dir";

	if (!alg || strcmp(alg, want) != 0)
		return log_err(log, -EBADMSG, "pkcs11: \"alg\" is not \"%s\"", want);
	return 0;
}

int card_header_read(const json_t *hdr, const struct log *log, struct card_header *ret)
{
	const json_t *pkcs11 = json_object_get(json_object_get(hdr, "clevis"), "pkcs11");
	CLEANUP(card_header_done) struct card_header header = {0};
	const char *uri = js_str(pkcs11, "uri"), *mechanism, *hash;
	int r;

	if (!uri)
		return log_err(log, -EBADMSG, "pkcs11: \"uri\" is missing");
	r = uri_read(uri, log, &header.uri);
	if (r == 0)
		r = read_string(pkcs11, "mechanism", log, &mechanism);
	if (r == 0)
		r = read_string(pkcs11, "hash", log, &hash);
	if (r < 0)
		return r;
	if (card_header_mechanism(mechanism, hash, &header) < 0)
		return log_err(log, -EOPNOTSUPP,
			       "pkcs11: the mechanism \"%.32s\" (hash \"%.16s\") is not supported",
			       mechanism, hash);
	r = check_alg(hdr, log, &header);
	if (r == 0)
		r = header.agrees ? read_epk(hdr, log, &header) : read_key(pkcs11, log, &header);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(header);
	return 0;
}

static int set(json_t *object, const char *name, json_t *value)
{
	return json_object_set_new(object, name, value) == 0 ? 0 : -ENOMEM;
}

int card_header_write(const struct card_header *header, const char *uri, const char *mechanism,
		      json_t *hdr)
{
	json_t *pkcs11 = json_object();
	int r;

	r = set(json_object_get(hdr, "clevis"), "pkcs11", pkcs11); /* takes it, also on error */
	if (r == 0)
		r = set(pkcs11, "uri", json_string(uri));
	if (r == 0)
		r = set(pkcs11, "mechanism",
			json_string(mechanism ? mechanism : card_header_name(header)));
	if (r < 0 || header->agrees)
		return r;

	r = set(pkcs11, "key", js_from_b64(buf_ref(&header->key)));
	if (r == 0 && header->padding == RSA_PADDING_OAEP_SHA1)
		r = set(pkcs11, "hash", json_string("sha1"));
	if (r == 0)
		r = set(hdr, "alg", json_string("dir"));
	return r < 0 ? r : set(hdr, "enc", json_string("A256GCM"));
}
