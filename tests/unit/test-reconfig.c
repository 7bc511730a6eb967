/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a tpm2 header back to a configuration: what it seals is the same binding, or says why not. */
#include "crypto/rsa.h"
#include "enroll/same.h"
#include "tests/unit/swtpm.h"

#include <errno.h>

#define ZEROS  "0000000000000000000000000000000000000000000000000000000000000000"
#define SEVENS "0707070707070707070707070707070707070707070707070707070707070707"

static const struct tpm2_again keep = {0}, reseal = {.reseal = true};
static struct swtpm tpm;

/* All kinds of bindings, the value of PCR 7 in some of them. */
static const struct kind {
	const char *config;
	bool with_7;
} kinds[] = {
	{"{}", false},
	{"{\"hash\":\"sha384\",\"key\":\"ecc384\"}", false},
	{"{\"key\":\"rsa\",\"pcrs\":\"7\"}", true},
	{"{\"pcrs\":\"7:sha384+11+0:sha1\"}", true},
	{"{\"hash\":\"sha1\",\"pcr_ids\":[1,\"7\"]}", true},
	{"{\"pcr_bank\":\"sha256\",\"pcr_ids\":\"9\",\"pcr_digest\":"
	 "\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\"}",
	 false},
	{"{\"pcrs\":\"9:sha256=" SEVENS "+7\"}", true},
	{"{\"pin\":true}", false},
	{"{\"pin\":true,\"pcrs\":\"7+14\"}", true},
	{"{\"parent\":\"0x81000001\",\"pcrs\":\"7\"}", true},
	{"{\"pubkey\":\"\"}", false},
	{"{\"pubkey\":\"\",\"pubkey_pcrs\":\"12:sha384+11:sha384\",\"signature\":\"/x.json\"}",
	 false},
	{"{\"pubkey\":\"\",\"pcrs\":\"7+14:sha1\",\"pin\":true}", true},
};

/* A configuration of the table, with the policy key where it has one. */
static json_t *config_of(const char *text)
{
	json_t *config = json_of(text);

	if (json_object_get(config, "pubkey"))
		assert_int_equal(json_object_set_new(config, "pubkey", json_string(RSA_PEM)), 0);
	return config;
}

static void seal_kind(const struct kind *kind, struct jwe *ret)
{
	CLEANUP_JSON json_t *config = config_of(kind->config);

	swtpm_seal(kind->config, config, ret);
}

static int open_with(const struct jwe *jwe, const char *pin)
{
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = swtpm_pins,
		.deadline_us = now_us() + 30 * USEC_PER_SEC,
		.user_pin = pin ? ref_str(pin) : (struct ref){0},
	};
	CLEANUP(job_done) struct job job = {0};
	CLEANUP(buf_done) struct buf secret = {0};

	assert_int_equal(job_init(&job, &cot, jwe), 0);
	return pin_recover(&cot, &job, &secret);
}

static json_t *config_from(const char *what, const json_t *hdr, const struct tpm2_again *how)
{
	struct lines lines;
	json_t *config = NULL;

	expect(what, tpm2_config(hdr, how, lines_begin(&lines), &config), 0);
	assert_told(what, &lines, NULL);
	return config;
}

static void refuse(const json_t *hdr, const struct tpm2_again *how, int want, const char *words)
{
	struct lines lines;
	json_t *config = NULL;

	expect(words, tpm2_config(hdr, how, lines_begin(&lines), &config), want);
	assert_told(words, &lines, words);
	assert_null(config);
}

/* The header that comes of sealing again. */
static void again(const char *what, const json_t *hdr, const struct tpm2_again *how,
		  struct jwe *ret)
{
	CLEANUP_JSON json_t *config = config_from(what, hdr, how);

	swtpm_seal(what, config, ret);
}

static void test_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(jwe_done) struct jwe old = {0};
		CLEANUP(jwe_done) struct jwe kept = {0};

		seal_kind(&kinds[i], &old);
		again(kinds[i].config, old.hdr, &keep, &kept);
		assert_false(json_equal(old.hdr, kept.hdr));
		expect(kinds[i].config, same_binding(old.hdr, kept.hdr), true);
	}
}

