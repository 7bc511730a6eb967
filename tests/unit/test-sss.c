/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recovery of whole trees: which sets of leaves open them, what is asked, and what becomes of each. */
#include "sss/sss.h"

#include "sss/shamir.h"
#include "tests/unit/leaf.h"

#define SECRET "the secret of the tree"

/* One tree and one recovery of it. */
static struct run {
	json_t *config;
	struct jwe jwe;
	struct lines lines;
	struct cot cot;
	struct job job;
	struct buf plain;
	bool survey;
	int r;
} run;

static int end(void **state)
{
	(void)state;
	job_done(&run.job);
	cot_done(&run.cot);
	buf_done(&run.plain);
	jwe_done(&run.jwe);
	json_decref(run.config);
	memset(&run, 0, sizeof(run));
	memset(leaves, 0, sizeof(leaves));
	leaf_sends = 0;
	return 0;
}

static void plant(const char *config)
{
	(void)end(NULL);
	run.config = json_of(config);
	run.jwe = leaf_seal(config, SECRET);
}

/* Recovers with the leaves as they are set now. */
static int recover(const char *user_pin)
{
	job_done(&run.job);
	buf_done(&run.plain);
	for (size_t i = 0; i < LEAVES_MAX; i++) {
		leaves[i].sent = false;
		leaves[i].calls = leaves[i].releases = 0;
	}
	leaf_sends = 0;
	run.cot = (struct cot){
		.pins = leaf_pins,
		.log = lines_begin(&run.lines),
		.deadline_us = now_us() + 10 * (uint64_t)USEC_PER_SEC,
		.user_pin = user_pin ? ref_str(user_pin) : (struct ref){0},
		.survey = run.survey,
	};
	run.r = job_init(&run.job, &run.cot, &run.jwe);
	if (run.r == 0)
		run.r = pin_recover(&run.cot, &run.job, &run.plain);
	if (run.r == 0)
		assert_ref_is(buf_ref(&run.plain), SECRET);
	assert_int_equal(run.cot.depth, 0);
	return run.r;
}

/* The parts of a configuration, in the order of their shares. */
static size_t parts(const json_t *config, const json_t *part[LEAVES_MAX],
		    const char *pin[LEAVES_MAX])
{
	const json_t *value, *item;
	const char *name;
	size_t n = 0, i;

	json_object_foreach(json_object_get(config, "pins"), name, value) {
		json_t *list = json_is_array(value) ? json_incref((json_t *)(uintptr_t)value)
						    : json_pack("[O]", value);

		json_array_foreach(list, i, item) {
			part[n] = item;
			pin[n++] = name;
		}
		json_decref(list);
	}
	return n;
}

static unsigned number_of(const json_t *leaf)
{
	return (unsigned)json_integer_value(json_object_get(leaf, "n"));
}

/* What the policy says of a set of leaves. */
static bool holds(const json_t *config, uint64_t set)
{
	const json_t *part[LEAVES_MAX];
	const char *pin[LEAVES_MAX];
	size_t n = parts(config, part, pin);
	const json_t *t = json_object_get(config, "t");
	json_int_t good = 0;

	for (size_t i = 0; i < n; i++)
		good += strcmp(pin[i], "sss") == 0 ? holds(part[i], set)
						   : (set >> number_of(part[i]) & 1) != 0;
	return good >= (t ? json_integer_value(t) : 1);
}

/* Calls `visit` for the job of each leaf, and for each node with leaf UINT_MAX. */
static void walk(const json_t *config, const struct job *job,
		 void (*visit)(const struct job *job, unsigned leaf))
{
	const json_t *part[LEAVES_MAX];
	const char *pin[LEAVES_MAX];
	size_t n = parts(config, part, pin);

	visit(job, UINT32_MAX);
	if (job->n_children == 0)
		return; /* it never began */
	assert_int_equal(job->n_children, n);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(job->children[i].pin->name, pin[i]);
		if (strcmp(pin[i], "sss") == 0)
			walk(part[i], &job->children[i], visit);
		else
			visit(&job->children[i], number_of(part[i]));
	}
}

