/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sealing for the keys of a token, and recovery by them; with SoftHSM. */
#include "pkcs11/pkcs11.h"

#include "crypto/b64.h"
#include "crypto/public.h"
#include "pkcs11/recover.h"
#include "sss/sss.h"
#include "tests/unit/softhsm.h"

static struct softhsm hsm;

static const struct pin *const table[] = {&pin_pkcs11, &pin_sss, NULL};

/* What is sealed or recovered by one call of a test. */
struct run {
	struct lines lines;
	struct cot cot;
	char why[LOG_LINE_MAX];
};

static void run_begin(struct run *run, const char *typed)
{
	*run = (struct run){0};
	run->cot = (struct cot){
		.pins = table,
		.log = lines_begin(&run->lines),
		.deadline_us = now_us() + 30 * USEC_PER_SEC,
		.user_pin = typed ? ref_str(typed) : (struct ref){0},
	};
}

static int seal(const char *uri, const char *mechanism, const char *typed, struct run *run,
		struct jwe *ret)
{
	CLEANUP_JSON json_t *cfg = json_pack("{s:s,s:s*}", "uri", uri, "mechanism", mechanism);
	int r;

	run_begin(run, typed);
	r = pin_seal(&run->cot, "pkcs11", cfg, ref_str("a secret"), ret);
	cot_done(&run->cot);
	return r;
}

static int open_jwe(const struct jwe *jwe, const char *typed, struct run *run)
{
	CLEANUP(job_done) struct job job = {0};
	CLEANUP(buf_done) struct buf secret = {0};
	int r;

	run_begin(run, typed);
	assert_int_equal(job_init(&job, &run->cot, jwe), 0);
	r = pin_recover(&run->cot, &job, &secret);
	(void)snprintf(run->why, sizeof(run->why), "%s", job.why);
	if (r == 0)
		assert_true(ref_equal(buf_ref(&secret), ref_str("a secret")));
	cot_done(&run->cot);
	return r;
}

static const char *member(const struct jwe *jwe, const char *name)
{
	return js_str(json_object_get(json_object_get(jwe->hdr, "clevis"), "pkcs11"), name);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *path, *given, *alg, *mechanism, *hash;
	} cases[] = {
		/* SoftHSM knows no OAEP with SHA-256. */
		{"token=card;object=rsa2", NULL, "dir", "RSA-PKCS-OAEP", "sha1"},
		{"token=card;object=rsa3", NULL, "dir", "RSA-PKCS-OAEP", "sha1"},
		{"token=card;object=rsa4", NULL, "dir", "RSA-PKCS-OAEP", "sha1"},
		{"token=card;id=%05", NULL, "ECDH-ES", "ECDH1-DERIVE", NULL},
		{"token=card;id=%06", NULL, "ECDH-ES", "ECDH1-DERIVE", NULL},
		{"token=card;id=%02", "RSA-PKCS", "dir", "RSA-PKCS", NULL},
		{"token=card;id=%02", "", "dir", "", NULL},
		{"token=card", "ECDH1-DERIVE", "ECDH-ES", "ECDH1-DERIVE", NULL},
		{"token=card", "RSA-PKCS", "dir", "RSA-PKCS", NULL},
		{"token=only", NULL, "ECDH-ES", "ECDH1-DERIVE", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(jwe_done) struct jwe jwe = {0};
		struct run run;
		char what[16];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		expect(what,
		       seal(softhsm_uri(&hsm, cases[i].path, ""), cases[i].given, SOFTHSM_PIN, &run,
			    &jwe),
		       0);
		assert_told(what, &run.lines, NULL);
		assert_string_equal(js_str(jwe.hdr, "alg"), cases[i].alg);
		assert_string_equal(member(&jwe, "mechanism"), cases[i].mechanism);
		if (cases[i].hash)
			assert_string_equal(member(&jwe, "hash"), cases[i].hash);
		else
			assert_null(member(&jwe, "hash"));
		expect(what, open_jwe(&jwe, SOFTHSM_PIN, &run), 0);
		if (strcmp(cases[i].alg, "ECDH-ES") == 0) {
			CLEANUP(uri_done) struct uri uri = {0};

			expect(what, uri_read(member(&jwe, "uri"), NULL, &uri), 0);
			expect(what, (int)uri.id_len, 1);
		}
		expect(what, open_jwe(&jwe, NULL, &run), -ENOANO);
		expect(what, open_jwe(&jwe, "9999", &run), -ENOANO);
		expect(what, open_jwe(&jwe, "", &run), -EKEYREJECTED);
	}
}