/* Values that are in the header are kept though they are not the present ones. */
static void test_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(jwe_done) struct jwe old = {0};
		CLEANUP(jwe_done) struct jwe kept = {0};
		CLEANUP(jwe_done) struct jwe resealed = {0};
		bool literal = strstr(kinds[i].config, "\"9") != NULL;

		seal_kind(&kinds[i], &old);
		swtpm_extend(7);
		again(kinds[i].config, old.hdr, &keep, &kept);
		expect(kinds[i].config, same_binding(old.hdr, kept.hdr), true);
		again(kinds[i].config, old.hdr, &reseal, &resealed);
		expect(kinds[i].config, same_binding(old.hdr, resealed.hdr),
		       !kinds[i].with_7 && !literal);
		if (json_object_get(json_object_get(json_object_get(old.hdr, "clevis"), "tpm2"),
				    "pubkey"))
			continue; /* nobody signed anything */
		expect(kinds[i].config, open_with(&kept, "1234"),
		       kinds[i].with_7 || literal ? -EKEYREJECTED : 0);
		expect(kinds[i].config, open_with(&resealed, "1234"), 0);
	}
}

static void assert_differs(const char *what, const json_t *hdr, const struct tpm2_again *how,
			   bool want)
{
	struct lines lines;
	bool differs = !want;

	expect(what, tpm2_differs(hdr, how, lines_begin(&lines), &differs), 0);
	assert_told(what, &lines, NULL);
	expect(what, differs, want);
}

static void test_differs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		CLEANUP(jwe_done) struct jwe jwe = {0};
		bool literal = strstr(kinds[i].config, "\"9") != NULL;

		seal_kind(&kinds[i], &jwe);
		assert_differs(kinds[i].config, jwe.hdr, &reseal, literal);
		swtpm_extend(7);
		assert_differs(kinds[i].config, jwe.hdr, &keep, false);
		assert_differs(kinds[i].config, jwe.hdr, &reseal, kinds[i].with_7 || literal);
	}
}

static void test_differs_otherwise(void **state)
{
	static const struct tpm2_again none = {.pcrs = ""}, same = {.pcrs = "7"},
				       more = {.pcrs = "7+8"}, bank = {.pcrs = "7:sha1"},
				       value = {.pcrs = "7:sha256=" SEVENS}, bad = {.pcrs = "x"};
	CLEANUP_JSON json_t *config = json_of("{\"pcrs\":\"7\",\"pin\":true}"), *theirs = NULL;
	CLEANUP_JSON json_t *clevis = json_of(CLEVIS_HEADER), *plain = json_of("{}");
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(jwe_done) struct jwe unbound = {0};
	struct lines lines;
	bool differs = true;

	(void)state;
	swtpm_seal("PCR 7", config, &jwe);
	assert_differs("none", jwe.hdr, &none, true);
	assert_differs("same", jwe.hdr, &same, false);
	assert_differs("more", jwe.hdr, &more, true);
	assert_differs("bank", jwe.hdr, &bank, true);
	assert_differs("value", jwe.hdr, &value, true);
	assert_int_equal(tpm2_differs(jwe.hdr, &bad, lines_begin(&lines), &differs), -EINVAL);
	assert_told("bad", &lines, "\"x\" is not a PCR");
	assert_differs("another TPM's", clevis, &reseal, true);

	swtpm_seal("unbound", plain, &unbound);
	theirs = json_deep_copy(unbound.hdr);
	swtpm_make_clevis(theirs);
	assert_differs("Clevis's", theirs, &reseal, false);
	change(unbound.hdr, "clevis.tpm2.name",
	       "\"AAt7aA2cf8etgpz15S7JQCI1nFZ230kX2iB40O-IaOmVTw\"");
	assert_differs("of another name", unbound.hdr, &reseal, true);
}

