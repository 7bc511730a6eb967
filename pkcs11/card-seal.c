/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Seals for a token's key, and tries at once whether the token undoes it. */
#include "pkcs11/card-seal.h"

#include "pkcs11/header.h"
#include "pkcs11/key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What is being made. */
struct sealing {
	const struct log *log;
	const char *uri, *mechanism; /* as given; mechanism NULL: not given */
	struct card_header header;
	struct modules modules;
	struct card card;
	bool found;
	CK_OBJECT_HANDLE key;
	CK_KEY_TYPE type;
	struct public_key public;
};

static void sealing_done(struct sealing *s)
{
	public_key_done(&s->public);
	card_close(&s->card);
	modules_close(&s->modules);
	card_header_done(&s->header);
}

static int read_config(const json_t *cfg, struct sealing *s)
{
	const char *hash = js_str(cfg, "hash"), *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)cfg, name, value) {
		if (strcmp(name, "uri") != 0 && strcmp(name, "mechanism") != 0 &&
		    strcmp(name, "hash") != 0)
			return log_err(s->log, -EINVAL, "pkcs11: \"%.32s\" is not known here",
				       name);
		if (!json_is_string(value))
			return log_err(s->log, -EINVAL, "pkcs11: \"%.32s\" is no string", name);
	}
	s->uri = js_str(cfg, "uri");
	if (!s->uri)
		s->uri = "pkcs11:";
	s->mechanism = js_str(cfg, "mechanism");
	if (hash && !s->mechanism)
		return log_err(s->log, -EINVAL, "pkcs11: \"hash\" is of a \"mechanism\"");
	if (s->mechanism && card_header_mechanism(s->mechanism, hash, &s->header) < 0)
		return log_err(s->log, -EINVAL, "pkcs11: the mechanism \"%.32s\" is not supported",
			       s->mechanism);
	return uri_read(s->uri, s->log, &s->header.uri) == 0 ? 0 : -EINVAL;
}

/* What there is to choose from. */
struct choice {
	struct card_keys keys; /* of one type */
	size_t n, of_all;      /* of them, and of both types, those that are meant */
	char names[LOG_LINE_MAX / 2];
	size_t used;
};

/* As a URI would name it. */
static void add_name(const struct card *card, CK_OBJECT_HANDLE key, struct choice *choice)
{
	CLEANUP(buf_done) struct buf id = {0};
	CLEANUP(buf_done) struct buf label = {0};
	CLEANUP(uri_done) struct uri uri = {0};
	CLEANUP(buf_done) struct buf text = {0};

	if (card_attribute(card, key, CKA_ID, &id) == 0 && id.n <= sizeof(uri.id)) {
		memcpy(uri.id, id.p, id.n);
		uri.id_len = id.n;
	}
	if (card_attribute(card, key, CKA_LABEL, &label) == 0 && label.n < sizeof(uri.object))
		memcpy(uri.object, label.p, label.n);
	if (uri_write(&uri, &text) < 0 || choice->used >= sizeof(choice->names))
		return;
	choice->used +=
		(size_t)snprintf(choice->names + choice->used, sizeof(choice->names) - choice->used,
				 "%s%s", choice->used > 0 ? ", " : "", (const char *)text.p);
}

/* Takes the one key of this type, or where Clevis's form is wanted its choice, the first. */
static int look_for(struct sealing *s, CK_KEY_TYPE type, struct choice *choice)
{
	struct card_keys *keys = &choice->keys;
	int r;

	r = card_keys(&s->card, &s->header.uri, type, keys);
	if (r < 0)
		return r;
	choice->n = uri_names_key(&s->header.uri) ? keys->n_named : keys->n;
	choice->of_all += choice->n;
	if (choice->n == 1 || (choice->n > 0 && s->mechanism)) {
		s->found = true;
		s->key = keys->all[0];
		s->type = type;
		return 0;
	}
	for (size_t i = 0; i < choice->n; i++)
		add_name(&s->card, keys->all[i], choice);
	return 0;
}

/* As systemd chooses: the one that decrypts, else the one that agrees. */
static int choose_key(struct sealing *s)
{
	struct choice choice = {0};
	int r = 0;

	if (!s->mechanism || !s->header.agrees)
		r = look_for(s, CKK_RSA, &choice);
	if (r == 0 && !s->found && (!s->mechanism || s->header.agrees))
		r = look_for(s, CKK_EC, &choice);
	if (r < 0)
		return r;
	if (choice.of_all == 0)
		return log_err(s->log, -EINVAL,
			       "pkcs11: the token holds no such private key that decrypts (RSA) or "
			       "agrees (EC)");
	if (!s->found)
		return log_err(s->log, -EINVAL,
			       "pkcs11: the token holds %zu keys that could be used; the URI must "
			       "name one, by id= or object=: %s",
			       choice.of_all, choice.names);
	return key_public(&s->card, s->key, s->type, &s->public);
}

