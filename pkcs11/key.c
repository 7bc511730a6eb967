/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds private keys, and has the token use them. */
#include "pkcs11/key.h"

#include <errno.h>

static const CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY;

#define ATTRIBUTE(type, p, n) ((CK_ATTRIBUTE){type, (void *)(uintptr_t)(p), n})

/* Adds those private keys that these attributes fit and that may be used so, each once. */
static int add_keys(const struct card *card, CK_KEY_TYPE type, const CK_ATTRIBUTE *wanted,
		    size_t n_wanted, struct card_keys *keys)
{
	CK_ATTRIBUTE attributes[4] = {
		ATTRIBUTE(CKA_CLASS, &private_class, sizeof(private_class)),
		ATTRIBUTE(CKA_KEY_TYPE, &type, sizeof(type)),
	};
	CK_ATTRIBUTE_TYPE use = type == CKK_RSA ? CKA_DECRYPT : CKA_DERIVE;
	CK_OBJECT_HANDLE found[KEYS_MAX];
	size_t n = 0;
	int r;

	for (size_t i = 0; i < n_wanted; i++)
		attributes[2 + i] = wanted[i];
	r = card_find(card, attributes, 2 + n_wanted, found, KEYS_MAX, &n);
	for (size_t i = 0; i < n && r == 0; i++) {
		bool known = !card_attribute_true(card, found[i], use);

		for (size_t k = 0; k < keys->n && !known; k++)
			known = keys->all[k] == found[i];
		if (!known && keys->n < KEYS_MAX)
			keys->all[keys->n++] = found[i];
	}
	return r;
}

/* By the CKA_ID of whatever else has that name: a certificate is often called otherwise than its key. */
static int add_by_companion(const struct card *card, CK_KEY_TYPE type, const CK_ATTRIBUTE *label,
			    struct card_keys *keys)
{
	CK_ATTRIBUTE wanted = *label;
	CK_OBJECT_HANDLE found[KEYS_MAX];
	size_t n = 0;
	int r;

	r = card_find(card, &wanted, 1, found, KEYS_MAX, &n);
	for (size_t i = 0; i < n && r == 0; i++) {
		CLEANUP(buf_done) struct buf id = {0};
		CK_ATTRIBUTE by_id;

		if (card_attribute(card, found[i], CKA_ID, &id) < 0)
			continue;
		by_id = ATTRIBUTE(CKA_ID, id.p, id.n);
		r = add_keys(card, type, &by_id, 1, keys);
	}
	return r;
}

int card_keys(const struct card *card, const struct uri *uri, CK_KEY_TYPE type,
	      struct card_keys *ret)
{
	struct card_keys keys = {0};
	CK_ATTRIBUTE wanted[2];
	size_t n = 0;
	int r;

	if (uri->id_len > 0)
		wanted[n++] = ATTRIBUTE(CKA_ID, uri->id, uri->id_len);
	if (uri->object[0])
		wanted[n++] = ATTRIBUTE(CKA_LABEL, uri->object, strlen(uri->object));
	r = add_keys(card, type, wanted, n, &keys);
	if (r == 0 && keys.n == 0 && uri->id_len > 0)
		r = add_keys(card, type, wanted, 1, &keys); /* the name is its certificate's */
	else if (r == 0 && keys.n == 0 && uri->object[0])
		r = add_by_companion(card, type, &wanted[0], &keys);
	if (r < 0)
		return r;
	keys.n_named = keys.n;

	r = add_keys(card, type, NULL, 0, &keys);
	if (r == 0)
		*ret = keys;
	return r;
}