static uint64_t found_good, found_open, found_failed, found_passing, found_asking;

static void sort_job(const struct job *job, unsigned leaf)
{
	uint64_t bit = leaf == UINT32_MAX ? 0 : UINT64_C(1) << leaf;

	assert_null(job->state);
	assert_null(job->jwe);
	assert_true(job->began_us <= job->ended_us);
	assert_int_equal(job->began_us == 0, job->ended_us == 0);
	if (job->result == 0)
		found_good |= bit;
	else if (job->result == -EINPROGRESS)
		found_open |= bit;
	else if (job->result == -ENOANO)
		found_asking |= bit;
	else if (pin_may_pass(job->result))
		found_passing |= bit;
	else
		found_failed |= bit;
	if (job->result < 0 && job->result != -EINPROGRESS)
		assert_string_not_equal(job->why, "");
	if (job->result == 0)
		assert_true(job->began_us > 0);
}

static void sort_jobs(void)
{
	found_good = found_open = found_failed = found_passing = found_asking = 0;
	walk(run.config, &run.job, sort_job);
}

/* The kinds of faults that a leaf can have; those that pass come first. */
static const int faults[] = {-ECONNREFUSED, -ENODEV, -ETIMEDOUT, -EKEYREJECTED, -EPROTO, -EBADMSG};

enum { PASSING = 3 };

static void set_leaf(unsigned n, bool up, unsigned fault, unsigned steps)
{
	leaves[n] = (struct leaf){.steps = steps};
	if (up)
		return;
	leaves[n].result = faults[fault];
	if (faults[fault] == -EBADMSG) {
		leaves[n].result = 0;
		leaves[n].wrong_key = true;
	}
}

/* After a run with the leaves of `up` in order and the others not. */
static void check_outcome(const char *what, uint64_t up, uint64_t all)
{
	bool opens = holds(run.config, up);

	sort_jobs();
	if (opens != (run.r == 0))
		fail_msg("%s: with the leaves %#jx it ended with %d (%s)", what, (uintmax_t)up,
			 run.r, run.job.why);
	assert_int_equal(found_good & ~up, 0);
	assert_int_equal((found_failed | found_passing) & up, 0);
	assert_int_equal(found_asking, 0);
	assert_int_equal(opens && !holds(run.config, found_good), 0);

	/* a leaf that was waited for no longer was not worth the wait */
	if (!opens)
		assert_false(holds(run.config, found_good | (found_open & up)));
	if (!opens && pin_may_pass(run.r) != holds(run.config, all & ~found_failed))
		fail_msg("%s: with %#jx up and %#jx failing for good it ended with %d", what,
			 (uintmax_t)up, (uintmax_t)found_failed, run.r);
	for (size_t i = 0; i < LEAVES_MAX; i++)
		assert_true(leaves[i].releases == (leaves[i].calls > 0 ? 1 : leaves[i].releases));
}