/* Whether the token undoes this padding. Nothing is said. */
static int try_padding(struct sealing *s, enum rsa_padding padding, struct ref jwk)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(buf_done) struct buf back = {0};
	struct card quiet = s->card;
	int r;

	r = public_encrypt(&s->public, padding, jwk, &text);
	if (r < 0)
		return r;
	quiet.log = NULL;
	r = key_decrypt(&quiet, s->key, padding, buf_ref(&text), &back);
	if (r == 0 && !ref_equal(buf_ref(&back), jwk))
		r = -EBADMSG;
	if (r < 0)
		return r;
	s->header.padding = padding;
	s->header.key = TAKE_STRUCT(text);
	return 0;
}

static int seal_rsa(struct sealing *s, struct buf *ret_cek)
{
	CLEANUP(buf_done) struct buf cek = {0};
	CLEANUP(buf_done) struct buf jwk = {0};
	int r;

	r = buf_random(&cek, JWE_CEK_SIZE);
	if (r == 0)
		r = jwk_write_oct(buf_ref(&cek), &jwk);
	if (r < 0)
		return r;
	r = try_padding(s, s->mechanism ? s->header.padding : RSA_PADDING_OAEP_SHA256,
			buf_ref(&jwk));
	if (r < 0 && r != -ENODEV && !s->mechanism)
		r = try_padding(s, RSA_PADDING_OAEP_SHA1, buf_ref(&jwk));
	if (r == -EBADMSG || r == -EOPNOTSUPP)
		return log_err(s->log, -EOPNOTSUPP,
			       "pkcs11: the token does not decrypt what was encrypted for its key");
	if (r < 0)
		return log_err(s->log, r, "pkcs11: the token's key cannot be used: %s",
			       strerror(-r));
	*ret_cek = TAKE_STRUCT(cek);
	return 0;
}

static int seal_ec(struct sealing *s, json_t *hdr, struct buf *ret_cek)
{
	CLEANUP(buf_done) struct buf cek = {0};
	CLEANUP(buf_done) struct buf shared = {0};
	CLEANUP(buf_done) struct buf back = {0};
	int r;

	if (!s->public.ec.curve)
		return log_err(s->log, -EOPNOTSUPP, "pkcs11: the certificate is of another key");
	s->header.agrees = true;
	s->header.padding = RSA_PADDING_PKCS1;
	r = jwe_agree(hdr, &s->public.ec, &cek);
	if (r == 0)
		r = jwk_from_json(json_object_get(hdr, "epk"), &s->header.epk);
	if (r == 0)
		r = key_derive(&s->card, s->key, &s->header.epk, &shared);
	if (r == 0)
		r = jwe_derive_cek(hdr, buf_ref(&shared), &back);
	if (r < 0)
		return r;
	if (!ref_equal(buf_ref(&back), buf_ref(&cek)))
		return log_err(s->log, -EOPNOTSUPP,
			       "pkcs11: the token's key does not agree with its public key");
	*ret_cek = TAKE_STRUCT(cek);
	return 0;
}

/* Names this very token and key, and no slot, which changes. */
static int settle_uri(struct sealing *s)
{
	const CK_TOKEN_INFO *info = &s->card.place.info;
	CLEANUP(buf_done) struct buf id = {0};
	struct uri *uri = &s->header.uri;
	int r;

	place_text(info->label, sizeof(info->label), uri->token);
	place_text(info->manufacturerID, sizeof(info->manufacturerID), uri->manufacturer);
	place_text(info->serialNumber, sizeof(info->serialNumber), uri->serial);
	place_text(info->model, sizeof(info->model), uri->model);
	uri->has_slot = false;
	uri->type[0] = '\0';
	r = card_attribute(&s->card, s->key, CKA_ID, &id);
	if (r == 0 && id.n <= sizeof(uri->id)) {
		memcpy(uri->id, id.p, id.n);
		uri->id_len = id.n;
		uri->object[0] = '\0';
	}
	return r == -ENOMEM ? r : 0;
}

static int write_header(struct sealing *s, json_t *hdr)
{
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	/* Clevis finds the key by trying; of keys that agree one must be named. */
	if (s->mechanism && !s->header.agrees)
		return card_header_write(&s->header, s->uri, s->mechanism, hdr);
	r = settle_uri(s);
	if (r == 0)
		r = uri_write(&s->header.uri, &text);
	if (r < 0)
		return log_err(s->log, r, "pkcs11: the token's URI is too long");
	return card_header_write(&s->header, (const char *)text.p, NULL, hdr);
}

int card_seal(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek)
{
	CLEANUP(sealing_done) struct sealing s = {.log = cot->log};
	CLEANUP(buf_done) struct buf cek = {0};
	int r;

	r = read_config(cfg, &s);
	if (r == 0)
		r = modules_open(&s.header.uri, s.log, &s.modules);
	if (r == 0)
		r = card_open(&s.modules, &s.header.uri, s.log, &s.card);
	if (r == -EAGAIN)
		return card_absent(&s.header.uri, s.log);
	if (r == 0)
		r = card_login(&s.card, &s.header.uri, cot->user_pin);
	if (r == 0)
		r = choose_key(&s);
	if (r == 0)
		r = s.type == CKK_RSA ? seal_rsa(&s, &cek) : seal_ec(&s, hdr, &cek);
	if (r == 0)
		r = write_header(&s, hdr);
	if (r < 0)
		return r;
	*ret_cek = TAKE_STRUCT(cek);
	return 0;
}
