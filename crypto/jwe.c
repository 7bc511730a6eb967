/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON Web Encryption. */
#include "crypto/jwe.h"

#include "crypto/b64.h"
#include "crypto/ec.h"
#include "crypto/ecmr.h"
#include "crypto/hash.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/rand.h>

DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)

static const char enc_name[] = "A256GCM";

/* Members of the serializations of RFC 7516 section 7.2 that mean something else than we do. */
static const char *const refused_members[] = {"unprotected", "header", "recipients", "aad"};

enum { PROTECTED, ENCRYPTED_KEY, IV, CIPHERTEXT, TAG, N_PARTS };

static const char *const part_names[N_PARTS] = {"protected", "encrypted_key", "iv", "ciphertext",
						"tag"};

void jwe_done(struct jwe *jwe)
{
	json_decref(jwe->hdr);
	free(jwe->prot);
	buf_done(&jwe->ciphertext);
	*jwe = (struct jwe){0};
}

static int check_header(const json_t *hdr)
{
	const char *alg = js_str(hdr, "alg"), *enc = js_str(hdr, "enc");

	if (!alg || !enc)
		return -EBADMSG;
	if (strcmp(enc, enc_name) != 0 || (strcmp(alg, "dir") != 0 && strcmp(alg, "ECDH-ES") != 0))
		return -EOPNOTSUPP;
	if (json_object_get(hdr, "zip") || json_object_get(hdr, "crit"))
		return -EOPNOTSUPP;
	return 0;
}

static int read_fixed(struct ref text, size_t size, uint8_t *ret)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int r;

	r = b64_decode(text, &bytes);
	if (r < 0)
		return r;
	if (bytes.n != size)
		return -EBADMSG;

	memcpy(ret, bytes.p, size);
	return 0;
}

static int from_parts(const struct ref part[static N_PARTS], struct jwe *ret)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	if (part[PROTECTED].n > JS_TEXT_MAX || part[CIPHERTEXT].n > b64_encoded_len(JWE_TEXT_MAX))
		return -E2BIG;

	r = b64_decode(part[PROTECTED], &text);
	if (r == 0)
		r = js_load(buf_ref(&text), &jwe.hdr);
	if (r == 0)
		r = check_header(jwe.hdr);
	/* Neither dir nor ECDH-ES has an encrypted key (RFC 7518 sections 4.5 and 4.6). */
	if (r == 0 && part[ENCRYPTED_KEY].n > 0)
		r = -EBADMSG;
	if (r == 0)
		r = read_fixed(part[IV], JWE_IV_SIZE, jwe.iv);
	if (r == 0)
		r = read_fixed(part[TAG], JWE_TAG_SIZE, jwe.tag);
	if (r == 0)
		r = b64_decode(part[CIPHERTEXT], &jwe.ciphertext);
	if (r < 0)
		return r;

	jwe.prot = strndup((const char *)part[PROTECTED].p, part[PROTECTED].n);
	if (!jwe.prot)
		return -ENOMEM;

	*ret = TAKE_STRUCT(jwe);
	return 0;
}

int jwe_from_compact(struct ref text, struct jwe *ret)
{
	static const char space[] = " \t\r\n";
	struct ref part[N_PARTS];

	while (text.n > 0 && memchr(space, text.p[0], strlen(space)))
		text = (struct ref){text.p + 1, text.n - 1};
	while (text.n > 0 && memchr(space, text.p[text.n - 1], strlen(space)))
		text.n--;

	for (int i = 0; i < N_PARTS; i++) {
		const uint8_t *dot = text.n > 0 ? memchr(text.p, '.', text.n) : NULL;
		size_t n = dot ? (size_t)(dot - text.p) : text.n;

		if (!dot != (i == N_PARTS - 1))
			return -EBADMSG;
		part[i] = (struct ref){text.p, n};
		if (dot)
			text = (struct ref){dot + 1, text.n - n - 1};
	}
	return from_parts(part, ret);
}

int jwe_from_json(const json_t *value, struct jwe *ret)
{
	struct ref part[N_PARTS];

	if (json_is_string(value))
		return jwe_from_compact(ref_str(json_string_value(value)), ret);
	if (!json_is_object(value))
		return -EBADMSG;

	for (size_t i = 0; i < ARRAY_SIZE(refused_members); i++)
		if (json_object_get(value, refused_members[i]))
			return -EOPNOTSUPP;
	for (int i = 0; i < N_PARTS; i++) {
		const json_t *member = json_object_get(value, part_names[i]);

		if (!member && i == ENCRYPTED_KEY)
			part[i] = (struct ref){0};
		else if (!json_is_string(member))
			return -EBADMSG;
		else
			part[i] = ref_str(json_string_value(member));
	}
	return from_parts(part, ret);
}

