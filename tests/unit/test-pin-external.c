/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pins of others: what their programs are told, and what becomes of what they answer. */
#include "enroll/clevis/pin-external.h"

#include "enroll/clevis/null.h"
#include "enroll/clevis/trust.h"
#include "tests/unit/lines.h"
#include "tests/unit/programs.h"

#include <signal.h>

static const struct pin *const some_pins[] = {&pin_null, &pin_external, NULL};

/* {"alg":"dir","enc":"A256GCM","clevis":{"pin":"mask","mask":{}}} */
#define HEADER \
	"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwiY2xldmlzIjp7InBpbiI6Im1hc2siLCJtYXNrIjp7fX19"
#define ZEROS_IV  "AAAAAAAAAAAAAAAA"
#define ZEROS_TAG "AAAAAAAAAAAAAAAAAAAAAA"

static int begin(void **state)
{
	(void)state;
	programs_begin();
	(void)signal(SIGPIPE, SIG_IGN);
	/* It masks nothing: the ciphertext is the plaintext. Its arguments are kept. */
	programs_add("encrypt-mask",
		     "echo \"$@\" >\"${0%/*}/clevis-arguments\"; printf '" HEADER ".." ZEROS_IV
		     ".%s." ZEROS_TAG "\\n' \"$(base64 -w0 | tr +/ -_ | tr -d =)\"",
		     0700);
	programs_add("decrypt-mask",
		     "t=$(cut -d. -f4 | tr -- -_ +/); while [ $((${#t} % 4)) != 0 ]; do t=$t=; "
		     "done; printf %s \"$t\" | base64 -d",
		     0700);
	programs_add("encrypt-fails", "cat >/dev/null; exit 1", 0700);
	programs_add("encrypt-garbage", "echo garbage", 0700);
	programs_add("encrypt-null", "exit 1", 0700);
	return 0;
}

static int end(void **state)
{
	(void)state;
	programs_end();
	return 0;
}

static void begin_cot(struct cot *cot, const struct log *log)
{
	*cot = (struct cot){
		.pins = some_pins,
		.log = log,
		.deadline_us = now_us() + 20 * (uint64_t)USEC_PER_SEC,
		.confirm = trust_ask,
	};
}

static void test_names(void **state)
{
	(void)state;
	assert_ptr_equal(pin_by_name(some_pins, "mask"), &pin_external);
	assert_ptr_equal(pin_by_name(some_pins, "fails"), &pin_external);
	assert_ptr_equal(pin_by_name(some_pins, "null"), &pin_null);
	assert_null(pin_by_name(some_pins, "none"));
	assert_null(pin_by_name(some_pins, "../mask"));
}

static void assert_arguments(const char *want)
{
	char path[128], text[64] = "";
	FILE *f;

	programs_path("arguments", path, sizeof(path));
	f = fopen(path, "re");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	(void)fclose(f);
	assert_string_equal(text, want);
}

static void test_seal_and_open(void **state)
{
	CLEANUP_JSON json_t *config = json_of("{\"b\": 1, \"a\": \"x y\"}");
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(job_done) struct job job = {0};
	CLEANUP(buf_done) struct buf secret = {0};
	struct lines lines;
	struct cot cot;

	(void)state;
	begin_cot(&cot, lines_begin(&lines));
	assert_int_equal(pin_seal(&cot, "mask", config, ref_str("a secret"), &jwe), 0);
	assert_arguments("{\"a\":\"x y\",\"b\":1}\n");
	assert_int_equal(job_init(&job, &cot, &jwe), 0);
	assert_int_equal(pin_recover(&cot, &job, &secret), 0);
	assert_true(ref_is(buf_ref(&secret), "a secret"));
	assert_told("all", &lines, NULL);

	/* What it asks for trust, it is told not to. */
	jwe_done(&jwe);
	cot.confirm = trust_all;
	assert_int_equal(pin_seal(&cot, "mask", config, ref_str("a secret"), &jwe), 0);
	assert_arguments("{\"a\":\"x y\",\"b\":1} -y\n");
}

