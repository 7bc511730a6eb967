/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of a TPM's response codes: an errno of ours, and words for a person. */
#include "tpm/tss.h"

#include "tests/unit/lines.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

/* The number of a session or parameter, which the TPM adds. */
#define SESSION_1   (TPM2_RC_S + TPM2_RC_1)
#define PARAMETER_2 (TPM2_RC_P + TPM2_RC_2)

static void test_base(void **state)
{
	(void)state;
	assert_int_equal(tss_base(TSS2_RC_SUCCESS), TSS2_RC_SUCCESS);
	assert_int_equal(tss_base(TPM2_RC_AUTH_FAIL + SESSION_1), TPM2_RC_AUTH_FAIL);
	assert_int_equal(tss_base(TPM2_RC_HASH + PARAMETER_2), TPM2_RC_HASH);
	assert_int_equal(tss_base(TPM2_RC_LOCKOUT), TPM2_RC_LOCKOUT);
	assert_int_equal(tss_base(TPM2_RC_REFERENCE_H0), TPM2_RC_REFERENCE_H0);
	/* What the libraries say for themselves has no such numbers. */
	assert_int_equal(tss_base(TSS2_ESYS_RC_BAD_VALUE), TSS2_ESYS_RC_BAD_VALUE);
	assert_int_equal(tss_base(TSS2_RESMGR_TPM_RC_LAYER + TPM2_RC_HASH + PARAMETER_2),
			 TSS2_RESMGR_TPM_RC_LAYER + TPM2_RC_HASH + PARAMETER_2);
	assert_int_equal(tss_base(TSS2_TCTI_RC_IO_ERROR), TSS2_TCTI_RC_IO_ERROR);
}

static void test_fail(void **state)
{
	/* provokes: tss_fail -EKEYREJECTED -EIO -EPROTO -ENOMEM */
	static const struct {
		TSS2_RC rc;
		int want;
		const char *words; /* NULL: the TSS's own, and the number */
	} codes[] = {
		{TPM2_RC_LOCKOUT, -EKEYREJECTED, "locked after too many wrong PINs"},
		{TPM2_RC_AUTH_FAIL + SESSION_1, -EKEYREJECTED, "wants a password"},
		{TPM2_RC_BAD_AUTH + SESSION_1, -EKEYREJECTED, "wants a password"},
		{TPM2_RC_OBJECT_MEMORY, -EIO, "use tpm2_flushcontext"},
		{TPM2_RC_SESSION_HANDLES, -EIO, "use tpm2_flushcontext"},
		{TPM2_RC_CONTEXT_GAP, -EIO, "use tpm2_flushcontext"},
		{TPM2_RC_FAILURE, -EIO, "in failure mode"},
		{TPM2_RC_INITIALIZE, -EIO, "the firmware did not start it"},
		{TPM2_RC_HIERARCHY + PARAMETER_2, -EIO, "its owner hierarchy is switched off"},
		{TPM2_RC_COMMAND_CODE, -EIO, NULL},
		{TSS2_TCTI_RC_IO_ERROR, -EIO, NULL},
		/* Replies that no TPM gives. */
		{TSS2_ESYS_RC_RSP_AUTH_FAILED, -EPROTO, "altered on its way"},
		{TSS2_ESYS_RC_MALFORMED_RESPONSE, -EPROTO, NULL},
		{TSS2_SYS_RC_MALFORMED_RESPONSE, -EPROTO, NULL},
		{TSS2_MU_RC_INSUFFICIENT_BUFFER, -EPROTO, NULL},
		/* Memory that this machine lacks, whichever library noticed. */
		{TSS2_ESYS_RC_MEMORY, -ENOMEM, NULL},
		{TSS2_TCTI_RC_MEMORY, -ENOMEM, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct lines lines;
		const struct tss tss = {.log = lines_begin(&lines)};
		char number[16];

		(void)snprintf(number, sizeof(number), "0x%x", codes[i].rc);
		expect(number, tss_fail(&tss, codes[i].rc, "it failed"), codes[i].want);
		assert_told("words", &lines, codes[i].words ? codes[i].words : number);
		assert_told("what failed", &lines, "it failed: the TPM: ");
	}
}

/* Before anything of a TPM is looked for. */
static void test_open_faults(void **state)
{
	char name[TCTI_NAME_MAX + 1];
	struct rlimit before, none;
	struct tss *tss = NULL;
	struct lines lines;
	int r;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(tss_open(name, lines_begin(&lines), &tss), -E2BIG);
	assert_told("name", &lines, "the TPM's name is too long");

	/* No file number is left to load tpm2-tss with. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = STDERR_FILENO + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = tss_open("device:/nonexistent", lines_begin(&lines), &tss);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EOPNOTSUPP); /* provokes: tss_open -EOPNOTSUPP */
	assert_told("no tpm2-tss", &lines, "a TPM cannot be used without tpm2-tss: ");
	assert_null(tss);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_faults),
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
