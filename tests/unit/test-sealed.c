/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The protected header of a tpm2 JWE: what is read, what is refused, and that it is written as read. */
#include "tpm/sealed.h"

#include "tests/unit/vectors/tpm.h"

static void test_clevis(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(CLEVIS_HEADER);
	CLEANUP(sealed_freep) struct sealed *s = NULL;
	char pcrs[PCR_TEXT_MAX];

	(void)state;
	assert_int_equal(sealed_read(hdr, NULL, &s), 0);
	assert_int_equal(s->parent, 0);
	assert_string_equal(s->hash->name, "sha256");
	assert_int_equal(s->key->type, TPM2_ALG_ECC);
	assert_int_equal(s->name_len, 0);
	pcr_format(&s->pcrs, pcrs);
	assert_string_equal(pcrs, "sha256:0,7");
	assert_false(s->pcrs.pcrs[0].has_value);
	assert_false(s->has_pin);
	assert_int_equal(s->pubkey.modulus_len, 0);
	assert_true(sealed_has_policy(s));

	assert_string_equal(s->object_hash->name, "sha256");
	assert_int_equal(s->pub.publicArea.type, TPM2_ALG_KEYEDHASH);
	assert_int_equal(s->pub.publicArea.objectAttributes, 0x492);
	assert_hex("policy", s->pub.publicArea.authPolicy.buffer, 4, "02e3642b");
	assert_int_equal(s->pub.publicArea.unique.keyedHash.size, 32);
	assert_int_equal(s->priv.size, 0xee);
}

static void test_full(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(FULL_HEADER);
	CLEANUP(sealed_freep) struct sealed *s = NULL;
	char pcrs[PCR_TEXT_MAX];

	(void)state;
	assert_int_equal(sealed_read(hdr, NULL, &s), 0);
	assert_true(s->parent == TPM_SRK);
	assert_int_equal(s->name_len, 34);
	pcr_format(&s->pcrs, pcrs);
	assert_string_equal(pcrs, "sha256:7+sha384:4");
	assert_true(s->pcrs.pcrs[0].has_value);
	assert_true(s->has_pin);
	assert_hex("salt", s->salt, 4, "f9dfbddd");
	assert_int_equal(s->pubkey.modulus_len, 256);
	pcr_format(&s->pubkey_pcrs, pcrs);
	assert_string_equal(pcrs, "sha256:11");
	assert_string_equal(s->signature, "/etc/x.json");
}

/* Without Clevis's members, which say the same, and what only Clevis's primary has. */
static void test_write(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(FULL_HEADER);
	CLEANUP_JSON json_t *written = json_of("{\"clevis\":{\"pin\":\"tpm2\"}}");
	CLEANUP(sealed_freep) struct sealed *s = NULL;

	(void)state;
	assert_int_equal(sealed_read(hdr, NULL, &s), 0);
	assert_int_equal(sealed_write(s, written), 0);
	assert_true(json_equal(written, hdr));
}

static void test_write_primary(void **state)
{
	static const char values[] =
		"{\"sha256:0\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		"\"sha256:7\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}";
	CLEANUP_JSON json_t *hdr = json_of(CLEVIS_HEADER);
	CLEANUP_JSON json_t *written = json_of("{\"clevis\":{\"pin\":\"tpm2\"}}");
	CLEANUP(sealed_freep) struct sealed *s = NULL;

	(void)state;
	change(hdr, "clevis.tpm2.pcr_ids", "\"0,7\"");
	change(hdr, "clevis.tpm2.pcr_values", values);
	change(hdr, "clevis.tpm2.name", "\"AAt7aA2cf8etgpz15S7JQCI1nFZ230kX2iB40O-IaOmVTw\"");
	assert_int_equal(sealed_read(hdr, NULL, &s), 0);
	assert_true(s->pcrs.pcrs[1].has_value);
	assert_int_equal(sealed_write(s, written), 0);
	assert_true(json_equal(written, hdr));
}

#define T "clevis.tpm2."

