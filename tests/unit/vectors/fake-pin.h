/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A local and a network pin that do as they are told, a waiter, and one run of them. */
#pragma once

#include "crypto/pin.h"
#include "tests/unit/lines.h"

static const uint8_t key_bytes[JWE_CEK_SIZE] = "the key of both of the fake pins";

/* What the fake pins do, and what they saw. */
static struct fake {
	int check, encrypt, result;
	unsigned steps;      /* -EINPROGRESS so often, of those that may send */
	uint64_t wake_in_us; /* asked for at each of them; 0: not */
	bool has_waiter;     /* whether the network pin brings one */
	size_t key_size;     /* of what it recovers and makes */
	bool wrong_key, no_alg;

	unsigned calls, calls_without_network, releases;
	bool saw_network;
} fake;

struct fake_state {
	unsigned began;
	unsigned steps;
};

static struct fake_waiter {
	struct waiter waiter;
	int result;
	unsigned waits, releases;
	uint64_t until_us;
} waiter;

static inline int waiter_wait(struct waiter *w, const struct pollfd *alarm, uint64_t until_us)
{
	assert_null(alarm);
	assert_ptr_equal(w, &waiter.waiter);
	waiter.waits++;
	waiter.until_us = until_us;
	return waiter.result;
}

static inline void waiter_release(struct waiter *w)
{
	assert_ptr_equal(w, &waiter.waiter);
	waiter.releases++;
}

static inline int fake_check(const struct pin *const *all, const json_t *hdr, const struct log *log)
{
	(void)all;
	assert_true(json_is_object(hdr));
	return fake.check < 0 ? log_err(log, fake.check, "the fake header is bad") : 0;
}

static inline int make_key(struct buf *ret)
{
	uint8_t key[2 * JWE_CEK_SIZE] = {0};

	memcpy(key, key_bytes, sizeof(key_bytes));
	key[0] ^= fake.wrong_key;
	return buf_copy(ret, (struct ref){key, fake.key_size});
}

static inline int fake_encrypt(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek)
{
	assert_true(cot->network);
	if (fake.encrypt < 0)
		return log_err(cot->log, fake.encrypt, "the fake pin does not seal");

	assert_int_equal(
		json_object_set(json_object_get(hdr, "clevis"), "cfg", (json_t *)(uintptr_t)cfg),
		0);
	assert_int_equal(json_object_set_new(hdr, "enc", json_string("A256GCM")), 0);
	if (!fake.no_alg)
		assert_int_equal(json_object_set_new(hdr, "alg", json_string("dir")), 0);
	return make_key(ret_cek);
}

static inline int fake_decrypt(struct cot *cot, struct job *job, struct buf *ret_cek)
{
	struct fake_state *state = job->state;

	assert_int_equal(state->began, fake.calls); /* zeroed, and kept from step to step */
	state->began++;
	fake.calls++;
	fake.saw_network |= cot->network;
	(void)log_dbg(&job->log, 0, "step %u", fake.calls);

	if (job->pin->flags & PIN_NET) {
		if (!cot->network) {
			fake.calls_without_network++;
			return -EINPROGRESS;
		}
		if (fake.has_waiter)
			cot->waiter = &waiter.waiter;
	}
	if (state->steps++ < fake.steps) {
		if (fake.wake_in_us)
			cot_wake_at(cot, now_us() + fake.wake_in_us);
		return -EINPROGRESS;
	}
	if (fake.result < 0) {
		(void)log_err(&job->log, fake.result, "an earlier line");
		return log_err(&job->log, fake.result, "the fake pin failed with %d", fake.result);
	}
	return make_key(ret_cek);
}

static inline int fake_describe(const struct pin *const *all, const json_t *hdr, json_t *facts)
{
	(void)all;
	(void)hdr;
	(void)facts;
	return 0;
}

static inline void fake_release(struct job *job)
{
	assert_non_null(job->state);
	fake.releases++;
}

#define FAKE_PIN(pin_name, pin_flags)                                                          \
	{                                                                                      \
		.name = pin_name, .flags = pin_flags, .state_size = sizeof(struct fake_state), \
		.check = fake_check, .encrypt = fake_encrypt, .decrypt = fake_decrypt,         \
		.describe = fake_describe, .release = fake_release,                            \
	}
static const struct pin local_pin = FAKE_PIN("local", PIN_LOCAL);
static const struct pin net_pin = FAKE_PIN("net", PIN_NET);
static const struct pin *const pins[] = {&local_pin, &net_pin, NULL};

/* One run: a sealed secret, its job, and what was told. */
static struct run {
	struct lines lines;
	struct cot cot;
	struct jwe jwe;
	struct job job;
	struct buf plain;
} run;

static inline int begin(void **state)
{
	(void)state;
	fake = (struct fake){.key_size = JWE_CEK_SIZE};
	waiter = (struct fake_waiter){.waiter = {waiter_wait, waiter_release}};
	memset(&run, 0, sizeof(run));
	run.cot = (struct cot){
		.pins = pins,
		.log = lines_begin(&run.lines),
		.deadline_us = now_us() + 60 * (uint64_t)USEC_PER_SEC,
	};
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	job_done(&run.job);
	cot_done(&run.cot);
	jwe_done(&run.jwe);
	buf_done(&run.plain);
	return 0;
}

static inline int seal(const char *pin)
{
	CLEANUP_JSON json_t *cfg = json_of("{\"url\":\"x\"}");

	return pin_seal(&run.cot, pin, cfg, ref_str("the secret"), &run.jwe);
}

static inline void prepare(const char *pin)
{
	assert_int_equal(seal(pin), 0);
	assert_int_equal(job_init(&run.job, &run.cot, &run.jwe), 0);
	assert_int_equal(run.job.result, -EINPROGRESS);
}

static inline int recover(void)
{
	struct buf plain;
	int r;

	memset(&plain, UNTOUCHED, sizeof(plain));
	r = pin_recover(&run.cot, &run.job, &plain);
	if (r == 0)
		run.plain = plain;
	else
		assert_untouched("recovering", &plain, sizeof(plain));
	expect("the job's result", run.job.result, r);
	assert_true(run.job.began_us > 0);
	assert_true(run.job.ended_us >= run.job.began_us);
	if (r == 0)
		assert_ref_is(buf_ref(&plain), "the secret");
	return r;
}