/* It asks for a PIN as before, and takes the one that it was sealed with now. */
static void test_pin(void **state)
{
	static const struct kind kind = {.config = "{\"pin\":true}"};
	CLEANUP(jwe_done) struct jwe old = {0};
	CLEANUP(jwe_done) struct jwe kept = {0};

	(void)state;
	seal_kind(&kind, &old);
	again(kind.config, old.hdr, &keep, &kept);
	assert_int_equal(open_with(&kept, NULL), -ENOANO);
	assert_int_equal(open_with(&kept, "4321"), -ENOANO);
	assert_int_equal(open_with(&kept, "1234"), 0);
}

static void test_clevis(void **state)
{
	static const char *const configs[] = {
		"{}",
		"{\"hash\":\"sha1\",\"key\":\"rsa\"}",
		"{\"pcr_bank\":\"sha256\",\"pcr_ids\":\"7,0\"}",
		"{\"hash\":\"sha512\",\"pcr_ids\":[11,\"7\"]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		CLEANUP_JSON json_t *config = json_of(configs[i]);
		CLEANUP(jwe_done) struct jwe ours = {0};
		CLEANUP(jwe_done) struct jwe kept = {0};
		CLEANUP_JSON json_t *theirs = NULL, *resealed = NULL;

		swtpm_seal(configs[i], config, &ours);
		theirs = json_deep_copy(ours.hdr);
		swtpm_make_clevis(theirs);
		again(configs[i], theirs, &keep, &kept);
		expect(configs[i], same_binding(ours.hdr, kept.hdr), true);
		if (i < 2)
			continue;

		swtpm_extend(7);
		refuse(theirs, &keep, -EKEYREJECTED, "at least one of the PCRs");
		resealed = config_from(configs[i], theirs, &reseal);
		assert_string_equal(js_str(resealed, "pcrs"),
				    i == 2 ? "0:sha256+7:sha256" : "7:sha1+11:sha1");
	}
}

/* Its object is that of other PCRs than it says. */
static void test_altered(void **state)
{
	/* provokes: tpm2_config -EBADMSG -EKEYREJECTED */
	static const char zeros[] =
		"{\"sha256:7\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}";
	CLEANUP_JSON json_t *config = json_of("{\"pcrs\":\"7\"}"), *theirs = NULL;
	CLEANUP(jwe_done) struct jwe jwe = {0};

	(void)state;
	swtpm_seal("altered", config, &jwe);
	theirs = json_deep_copy(jwe.hdr);
	change(jwe.hdr, "clevis.tpm2.pcr_values", zeros);
	refuse(jwe.hdr, &keep, -EBADMSG, "another policy than the token says");

	swtpm_make_clevis(theirs);
	change(theirs, "clevis.tpm2.pcr_ids", "\"8\"");
	refuse(theirs, &keep, -EKEYREJECTED, "at least one of the PCRs");
	change(theirs, "clevis.tpm2.jwk_pub", "\"AAAA\"");
	refuse(theirs, &keep, -EBADMSG, "\"jwk_pub\"");
	refuse(theirs, &reseal, -EBADMSG, "\"jwk_pub\"");
}

/* A header that cannot be used at all is refused as its reader does. */
static void test_unusable(void **state)
{
	/* provokes: tpm2_config -EOPNOTSUPP -E2BIG */
	CLEANUP_JSON json_t *clevis = json_of(CLEVIS_HEADER), *full = json_of(FULL_HEADER);
	json_t *tpm2 = json_object_get(json_object_get(full, "clevis"), "tpm2");
	static const uint8_t key[RSA_TEXT_MAX + 1];

	(void)state;
	change(clevis, "clevis.tpm2.hash", "\"md5\"");
	refuse(clevis, &reseal, -EOPNOTSUPP, "the hash \"md5\" is not supported");
	assert_int_equal(
		json_object_set_new(tpm2, "pubkey", js_from_b64((struct ref){key, sizeof(key)})),
		0);
	refuse(full, &reseal, -E2BIG, "\"pubkey\" is not an RSA public key");
}