static void test_clevis_forms(void **state)
{
	static const struct {
		const char *path, *value;
	} forms[] = {
		{T "hash", "\"sha1\""},  {T "hash", "\"sha512\""},
		{T "key", "\"rsa\""},    {T "key", "\"rsa3072\""},
		{T "key", "\"ecc384\""}, {T "pcr_ids", "[\"7\",\"0\"]"},
		{T "pcr_ids", "[7,0]"},  {T "pcr_bank", "\"sha384\""},
		{T "pcr_ids", NULL},     {T "new_member", "\"x\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		CLEANUP_JSON json_t *hdr = json_of(CLEVIS_HEADER);
		CLEANUP(sealed_freep) struct sealed *s = NULL;
		struct lines lines;

		change(hdr, forms[i].path, forms[i].value);
		expect(forms[i].path, sealed_read(hdr, lines_begin(&lines), &s), 0);
		assert_told(forms[i].path, &lines, NULL);
	}
}

/* Each member missing, of another type, or with a value that cannot be. */
static void test_faults(void **state)
{
	/* provokes: sealed_read -EBADMSG -EOPNOTSUPP */
	static const struct {
		const char *path, *value, *told;
		int want;
	} clevis[] =
		{
			{"alg", NULL, "\"alg\"", -EBADMSG},
			{"alg", "\"ECDH-ES\"", "\"alg\"", -EBADMSG},
			{"alg", "1", "\"alg\"", -EBADMSG},
			{"clevis.tpm2", NULL, "clevis.tpm2", -EBADMSG},
			{"clevis.tpm2", "[]", "clevis.tpm2", -EBADMSG},
			{"clevis", NULL, "clevis.tpm2", -EBADMSG},
			{T "hash", NULL, "there is no \"hash\"", -EBADMSG},
			{T "hash", "1", "\"hash\" is not a string", -EBADMSG},
			{T "hash", "\"md5\"", "the hash \"md5\" is not supported", -EOPNOTSUPP},
			{T "key", NULL, "there is no \"key\"", -EBADMSG},
			{T "key", "{}", "\"key\" is not a string", -EBADMSG},
			{T "key", "\"dsa\"", "the key type \"dsa\" is not supported", -EOPNOTSUPP},
			{T "pcr_bank", NULL, "\"pcr_bank\"", -EBADMSG},
			{T "pcr_bank", "7", "\"pcr_bank\" is not a string", -EBADMSG},
			{T "pcr_bank", "\"sm3_256\"", "\"pcr_bank\"", -EOPNOTSUPP},
			{T "pcr_ids", "24", "\"pcr_ids\"", -EBADMSG},
			{T "pcr_ids", "{}", "\"pcr_ids\"", -EBADMSG},
			{T "pcr_values", "1", "\"pcr_values\"", -EBADMSG},
			{T "pcr_values", "{\"sha1:0\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
			 "different PCRs", -EBADMSG},
			{T "parent", "\"0x81000001\"", "there is no \"name\"", -EBADMSG},
			{T "name", "1", "\"name\"", -EBADMSG},
			{T "name", "\"\"", "\"name\"", -EBADMSG},
			{T "name", "\"a+\"", "\"name\"", -EBADMSG},
			{T "jwk_pub", NULL, "\"jwk_pub\"", -EBADMSG},
			{T "jwk_pub", "1", "\"jwk_pub\"", -EBADMSG},
			{T "jwk_pub", "\"\"", "\"jwk_pub\"", -EBADMSG},
			{T "jwk_pub", "\"AAA\"", "\"jwk_pub\"", -EBADMSG},
			{T "jwk_priv", NULL, "\"jwk_priv\"", -EBADMSG},
			{T "jwk_priv", "[]", "\"jwk_priv\"", -EBADMSG},
			{T "jwk_priv", "\"\"", "\"jwk_priv\"", -EBADMSG},
			{T "jwk_priv", "\"AAA\"", "\"jwk_priv\"", -EBADMSG},
			{T "jwk_priv", "\"AAEBAQ\"", "\"jwk_priv\"", -EBADMSG},
		},
	  full[] = {
		  {T "parent", "1", "\"parent\"", -EBADMSG},
		  {T "parent", "\"0x80ffffff\"", "\"parent\"", -EBADMSG},
		  {T "parent", "\"0x82000000\"", "\"parent\"", -EBADMSG},
		  {T "parent", "\"0x81000001x\"", "\"parent\"", -EBADMSG},
		  {T "parent", "\"81000001\"", "\"parent\"", -EBADMSG},
		  {T "parent", "\"0x\"", "\"parent\"", -EBADMSG},
		  {T "parent", "-1", "\"parent\"", -EBADMSG},
		  {T "parent", NULL, "there is no \"hash\"", -EBADMSG},
		  {T "name", NULL, "there is no \"name\"", -EBADMSG},
		  {T "salt", "true", "\"salt\"", -EBADMSG},
		  {T "salt", "\"AAAA\"", "\"salt\" is not 32 bytes long", -EBADMSG},
		  {T "salt", "\"\"", "\"salt\"", -EBADMSG},
		  {T "pcr_values", "{}", "\"pcr_values\"", -EBADMSG},
		  {T "pubkey", NULL, "there is no \"pubkey\"", -EBADMSG},
		  {T "pubkey", "1", "\"pubkey\"", -EBADMSG},
		  {T "pubkey", "\"AAAA\"", "\"pubkey\"", -EBADMSG},
		  {T "pubkey_pcrs", NULL, "\"pubkey_pcrs\"", -EBADMSG},
		  {T "pubkey_pcrs", "11", "\"pubkey_pcrs\"", -EBADMSG},
		  {T "pubkey_pcrs", "\"11\"", "\"pubkey_pcrs\"", -EBADMSG},
		  {T "pubkey_pcrs", "\"sha256:\"", "\"pubkey_pcrs\"", -EBADMSG},
		  {T "pubkey_pcrs", "\"sha256:11:sha1\"", "\"pubkey_pcrs\"", -EBADMSG},
		  {T "pubkey_pcrs", "\"md5:11\"", "\"pubkey_pcrs\"", -EBADMSG},
		  {T "signature", "{}", "\"signature\"", -EBADMSG},
		  {T "signature", "\"x.json\"", "\"signature\" is not an absolute path", -EBADMSG},
	  };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(clevis) + ARRAY_SIZE(full); i++) {
		bool is_full = i >= ARRAY_SIZE(clevis);
		size_t row = is_full ? i - ARRAY_SIZE(clevis) : i;
		CLEANUP_JSON json_t *hdr = json_of(is_full ? FULL_HEADER : CLEVIS_HEADER);
		const char *path = is_full ? full[row].path : clevis[row].path;
		struct sealed *s = NULL;
		struct lines lines;

		change(hdr, path, is_full ? full[row].value : clevis[row].value);
		expect(path, sealed_read(hdr, lines_begin(&lines), &s),
		       is_full ? full[row].want : clevis[row].want);
		assert_told(path, &lines, is_full ? full[row].told : clevis[row].told);
		assert_null(s);
	}
}