static const struct {
	const char *config;
	unsigned n, locals; /* of the leaves, the locals being the first */
} trees[] = {
	{"{\"t\":1,\"pins\":{\"near\":{\"n\":0}}}", 1, 1},
	{"{\"t\":2,\"pins\":{\"near\":{\"n\":0},\"far\":{\"n\":1}}}", 2, 1},
	{"{\"pins\":{\"far\":[{\"n\":1},{\"n\":2},{\"n\":3}],\"near\":{\"n\":0}}}", 4, 1},
	{"{\"t\":2,\"pins\":{\"far\":[{\"n\":0},{\"n\":1},{\"n\":2}]}}", 3, 0},
	{"{\"t\":3,\"pins\":{\"far\":[{\"n\":1},{\"n\":2},{\"n\":3},{\"n\":4},{\"n\":5}],"
	 "\"near\":{\"n\":0}}}",
	 6, 1},
	{"{\"t\":2,\"pins\":{\"near\":{\"n\":0},\"far\":{\"n\":3},\"sss\":[{\"t\":1,\"pins\":"
	 "{\"near\":{\"n\":1},\"far\":{\"n\":4}}},{\"t\":2,\"pins\":{\"near\":{\"n\":2},"
	 "\"far\":{\"n\":5}}}]}}",
	 6, 3},
	{"{\"t\":2,\"pins\":{\"sss\":[{\"t\":2,\"pins\":{\"far\":{\"n\":1},\"sss\":{\"t\":1,"
	 "\"pins\":{\"far\":{\"n\":2},\"sss\":{\"t\":2,\"pins\":{\"far\":[{\"n\":3},{\"n\":4}]}}}}}},"
	 "{\"t\":1,\"pins\":{\"near\":{\"n\":0},\"far\":{\"n\":5}}}]}}",
	 6, 1},
	{"{\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"sss\":{\"t\":1,"
	 "\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"sss\":{\"t\":1,"
	 "\"pins\":{\"far\":{\"n\":0}}}}}}}}}}}}}}}",
	 1, 0},
};

/* Every set of leaves in order, with each kind of fault for the others, and leaves that take a while. */
static void test_all_subsets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		plant(trees[i].config);
		for (uint64_t up = 0; up < 1U << trees[i].n; up++)
			for (unsigned variant = 0; variant < 12; variant++) {
				for (unsigned n = 0; n < trees[i].n; n++)
					set_leaf(n, up >> n & 1, (variant + n * (variant / 6)) % 6,
						 variant / 3 * n % 4);
				(void)recover(NULL);
				check_outcome(trees[i].config, up, (UINT64_C(1) << trees[i].n) - 1);
			}
	}
}

/* Where the local leaves suffice, nothing is sent; where they do not, all is sent at once. */
static void test_no_packet_where_local_leaves_suffice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		plant(trees[i].config);
		for (uint64_t up = 0; up < 1U << trees[i].locals; up++) {
			for (unsigned n = 0; n < trees[i].n; n++)
				set_leaf(n, n >= trees[i].locals || up >> n & 1, 3, 0);
			assert_int_equal(recover(NULL) == 0,
					 holds(run.config, up | ~UINT64_C(0) << trees[i].locals));
			if (holds(run.config, up))
				assert_int_equal(leaf_sends, 0);
			else if (run.r == 0)
				assert_true(leaf_sends > 0);
		}
	}
}

/* Each leaf comes to its own end, whatever the others did; the policy holds where it would have. */
static void test_survey(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		plant(trees[i].config);
		run.survey = true;
		for (uint64_t up = 0; up < 1U << trees[i].n; up++)
			for (unsigned variant = 0; variant < 12; variant++) {
				for (unsigned n = 0; n < trees[i].n; n++)
					set_leaf(n, up >> n & 1, (variant + n * (variant / 6)) % 6,
						 variant / 3 * n % 4);
				(void)recover(NULL);
				check_outcome(trees[i].config, up, (UINT64_C(1) << trees[i].n) - 1);
				assert_int_equal(found_good, up);
				assert_int_equal(found_open, 0);
			}
	}
}

/* What is asked beyond the threshold does not outlast the deadline. */
static void test_survey_deadline(void **state)
{
	(void)state;
	plant("{\"t\":1,\"pins\":{\"near\":{\"n\":0},\"sss\":{\"t\":1,\"pins\":{\"far\":[{\"n\":1},"
	      "{\"n\":2}]}}}}");
	set_leaf(1, true, 0, UINT32_MAX);
	set_leaf(2, true, 0, 1);
	run.cot = (struct cot){.pins = leaf_pins,
			       .log = lines_begin(&run.lines),
			       .survey = true,
			       .deadline_us = now_us() + 20 * USEC_PER_MSEC};
	assert_int_equal(job_init(&run.job, &run.cot, &run.jwe), 0);
	assert_int_equal(pin_recover(&run.cot, &run.job, &run.plain), 0);
	assert_true(now_us() >= run.cot.deadline_us);
	sort_jobs();
	assert_int_equal(found_good, 1 << 0 | 1 << 2);
	assert_int_equal(found_passing, 1 << 1);
	assert_int_equal(run.job.children[1].result, 0);
}