const char *jwe_explain(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "uses an algorithm or extension that is not supported";
	case -E2BIG:
		return "is too large";
	case -ENOMEM:
		return "could not be read: out of memory";
	default:
		return "is malformed";
	}
}

json_t *jwe_to_json(const struct jwe *jwe)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o}", part_names[PROTECTED], jwe->prot,
			 part_names[ENCRYPTED_KEY], "", part_names[IV],
			 js_from_b64((struct ref){jwe->iv, JWE_IV_SIZE}), part_names[CIPHERTEXT],
			 js_from_b64(buf_ref(&jwe->ciphertext)), part_names[TAG],
			 js_from_b64((struct ref){jwe->tag, JWE_TAG_SIZE}));
}

int jwe_to_compact(const struct jwe *jwe, char **ret)
{
	struct ref bytes[] = {
		{jwe->iv, JWE_IV_SIZE}, buf_ref(&jwe->ciphertext), {jwe->tag, JWE_TAG_SIZE}};
	CLEANUP(buf_done) struct buf text = {0};
	size_t len = strlen(jwe->prot) + strlen("....");
	char *copy;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		len += b64_encoded_len(bytes[i].n);

	r = buf_init(&text, len);
	if (r == 0)
		r = buf_append_str(&text, jwe->prot);
	if (r == 0)
		r = buf_append_str(&text, ".");
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(bytes); i++) {
		r = buf_append_str(&text, ".");
		if (r == 0)
			r = b64_encode(bytes[i], &text);
	}
	if (r < 0)
		return r;

	copy = strndup((const char *)text.p, text.n);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int encrypt_gcm(struct jwe *jwe, struct ref cek, struct ref plaintext)
{
	CLEANUP_ERRORS;
	CLEANUP(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;

	if (RAND_bytes(jwe->iv, JWE_IV_SIZE) != 1)
		return -EIO;
	if (!ctx || EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, cek.p, jwe->iv) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &len, (const uint8_t *)jwe->prot,
			      (int)strlen(jwe->prot)) != 1 ||
	    EVP_EncryptUpdate(ctx, jwe->ciphertext.p, &len, plaintext.p, (int)plaintext.n) != 1 ||
	    EVP_EncryptFinal_ex(ctx, jwe->ciphertext.p + plaintext.n, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, JWE_TAG_SIZE, jwe->tag) != 1)
		return -ENOMEM;

	jwe->ciphertext.n = plaintext.n;
	return 0;
}

static int encode_header(const json_t *hdr, char **ret)
{
	CLEANUP(buf_done) struct buf coded = {0};
	char *text;
	int r;

	r = js_dump(hdr, &text);
	if (r < 0)
		return r;

	r = buf_init(&coded, b64_encoded_len(strlen(text)) + 1);
	if (r == 0)
		r = b64_encode(ref_str(text), &coded);
	free(text);
	if (r < 0)
		return r;

	text = strndup((const char *)coded.p, coded.n);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

int jwe_seal(json_t *hdr, struct ref cek, struct ref plaintext, struct jwe *ret)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	int r;

	if (cek.n != JWE_CEK_SIZE)
		return -EINVAL;
	if (plaintext.n > JWE_TEXT_MAX)
		return -E2BIG;

	r = check_header(hdr);
	if (r == 0)
		r = encode_header(hdr, &jwe.prot);
	if (r == 0 && strlen(jwe.prot) > JS_TEXT_MAX)
		r = -E2BIG;
	if (r == 0)
		r = buf_init(&jwe.ciphertext, plaintext.n);
	if (r == 0)
		r = encrypt_gcm(&jwe, cek, plaintext);
	if (r < 0)
		return r;

	jwe.hdr = json_incref(hdr);
	*ret = TAKE_STRUCT(jwe);
	return 0;
}

