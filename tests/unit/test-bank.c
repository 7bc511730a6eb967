/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PCRs as a TPM has them: each value is its PCR's, however many replies it takes. */
#include "tpm/bank.h"

#include "crypto/hash.h"
#include "tests/unit/swtpm.h"

#include <errno.h>

static struct swtpm tpm;

static struct tss *open_tpm(const struct log *log)
{
	struct tss *tss = NULL;

	assert_int_equal(tss_open_now(NULL, log, &tss), 0);
	return tss;
}

/* What an event makes of a PCR that is zero: H(zeros || H(event)). */
static void assert_extended(const struct pcr *pcr, const char *event)
{
	static const uint8_t zeros[PCR_DIGEST_MAX];
	uint8_t digest[HASH_SIZE_MAX], want[HASH_SIZE_MAX];
	struct ref text = ref_str(event);
	struct ref parts[] = {{zeros, pcr->bank->size}, {digest, pcr->bank->size}};

	assert_int_equal(hash_digest(pcr->bank->digest, &text, 1, digest), 0);
	assert_int_equal(hash_digest(pcr->bank->digest, parts, ARRAY_SIZE(parts), want), 0);
	assert_memory_equal(pcr->value, want, pcr->bank->size);
}

static void measure_all(void)
{
	for (unsigned i = 0; i < 16; i++) {
		char event[16];

		(void)snprintf(event, sizeof(event), "event %u", i);
		assert_int_equal(tpm2_measure(NULL, i, event, NULL), 0);
	}
}

/* A reply of a TPM has eight values at most, and these are of two banks. */
static void test_read(void **state)
{
	CLEANUP(tss_closep) struct tss *tss = NULL;
	struct pcr_set set = {0};

	(void)state;
	for (unsigned i = 0; i < PCR_SET_MAX; i++) {
		TPM2_ALG_ID bank = i % 3 ? TPM2_ALG_SHA256 : TPM2_ALG_SHA1;

		assert_int_equal(
			pcr_add(&set, &(struct pcr){.bank = hash_alg_by_id(bank), .index = i}), 0);
	}
	measure_all();
	tss = open_tpm(NULL);
	assert_int_equal(bank_read(tss, &set), 0);
	for (size_t i = 0; i < set.n; i++) {
		char event[16];

		assert_true(set.pcrs[i].has_value);
		(void)snprintf(event, sizeof(event), "event %u", set.pcrs[i].index);
		if (set.pcrs[i].index < 16)
			assert_extended(&set.pcrs[i], event);
	}
}

/* Values that are there stay, and are not the next PCR's; those without a bank get the best. */
static void test_complete(void **state)
{
	CLEANUP(tss_closep) struct tss *tss = open_tpm(NULL);
	uint8_t ones[PCR_DIGEST_MAX];
	struct pcr_set set;

	(void)state;
	memset(ones, 0x11, sizeof(ones));
	assert_int_equal(pcr_parse("7:sha1+8=1111111111111111111111111111111111111111111111111111"
				   "111111111111+4+9:sha256",
				   NULL, &set),
			 0);
	assert_int_equal(bank_complete(tss, &set), 0);
	assert_int_equal(set.n, 4);
	assert_string_equal(set.pcrs[0].bank->name, "sha1");
	assert_extended(&set.pcrs[0], "event 7");
	assert_int_equal(set.pcrs[1].index, 4);
	assert_string_equal(set.pcrs[1].bank->name, "sha256");
	assert_extended(&set.pcrs[1], "event 4");
	assert_memory_equal(set.pcrs[2].value, ones, 32);
	assert_extended(&set.pcrs[3], "event 9");
}

/* Those and no others, with what they are now. */
static void test_changed(void **state)
{
	CLEANUP(tss_closep) struct tss *tss = open_tpm(NULL);
	struct pcr_set set, changed;
	char text[PCR_TEXT_MAX];

	(void)state;
	assert_int_equal(pcr_parse("0+1+2+3+4+5+6+7+8+9+10:sha1", NULL, &set), 0);
	assert_int_equal(bank_complete(tss, &set), 0);
	assert_int_equal(bank_changed(tss, &set, &changed), 0);
	assert_int_equal(changed.n, 0);

	tss_close(tss);
	swtpm_extend(9);
	swtpm_extend(10);
	tss = open_tpm(NULL);
	assert_int_equal(bank_changed(tss, &set, &changed), 0);
	pcr_format(&changed, text);
	assert_string_equal(text, "sha1:10+sha256:9");
	assert_int_equal(bank_read(tss, &set), 0); /* nothing: it has them all */
	assert_memory_not_equal(changed.pcrs[1].value, set.pcrs[set.n - 1].value, 32);

	/* What has no value cannot have changed. */
	for (size_t i = 0; i < set.n; i++)
		set.pcrs[i].has_value = false;
	assert_int_equal(bank_changed(tss, &set, &changed), 0);
	assert_int_equal(changed.n, 0);
}

/* Clevis's default: the first that the TPM names, though a better one is there. */
static void test_first(void **state)
{
	CLEANUP(tss_closep) struct tss *tss = open_tpm(NULL);
	const struct hash_alg *bank = NULL;

	(void)state;
	assert_int_equal(bank_first(tss, &bank), 0);
	assert_string_equal(bank->name, "sha1");
}

static TSS2_RC no_such_bank(ESYS_CONTEXT *esys, ESYS_TR session1, ESYS_TR session2,
			    ESYS_TR session3, const TPML_PCR_SELECTION *pcrs)
{
	(void)esys;
	(void)session1;
	(void)session2;
	(void)session3;
	(void)pcrs;
	return TPM2_RC_HASH + TPM2_RC_P + TPM2_RC_1;
}

/* The software TPM has all banks. */
static void test_none(void **state)
{
	const struct hash_alg *bank = NULL;
	struct pcr_set set;
	struct lines lines;
	CLEANUP(tss_closep) struct tss *tss = open_tpm(lines_begin(&lines));

	(void)state;
	assert_int_equal(pcr_parse("7", NULL, &set), 0);
	tss->lib.PCR_Read_Async = no_such_bank;
	assert_int_equal(bank_best(tss, &set, &bank), -EINVAL);
	assert_told("none", &lines, "the TPM has no bank with these PCRs");
	assert_null(bank);

	pcr_set_bank(&set, hash_alg_by_id(TPM2_ALG_SHA384));
	lines_begin(&lines);
	assert_int_equal(bank_read(tss, &set), -EINVAL);
	assert_told("none", &lines, "the TPM has no PCR 7 in the bank sha384");
	assert_false(set.pcrs[0].has_value);
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
		cmocka_unit_test(test_read),    cmocka_unit_test(test_complete),
		cmocka_unit_test(test_changed), cmocka_unit_test(test_first),
		cmocka_unit_test(test_none),
	};

	swtpm_start(&tpm);
	return cmocka_run_group_tests(tests, NULL, end);
}