/* It moves to this TPM where that is what was asked for, and then alone. */
static void test_other_tpm(void **state)
{
	CLEANUP_JSON json_t *clevis = json_of(CLEVIS_HEADER), *full = json_of(FULL_HEADER);
	CLEANUP_JSON json_t *config = NULL, *want = NULL;
	CLEANUP(jwe_done) struct jwe jwe = {0};

	(void)state;
	refuse(clevis, &keep, -EKEYREJECTED, "another TPM");
	refuse(full, &keep, -EKEYREJECTED, "another TPM");

	config = config_from("full", full, &reseal);
	want = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "parent", "0x81000001", "pcrs",
			 "7:sha256+4:sha384", "pubkey", RSA_PEM, "pubkey_pcrs", "11:sha256",
			 "signature", "/etc/x.json", "pin", true);
	assert_true(json_equal(config, want));
	again("Clevis", clevis, &reseal, &jwe);
	assert_int_equal(open_with(&jwe, NULL), 0);
}

/* A policy that ends with the initramfs is sealed again by what runs after it. */
static void test_early(void **state)
{
	CLEANUP_JSON json_t *config = json_of("{\"pcrs\":\"7+15:sha256=" ZEROS "\"}");
	CLEANUP_JSON json_t *resealed = NULL;
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(jwe_done) struct jwe other = {0};

	(void)state;
	swtpm_seal("early", config, &jwe);
	swtpm_extend(15);
	assert_differs("early", jwe.hdr, &reseal, false);
	swtpm_extend(7);
	assert_differs("early", jwe.hdr, &reseal, true);
	resealed = config_from("early", jwe.hdr, &reseal);
	assert_string_equal(js_str(resealed, "pcrs"), "7:sha256+15:sha256=" ZEROS);
	again("early", jwe.hdr, &reseal, &other);
	assert_true(tpm2_is_early(resealed));
	assert_false(same_binding(jwe.hdr, other.hdr));
}

static void test_other_pcrs(void **state)
{
	/* provokes: tpm2_config -EINVAL */
	static const struct tpm2_again none = {.pcrs = ""}, best = {.pcrs = "11+7"},
				       bad = {.pcrs = "99"}, unused = {.pcrs = "12:sha384"};
	CLEANUP_JSON json_t *config = json_of("{\"pcr_ids\":\"0\"}"), *plain = NULL;
	CLEANUP(jwe_done) struct jwe old = {0};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(jwe_done) struct jwe other = {0};
	const json_t *tpm2;

	(void)state;
	swtpm_seal("sha1:0", config, &old);
	plain = config_from("none", old.hdr, &none);
	assert_null(json_object_get(plain, "pcrs"));
	assert_string_equal(js_str(plain, "hash"), "sha256");
	again("others", old.hdr, &best, &jwe);
	tpm2 = json_object_get(json_object_get(jwe.hdr, "clevis"), "tpm2");
	assert_string_equal(js_str(tpm2, "pcr_ids"), "7,11");
	assert_string_equal(js_str(tpm2, "pcr_bank"), "sha256");
	assert_int_equal(open_with(&jwe, NULL), 0);
	again("another bank", old.hdr, &unused, &other);
	refuse(old.hdr, &bad, -EINVAL, "\"99\" is not a PCR");
}

/* Only what is kept is looked at. */
static void test_no_tpm(void **state)
{
	CLEANUP_JSON json_t *full = json_of(FULL_HEADER), *config = NULL;

	(void)state;
	assert_int_equal(setenv("COTTER_TPM2_TCTI", "device:/nonexistent", 1), 0);
	refuse(full, &keep, -ENODEV, "cannot be reached");
	config = config_from("no TPM", full, &reseal);
	swtpm_use(&tpm);
}

static int end(void **state)
{
	(void)state;
	swtpm_stop(&tpm);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),     cmocka_unit_test(test_changed),
		cmocka_unit_test(test_differs),  cmocka_unit_test(test_differs_otherwise),
		cmocka_unit_test(test_pin),      cmocka_unit_test(test_clevis),
		cmocka_unit_test(test_altered),  cmocka_unit_test(test_other_tpm),
		cmocka_unit_test(test_unusable), cmocka_unit_test(test_other_pcrs),
		cmocka_unit_test(test_early),    cmocka_unit_test(test_no_tpm),
	};

	swtpm_start(&tpm);
	return cmocka_run_group_tests(tests, NULL, end);
}