static struct {
	struct waiter waiter;
	unsigned sends; /* before the first wait */
	unsigned waits;
} spy;

static int spy_wait(struct waiter *waiter, const struct pollfd *alarm, uint64_t until_us)
{
	assert_ptr_equal(waiter, &spy.waiter);
	assert_null(alarm);
	(void)until_us;
	if (spy.waits++ == 0)
		spy.sends = leaf_sends;
	return 0;
}

static void spy_release(struct waiter *waiter)
{
	(void)waiter;
}

static void test_all_levels_send_together(void **state)
{
	(void)state;
	plant("{\"t\":2,\"pins\":{\"far\":{\"n\":0},\"sss\":[{\"t\":2,\"pins\":{\"far\":[{\"n\":1},"
	      "{\"n\":2}]}},{\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"far\":{\"n\":3}}}}}]}}");
	for (unsigned n = 0; n < 4; n++)
		leaves[n].steps = 3;
	memset(&spy, 0, sizeof(spy));
	spy.waiter = (struct waiter){spy_wait, spy_release};
	run.cot = (struct cot){.pins = leaf_pins,
			       .waiter = &spy.waiter,
			       .deadline_us = now_us() + 10 * (uint64_t)USEC_PER_SEC};
	assert_int_equal(job_init(&run.job, &run.cot, &run.jwe), 0);
	assert_int_equal(pin_recover(&run.cot, &run.job, &run.plain), 0);
	assert_int_equal(spy.sends, 4);
	assert_int_equal(spy.waits, 3);
}

static int spy_on_release(struct waiter *waiter, const struct pollfd *alarm, uint64_t until_us)
{
	(void)alarm;
	(void)until_us;
	assert_ptr_equal(waiter, &spy.waiter);
	assert_int_equal(leaves[1].releases, spy.waits++ == 0 ? 0 : 1);
	return 0;
}

/* A part that has come to its end lets go of its leaves while the others go on. */
static void test_parts_let_go_early(void **state)
{
	(void)state;
	plant("{\"t\":1,\"pins\":{\"sss\":[{\"t\":2,\"pins\":{\"far\":[{\"n\":0},{\"n\":1}]}},"
	      "{\"t\":2,\"pins\":{\"far\":[{\"n\":2},{\"n\":3}],\"sss\":{\"t\":1,\"pins\":{"
	      "\"far\":[{\"n\":4},{\"n\":5}]}}}}]}}");
	set_leaf(0, false, 3, 1);
	for (unsigned n = 1; n < 6; n++)
		set_leaf(n, true, 0, n == 1 ? UINT32_MAX : 4);
	memset(&spy, 0, sizeof(spy));
	spy.waiter = (struct waiter){spy_on_release, spy_release};
	run.cot = (struct cot){.pins = leaf_pins,
			       .waiter = &spy.waiter,
			       .deadline_us = now_us() + 10 * (uint64_t)USEC_PER_SEC};
	assert_int_equal(job_init(&run.job, &run.cot, &run.jwe), 0);
	assert_int_equal(pin_recover(&run.cot, &run.job, &run.plain), 0);
	assert_true(spy.waits > 2);
}