/* What the token says of the operation, not of the bytes that it was given. */
static int use_fail(const struct card *card, CK_RV rv)
{
	switch (rv) {
	case CKR_MECHANISM_INVALID:
	case CKR_MECHANISM_PARAM_INVALID:
	case CKR_ARGUMENTS_BAD:
	case CKR_KEY_TYPE_INCONSISTENT:
	case CKR_KEY_FUNCTION_NOT_PERMITTED:
	case CKR_FUNCTION_NOT_SUPPORTED:
	case CKR_CURVE_NOT_SUPPORTED:
		return log_err(card->log, -EOPNOTSUPP, "pkcs11: the token's key cannot do this: %s",
			       card->lib->p11_kit_strerror(rv));
	case CKR_PIN_INCORRECT:
	case CKR_PIN_LOCKED:
		return log_err(card->log, -EKEYREJECTED,
			       "pkcs11: the token's key does not take the PIN that it was logged "
			       "in with: %s",
			       card->lib->p11_kit_strerror(rv));
	default:
		return card_fail(card, rv, "the token's key cannot be used");
	}
}

/* Whether it failed by itself, whatever it was given. */
static bool is_of_device(CK_RV rv)
{
	switch (rv) {
	case CKR_DEVICE_REMOVED:
	case CKR_DEVICE_MEMORY:
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_SESSION_CLOSED:
	case CKR_SESSION_HANDLE_INVALID:
	case CKR_HOST_MEMORY:
	case CKR_USER_NOT_LOGGED_IN:
	case CKR_FUNCTION_CANCELED:
		return true;
	default:
		return false;
	}
}

/* Some keys want the PIN again for each use; it is the one that was right a moment ago. */
static CK_RV authenticate(const struct card *card, CK_OBJECT_HANDLE key)
{
	if (!(card->logged_in || card->pin.p) ||
	    !card_attribute_true(card, key, CKA_ALWAYS_AUTHENTICATE))
		return CKR_OK;
	return card->place.module->C_Login(card->session, CKU_CONTEXT_SPECIFIC,
					   (CK_UTF8CHAR_PTR)(uintptr_t)card->pin.p, card->pin.n);
}

int key_decrypt(const struct card *card, CK_OBJECT_HANDLE key, enum rsa_padding padding,
		struct ref text, struct buf *ret)
{
	CK_RSA_PKCS_OAEP_PARAMS oaep = {
		.hashAlg = padding == RSA_PADDING_OAEP_SHA256 ? CKM_SHA256 : CKM_SHA_1,
		.mgf = padding == RSA_PADDING_OAEP_SHA256 ? CKG_MGF1_SHA256 : CKG_MGF1_SHA1,
		.source = CKZ_DATA_SPECIFIED,
	};
	CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
	CK_FUNCTION_LIST *f = card->place.module;
	CLEANUP(buf_done) struct buf out = {0};
	CK_ULONG n;
	CK_RV rv;
	int r;

	if (padding != RSA_PADDING_PKCS1)
		mechanism = (CK_MECHANISM){CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep)};
	r = buf_init(&out, PUBLIC_RSA_MAX);
	if (r < 0)
		return r;
	rv = f->C_DecryptInit(card->session, &mechanism, key);
	if (rv == CKR_OK)
		rv = authenticate(card, key);
	if (rv != CKR_OK)
		return use_fail(card, rv);

	n = out.cap;
	rv = f->C_Decrypt(card->session, (CK_BYTE_PTR)(uintptr_t)text.p, text.n, out.p, &n);
	if (is_of_device(rv))
		return use_fail(card, rv);
	out.n = rv == CKR_OK && n <= out.cap ? n : 0;
	*ret = TAKE_STRUCT(out);
	return 0;
}

/* The secret that was derived leaves the token, and is forgotten there. */
static int take_derived(const struct card *card, CK_OBJECT_HANDLE secret, size_t size,
			struct buf *ret)
{
	CLEANUP(buf_done) struct buf value = {0};
	int r;

	r = card_attribute(card, secret, CKA_VALUE, &value);
	(void)card->place.module->C_DestroyObject(card->session, secret);
	if (r == -ENOENT || (r == 0 && value.n != size))
		return log_err(card->log, -EOPNOTSUPP,
			       "pkcs11: the token does not give out what its key agreed on");
	if (r == 0)
		*ret = TAKE_STRUCT(value);
	return r;
}

