/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What headers are bound to, in the very words of clevis luks list. */
#include "enroll/clevis/bound-config.h"

#include "crypto/b64.h"
#include "tests/unit/lines.h"

#include <stdarg.h>

/* A compact JWE with this header. */
static json_t *share(const char *header)
{
	CLEANUP(buf_done) struct buf text = {0};

	assert_int_equal(buf_init(&text, b64_encoded_len(strlen(header)) + 8), 0);
	assert_int_equal(b64_encode(ref_str(header), &text), 0);
	assert_int_equal(buf_append_str(&text, "..a.b.c"), 0);
	return json_stringn((const char *)text.p, text.n);
}

/* The header of a policy over these. */
static char *policy(int t, const char *const headers[])
{
	CLEANUP_JSON json_t *shares = json_array(), *hdr = NULL;

	for (size_t i = 0; headers[i]; i++)
		assert_int_equal(json_array_append_new(shares, share(headers[i])), 0);
	hdr = json_pack("{s:{s:s, s:{s:i, s:O, s:s}}}", "clevis", "pin", "sss", "sss", "t", t,
			"jwe", shares, "p", "AQ");
	return json_dumps(hdr, JSON_COMPACT);
}

#define TANG(url)                                                                    \
	"{\"kid\":\"x\",\"clevis\":{\"pin\":\"tang\",\"tang\":{\"url\":\"" url "\"," \
	"\"adv\":{\"keys\":[]}}}}"
#define TPM2                                                                         \
	"{\"clevis\":{\"pin\":\"tpm2\",\"tpm2\":{\"jwk_pub\":\"a\",\"key\":\"ecc\"," \
	"\"pcr_ids\":\"7\",\"hash\":\"sha256\",\"pcr_bank\":\"sha1\"}}}"
#define NONE    "{\"clevis\":{\"pin\":\"null\",\"null\":{\"jwk\":{}}}}"
#define FOREIGN "{\"clevis\":{\"pin\":\"yubikey\",\"yubikey\":{\"slot\":2}}}"

static void assert_config(const char *header, const char *pin, const char *config, const char *pins,
			  bool whole)
{
	CLEANUP_JSON json_t *hdr = json_of(header), *found = NULL, *names = NULL;
	CLEANUP(free_text) char *text = NULL, *list = NULL;
	const char *found_pin = NULL;

	expect(header, bound_config_of(hdr, &found_pin, &found), 0);
	assert_string_equal(found_pin, pin);
	if (config) {
		text = bound_config_text(found);
		assert_string_equal(text, config);
	} else {
		assert_null(found);
	}
	assert_int_equal(bound_config_pins(found_pin, found, &names), 0);
	list = json_dumps(names, JSON_COMPACT);
	assert_string_equal(list, pins);
	assert_true(bound_config_is_whole(hdr) == whole);
}

static void test_leaves(void **state)
{
	(void)state;
	assert_config(TANG("http://a"), "tang", "{\"url\":\"http://a\"}", "[\"tang\"]", true);
	assert_config(
		TPM2, "tpm2",
		"{\"hash\":\"sha256\",\"key\":\"ecc\",\"pcr_bank\":\"sha1\",\"pcr_ids\":\"7\"}",
		"[\"tpm2\"]", true);
	assert_config(NONE, "null", "{}", "[\"null\"]", true);
	assert_config(FOREIGN, "yubikey", NULL, "[\"yubikey\"]", false);
}

static void test_policies(void **state)
{
	const char *const nested[] = {TANG("b"), NONE, NULL};
	CLEANUP(free_text) char *inner = policy(1, nested);
	const char *const one[] = {TPM2, TANG("a"), inner, TANG("c"), NULL};
	const char *const two[] = {inner, inner, NULL};
	const char *const foreign[] = {FOREIGN, TANG("a"), NULL};
	CLEANUP(free_text) char *outer = policy(2, one);
	CLEANUP(free_text) char *several = policy(1, two);
	CLEANUP(free_text) char *lacking = policy(1, foreign);

	(void)state;
	assert_config(
		outer, "sss",
		"{\"t\":2,\"pins\":{\"tang\":[{\"url\":\"a\"},{\"url\":\"c\"}],\"tpm2\":[{"
		"\"hash\":\"sha256\",\"key\":\"ecc\",\"pcr_bank\":\"sha1\",\"pcr_ids\":\"7\"}],"
		"\"sss\":{\"t\":1,\"pins\":{\"null\":[{}],\"tang\":[{\"url\":\"b\"}]}}}}",
		"[\"null\",\"sss\",\"tang\",\"tpm2\"]", true);
	assert_config(
		several, "sss",
		"{\"t\":1,\"pins\":{\"sss\":[{\"t\":1,\"pins\":{\"null\":[{}],\"tang\":[{"
		"\"url\":\"b\"}]}},{\"t\":1,\"pins\":{\"null\":[{}],\"tang\":[{\"url\":\"b\"}]"
		"}}]}}",
		"[\"null\",\"sss\",\"tang\"]", true);
	/* What is left out of it makes it another policy. */
	assert_config(lacking, "sss", "{\"t\":1,\"pins\":{\"tang\":[{\"url\":\"a\"}]}}",
		      "[\"sss\",\"tang\"]", false);
}

static void test_refused(void **state)
{
	static const char *const headers[] = {
		"{}",
		"{\"clevis\":{}}",
		"{\"clevis\":{\"pin\":1}}",
		"{\"clevis\":{\"pin\":\"tang\"}}",
		"{\"clevis\":{\"pin\":\"tang\",\"tang\":[]}}",
		"{\"clevis\":{\"pin\":\"sss\",\"sss\":{\"t\":\"1\",\"jwe\":[]}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		CLEANUP_JSON json_t *hdr = json_of(headers[i]);
		json_t *config = NULL;
		const char *pin = NULL;

		expect(headers[i], bound_config_of(hdr, &pin, &config), -EBADMSG);
		assert_null(config);
		assert_null(pin);
	}
}

/* A tower of policies comes to an end. */
static void test_depth(void **state)
{
	char *header = strdup(NONE);
	json_t *hdr;

	(void)state;
	for (int i = 0; i < 12; i++) {
		const char *const below[] = {header, NULL};
		char *above = policy(1, below);

		free(header);
		header = above;
	}
	hdr = json_of(header);
	assert_false(bound_config_is_whole(hdr));
	json_decref(hdr);
	free(header);
}

/* Of cotter's own conditions Clevis's words say nothing. */
static void test_own_conditions(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(TPM2);

	(void)state;
	change(hdr, "clevis.tpm2.parent", "\"0x81000001\"");
	assert_false(bound_config_is_whole(hdr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves),         cmocka_unit_test(test_policies),
		cmocka_unit_test(test_refused),        cmocka_unit_test(test_depth),
		cmocka_unit_test(test_own_conditions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
