/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding and sealing by pins, jobs at any stage, and what a wait waits for. */
#include "crypto/pin.h"

#include "tests/unit/vectors/fake-pin.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static void test_find(void **state)
{
	static const struct {
		const char *header;
		const struct pin *want;
	} cases[] = {
		{"{\"clevis\":{\"pin\":\"local\"}}", &local_pin},
		{"{\"clevis\":{\"pin\":\"net\",\"net\":{}}}", &net_pin},
		{"{\"clevis\":{\"pin\":\"other\"}}", NULL},
		{"{\"clevis\":{\"pin\":\"\"}}", NULL},
		{"{\"clevis\":{\"pin\":\"loca\"}}", NULL},
		{"{\"clevis\":{\"pin\":1}}", NULL},
		{"{\"clevis\":{}}", NULL},
		{"{\"clevis\":\"local\"}", NULL},
		{"{\"pin\":\"local\"}", NULL},
		{"{}", NULL},
	};
	static const struct pin *const none[] = {NULL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *hdr = json_of(cases[i].header);
		bool unknown = strstr(cases[i].header, "other") != NULL;
		const struct pin *pin = NULL;
		struct lines lines;

		assert_ptr_equal(pin_find(pins, hdr), cases[i].want);
		assert_null(pin_find(none, hdr));
		if (cases[i].want) {
			expect("check", pin_check(pins, hdr, lines_begin(&lines), &pin), 0);
			assert_ptr_equal(pin, cases[i].want);
			assert_told("check", &lines, NULL);
			continue;
		}
		expect_refused(cases[i].header, pin_check(pins, hdr, lines_begin(&lines), &pin));
		assert_null(pin);
		assert_told(cases[i].header, &lines, unknown ? "other" : "pin");
	}
}

static void test_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(pin_by_name(pins, "local"), &local_pin);
	assert_ptr_equal(pin_by_name(pins, "net"), &net_pin);
	assert_null(pin_by_name(pins, "other"));
	assert_null(pin_by_name(pins, ""));
	assert_null(pin_by_name(pins, "netx"));
}

/* What is missing may come; what was refused stays refused. */
static void test_may_pass(void **state)
{
	static const int passing[] = {-EINTR,       -ENODEV,       -ETIMEDOUT,
				      -ENETUNREACH, -EHOSTUNREACH, -ECONNREFUSED};
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(passing); i++)
		assert_true(pin_may_pass(passing[i]));
	for (int e = -200; e <= 200; e++)
		n += pin_may_pass(e);
	assert_int_equal(n, ARRAY_SIZE(passing));
}

/* From a text, of which the job keeps what it needs; what is no JWE is said by the job. */
static void test_job_of_text(void **state)
{
	char *text = NULL;

	(void)state;
	assert_int_equal(seal("local"), 0);
	assert_int_equal(jwe_to_compact(&run.jwe, &text), 0);
	job_init_text(&run.job, &run.cot, ref_str(text));
	memset(text, 'x', strlen(text));
	free(text);
	assert_int_equal(run.job.result, -EINPROGRESS);
	assert_ptr_equal(run.job.pin, &local_pin);
	assert_int_equal(recover(), 0);
	assert_null(run.job.state);
	assert_null(run.job.jwe);
	job_done(&run.job);

	job_init_text(&run.job, &run.cot, ref_str("rubbish"));
	assert_int_equal(run.job.result, -EBADMSG);
	assert_string_equal(run.job.why, "its JWE is malformed");
	assert_null(run.job.pin);
	assert_null(run.job.state);
}

/* Stopped on its way: what is to be said stays, and it is let go once. */
static void test_job_stop(void **state)
{
	(void)state;
	fake.steps = 2;
	prepare("net");
	run.cot.network = true;
	assert_int_equal(job_step(&run.cot, &run.job, &run.plain), -EINPROGRESS);
	job_stop(&run.job);
	assert_int_equal(fake.releases, 1);
	assert_int_equal(run.job.result, -EINPROGRESS);
	assert_ptr_equal(run.job.pin, &net_pin);
	assert_true(run.job.ended_us >= run.job.began_us && run.job.began_us > 0);
	job_stop(&run.job);
	assert_int_equal(fake.releases, 1);
}