int key_derive(const struct card *card, CK_OBJECT_HANDLE key, const struct jwk *point,
	       struct buf *ret)
{
	static const CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	static const CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	static const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ULONG size = point->curve->size;
	CK_ATTRIBUTE template[] = {
		ATTRIBUTE(CKA_CLASS, &class, sizeof(class)),
		ATTRIBUTE(CKA_KEY_TYPE, &type, sizeof(type)),
		ATTRIBUTE(CKA_TOKEN, &no, sizeof(no)),
		ATTRIBUTE(CKA_SENSITIVE, &no, sizeof(no)),
		ATTRIBUTE(CKA_EXTRACTABLE, &yes, sizeof(yes)),
		ATTRIBUTE(CKA_VALUE_LEN, &size, sizeof(size)),
	};
	uint8_t text[1 + 2 * EC_COORD_MAX] = {4 /* uncompressed */};
	CK_ECDH1_DERIVE_PARAMS params = {
		.kdf = CKD_NULL, .ulPublicDataLen = 1 + 2 * size, .pPublicData = text};
	CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &params, sizeof(params)};
	CK_OBJECT_HANDLE secret;
	CK_RV rv;

	memcpy(text + 1, point->x, size);
	memcpy(text + 1 + size, point->y, size);
	rv = card->place.module->C_DeriveKey(card->session, &mechanism, key, template,
					     ARRAY_SIZE(template), &secret);
	if (rv != CKR_OK)
		return use_fail(card, rv);
	return take_derived(card, secret, size, ret);
}

/* From one object: a certificate, or something that has the key's own numbers. */
static int public_of(const struct card *card, CK_OBJECT_HANDLE object, CK_KEY_TYPE type,
		     bool certificate, struct public_key *ret)
{
	CLEANUP(buf_done) struct buf first = {0};
	CLEANUP(buf_done) struct buf second = {0};
	int r;

	if (certificate) {
		r = card_attribute(card, object, CKA_VALUE, &first);
		return r < 0 ? r : public_from_certificate(buf_ref(&first), ret);
	}
	r = card_attribute(card, object, type == CKK_RSA ? CKA_MODULUS : CKA_EC_PARAMS, &first);
	if (r == 0)
		r = card_attribute(card, object,
				   type == CKK_RSA ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT, &second);
	if (r < 0)
		return r;
	return type == CKK_RSA ? public_from_rsa(buf_ref(&first), buf_ref(&second), ret)
			       : public_from_ec(buf_ref(&first), buf_ref(&second), ret);
}

static int public_beside(const struct card *card, const struct buf *id, CK_KEY_TYPE type,
			 CK_OBJECT_CLASS class, struct public_key *ret)
{
	CK_ATTRIBUTE wanted[] = {
		ATTRIBUTE(CKA_CLASS, &class, sizeof(class)),
		ATTRIBUTE(CKA_ID, id->p, id->n),
	};
	CK_OBJECT_HANDLE object;
	size_t n = 0;
	int r;

	r = card_find(card, wanted, ARRAY_SIZE(wanted), &object, 1, &n);
	if (r < 0 || n == 0)
		return r < 0 ? r : -ENOENT;
	return public_of(card, object, type, class == CKO_CERTIFICATE, ret);
}

int key_public(const struct card *card, CK_OBJECT_HANDLE key, CK_KEY_TYPE type,
	       struct public_key *ret)
{
	CLEANUP(buf_done) struct buf id = {0};
	int r;

	r = public_of(card, key, type, false, ret);
	if (r < 0 && r != -ENOMEM && card_attribute(card, key, CKA_ID, &id) == 0) {
		r = public_beside(card, &id, type, CKO_PUBLIC_KEY, ret);
		if (r < 0 && r != -ENOMEM)
			r = public_beside(card, &id, type, CKO_CERTIFICATE, ret);
	}
	if (r < 0 && r != -ENOMEM)
		return log_err(card->log, -EOPNOTSUPP,
			       "pkcs11: the token holds no public key or certificate of use with "
			       "its private key");
	return r;
}