static void test_too_long(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(FULL_HEADER);
	json_t *tpm2 = json_object_get(json_object_get(hdr, "clevis"), "tpm2");
	static const uint8_t key[RSA_TEXT_MAX + 1];
	struct sealed *s = NULL;
	struct lines lines;

	(void)state;
	assert_int_equal(
		json_object_set_new(tpm2, "pubkey", js_from_b64((struct ref){key, sizeof(key)})),
		0);
	assert_int_equal(sealed_read(hdr, lines_begin(&lines), &s), -E2BIG);
	assert_told("pubkey", &lines, "\"pubkey\" is not an RSA public key");
	assert_null(s);
}

/* Each byte of the public part's structure, and each length. */
static void test_public_bytes(void **state)
{
	CLEANUP_JSON json_t *hdr = json_of(CLEVIS_HEADER);
	json_t *tpm2 = json_object_get(json_object_get(hdr, "clevis"), "tpm2");
	CLEANUP(buf_done) struct buf pub = {0};

	(void)state;
	assert_int_equal(js_b64(tpm2, "jwk_pub", &pub), 0);
	for (size_t n = 0; n < pub.n; n++) {
		struct sealed *s = NULL;
		json_t *cut = n ? js_from_b64((struct ref){pub.p, n}) : json_string("");

		assert_int_equal(json_object_set_new(tpm2, "jwk_pub", cut), 0);
		expect("truncated", sealed_read(hdr, NULL, &s), -EBADMSG);
		assert_null(s);
	}
	for (size_t i = 0; i < pub.n; i++) {
		CLEANUP(sealed_freep) struct sealed *s = NULL;
		int r;

		pub.p[i] ^= 0x20;
		assert_int_equal(json_object_set_new(tpm2, "jwk_pub", js_from_b64(buf_ref(&pub))),
				 0);
		r = sealed_read(hdr, NULL, &s);
		/* Sizes, type, nameAlg, scheme; attributes and digests are the TPM's to judge. */
		if (i < 6 || i == 10 || i == 11 || (i >= 44 && i < 48))
			expect("changed", r, -EBADMSG);
		else
			expect("changed where only the TPM sees it", r, 0);
		pub.p[i] ^= 0x20;
	}
}

static void test_handle(void **state)
{
	CLEANUP_JSON json_t *number = json_of("2164260865");
	static const char *const bad[] = {
		"0",  "1",  "\"\"",       "\"x\"",          "\"0x\"", "\"0x80000001\"",
		"[]", "-1", "4294967296", "\"0x181000001\""};
	TPM2_HANDLE handle = 0;

	(void)state;
	assert_int_equal(sealed_read_handle(number, &handle), 0);
	assert_true(handle == TPM_SRK);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP_JSON json_t *value = json_loads(bad[i], JSON_DECODE_ANY, NULL);

		assert_int_equal(sealed_read_handle(value, &handle), -EBADMSG);
		assert_true(handle == TPM_SRK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clevis),       cmocka_unit_test(test_full),
		cmocka_unit_test(test_write),        cmocka_unit_test(test_write_primary),
		cmocka_unit_test(test_clevis_forms), cmocka_unit_test(test_faults),
		cmocka_unit_test(test_public_bytes), cmocka_unit_test(test_handle),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
