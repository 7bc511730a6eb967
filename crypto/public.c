/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Public keys by OpenSSL. */
#include "crypto/public.h"

#include "crypto/ec.h"

#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free)
DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free)
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(OSSL_PARAM *, OSSL_PARAM_free)

static const char *const curve_names[] = {"P-256", "P-384", "P-521"};

void public_key_done(struct public_key *key)
{
	EVP_PKEY_free(key->pkey);
	jwk_done(&key->ec);
	*key = (struct public_key){0};
}

static int take_rsa(EVP_PKEY *pkey, struct public_key *ret)
{
	int size = EVP_PKEY_get_size(pkey);

	if (size < PUBLIC_RSA_MIN || size > PUBLIC_RSA_MAX)
		return -EOPNOTSUPP;
	if (EVP_PKEY_up_ref(pkey) != 1)
		return -ENOMEM;
	*ret = (struct public_key){.pkey = pkey};
	return 0;
}

int public_from_rsa(struct ref modulus, struct ref exponent, struct public_key *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(BN_clear_freep) BIGNUM *n = BN_bin2bn(modulus.p, (int)modulus.n, NULL);
	CLEANUP(BN_clear_freep) BIGNUM *e = BN_bin2bn(exponent.p, (int)exponent.n, NULL);
	CLEANUP(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	CLEANUP(EVP_PKEY_CTX_freep)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	CLEANUP(OSSL_PARAM_freep) OSSL_PARAM *params = NULL;
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;

	if (!n || !e || !build || !ctx ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return -ENOMEM;
	params = OSSL_PARAM_BLD_to_param(build);
	/* Which takes any numbers. */
	if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return -ENOMEM;
	return take_rsa(pkey, ret);
}

/* Through JSON, which checks that the point is on its curve. */
static int take_point(const struct curve *curve, struct ref point, struct public_key *ret)
{
	CLEANUP_JSON json_t *json = json_object();
	CLEANUP(jwk_done) struct jwk key = {0};
	int r;

	if (point.n != 1 + 2 * curve->size || point.p[0] != POINT_CONVERSION_UNCOMPRESSED)
		return -EOPNOTSUPP;
	if (json_object_set_new(json, "kty", json_string("EC")) != 0 ||
	    json_object_set_new(json, "crv", json_string(curve->name)) != 0 ||
	    json_object_set_new(json, "x", js_from_b64((struct ref){point.p + 1, curve->size})) !=
		    0 ||
	    json_object_set_new(
		    json, "y", js_from_b64((struct ref){point.p + 1 + curve->size, curve->size})) !=
		    0)
		return -ENOMEM;
	r = jwk_from_json(json, &key);
	if (r < 0)
		return r;
	*ret = (struct public_key){0};
	jwk_move(&key, &ret->ec);
	return 0;
}

static const struct curve *curve_by_nid(int nid)
{
	for (size_t i = 0; i < ARRAY_SIZE(curve_names); i++) {
		const struct curve *curve = curve_by_name(curve_names[i]);

		if (curve && curve->nid == nid)
			return curve;
	}
	return NULL;
}

int public_from_ec(struct ref params, struct ref point, struct public_key *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(ASN1_OBJECT_freep) ASN1_OBJECT *name = NULL;
	CLEANUP(ASN1_OCTET_STRING_freep) ASN1_OCTET_STRING *wrapped = NULL;
	const uint8_t *p = params.p;
	const struct curve *curve;

	name = d2i_ASN1_OBJECT(NULL, &p, (long)params.n);
	curve = name ? curve_by_nid(OBJ_obj2nid(name)) : NULL;
	if (!curve)
		return -EOPNOTSUPP;
	if (point.n == 1 + 2 * curve->size)
		return take_point(curve, point, ret);

	p = point.p;
	wrapped = d2i_ASN1_OCTET_STRING(NULL, &p, (long)point.n);
	if (!wrapped)
		return -EBADMSG;
	return take_point(
		curve,
		(struct ref){ASN1_STRING_get0_data(wrapped), (size_t)ASN1_STRING_length(wrapped)},
		ret);
}

static int take_ec(EVP_PKEY *pkey, struct public_key *ret)
{
	uint8_t point[1 + 2 * EC_COORD_MAX];
	char group[32];
	size_t n;

	if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
					   NULL) != 1)
		return -EOPNOTSUPP;
	for (size_t i = 0; i < ARRAY_SIZE(curve_names); i++) {
		const struct curve *curve = curve_by_name(curve_names[i]);

		if (strcmp(curve->group, group) != 0)
			continue;
		if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point,
						    sizeof(point), &n) != 1)
			return -EBADMSG;
		return take_point(curve, (struct ref){point, n}, ret);
	}
	return -EOPNOTSUPP;
}

int public_from_certificate(struct ref der, struct public_key *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(X509_freep) X509 *certificate = NULL;
	const uint8_t *p = der.p;
	EVP_PKEY *pkey;

	certificate = d2i_X509(NULL, &p, (long)der.n);
	if (!certificate)
		return -EBADMSG;
	pkey = X509_get0_pubkey(certificate);
	if (!pkey)
		return -EOPNOTSUPP;
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		return take_rsa(pkey, ret);
	case EVP_PKEY_EC:
		return take_ec(pkey, ret);
	default:
		return -EOPNOTSUPP;
	}
}

static int set_padding(EVP_PKEY_CTX *ctx, enum rsa_padding padding)
{
	const EVP_MD *md = padding == RSA_PADDING_OAEP_SHA256 ? EVP_sha256() : EVP_sha1();

	if (padding == RSA_PADDING_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1;
}

/* Bytes that the padding takes (RFC 8017 sections 7.1.1 and 7.2.1). */
static size_t padding_size(enum rsa_padding padding)
{
	switch (padding) {
	case RSA_PADDING_OAEP_SHA1:
		return 2 * 20 + 2;
	case RSA_PADDING_OAEP_SHA256:
		return 2 * 32 + 2;
	default:
		return 11;
	}
}

int public_encrypt(const struct public_key *key, enum rsa_padding padding, struct ref text,
		   struct buf *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;
	CLEANUP(buf_done) struct buf out = {0};
	size_t n;
	int r;

	if (!key->pkey)
		return -EINVAL;
	n = (size_t)EVP_PKEY_get_size(key->pkey);
	if (text.n > n - padding_size(padding))
		return -E2BIG;
	r = buf_init(&out, n);
	if (r < 0)
		return r;

	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (!ctx)
		return -ENOMEM;
	if (EVP_PKEY_encrypt_init(ctx) != 1 || set_padding(ctx, padding) != 1 ||
	    EVP_PKEY_encrypt(ctx, out.p, &n, text.p, text.n) != 1)
		return -EIO;
	out.n = n;
	*ret = TAKE_STRUCT(out);
	return 0;
}