static void test_check_errors(void **state)
{
	/* provokes: pin_check -E2BIG */
	static const int errors[] = {-EBADMSG, -EOPNOTSUPP, -E2BIG};
	CLEANUP_JSON json_t *unknown = json_of("{\"clevis\":{\"pin\":\"other\"}}");
	CLEANUP_JSON json_t *known = json_of("{\"clevis\":{\"pin\":\"net\"}}");
	CLEANUP_JSON json_t *none = json_of("{}");
	const struct pin *pin = NULL;

	(void)state;
	assert_int_equal(pin_check(pins, unknown, NULL, &pin), -EOPNOTSUPP);
	assert_int_equal(pin_check(pins, none, NULL, &pin), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct lines lines;

		fake.check = errors[i];
		assert_int_equal(pin_check(pins, known, lines_begin(&lines), &pin), errors[i]);
		assert_told("check", &lines, "the fake header is bad");
	}
	assert_null(pin);
}

static void test_wake_times(void **state)
{
	static const struct {
		uint64_t deadline, wake[3], until; /* wake 0: not asked for */
	} cases[] = {
		{1000, {0, 0, 0}, 1000},     {1000, {500, 0, 0}, 500},
		{1000, {2000, 0, 0}, 1000},  {1000, {700, 300, 0}, 300},
		{1000, {300, 700, 0}, 300},  {1000, {900, 100, 500}, 100},
		{1000, {2000, 500, 0}, 500}, {1000, {1000, 0, 0}, 1000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run.cot.waiter = &waiter.waiter;
		run.cot.deadline_us = cases[i].deadline;
		for (size_t j = 0; j < 3 && cases[i].wake[j] != 0; j++)
			cot_wake_at(&run.cot, cases[i].wake[j]);
		assert_int_equal(cot_wait(&run.cot), 0);
		assert_int_equal(waiter.until_us, cases[i].until);

		/* a wish is good for one wait */
		assert_int_equal(cot_wait(&run.cot), 0);
		assert_int_equal(waiter.until_us, cases[i].deadline);
	}
	waiter.result = -EINTR;
	assert_int_equal(cot_wait(&run.cot), -EINTR);
}

static void test_sleep_without_waiter(void **state)
{
	uint64_t began = now_us();

	(void)state;
	cot_wake_at(&run.cot, began + 5 * USEC_PER_MSEC);
	assert_int_equal(cot_wait(&run.cot), 0);
	assert_true(now_us() >= began + 5 * USEC_PER_MSEC);
	assert_true(now_us() < run.cot.deadline_us);

	cot_wake_at(&run.cot, 1); /* long past */
	assert_int_equal(cot_wait(&run.cot), 0);
	assert_true(now_us() < run.cot.deadline_us);
}

static void test_alarm_without_waiter(void **state)
{
	struct pollfd alarm = {.events = POLLIN};
	int pipe[2];

	(void)state;
	assert_int_equal(pipe2(pipe, O_CLOEXEC), 0);
	assert_int_equal(write(pipe[1], "", 1), 1);
	alarm.fd = pipe[0];
	run.cot.alarm = &alarm;
	run.cot.deadline_us = UINT64_MAX;
	assert_int_equal(cot_wait(&run.cot), 0);
	assert_int_equal(alarm.revents, 0); /* it is whoever gave it that looks */
	assert_int_equal(close(pipe[0]), 0);
	assert_int_equal(close(pipe[1]), 0);
}

static void test_cot_done(void **state)
{
	struct cot zeroed = {0};

	(void)state;
	cot_done(&zeroed);
	run.cot.waiter = &waiter.waiter;
	cot_done(&run.cot);
	cot_done(&run.cot);
	assert_int_equal(waiter.releases, 1);
	assert_null(run.cot.waiter);
}

static void test_job_init_fails(void **state)
{
	static const struct {
		const char *clevis;
		int check, want;
		const char *why;
	} cases[] = {
		{"{\"pin\":\"other\"}", 0, -EOPNOTSUPP, "other"},
		{"{}", 0, -EBADMSG, "pin"},
		{"{\"pin\":\"net\"}", -EBADMSG, -EBADMSG, "the fake header is bad"},
		{"{\"pin\":\"net\"}", -EOPNOTSUPP, -EOPNOTSUPP, "the fake header is bad"},
		{"{\"pin\":\"net\"}", -E2BIG, -E2BIG, "the fake header is bad"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)begin(NULL);
		assert_int_equal(seal("net"), 0);
		json_object_set_new(run.jwe.hdr, "clevis", json_of(cases[i].clevis));
		fake.check = cases[i].check;
		expect(cases[i].clevis, job_init(&run.job, &run.cot, &run.jwe), cases[i].want);
		assert_int_equal(run.job.result, cases[i].want);
		assert_non_null(strstr(run.job.why, cases[i].why));
		(void)end(NULL);
		assert_int_equal(fake.releases, 0); /* it never had a state */
	}
}

static void test_job_done_half_made(void **state)
{
	struct job zeroed = {0};

	(void)state;
	job_done(&zeroed);

	prepare("net");
	job_done(&run.job); /* never stepped */
	assert_int_equal(fake.releases, 1);
	job_done(&run.job);
	assert_int_equal(fake.releases, 1);

	assert_int_equal(job_init(&run.job, &run.cot, &run.jwe), 0);
	run.cot.network = false;
	assert_int_equal(job_step(&run.cot, &run.job, &run.plain), -EINPROGRESS);
	assert_int_equal(run.job.result, -EINPROGRESS);
	job_done(&run.job); /* under way */
	assert_int_equal(fake.releases, 2);
}

static void test_without_log(void **state)
{
	(void)state;
	run.cot.log = NULL;
	fake.result = -EPROTO;
	prepare("net");
	assert_int_equal(recover(), -EPROTO);
	assert_string_equal(run.job.why, "the fake pin failed with -71");
	assert_int_equal(pin_seal(&run.cot, "other", NULL, ref_str("x"), &run.jwe), -EOPNOTSUPP);
}

static void test_seal(void **state)
{
	(void)state;
	for (size_t i = 0; pins[i]; i++) {
		const json_t *clevis;

		(void)begin(NULL);
		prepare(pins[i]->name);
		clevis = json_object_get(run.jwe.hdr, "clevis");
		assert_string_equal(js_str(clevis, "pin"), pins[i]->name);
		assert_string_equal(js_str(json_object_get(clevis, "cfg"), "url"), "x");
		assert_told("sealing", &run.lines, NULL);
		assert_int_equal(recover(), 0);
		(void)end(NULL);
	}
}

/* Each failure is told once, also where the pin itself is at fault and says nothing. */
static void test_seal_fails(void **state)
{
	/* provokes: pin_seal -EINVAL -ENOENT */
	static const struct {
		const char *pin;
		struct fake fake;
		int want; /* 1: any error */
		const char *told;
	} cases[] = {
		{"other", {.key_size = 32}, -EOPNOTSUPP, "other"},
		{"", {.key_size = 32}, -EOPNOTSUPP, ""},
		{"net", {.key_size = 32, .encrypt = -EINVAL}, -EINVAL, "does not seal"},
		{"net", {.key_size = 32, .encrypt = -ENOENT}, -ENOENT, "does not seal"},
		{"net", {.key_size = 32, .encrypt = -EKEYREJECTED}, -EKEYREJECTED, "does not seal"},
		{"net", {.key_size = 32, .encrypt = -ECONNREFUSED}, -ECONNREFUSED, "does not seal"},
		{"net", {.key_size = 32, .check = -EBADMSG}, -EBADMSG, "header is bad"},
		{"net", {.key_size = 32, .check = -E2BIG}, -E2BIG, "header is bad"},
		{"net", {.key_size = 16}, 1, ""},
		{"net", {.key_size = 32, .no_alg = true}, 1, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r;

		(void)begin(NULL);
		fake = cases[i].fake;
		memset(&run.jwe, UNTOUCHED, sizeof(run.jwe));
		r = seal(cases[i].pin);
		if (cases[i].want < 0)
			expect(cases[i].pin, r, cases[i].want);
		assert_true(r < 0);
		assert_untouched(cases[i].pin, &run.jwe, sizeof(run.jwe));
		memset(&run.jwe, 0, sizeof(run.jwe));
		assert_told(cases[i].pin, &run.lines, cases[i].told);
		(void)end(NULL);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, begin, end),
		cmocka_unit_test_setup_teardown(test_by_name, begin, end),
		cmocka_unit_test_setup_teardown(test_may_pass, begin, end),
		cmocka_unit_test_setup_teardown(test_job_of_text, begin, end),
		cmocka_unit_test_setup_teardown(test_job_stop, begin, end),
		cmocka_unit_test_setup_teardown(test_check_errors, begin, end),
		cmocka_unit_test_setup_teardown(test_wake_times, begin, end),
		cmocka_unit_test_setup_teardown(test_sleep_without_waiter, begin, end),
		cmocka_unit_test_setup_teardown(test_alarm_without_waiter, begin, end),
		cmocka_unit_test_setup_teardown(test_cot_done, begin, end),
		cmocka_unit_test_setup_teardown(test_job_init_fails, begin, end),
		cmocka_unit_test_setup_teardown(test_job_done_half_made, begin, end),
		cmocka_unit_test_setup_teardown(test_without_log, begin, end),
		cmocka_unit_test_setup_teardown(test_seal, begin, end),
		cmocka_unit_test_setup_teardown(test_seal_fails, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
