/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands between ESYS and the TPM: errors are kept, and what was opened is closed. */
#include "tpm/tcti.h"

#include "tests/unit/vectors/tpm.h"

/* A TPM that answers each command with the next of some replies, and writes down what it got. */
static struct {
	TSS2_TCTI_CONTEXT_COMMON_V1 common;
	const char *replies[16]; /* hexadecimal; "": hangs up */
	size_t next;
	char commands[1024]; /* hexadecimal, a comma after each */
	bool open;
} tpm;

static TSS2_RC tpm_transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command)
{
	size_t used = strlen(tpm.commands);

	assert_ptr_equal(context, &tpm);
	assert_true(tpm.open);
	for (size_t i = 0; i < size; i++)
		(void)snprintf(tpm.commands + used + 2 * i, 3, "%02x", command[i]);
	strncat(tpm.commands, ",", sizeof(tpm.commands) - strlen(tpm.commands) - 1);
	return TSS2_RC_SUCCESS;
}

static TSS2_RC tpm_receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *reply,
			   int32_t timeout)
{
	const char *text = tpm.replies[tpm.next++];

	assert_ptr_equal(context, &tpm);
	assert_int_equal(timeout, TSS2_TCTI_TIMEOUT_BLOCK);
	assert_non_null(text);
	if (!*text)
		return TSS2_TCTI_RC_IO_ERROR;
	assert_true(*size >= strlen(text) / 2);
	*size = strlen(text) / 2;
	for (size_t i = 0; i < *size; i++) {
		char digits[] = {text[2 * i], text[2 * i + 1], '\0'};

		reply[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return TSS2_RC_SUCCESS;
}

static TSS2_RC ldr_initialize(const char *name, TSS2_TCTI_CONTEXT **ret)
{
	if (strcmp(name, "fake") != 0)
		return TSS2_TCTI_RC_NOT_SUPPORTED;
	tpm.open = true;
	*ret = (TSS2_TCTI_CONTEXT *)&tpm;
	return TSS2_RC_SUCCESS;
}

static void ldr_finalize(TSS2_TCTI_CONTEXT **context)
{
	assert_ptr_equal(*context, &tpm);
	tpm.open = false;
	*context = NULL;
}

static const struct libtss lib = {
	.Tss2_TctiLdr_Initialize = ldr_initialize,
	.Tss2_TctiLdr_Finalize = ldr_finalize,
};
static struct tcti tcti;

static int begin(void **state)
{
	(void)state;
	memset(&tpm, 0, sizeof(tpm));
	tpm.common.version = 1;
	tpm.common.transmit = tpm_transmit;
	tpm.common.receive = tpm_receive;
	return tcti_open(&lib, "fake", &tcti) == TSS2_RC_SUCCESS ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	tcti_close(&lib, &tcti);
	tcti_close(&lib, &tcti);
	return tpm.open ? -1 : 0;
}

/* Runs one command as ESYS does: asks for the size first. The value is what ESYS gets to see. */
static TSS2_RC run(TPM2_CC command, size_t *ret_size)
{
	TSS2_TCTI_CONTEXT *context = (TSS2_TCTI_CONTEXT *)&tcti;
	const uint8_t bytes[] = {
		0x80, 0x01, 0, 0, 0, 10, 0, 0, (uint8_t)(command >> 8), (uint8_t)command};
	uint8_t reply[TCTI_REPLY_MAX];
	TSS2_RC rc;

	assert_int_equal(Tss2_Tcti_Transmit(context, sizeof(bytes), bytes), 0);
	*ret_size = 0;
	rc = Tss2_Tcti_Receive(context, ret_size, NULL, 0);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	assert_int_equal(Tss2_Tcti_Receive(context, ret_size, reply, 0), 0);
	*ret_size = sizeof(reply);
	return Tss2_Tcti_Receive(context, ret_size, reply, 0);
}

static void test_success(void **state)
{
	size_t size;

	(void)state;
	tpm.replies[0] = "80010000000c000000000102";
	assert_int_equal(run(TPM2_CC_GetCapability, &size), TSS2_RC_SUCCESS);
	assert_int_equal(size, 12);
	assert_int_equal(tcti.error, TSS2_RC_SUCCESS);
	assert_int_equal(tcti.n_handles, 0);
	assert_string_equal(tpm.commands, "80010000000a0000017a,");
}

/* ESYS would write about each of these. */
static void test_errors_are_kept(void **state)
{
	static const struct {
		const char *reply;
		TSS2_RC want;
	} errors[] = {
		{"80010000000a0000098e", 0x98e},
		{"80010000000a00000921", TPM2_RC_LOCKOUT},
		{"80010000000a00000100", TPM2_RC_INITIALIZE},
		{"", TSS2_TCTI_RC_IO_ERROR},
		{"80010000", TSS2_TCTI_RC_MALFORMED_RESPONSE},
	};
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		tpm.replies[tpm.next] = errors[i].reply;
		assert_int_equal(run(TPM2_CC_Unseal, &size), TSS2_TCTI_RC_TRY_AGAIN);
		assert_int_equal(tcti.error, errors[i].want);
	}
	/* The next command begins afresh. */
	tpm.replies[tpm.next] = "80010000000a00000000";
	assert_int_equal(run(TPM2_CC_Unseal, &size), TSS2_RC_SUCCESS);
	assert_int_equal(tcti.error, TSS2_RC_SUCCESS);
}

/* As where ESYS runs out of memory between a command and its reply. */
static void test_reply_that_was_not_fetched(void **state)
{
	const uint8_t load[] = {0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x57};
	size_t size;

	(void)state;
	tpm.replies[0] = "80010000000e0000000080000001"; /* of Load */
	tpm.replies[1] = "80010000000a00000000";
	assert_int_equal(Tss2_Tcti_Transmit((TSS2_TCTI_CONTEXT *)&tcti, sizeof(load), load), 0);
	tcti_flush(&tcti);
	assert_int_equal(tpm.next, 2);
	assert_string_equal(tpm.commands, "80010000000a00000157,80010000000e0000016580000001,");

	tcti_flush(&tcti);
	assert_int_equal(tpm.next, 2);
	tpm.replies[2] = "80010000000c000000000102";
	assert_int_equal(run(TPM2_CC_GetCapability, &size), TSS2_RC_SUCCESS);
}

/* ESYS sends these commands again, and must hear of it. */
static void test_retries_pass(void **state)
{
	static const char *const retries[] = {"80010000000a00000922", "80010000000a0000090a",
					      "80010000000a00000908"};
	size_t size;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(retries); i++) {
		tpm.replies[tpm.next] = retries[i];
		assert_int_equal(run(TPM2_CC_Load, &size), TSS2_RC_SUCCESS);
		assert_int_equal(size, 10);
		assert_int_equal(tcti.n_handles, 0);
	}
}