static void test_seal_fails(void **state)
{
	static const struct {
		const char *pin;
		int want;
		const char *words;
	} cases[] = {
		{"fails", -EIO, "clevis-encrypt-fails failed"},
		{"garbage", -EBADMSG, "clevis-encrypt-garbage wrote a JWE that"},
		{"none", -EOPNOTSUPP, "none"},
	};
	CLEANUP_JSON json_t *config = json_object();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct jwe jwe = {0};
		struct lines lines;
		struct cot cot;

		begin_cot(&cot, lines_begin(&lines));
		expect(cases[i].pin,
		       pin_seal(&cot, cases[i].pin, config, ref_str("a secret"), &jwe),
		       cases[i].want);
		assert_null(jwe.hdr);
		assert_told(cases[i].pin, &lines, cases[i].words);
	}
}

#define JWE HEADER ".." ZEROS_IV ".AAAA." ZEROS_TAG

/* Prepares to have `body` decrypt, as the pin's program. */
static void prepare(const char *body, struct cot *cot, struct job *job)
{
	programs_add("decrypt-mask", body, 0700);
	begin_cot(cot, NULL);
	job_init_text(job, cot, ref_str(JWE));
	assert_int_equal(job->result, -EINPROGRESS);
}

static void test_open_fails(void **state)
{
	static const struct {
		const char *body;
		int want;
	} cases[] = {{"cat; exit 1", -EIO}, {"cat /dev/zero", -E2BIG}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(job_done) struct job job = {0};
		CLEANUP(buf_done) struct buf secret = {0};
		struct cot cot;

		prepare(cases[i].body, &cot, &job);
		expect(cases[i].body, pin_recover(&cot, &job, &secret), cases[i].want);
		assert_string_equal(job.why, "mask: clevis-decrypt-mask failed");
		assert_null(secret.p);
	}
}

/* A person who is asked has minutes, whatever the deadline, but not without end. */
static void test_patience(void **state)
{
	CLEANUP(job_done) struct job job = {0};
	CLEANUP(buf_done) struct buf secret = {0};
	uint64_t before_us;
	struct cot cot;

	(void)state;
	prepare("exec sleep 1000", &cot, &job);
	before_us = cot.deadline_us;
	assert_int_equal(job_step(&cot, &job, &secret), -EINPROGRESS);
	assert_int_equal(cot.deadline_us, before_us); /* others come first */
	cot.network = true;
	assert_int_equal(job_step(&cot, &job, &secret), -EINPROGRESS);
	assert_int_equal(cot.deadline_us, before_us + 300ull * USEC_PER_SEC);

	cot.deadline_us = now_us();
	assert_int_equal(job_step(&cot, &job, &secret), -ETIMEDOUT);
	assert_string_equal(job.why, "mask: no result in time");
	job_done(&job);

	/* Where it is not needed any more. */
	prepare("exec sleep 1000", &cot, &job);
	before_us = cot.deadline_us;
	cot.network = true;
	assert_int_equal(job_step(&cot, &job, &secret), -EINPROGRESS);
	job_stop(&job);
	assert_int_equal(cot.deadline_us, before_us);
}

static void test_no_program(void **state)
{
	CLEANUP(job_done) struct job job = {0};
	char path[128];
	struct cot cot;

	(void)state;
	programs_path("decrypt-mask", path, sizeof(path));
	assert_int_equal(unlink(path), 0);
	begin_cot(&cot, NULL);
	job_init_text(&job, &cot, ref_str(JWE));
	assert_int_equal(job.result, -EOPNOTSUPP);
	assert_non_null(strstr(job.why, "clevis-decrypt-mask"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),      cmocka_unit_test(test_seal_and_open),
		cmocka_unit_test(test_seal_fails), cmocka_unit_test(test_open_fails),
		cmocka_unit_test(test_patience),   cmocka_unit_test(test_no_program),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
