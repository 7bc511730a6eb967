/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has the token decrypt or agree on a key. */
#include "pkcs11/recover.h"

#include "crypto/jwe.h"
#include "pkcs11/key.h"

#include <errno.h>

enum { NONSENSE_SIZE = 64 }; /* about a JWK's size */

/*
 * One key's try. Whoever sends ciphertexts gets text without sense where the padding happens to be right, and random
 * bytes are read in the same way where it is not: one is not told from the other by how long that takes.
 */
static int try_key(const struct card *card, CK_OBJECT_HANDLE key, const struct card_header *header,
		   struct ref otherwise, struct buf *ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	int r;

	r = key_decrypt(card, key, header->padding, buf_ref(&header->key), &text);
	if (r < 0)
		return r;
	r = jwk_read_oct(text.n > 0 ? buf_ref(&text) : otherwise, JWE_CEK_SIZE, &cek);
	if (r < 0)
		return r;
	buf_done(ret);
	*ret = TAKE_STRUCT(cek);
	return 0;
}

/* Whether another key would come to no more. */
static bool is_of_card(int error)
{
	return error == -ENOMEM || error == -ENODEV || error == -EKEYREJECTED;
}

static int decrypt_key(const struct card *card, const struct card_header *header,
		       struct buf *ret_cek)
{
	CLEANUP(buf_done) struct buf cek = {0};
	CLEANUP(buf_done) struct buf otherwise = {0};
	bool refused = false;
	struct card_keys keys;
	size_t n;
	int r;

	r = card_keys(card, &header->uri, CKK_RSA, &keys);
	if (r < 0)
		return r;
	/* Clevis encrypts for a key of its own choice, whatever the URI says of one. */
	n = header->padding == RSA_PADDING_PKCS1 || keys.n_named == 0 ? keys.n : keys.n_named;
	if (n == 0)
		return log_err(card->log, -EKEYREJECTED,
			       "pkcs11: the token holds no RSA key that decrypts");

	r = buf_random(&cek, JWE_CEK_SIZE);
	if (r == 0)
		r = buf_random(&otherwise, NONSENSE_SIZE);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		r = try_key(card, keys.all[i], header, buf_ref(&otherwise), &cek);
		if (r == 0 || is_of_card(r))
			break;
		refused = refused || r == -EBADMSG;
	}
	if (r < 0 && (!refused || is_of_card(r)))
		return r;
	*ret_cek = TAKE_STRUCT(cek);
	return 0;
}

static int agree_key(const struct card *card, const struct card_header *header, const json_t *hdr,
		     struct buf *ret_cek)
{
	CLEANUP(buf_done) struct buf shared = {0};
	struct card_keys keys;
	int r;

	r = card_keys(card, &header->uri, CKK_EC, &keys);
	if (r < 0)
		return r;
	if (keys.n == 0)
		return log_err(card->log, -EKEYREJECTED,
			       "pkcs11: the token holds no EC key that agrees");
	/* Keys of other curves than the point's refuse it. */
	r = -ENOENT;
	for (size_t i = 0; i < (keys.n_named ? keys.n_named : keys.n); i++)
		if (r < 0 && !is_of_card(r))
			r = key_derive(card, keys.all[i], &header->epk, &shared);
	return r < 0 ? r : jwe_derive_cek(hdr, buf_ref(&shared), ret_cek);
}

static int login(struct cot *cot, struct card *card, const struct uri *uri)
{
	uint64_t device = card_identity(card);
	int r = cot_refused(cot, device);

	if (r < 0)
		return log_err(card->log, r,
			       "pkcs11: the token refused a PIN a moment ago, and is not asked "
			       "again");
	r = card_login(card, uri, cot->user_pin);
	if (card->refused)
		cot_refuse(cot, device, r);
	return r;
}

int recover(struct cot *cot, struct card *card, const struct card_header *header, const json_t *hdr,
	    struct buf *ret_cek)
{
	int r;

	r = login(cot, card, &header->uri);
	if (r < 0)
		return r;
	return header->agrees ? agree_key(card, header, hdr, ret_cek)
			      : decrypt_key(card, header, ret_cek);
}