static void open_three(void)
{
	size_t size;

	tpm.replies[0] = "80010000000e0000000080000001";
	assert_int_equal(run(TPM2_CC_CreatePrimary, &size), TSS2_RC_SUCCESS);
	tpm.replies[1] = "80010000000e0000000003000000";
	assert_int_equal(run(TPM2_CC_StartAuthSession, &size), TSS2_RC_SUCCESS);
	tpm.replies[2] = "80010000000e0000000080000002";
	assert_int_equal(run(TPM2_CC_Load, &size), TSS2_RC_SUCCESS);
	assert_int_equal(tcti.n_handles, 3);
	tpm.commands[0] = '\0';
}

#define FLUSH(handle) "80010000000e00000165" handle ","

static void test_flush(void **state)
{
	(void)state;
	open_three();
	for (size_t i = 3; i < 6; i++)
		tpm.replies[i] = "80010000000a00000000";
	tcti_flush_last(&tcti);
	assert_string_equal(tpm.commands, FLUSH("80000002"));
	tcti_flush(&tcti);
	assert_string_equal(tpm.commands, FLUSH("80000002") FLUSH("03000000") FLUSH("80000001"));
	tcti_flush(&tcti);
	tcti_flush_last(&tcti);
	assert_int_equal(tpm.next, 6);
}