int jwe_open(const struct jwe *jwe, struct ref cek, struct buf *ret)
{
	CLEANUP_ERRORS;
	CLEANUP(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	CLEANUP(buf_done) struct buf plain = {0};
	uint8_t tag[JWE_TAG_SIZE];
	int len, r;

	if (cek.n != JWE_CEK_SIZE)
		return -EINVAL;
	r = buf_init(&plain, jwe->ciphertext.n);
	if (r < 0)
		return r;

	memcpy(tag, jwe->tag, sizeof(tag)); /* OpenSSL takes it without const */
	if (!ctx || EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, cek.p, jwe->iv) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &len, (const uint8_t *)jwe->prot,
			      (int)strlen(jwe->prot)) != 1 ||
	    EVP_DecryptUpdate(ctx, plain.p, &len, jwe->ciphertext.p, (int)jwe->ciphertext.n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, JWE_TAG_SIZE, tag) != 1)
		return -ENOMEM;
	if (EVP_DecryptFinal_ex(ctx, plain.p + jwe->ciphertext.n, &len) != 1)
		return -EBADMSG;

	plain.n = jwe->ciphertext.n;
	*ret = TAKE_STRUCT(plain);
	return 0;
}

/* A length in 32 bits, big-endian, then the bytes (RFC 7518 section 4.6.2). */
static int append_field(struct buf *info, struct ref field)
{
	uint8_t len[] = {(uint8_t)(field.n >> 24), (uint8_t)(field.n >> 16),
			 (uint8_t)(field.n >> 8), (uint8_t)field.n};
	int r;

	r = buf_append(info, len, sizeof(len));
	return r < 0 ? r : buf_append(info, field.p, field.n);
}

static int party_info(const json_t *hdr, const char *name, struct buf *ret)
{
	return json_object_get(hdr, name) ? js_b64(hdr, name, ret) : 0;
}

/* AlgorithmID, PartyUInfo, PartyVInfo, SuppPubInfo */
static int other_info(const json_t *hdr, struct buf *ret)
{
	static const uint8_t key_bits[] = {0, 0, 0x01, 0x00};
	CLEANUP(buf_done) struct buf apu = {0};
	CLEANUP(buf_done) struct buf apv = {0};
	CLEANUP(buf_done) struct buf info = {0};
	int r;

	r = party_info(hdr, "apu", &apu);
	if (r == 0)
		r = party_info(hdr, "apv", &apv);
	if (r == 0)
		r = buf_init(&info, 3 * 4 + strlen(enc_name) + apu.n + apv.n + sizeof(key_bits));
	if (r == 0)
		r = append_field(&info, ref_str(enc_name));
	if (r == 0)
		r = append_field(&info, buf_ref(&apu));
	if (r == 0)
		r = append_field(&info, buf_ref(&apv));
	if (r == 0)
		r = buf_append(&info, key_bits, sizeof(key_bits));
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(info);
	return 0;
}

/*
 * The Concat KDF of NIST SP 800-56A, of which a key as long as the hash takes one round. OpenSSL's own, SSKDF,
 * crashes where there is no memory (3.0).
 */
int jwe_derive_cek(const json_t *hdr, struct ref z, struct buf *ret_cek)
{
	static const uint8_t counter[] = {0, 0, 0, 1};
	CLEANUP(buf_done) struct buf info = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	int r;

	r = other_info(hdr, &info);
	if (r == 0)
		r = buf_init(&cek, HASH_SIZE_MAX);
	if (r == 0)
		r = hash_digest("SHA256",
				(struct ref[]){{counter, sizeof(counter)}, z, buf_ref(&info)}, 3,
				cek.p);
	if (r < 0)
		return r;

	cek.n = JWE_CEK_SIZE;
	*ret_cek = TAKE_STRUCT(cek);
	return 0;
}

int jwe_agree(json_t *hdr, const struct jwk *to, struct buf *ret_cek)
{
	CLEANUP(jwk_done) struct jwk ephemeral = {0};
	CLEANUP(jwk_done) struct jwk shared = {0};
	int r;

	r = jwk_generate(to->curve, &ephemeral);
	if (r == 0)
		r = ecmr_mul(to, &ephemeral, &shared);
	if (r < 0)
		return r;

	if (json_object_set_new(hdr, "alg", json_string("ECDH-ES")) != 0 ||
	    json_object_set_new(hdr, "enc", json_string(enc_name)) != 0 ||
	    json_object_set_new(hdr, "epk", jwk_to_json(&ephemeral)) != 0)
		return -ENOMEM;

	return jwe_derive_cek(hdr, (struct ref){shared.x, to->curve->size}, ret_cek);
}