/* Ours names the token and the key for good, Clevis's stays as it was given. */
static void test_uri_kept(void **state)
{
	CLEANUP(jwe_done) struct jwe ours = {0};
	CLEANUP(jwe_done) struct jwe clevis = {0};
	const char *given = softhsm_uri(&hsm, "token=card;object=rsa2", "&pin-value=" SOFTHSM_PIN);
	CLEANUP(uri_done) struct uri uri = {0};
	struct run run;

	(void)state;
	assert_int_equal(seal(given, NULL, NULL, &run, &ours), 0);
	assert_int_equal(uri_read(member(&ours, "uri"), NULL, &uri), 0);
	assert_string_equal(uri.token, "card");
	assert_int_equal(strlen(uri.serial), 16);
	assert_string_equal(uri.object, "");
	assert_int_equal(uri.id_len, 1);
	assert_int_equal(uri.id[0], 2);
	assert_string_equal(uri.module_path, hsm.module);
	assert_true(ref_equal(buf_ref(&uri.pin_value), ref_str(SOFTHSM_PIN)));
	assert_int_equal(open_jwe(&ours, NULL, &run), 0);

	assert_int_equal(seal(given, "", NULL, &run, &clevis), 0);
	assert_string_equal(member(&clevis, "uri"), given);
	assert_int_equal(open_jwe(&clevis, NULL, &run), 0);
}

static void test_seal_refused(void **state)
{
	static const struct {
		const char *path, *mechanism, *typed;
		int result;
		const char *words;
	} cases[] = {
		{"token=card", NULL, SOFTHSM_PIN, -EINVAL, "holds 5 keys that could be used"},
		{"token=card;object=none", NULL, SOFTHSM_PIN, -EINVAL, "no such private key"},
		{"token=only", "RSA-PKCS", SOFTHSM_PIN, -EINVAL, "no such private key"},
		{"token=card;id=%02", "ECDH1-DERIVE", SOFTHSM_PIN, -EINVAL, "no such private key"},
		{"token=card;id=%02", "RSA-X-509", SOFTHSM_PIN, -EINVAL, "\"RSA-X-509\""},
		{"token=card;id=%02", "RSA-PKCS-OAEP", SOFTHSM_PIN, -EOPNOTSUPP,
		 "does not decrypt what was encrypted"},
		{"token=none", NULL, SOFTHSM_PIN, -ENODEV, "no token is here"},
		{"token=card;id=%02", NULL, NULL, -ENOANO, "wants a PIN"},
		{"token=card;id=%02", NULL, "9999", -ENOANO, "wrong PIN"},
		{"library-version=1", NULL, SOFTHSM_PIN, -EINVAL, "library-version"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(jwe_done) struct jwe jwe = {0};
		struct run run;
		char what[16];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		expect(what,
		       seal(softhsm_uri(&hsm, cases[i].path, ""), cases[i].mechanism,
			    cases[i].typed, &run, &jwe),
		       cases[i].result);
		assert_told(what, &run.lines, cases[i].words);
		assert_null(jwe.hdr);
	}
}

/* For a token that is not here a recovery waits, but not for long. */
static void test_no_token(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	uint64_t before;
	struct run run;

	(void)state;
	assert_int_equal(
		seal(softhsm_uri(&hsm, "token=card;id=%02", ""), NULL, SOFTHSM_PIN, &run, &jwe), 0);
	change(jwe.hdr, "clevis.pkcs11.uri", "\"pkcs11:token=gone\"");
	before = now_us();
	assert_int_equal(open_jwe(&jwe, SOFTHSM_PIN, &run), -ENODEV);
	assert_non_null(strstr(run.why, "no token is here"));
	assert_in_range(now_us() - before, 2900 * USEC_PER_MSEC, 8 * USEC_PER_SEC);
}

/*
 * A key that was encrypted otherwise, or for another key, or is no key, or of another padding: all are
 * answered alike, by the JWE that does not open.
 */
static void test_wrong_ciphertext(void **state)
{
	static const struct {
		const char *mechanism;
		size_t at; /* of the encrypted key: a byte is another; SIZE_MAX: it is of no JWK */
	} cases[] = {
		{"RSA-PKCS", 0}, {"RSA-PKCS", 200}, {"RSA-PKCS", SIZE_MAX}, {NULL, 0}, {NULL, 255},
	};
	char first[LOG_LINE_MAX] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(jwe_done) struct jwe jwe = {0};
		CLEANUP(buf_done) struct buf key = {0};
		struct run run;
		json_t *pkcs11;
		char what[16];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		expect(what,
		       seal(softhsm_uri(&hsm, "token=card;id=%02", ""), cases[i].mechanism,
			    SOFTHSM_PIN, &run, &jwe),
		       0);
		pkcs11 = json_object_get(json_object_get(jwe.hdr, "clevis"), "pkcs11");
		assert_int_equal(js_b64(pkcs11, "key", &key), 0);
		if (cases[i].at == SIZE_MAX)
			memset(key.p, 0, key.n);
		else
			key.p[cases[i].at] ^= 1;
		assert_int_equal(json_object_set_new(pkcs11, "key", js_from_b64(buf_ref(&key))), 0);
		expect(what, open_jwe(&jwe, SOFTHSM_PIN, &run), -EBADMSG);
		if (!first[0])
			memcpy(first, run.why, sizeof(first));
		assert_string_equal(run.why, first);
		assert_non_null(strstr(run.why, "does not open this token"));
	}
}