static void test_flush_again(void **state)
{
	(void)state;
	open_three();
	tpm.replies[3] = "80010000000a00000922";
	tpm.replies[4] = "80010000000a00000000";
	tpm.replies[5] = "80010000000a00000922";
	tpm.replies[6] = "80010000000a00000922";
	tpm.replies[7] = "";
	tcti_flush(&tcti);
	assert_string_equal(tpm.commands, FLUSH("80000002") FLUSH("80000002") FLUSH("03000000")
						  FLUSH("03000000") FLUSH("80000001"));
	assert_int_equal(tcti.n_handles, 0);
}

static void test_forget_session(void **state)
{
	(void)state;
	open_three();
	tpm.replies[3] = tpm.replies[4] = "80010000000a00000000";
	tcti_forget_session(&tcti);
	tcti_forget_session(&tcti);
	tcti_flush(&tcti);
	assert_string_equal(tpm.commands, FLUSH("80000002") FLUSH("80000001"));
}

/* More than anyone can have open at a time: an endless liar. */
static void test_too_many_handles(void **state)
{
	size_t size;

	(void)state;
	for (size_t i = 0; i <= TCTI_HANDLES_MAX; i++) {
		tpm.next = 0;
		tpm.replies[0] = "80010000000e0000000080000001";
		assert_int_equal(run(TPM2_CC_Load, &size),
				 i < TCTI_HANDLES_MAX ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_TRY_AGAIN);
	}
	assert_int_equal(tcti.error, TSS2_TCTI_RC_MALFORMED_RESPONSE);
	tcti.n_handles = 0;
}

static void test_closed(void **state)
{
	size_t size;

	(void)state;
	tcti.closed = true;
	assert_int_equal(run(TPM2_CC_Unseal, &size), TSS2_TCTI_RC_TRY_AGAIN);
	assert_string_equal(tpm.commands, "");
}

static void test_unknown(void **state)
{
	struct tcti other;

	(void)state;
	assert_int_equal(tcti_open(&lib, "other", &other), TSS2_TCTI_RC_NOT_SUPPORTED);
	tcti_close(&lib, &other);
}

static void test_find(void **state)
{
	char name[TCTI_NAME_MAX], longer[TCTI_NAME_MAX + 1];
	struct lines lines;

	(void)state;
	assert_int_equal(setenv("COTTER_TPM2_TCTI", "swtpm:path=/x", 1), 0);
	assert_int_equal(tcti_find(NULL, NULL, name), 0);
	assert_string_equal(name, "swtpm:path=/x");
	assert_int_equal(tcti_find("mssim", NULL, name), 0);
	assert_string_equal(name, "mssim");
	assert_int_equal(tcti_find("/dev/tpmrm1", NULL, name), 0);
	assert_string_equal(name, "device:/dev/tpmrm1");

	memset(longer, 'x', sizeof(longer));
	longer[TCTI_NAME_MAX] = '\0';
	assert_int_equal(tcti_find(longer, lines_begin(&lines), name), -E2BIG);
	assert_told("too long", &lines, "too long");
	assert_int_equal(unsetenv("COTTER_TPM2_TCTI"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_success),
		TEST(test_errors_are_kept),
		TEST(test_retries_pass),
		TEST(test_flush),
		TEST(test_flush_again),
		TEST(test_forget_session),
		TEST(test_too_many_handles),
		TEST(test_closed),
		TEST(test_unknown),
		TEST(test_find),
		TEST(test_reply_that_was_not_fetched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
