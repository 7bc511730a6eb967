/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mutator for all targets: half of the time it changes what a run of base64url in the input stands for,
 * which may hold such runs again, as a policy's shares do. libFuzzer's own would hardly ever get through that.
 */
#include "crypto/b64.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed);

enum { RUN_MIN = 8, RUNS_MAX = 64, DEPTH_MAX = 4 };

static bool is_base64url(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* The runs that can be decoded. */
static size_t find_runs(struct ref text, struct ref runs[RUNS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n && n < RUNS_MAX; i++) {
		size_t begin = i;

		while (i < text.n && is_base64url(text.p[i]))
			i++;
		if (i - begin >= RUN_MIN && (i - begin) % 4 != 1)
			runs[n++] = (struct ref){text.p + begin, i - begin};
	}
	return n;
}

static size_t mutate(uint8_t *data, size_t n, size_t max, unsigned seed, unsigned depth);

/* Puts the changed text in the run's place; the input's size, or 0 where it did not fit. */
static size_t replace(uint8_t *data, size_t n, size_t max, struct ref run, struct ref bytes)
{
	CLEANUP(buf_done) struct buf text = {0};
	size_t begin = (size_t)(run.p - data), len = b64_encoded_len(bytes.n);

	if (n - run.n + len > max)
		return 0;
	CHECK(buf_init(&text, len) == 0 && b64_encode(bytes, &text) == 0);
	memmove(data + begin + len, data + begin + run.n, n - begin - run.n);
	if (len > 0)
		memcpy(data + begin, text.p, len);
	return n - run.n + len;
}

static size_t mutate_run(uint8_t *data, size_t n, size_t max, struct ref run, unsigned seed,
			 unsigned depth)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	CLEANUP(buf_done) struct buf room = {0};

	if (b64_decode(run, &bytes) < 0)
		return 0;
	CHECK(buf_init(&room, bytes.n + 64) == 0);
	CHECK(buf_append(&room, bytes.p, bytes.n) == 0);
	room.n = mutate(room.p, room.n, room.cap, seed, depth + 1);
	return replace(data, n, max, run, buf_ref(&room));
}

static size_t mutate(uint8_t *data, size_t n, size_t max, unsigned seed, unsigned depth)
{
	struct ref runs[RUNS_MAX];
	size_t n_runs = seed % 2 && depth < DEPTH_MAX ? find_runs((struct ref){data, n}, runs) : 0;
	size_t changed = 0;

	if (n_runs > 0)
		changed = mutate_run(data, n, max, runs[seed / 2 % n_runs], seed / 128, depth);
	return changed > 0 ? changed : LLVMFuzzerMutate(data, n, max);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	return mutate(data, n, max, seed, 0);
}