/* Those that are not needed any more are let go at once, in the middle of what they do. */
static void test_first_ones_win(void **state)
{
	(void)state;
	plant("{\"t\":2,\"pins\":{\"far\":[{\"n\":0},{\"n\":1},{\"n\":2},{\"n\":3}]}}");
	for (unsigned slow = 0; slow < 4; slow++) {
		for (unsigned n = 0; n < 4; n++)
			set_leaf(n, true, 0, n == slow || n == (slow + 1) % 4 ? UINT32_MAX : 2);
		assert_int_equal(recover(NULL), 0);
		sort_jobs();
		assert_int_equal(found_open, 1U << slow | 1U << (slow + 1) % 4);
		for (unsigned n = 0; n < 4; n++)
			assert_int_equal(leaves[n].releases, 1);
		assert_int_equal(leaf_sends, 4);
	}
}

/* A failure that is certain is not delayed by those who could not change it. */
static void test_fails_at_once(void **state)
{
	uint64_t began;

	(void)state;
	plant("{\"t\":2,\"pins\":{\"near\":{\"n\":0},\"sss\":{\"t\":2,\"pins\":{\"far\":[{\"n\":1},"
	      "{\"n\":2},{\"n\":3}]}}}}");
	for (unsigned n = 1; n < 4; n++)
		set_leaf(n, n > 2, 3, n > 2 ? UINT32_MAX : 1);
	began = now_us();
	assert_int_equal(recover(NULL), -EKEYREJECTED);
	assert_true(now_us() < began + 5 * (uint64_t)USEC_PER_SEC);
	sort_jobs();
	assert_int_equal(found_failed, 1 << 1 | 1 << 2);
	assert_int_equal(found_open, 1 << 3);
	assert_string_equal(run.job.why, "sss: 1 of 2 needed parts was recovered");
	assert_string_equal(run.job.children[1].why, "sss: 0 of 2 needed parts were recovered");

	/* nor is the network asked where it could not help */
	set_leaf(0, false, 3, 0);
	assert_int_equal(recover(NULL), -EKEYREJECTED);
	assert_int_equal(leaf_sends, 0);
}

static void test_deadline(void **state)
{
	(void)state;
	plant("{\"t\":2,\"pins\":{\"near\":{\"n\":0},\"far\":[{\"n\":1},{\"n\":2}]}}");
	set_leaf(1, true, 0, UINT32_MAX);
	set_leaf(2, true, 0, UINT32_MAX);
	run.cot = (struct cot){.pins = leaf_pins,
			       .log = lines_begin(&run.lines),
			       .deadline_us = now_us() + 20 * USEC_PER_MSEC};
	assert_int_equal(job_init(&run.job, &run.cot, &run.jwe), 0);
	assert_int_equal(pin_recover(&run.cot, &run.job, &run.plain), -ETIMEDOUT);
	assert_true(now_us() >= run.cot.deadline_us);
	sort_jobs();
	assert_int_equal(found_good, 1 << 0);
	assert_int_equal(found_passing, 1 << 1 | 1 << 2);
}

