/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Digests by OpenSSL. */
#include "crypto/hash.h"

#include "crypto/ec.h"

#include <errno.h>

DEFINE_CLEANUP(EVP_MD *, EVP_MD_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)

int hash_digest(const char *name, const struct ref *parts, size_t n, uint8_t ret[HASH_SIZE_MAX])
{
	CLEANUP_ERRORS;
	CLEANUP(EVP_MD_freep) EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len;
	int ok;

	if (!md || EVP_MD_get_size(md) > HASH_SIZE_MAX)
		return -EOPNOTSUPP;
	if (!ctx)
		return -ENOMEM;

	ok = EVP_DigestInit_ex2(ctx, md, NULL);
	for (size_t i = 0; i < n && ok == 1; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n);
	if (ok == 1)
		ok = EVP_DigestFinal_ex(ctx, digest, &len);
	if (ok == 1)
		memcpy(ret, digest, len);
	explicit_bzero(digest, sizeof(digest)); /* it may be a key */
	return ok == 1 ? 0 : -ENOMEM;
}

int hash_pbkdf2(struct ref password, struct ref salt, unsigned rounds, uint8_t *ret, size_t n)
{
	CLEANUP_ERRORS;

	return PKCS5_PBKDF2_HMAC((const char *)password.p, (int)password.n, salt.p, (int)salt.n,
				 (int)rounds, EVP_sha256(), (int)n, ret) == 1
		       ? 0
		       : -ENOMEM;
}
