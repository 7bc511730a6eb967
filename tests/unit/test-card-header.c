/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which headers the pkcs11 pin takes, what it writes, and what it says of them; no token is needed. */
#include "pkcs11/header.h"

#include "pkcs11/pkcs11.h"
#include "tests/unit/lines.h"

static const struct pin *const table[] = {&pin_pkcs11, NULL};

/* A header of Clevis 22's form with a key of 256 bytes. */
static json_t *clevis_header(void)
{
	static const uint8_t key[256] = {1};
	json_t *hdr = json_of("{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"clevis\":{\"pin\":\"pkcs11\","
			      "\"pkcs11\":{\"uri\":\"pkcs11:token=t\",\"mechanism\":\"\"}}}");

	assert_int_equal(
		json_object_set_new(json_object_get(json_object_get(hdr, "clevis"), "pkcs11"),
				    "key", js_from_b64((struct ref){key, sizeof(key)})),
		0);
	return hdr;
}

static void test_read(void **state)
{
	static const struct {
		const char *mechanism, *hash;
		enum rsa_padding padding;
	} good[] = {
		{NULL, NULL, RSA_PADDING_PKCS1},
		{"\"\"", NULL, RSA_PADDING_PKCS1},
		{"\"RSA-PKCS\"", NULL, RSA_PADDING_PKCS1},
		{"\"RSA-PKCS-OAEP\"", NULL, RSA_PADDING_OAEP_SHA256},
		{"\"RSA-PKCS-OAEP\"", "\"sha1\"", RSA_PADDING_OAEP_SHA1},
		{"\"RSA-PKCS-OAEP\"", "\"sha256\"", RSA_PADDING_OAEP_SHA256},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CLEANUP(card_header_done) struct card_header header = {0};
		CLEANUP_JSON json_t *hdr = clevis_header();
		struct lines lines;

		change(hdr, "clevis.pkcs11.mechanism", good[i].mechanism);
		if (good[i].hash)
			change(hdr, "clevis.pkcs11.hash", good[i].hash);
		expect("read", card_header_read(hdr, lines_begin(&lines), &header), 0);
		assert_told("read", &lines, NULL);
		assert_false(header.agrees);
		assert_int_equal(header.padding, good[i].padding);
		assert_int_equal(header.key.n, 256);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *path, *value;
		int error;
		const char *words;
	} bad[] = {
		{"clevis.pkcs11", NULL, -EBADMSG, "\"uri\" is missing"},
		{"clevis.pkcs11.uri", "1", -EBADMSG, "\"uri\" is missing"},
		{"clevis.pkcs11.uri", "\"http://x\"", -EBADMSG, "begins with"},
		{"clevis.pkcs11.uri", "\"pkcs11:x-y=1\"", -EOPNOTSUPP, "x-y"},
		{"clevis.pkcs11.mechanism", "1", -EBADMSG, "\"mechanism\" is no string"},
		{"clevis.pkcs11.mechanism", "\"RSA-X-509\"", -EOPNOTSUPP, "RSA-X-509"},
		{"clevis.pkcs11.hash", "\"sha256\"", -EOPNOTSUPP, "hash \"sha256\""},
		{"clevis.pkcs11.hash", "[]", -EBADMSG, "\"hash\" is no string"},
		{"clevis.pkcs11.key", NULL, -EBADMSG, "\"key\" is missing"},
		{"clevis.pkcs11.key", "\"AAAA\"", -EBADMSG, "\"key\" is missing or not"},
		{"clevis.pkcs11.mechanism", "\"ECDH1-DERIVE\"", -EBADMSG, "\"alg\" is not"},
		{"alg", "\"ECDH-ES\"", -EBADMSG, "\"alg\" is not \"dir\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP_JSON json_t *hdr = clevis_header();
		struct lines lines;

		change(hdr, bad[i].path, bad[i].value);
		expect(bad[i].path, pin_pkcs11.check(table, hdr, lines_begin(&lines)),
		       bad[i].error);
		assert_told(bad[i].path, &lines, bad[i].words);
	}
}

#define EC_HEADER                                                                           \
	"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":" EC_PUBLIC(                      \
		"P-256", A3_X, A3_Y) ",\"clevis\":{\"pin\":\"pkcs11\",\"pkcs11\":{\"uri\":" \
				     "\"pkcs11:id=%02\",\"mechanism\":\"ECDH1-DERIVE\"}}}"

static void test_agrees(void **state)
{
	CLEANUP(card_header_done) struct card_header header = {0};
	CLEANUP_JSON json_t *hdr = json_of(EC_HEADER);
	struct lines lines;

	(void)state;
	assert_int_equal(card_header_read(hdr, NULL, &header), 0);
	assert_true(header.agrees);
	assert_ptr_equal(header.epk.curve, curve_by_name("P-256"));
	change(hdr, "epk.y", "\"" A3_X "\"");
	assert_int_equal(pin_pkcs11.check(table, hdr, lines_begin(&lines)), -EBADMSG);
	assert_told("epk", &lines, "\"epk\" is missing or not an EC key");
}

/* What is written is read as it was. */
static void test_write(void **state)
{
	CLEANUP(card_header_done) struct card_header header = {0};
	CLEANUP_JSON json_t *hdr = clevis_header(), *again = json_of("{\"clevis\":{}}");

	(void)state;
	change(hdr, "clevis.pkcs11.mechanism", "\"RSA-PKCS-OAEP\"");
	change(hdr, "clevis.pkcs11.hash", "\"sha1\"");
	change(hdr, "clevis.pin", NULL);
	assert_int_equal(card_header_read(hdr, NULL, &header), 0);
	assert_int_equal(card_header_write(&header, "pkcs11:token=t", NULL, again), 0);
	assert_true(json_equal(hdr, again));
	assert_int_equal(card_header_write(&header, "pkcs11:", "other", again), 0);
	assert_string_equal(
		js_str(json_object_get(json_object_get(again, "clevis"), "pkcs11"), "mechanism"),
		"other");
}

static void assert_facts(const json_t *hdr, const char *want)
{
	CLEANUP_JSON json_t *facts = json_object(), *wanted = json_of(want);
	char *text = NULL;

	assert_int_equal(pin_pkcs11.describe(table, hdr, facts), 0);
	assert_int_equal(js_dump(facts, &text), 0);
	if (!json_equal(facts, wanted))
		fail_msg("described as %s, want %s", text, want);
	free(text);
}

static void test_describe(void **state)
{
	CLEANUP_JSON json_t *clevis = clevis_header(), *ec = json_of(EC_HEADER);

	(void)state;
	assert_facts(clevis, "{\"token\":\"t\",\"mechanism\":\"RSA-PKCS\",\"pin\":\"yes\","
			     "\"clevis_reads_it\":\"yes\"}");
	assert_true(pin_pkcs11.wants_pin(table, clevis));
	assert_facts(ec, "{\"key_id\":\"02\",\"mechanism\":\"ECDH1-DERIVE\",\"pin\":\"yes\","
			 "\"clevis_reads_it\":\"no\"}");

	/* The PIN itself is not among them. */
	change(clevis, "clevis.pkcs11.uri",
	       "\"pkcs11:serial=7;object=k?pin-value=1234&module-path=/m.so\"");
	assert_facts(clevis, "{\"serial\":\"7\",\"key_label\":\"k\",\"module\":\"/m.so\","
			     "\"mechanism\":\"RSA-PKCS\",\"pin\":\"no\",\"pin_source\":\"the "
			     "token\",\"clevis_reads_it\":\"yes\"}");
	assert_false(pin_pkcs11.wants_pin(table, clevis));
	change(clevis, "clevis.pkcs11.uri", "\"pkcs11:?pin-source=/a.pin\"");
	assert_facts(clevis, "{\"mechanism\":\"RSA-PKCS\",\"pin\":\"no\",\"pin_source\":\"/a.pin\","
			     "\"clevis_reads_it\":\"yes\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_agrees),   cmocka_unit_test(test_write),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