/* A PIN is asked for where it alone is missing, and only after all else was tried. */
static void test_pin_is_wanted(void **state)
{
	static const struct {
		unsigned t;
		const char *leaves; /* of asks, near and far: '+' in order, '-' not, '~' not now */
		int want;
	} cases[] = {
		{1, "+--", -ENOANO},
		{2, "++-", -ENOANO},
		{2, "+-+", -ENOANO},
		{3, "+++", -ENOANO},
		{1, "-++", 0},
		{1, "+-+", 0},
		{2, "+++", 0},
		{2, "+--", -EKEYREJECTED},
		{2, "+~-", -ENODEV},
		{3, "++~", -ENODEV},
		{3, "++-", -EKEYREJECTED},
		{1, "---", -EKEYREJECTED},
		{3, "-~+", -EKEYREJECTED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char config[256];

		(void)snprintf(config, sizeof(config),
			       "{\"t\":%u,\"pins\":{\"asks\":{\"n\":0},\"sss\":{\"pins\":{\"sss\":{"
			       "\"pins\":{\"near\":{\"n\":1}}}}},\"far\":{\"n\":2}}}",
			       cases[i].t);
		plant(config);
		for (unsigned n = 0; n < 3; n++)
			set_leaf(n, cases[i].leaves[n] == '+', cases[i].leaves[n] == '-' ? 3 : 1,
				 n == 2);
		expect(cases[i].leaves, recover(NULL), cases[i].want);
		if (run.r == -ENOANO) {
			sort_jobs();
			assert_int_equal(found_open, 0);
			expect(cases[i].leaves, recover("1234"), 0);
		}
		assert_string_equal(run.lines.errors, "");
	}
}

/* The wrong PIN at one leaf, which another one does without. */
static void test_pin_at_several_leaves(void **state)
{
	(void)state;
	plant("{\"t\":1,\"pins\":{\"asks\":[{\"n\":0},{\"n\":1}],\"far\":{\"n\":2}}}");
	leaves[0].result = -ENOANO;
	assert_int_equal(recover("1234"), 0);
	assert_int_equal(leaf_sends, 0);
	leaves[1].result = -EKEYREJECTED;
	leaves[2].result = -ENETUNREACH;
	assert_int_equal(recover("1234"), -ENOANO);
	assert_int_equal(leaf_sends, 1);
}

/* --- headers and shares as others could write them --- */

/* An sss header with these shares as plaintexts of "near" leaves, the first one of leaf 0. */
static struct jwe sealed_shares(unsigned t, const struct ref *shares, unsigned n, struct ref cek)
{
	CLEANUP_JSON json_t *list = json_array(), *hdr = NULL;
	struct jwe root = {0};

	for (unsigned i = 0; i < n; i++) {
		CLEANUP_JSON json_t *leaf_hdr =
			json_pack("{s:s, s:s, s:{s:s, s:{s:i}}}", "alg", "dir", "enc", "A256GCM",
				  "clevis", "pin", "near", "near", "n", (int)i);
		CLEANUP(jwe_done) struct jwe jwe = {0};
		CLEANUP(buf_done) struct buf key = {0};
		char *text = NULL;

		assert_int_equal(leaf_key(&leaves[i], &key), 0);
		assert_int_equal(jwe_seal(leaf_hdr, buf_ref(&key), shares[i], &jwe), 0);
		assert_int_equal(jwe_to_compact(&jwe, &text), 0);
		assert_int_equal(json_array_append_new(list, json_string(text)), 0);
		free(text);
	}
	hdr = json_pack("{s:s, s:s, s:{s:s, s:{s:i, s:o, s:O}}}", "alg", "dir", "enc", "A256GCM",
			"clevis", "pin", "sss", "sss", "t", (int)t, "p",
			js_from_b64((struct ref){shamir_prime, SHAMIR_SIZE}), "jwe", list);
	assert_non_null(hdr);
	assert_int_equal(jwe_seal(hdr, cek, ref_str(SECRET), &root), 0);
	return root;
}

/* y = 7 + 3x, so that the secret is 7. */
enum { SEVEN, ONE, TWO, SHORT, LONG, EMPTY, AT_ZERO, HIGH_X, HIGH_Y, N_SHARES };

static struct ref share_of(unsigned kind)
{
	static uint8_t bytes[N_SHARES][65];
	uint8_t *b = bytes[kind];
	size_t n = 64;

	memset(b, 0, 65);
	b[31] = 1;
	b[63] = 10;
	if (kind == SEVEN) {
		b[31] = 7;
		n = 32;
	} else if (kind == TWO) {
		b[31] = 2;
		b[63] = 13;
	} else if (kind == SHORT) {
		n = 63;
	} else if (kind == LONG) {
		n = 65;
	} else if (kind == EMPTY) {
		n = 0;
	} else if (kind == AT_ZERO) {
		b[31] = 0;
		b[63] = 7;
	} else if (kind == HIGH_X) {
		memset(b, 0xff, 32);
	} else if (kind == HIGH_Y) {
		memset(b + 32, 0xff, 32);
	}
	return (struct ref){b, n};
}

static int recover_shares(unsigned t, const unsigned kinds[3])
{
	struct ref shares[3];

	(void)end(NULL);
	for (unsigned i = 0; i < 3; i++)
		shares[i] = share_of(kinds[i]);
	run.jwe = sealed_shares(t, shares, 3, share_of(SEVEN));
	return recover(NULL);
}

/* Authentic or not, what is no share costs its leaf alone. */
static void test_bad_shares(void **state)
{
	static const unsigned bad[] = {SHORT, LONG, EMPTY, AT_ZERO, HIGH_X, HIGH_Y, ONE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		expect("one bad", recover_shares(2, (unsigned[]){bad[i], ONE, TWO}),
		       0); /* the second ONE where the first is one */
		expect("bad between", recover_shares(2, (unsigned[]){ONE, bad[i], TWO}), 0);
		assert_int_equal(run.job.children[1].result, -EBADMSG);
		assert_non_null(strstr(run.job.children[1].why, "is not a share of this policy"));
		expect("two bad", recover_shares(2, (unsigned[]){bad[i], TWO, bad[i]}),
		       bad[i] == ONE ? 0 : -EBADMSG);
		expect("one missing", recover_shares(3, (unsigned[]){ONE, bad[i], TWO}), -EBADMSG);
		assert_string_equal(run.job.why, "sss: 2 of 3 needed parts were recovered");
	}
}

/* As its check, which does not know how deep it is where a share is opened, would have it. */
static void test_too_deep(void **state)
{
	(void)state;
	plant("{\"t\":1,\"pins\":{\"near\":{\"n\":0}}}");
	run.cot = (struct cot){
		.pins = leaf_pins,
		.log = lines_begin(&run.lines),
		.deadline_us = now_us() + 10 * (uint64_t)USEC_PER_SEC,
		.depth = SSS_DEPTH_MAX,
	};
	assert_int_equal(job_init(&run.job, &run.cot, &run.jwe), 0);
	assert_int_equal(pin_recover(&run.cot, &run.job, &run.plain), -E2BIG);
	assert_non_null(strstr(run.job.why, "nested more than 8 deep"));
	assert_int_equal(run.job.n_children, 0);
}

/* Good shares of something else: nothing is wrong with any leaf. */
static void test_corrupt_policy(void **state)
{
	struct ref shares[] = {share_of(ONE), share_of(TWO)};
	CLEANUP(jwe_done) struct jwe part = {0};
	char *text = NULL;

	(void)state;
	(void)end(NULL);
	run.jwe = sealed_shares(1, shares, 2, share_of(SEVEN));
	assert_int_equal(recover(NULL), -EBADMSG);
	assert_int_equal(run.job.children[0].result, 0);
	assert_non_null(strstr(run.job.why, "the policy is corrupt"));

	/* as a part of another one, it costs itself alone */
	part = sealed_shares(1, shares, 2, share_of(SEVEN));
	assert_int_equal(jwe_to_compact(&part, &text), 0);
	plant("{\"t\":1,\"pins\":{\"near\":[{\"n\":2},{\"n\":3}]}}");
	assert_int_equal(
		json_array_insert_new(
			json_object_get(
				json_object_get(json_object_get(run.jwe.hdr, "clevis"), "sss"),
				"jwe"),
			0, json_string(text)),
		0);
	free(text);
	assert_int_equal(recover(NULL), 0);
	assert_int_equal(run.job.children[0].result, -EBADMSG);
	assert_non_null(strstr(run.job.children[0].why, "the policy is corrupt"));
}

/* Shares that cannot even be tried. */
static void test_unusable_children(void **state)
{
	static const struct {
		const char *share; /* in the place of the second one of three */
		int result;
		bool has_pin;
		const char *why;
	} cases[] = {
		{"", -EBADMSG, false, "its JWE is malformed"},
		{"rubbish", -EBADMSG, false, "its JWE is malformed"},
		{"e30.....", -EBADMSG, false, "its JWE is malformed"},
		/* {"alg":"RSA1_5","enc":"A256GCM"} */
		{"eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA..AAAAAAAAAAAAAAAAAAAAAA",
		 -EOPNOTSUPP, false, "is not supported"},
		/* {"alg":"dir","enc":"A256GCM"} */
		{"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA..AAAAAAAAAAAAAAAAAAAAAA",
		 -EBADMSG, false, "names no pin"},
		/* {"alg":"dir","enc":"A256GCM","clevis":{"pin":"other"}} */
		{"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwiY2xldmlzIjp7InBpbiI6Im90aGVyIn19.."
		 "AAAAAAAAAAAAAAAA..AAAAAAAAAAAAAAAAAAAAAA",
		 -EOPNOTSUPP, false, "\"other\""},
		/* {"alg":"dir","enc":"A256GCM","clevis":{"pin":"sss"}} */
		{"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwiY2xldmlzIjp7InBpbiI6InNzcyJ9fQ.."
		 "AAAAAAAAAAAAAAAA..AAAAAAAAAAAAAAAAAAAAAA",
		 -EBADMSG, true, "\"p\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *list;

		plant("{\"t\":1,\"pins\":{\"near\":{\"n\":0},\"far\":[{\"n\":1},{\"n\":2}]}}");
		list = json_object_get(
			json_object_get(json_object_get(run.jwe.hdr, "clevis"), "sss"), "jwe");
		assert_int_equal(json_array_set_new(list, 1, json_string(cases[i].share)), 0);
		set_leaf(0, false, 3, 0);
		expect(cases[i].why, recover(NULL), 0);
		expect(cases[i].share, run.job.children[1].result, cases[i].result);
		assert_int_equal(run.job.children[1].pin != NULL, cases[i].has_pin);
		if (!strstr(run.job.children[1].why, cases[i].why))
			fail_msg("%s: %s", cases[i].share, run.job.children[1].why);
	}
}

/* What has become unusable since the token was read. */
static void test_check_of_children(void **state)
{
	(void)state;
	plant("{\"t\":2,\"pins\":{\"near\":[{\"n\":0},{\"n\":1},{\"n\":2}]}}");
	leaves[1].check = -EOPNOTSUPP;
	assert_int_equal(recover(NULL), 0);
	assert_int_equal(run.job.children[1].result, -EOPNOTSUPP);
	assert_string_equal(run.job.children[1].why, "the leaf is not usable");
	assert_int_equal(leaves[1].calls, 0);
	leaves[2].check = -E2BIG;
	assert_int_equal(recover(NULL), -EOPNOTSUPP);
	assert_int_equal(run.job.n_children, 0);
	assert_string_equal(run.job.why,
			    "sss: 1 of its 3 shares can be used here, and 2 are needed: "
			    "share 2: the leaf is not usable");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_all_subsets, end),
		cmocka_unit_test_teardown(test_survey, end),
		cmocka_unit_test_teardown(test_survey_deadline, end),
		cmocka_unit_test_teardown(test_no_packet_where_local_leaves_suffice, end),
		cmocka_unit_test_teardown(test_all_levels_send_together, end),
		cmocka_unit_test_teardown(test_parts_let_go_early, end),
		cmocka_unit_test_teardown(test_first_ones_win, end),
		cmocka_unit_test_teardown(test_fails_at_once, end),
		cmocka_unit_test_teardown(test_deadline, end),
		cmocka_unit_test_teardown(test_pin_is_wanted, end),
		cmocka_unit_test_teardown(test_pin_at_several_leaves, end),
		cmocka_unit_test_teardown(test_bad_shares, end),
		cmocka_unit_test_teardown(test_too_deep, end),
		cmocka_unit_test_teardown(test_corrupt_policy, end),
		cmocka_unit_test_teardown(test_unusable_children, end),
		cmocka_unit_test_teardown(test_check_of_children, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