/* Clevis takes the token's first key, whatever the URI says of another. */
static void test_clevis_key(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	const char *other = softhsm_uri(&hsm, "token=card;object=rsa3", "");
	CLEANUP_JSON json_t *uri = json_string(other);
	struct run run;

	(void)state;
	assert_int_equal(seal(softhsm_uri(&hsm, "token=card;object=rsa2", ""), "RSA-PKCS",
			      SOFTHSM_PIN, &run, &jwe),
			 0);
	assert_int_equal(
		json_object_set(json_object_get(json_object_get(jwe.hdr, "clevis"), "pkcs11"),
				"uri", uri),
		0);
	/* The tag covers the text of the header, which is as it was. */
	assert_int_equal(open_jwe(&jwe, SOFTHSM_PIN, &run), 0);
}

static void test_leaf(void **state)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP_JSON json_t *cfg = json_pack("{s:i,s:{s:[{s:s},{s:s}]}}", "t", 2, "pins", "pkcs11",
					     "uri", softhsm_uri(&hsm, "token=card;id=%02", ""),
					     "uri", softhsm_uri(&hsm, "token=only", ""));
	struct run run;

	(void)state;
	run_begin(&run, SOFTHSM_PIN);
	assert_int_equal(pin_seal(&run.cot, "sss", cfg, ref_str("a secret"), &jwe), 0);
	assert_told("sss", &run.lines, NULL);
	assert_true(pin_sss.wants_pin(table, jwe.hdr));
	assert_int_equal(open_jwe(&jwe, NULL, &run), -ENOANO);
	assert_int_equal(open_jwe(&jwe, SOFTHSM_PIN, &run), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_uri_kept),
		cmocka_unit_test(test_seal_refused),
		cmocka_unit_test(test_no_token),
		cmocka_unit_test(test_wrong_ciphertext),
		cmocka_unit_test(test_clevis_key),
		cmocka_unit_test(test_leaf),
	};

	softhsm_start(&hsm);
	softhsm_token("card");
	softhsm_key(&hsm, "card", "rsa:2048", "02", "rsa2");
	softhsm_key(&hsm, "card", "rsa:3072", "03", "rsa3");
	softhsm_key(&hsm, "card", "rsa:4096", "04", "rsa4");
	softhsm_key(&hsm, "card", "EC:prime256v1", "05", "p256");
	softhsm_key(&hsm, "card", "EC:secp384r1", "06", "p384");
	softhsm_token("only");
	softhsm_key(&hsm, "only", "EC:prime256v1", "01", "key");
	return cmocka_run_group_tests(tests, NULL, softhsm_group_end);
}
