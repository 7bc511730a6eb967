/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which keys a URI means, what they do, and their public halves; with SoftHSM. */
#include "pkcs11/key.h"

#include "crypto/jwe.h"
#include "tests/unit/softhsm.h"

static struct softhsm hsm;

struct fixture {
	struct uri uri;
	struct modules modules;
	struct card card;
	struct lines lines;
};

static void begin(struct fixture *f, const char *path)
{
	const char *text = softhsm_uri(&hsm, path, "&pin-value=" SOFTHSM_PIN);

	*f = (struct fixture){0};
	expect(text, uri_read(text, lines_begin(&f->lines), &f->uri), 0);
	expect(text, modules_open(&f->uri, &f->lines.log, &f->modules), 0);
	expect(text, card_open(&f->modules, &f->uri, &f->lines.log, &f->card), 0);
	expect(text, card_login(&f->card, &f->uri, (struct ref){0}), 0);
}

static void end(struct fixture *f)
{
	card_close(&f->card);
	modules_close(&f->modules);
	uri_done(&f->uri);
}

/* The key's CKA_ID, of one byte. */
static int id_of(const struct card *card, CK_OBJECT_HANDLE key)
{
	CLEANUP(buf_done) struct buf id = {0};

	assert_int_equal(card_attribute(card, key, CKA_ID, &id), 0);
	return id.p[0];
}

static void test_which(void **state)
{
	static const struct {
		const char *path;
		CK_KEY_TYPE type;
		size_t n, named;
		int first; /* its id; 0: any */
	} cases[] = {
		{"token=card", CKK_RSA, 2, 2, 0},
		{"token=card", CKK_EC, 1, 1, 3},
		{"token=card;id=%01", CKK_RSA, 2, 1, 1},
		{"token=card;id=%02", CKK_RSA, 2, 1, 2},
		{"token=card;object=two", CKK_RSA, 2, 1, 2},
		{"token=card;id=%02;object=two", CKK_RSA, 2, 1, 2},
		{"token=card;id=%02;object=public", CKK_RSA, 2, 1,
		 2},                                            /* the name of something else */
		{"token=card;object=public", CKK_RSA, 2, 1, 2}, /* its public key's */
		{"token=card;id=%09", CKK_RSA, 2, 0, 0},
		{"token=card;object=none", CKK_RSA, 2, 0, 0},
		{"token=card;id=%03", CKK_RSA, 2, 0, 0}, /* of the other type */
		{"token=card;id=%03", CKK_EC, 1, 1, 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct card_keys keys = {0};
		struct fixture f;
		char what[16];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		begin(&f, cases[i].path);
		expect(what, card_keys(&f.card, &f.uri, cases[i].type, &keys), 0);
		expect(what, (int)keys.n, (int)cases[i].n);
		expect(what, (int)keys.n_named, (int)cases[i].named);
		if (cases[i].first)
			expect(what, id_of(&f.card, keys.all[0]), cases[i].first);
		assert_told(what, &f.lines, NULL);
		end(&f);
	}
}

static void test_decrypt(void **state)
{
	CLEANUP(public_key_done) struct public_key public = {0};
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(buf_done) struct buf back = {0};
	struct card_keys rsa, ec;
	struct fixture f;

	(void)state;
	begin(&f, "token=card;id=%01");
	assert_int_equal(card_keys(&f.card, &f.uri, CKK_RSA, &rsa), 0);
	assert_int_equal(key_public(&f.card, rsa.all[0], CKK_RSA, &public), 0);
	assert_int_equal(public_encrypt(&public, RSA_PADDING_PKCS1, ref_str("text"), &text), 0);
	assert_int_equal(key_decrypt(&f.card, rsa.all[0], RSA_PADDING_PKCS1, buf_ref(&text), &back),
			 0);
	assert_true(ref_equal(buf_ref(&back), ref_str("text")));

	/* Of another padding: nothing, and no error. */
	buf_done(&back);
	assert_int_equal(
		key_decrypt(&f.card, rsa.all[0], RSA_PADDING_OAEP_SHA1, buf_ref(&text), &back), 0);
	assert_int_equal(back.n, 0);
	assert_told("nonsense", &f.lines, NULL);

	/* What the token cannot do is one. */
	buf_done(&back);
	assert_int_equal(
		key_decrypt(&f.card, rsa.all[0], RSA_PADDING_OAEP_SHA256, buf_ref(&text), &back),
		-EOPNOTSUPP);
	assert_told("OAEP", &f.lines, "cannot do this");
	assert_null(back.p);

	(void)lines_begin(&f.lines);
	assert_int_equal(card_keys(&f.card, &f.uri, CKK_EC, &ec), 0);
	assert_true(key_decrypt(&f.card, ec.all[0], RSA_PADDING_PKCS1, buf_ref(&text), &back) < 0);
	assert_null(back.p);
	end(&f);
}

static void test_derive(void **state)
{
	CLEANUP(public_key_done) struct public_key public = {0};
	CLEANUP(jwk_done) struct jwk epk = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	CLEANUP(buf_done) struct buf shared = {0};
	CLEANUP(buf_done) struct buf back = {0};
	CLEANUP_JSON json_t *hdr = json_object();
	struct card_keys ec, rsa;
	struct fixture f;

	(void)state;
	begin(&f, "token=card;id=%03");
	assert_int_equal(card_keys(&f.card, &f.uri, CKK_EC, &ec), 0);
	assert_int_equal(key_public(&f.card, ec.all[0], CKK_EC, &public), 0);
	assert_int_equal(jwe_agree(hdr, &public.ec, &cek), 0);
	assert_int_equal(jwk_from_json(json_object_get(hdr, "epk"), &epk), 0);
	assert_int_equal(key_derive(&f.card, ec.all[0], &epk, &shared), 0);
	assert_int_equal(jwe_derive_cek(hdr, buf_ref(&shared), &back), 0);
	assert_true(ref_equal(buf_ref(&back), buf_ref(&cek)));
	assert_told("derive", &f.lines, NULL);

	assert_int_equal(card_keys(&f.card, &f.uri, CKK_RSA, &rsa), 0);
	buf_done(&shared);
	assert_true(key_derive(&f.card, rsa.all[0], &epk, &shared) < 0);
	assert_null(shared.p);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_decrypt),
		cmocka_unit_test(test_derive),
	};
	char command[512];

	softhsm_start(&hsm);
	softhsm_token("card");
	softhsm_key(&hsm, "card", "rsa:2048", "01", "one");
	softhsm_key(&hsm, "card", "rsa:2048", "02", "two");
	softhsm_key(&hsm, "card", "EC:prime256v1", "03", "three");
	/* Its public key a second time, by another name. */
	(void)snprintf(command, sizeof(command),
		       "pkcs11-tool --module %s --token-label card --read-object --type pubkey "
		       "--id 02 --output-file %s/public",
		       hsm.module, hsm.dir);
	expect(command, softhsm_run(command), 0);
	(void)snprintf(command, sizeof(command),
		       "pkcs11-tool --module %s --token-label card --login --pin " SOFTHSM_PIN
		       " --write-object %s/public --type pubkey --id 02 --label public",
		       hsm.module, hsm.dir);
	expect(command, softhsm_run(command), 0);
	return cmocka_run_group_tests(tests, NULL, softhsm_group_end);
}
