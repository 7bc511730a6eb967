/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding a signature in a file in systemd's format. */
#include "tpm/signature.h"

#include "tests/unit/vectors/tpm.h"

#include <sys/stat.h>
#include <unistd.h>

#define POLICY "4141414141414141414141414141414141414141414141414141414141414141"
#define ENTRY(pcrs, key, policy, sig) \
	"{\"pcrs\":" pcrs ",\"pkfp\":\"" key "\",\"pol\":\"" policy "\",\"sig\":\"" sig "\"}"
#define GOOD ENTRY("[11]", RSA_FINGERPRINT, POLICY, "+/8=")

static char folder[] = "/tmp/test-signature.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/signatures", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void write_file(const char *text, size_t n)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

/* A header with our key and that file. */
static struct sealed *make_sealed(void)
{
	CLEANUP_JSON json_t *hdr = json_of(FULL_HEADER);
	struct sealed *sealed = NULL;

	assert_int_equal(sealed_read(hdr, NULL, &sealed), 0);
	(void)snprintf(sealed->signature, sizeof(sealed->signature), "%s", path);
	return sealed;
}

static int find(struct lines *lines, TPMT_SIGNATURE *ret)
{
	CLEANUP(sealed_freep) struct sealed *sealed = make_sealed();
	TPM2B_DIGEST policy = {.size = 32};

	memset(policy.buffer, 0x41, policy.size);
	return signature_find(sealed, &policy, lines_begin(lines), ret);
}

static void test_found(void **state)
{
	static const char *const files[] = {
		"{\"sha256\":[" GOOD "]}",
		"{\"sha1\":[" GOOD "],\"sha256\":[{},1," GOOD "," GOOD "]}",
		"{\"sha256\":[" ENTRY("[\"11\"]", RSA_FINGERPRINT, POLICY, "+/8") "]}",
		"{\"sha256\":[" ENTRY("[11]", RSA_FINGERPRINT, POLICY, "") "," GOOD "]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		TPMT_SIGNATURE signature;
		struct lines lines;

		write_file(files[i], strlen(files[i]));
		expect(files[i], find(&lines, &signature), 0);
		assert_told(files[i], &lines, NULL);
		assert_int_equal(signature.sigAlg, TPM2_ALG_RSASSA);
		assert_int_equal(signature.signature.rsassa.hash, TPM2_ALG_SHA256);
		assert_int_equal(signature.signature.rsassa.sig.size, 2);
		assert_hex("signature", signature.signature.rsassa.sig.buffer, 2, "fbff");
	}
}

static void test_not_found(void **state)
{
	/* provokes: signature_find -EKEYREJECTED */
	static const char *const files[] = {
		"",
		"nonsense",
		"[]",
		"{}",
		"{\"sha256\":{}}",
		"{\"sha256\":[]}",
		"{\"sha1\":[" GOOD "]}",
		"{\"sha256\":[" ENTRY("[12]", RSA_FINGERPRINT, POLICY, "+/8=") "]}",
		"{\"sha256\":[" ENTRY("[11,12]", RSA_FINGERPRINT, POLICY, "+/8=") "]}",
		"{\"sha256\":[" ENTRY("11", RSA_FINGERPRINT, POLICY, "+/8=") "]}",
		"{\"sha256\":[" ENTRY("[11]", POLICY, POLICY, "+/8=") "]}",
		"{\"sha256\":[" ENTRY("[11]", RSA_FINGERPRINT, RSA_FINGERPRINT, "+/8=") "]}",
		"{\"sha256\":[" ENTRY("[11]", RSA_FINGERPRINT, POLICY, "") "]}",
		"{\"sha256\":[" ENTRY("[11]", RSA_FINGERPRINT, POLICY, "+/8!") "]}",
		"{\"sha256\":[{\"pcrs\":[11],\"pkfp\":1,\"pol\":2,\"sig\":3}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		TPMT_SIGNATURE signature;
		struct lines lines;

		memset(&signature, UNTOUCHED, sizeof(signature));
		write_file(files[i], strlen(files[i]));
		expect(files[i], find(&lines, &signature), -EKEYREJECTED);
		assert_told(files[i], &lines, path);
		assert_untouched(files[i], &signature, sizeof(signature));
	}
}

/* What is no file, or has no end. */
static void test_not_readable(void **state)
{
	CLEANUP(buf_done) struct buf large = {0};
	TPMT_SIGNATURE signature;
	struct lines lines;

	(void)state;
	(void)unlink(path);
	expect("no file", find(&lines, &signature), -EKEYREJECTED);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect("a pipe", find(&lines, &signature), -EKEYREJECTED);
	(void)unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	expect("a folder", find(&lines, &signature), -EKEYREJECTED);
	(void)rmdir(path);

	assert_int_equal(buf_init(&large, JS_TEXT_MAX + 1), 0);
	memset(large.p, ' ', large.cap);
	write_file((const char *)large.p, large.cap);
	expect("a large file", find(&lines, &signature), -EKEYREJECTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_not_readable),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
