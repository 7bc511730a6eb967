/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shares and what they give: known answers, every subset, and shares that are no good. */
#include "sss/shamir.h"

#include "tests/unit/vectors/jose.h"

static struct buf bytes_of(const char *hex)
{
	struct buf bytes = {0};

	assert_int_equal(buf_init(&bytes, strlen(hex) / 2), 0);
	for (; hex[0]; hex += 2) {
		unsigned byte;

		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		bytes.p[bytes.n++] = (uint8_t)byte;
	}
	return bytes;
}

static struct ref our_prime(void)
{
	return (struct ref){shamir_prime, SHAMIR_SIZE};
}

/* Made by arithmetic on whole numbers in Python. */
static const struct vector {
	const char *name, *prime;
	unsigned t;
	const char *shares, *secret;
} vectors[] = {
	{
		"ours, by hand: 7 + 3x",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff43",
		2,
		"0000000000000000000000000000000000000000000000000000000000000001000000000000"
		"000000000000000000000000000000000000000000000000000a000000000000000000000000"
		"0000000000000000000000000000000000000002000000000000000000000000000000000000"
		"000000000000000000000000000d",
		"0000000000000000000000000000000000000000000000000000000000000007",
	},
	{
		"ours",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff43",
		3,
		"0000000000000000000000000000000000000000000000000000000000000001a96dcafb32c1"
		"12b2a3bb61aa2dfc993ef07bc357b7c214062f29142b7fdb34a8000000000000000000000000"
		"0000000000000000000000000000000000000002fef7f249ca540f7b33f62a6ae8da56487376"
		"8e9d35cfc14f9a61d3b0faa592dc000000000000000000000000000000000000000000000000"
		"0000000000000005c0ff551f39844f4f0f816a7c70aefbe829821f961f381ad55598dd3b914f"
		"2e77",
		"f41fcb28e1eca2291aa5148c01a8c3f5f5057fee4c3ef45902dd21250b729601",
	},
	{
		"ours, a secret with leading zeros",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff43",
		2,
		"00000000000000000000000000000000000000000000000000000000000000403427cf4e3083"
		"aed56eae473482d4b3f62aa87db4adb06e97a5fd7e10f2409a41000000000000000000000000"
		"0000000000000000000000000000000000000003ce71ddb7aa462c3201302b567621f86f89ff"
		"e5e47824452f1bc7e1e8cb5b17fe",
		"0000000000000000000000000000000000000000000000000000000000001234",
	},
	{
		"ours, numbers at its edge",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff43",
		3,
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff42000000000000"
		"0000000000000000000000000000000000000000000000000001ffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffffffffffff41000000000000000000000000000000000000"
		"0000000000000000000000000005000000000000000000000000000000000000000000000000"
		"0000000000000001ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"ff42",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff42",
	},
	{
		"ours, one share is enough",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff43",
		1,
		"0000000000000000000000000000000000000000000000000000000000000009dd75ef1ba557"
		"ce7503c8396ebe77367b54dc765189f8f6dc9f9326be5a7eff0d",
		"dd75ef1ba557ce7503c8396ebe77367b54dc765189f8f6dc9f9326be5a7eff0d",
	},
	{
		"a safe prime and random places, as Clevis has them",
		"ffc7b7af5e9e0450c59398b50fae90087209fe5f6769758740f6a47484b434c3",
		4,
		"0180d5e1945c907bc1189866d29e6868047e21686e509ddcace88f9bcedc842f15f617099745"
		"cc8328020bd0e43493ec7b514a2aa848fb5a843d2853b6b0cc5fe06b6ca7cc906e109a66c6ae"
		"7e79003054920444b948c15968ceb6fbfc188d1956818f3be652a8daaa28d940b5bd525ba542"
		"fcdf37951e1ca0d1d9af3df474c0085f4bc021323f325747d1dfafee23750b62aff1f0a3117a"
		"2a8ff4e9e1482dc5aef6c094d6a9ceb62524e7660dafef90ed68a7cd385648983580e77eda68"
		"29a740797c0db39b14e9362406a0162ef27154ef6e2722229d3cab6b0eed339364f875bd56f8"
		"52766482816cccb1f6d130a780aafb10d4f394ebf759623f498004db",
		"b8134e77a4c9027d2f6c72f9b192e0d9311466440f9eacd327aae4a6ac9448a7",
	},
	{
		"2^127 - 1",
		"7fffffffffffffffffffffffffffffff",
		3,
		"74a2d79cde42a8dbfc90d5c512be051743ca5f59f8e2eac288802331549e24eb241d022f569f"
		"62a718fbcb36633645b474856600c2939e74a164eae348c4c5f47ed0f04d1bcb9b4ffc500d2b"
		"8201010f79fb0f4599da487d63e9e2ff462b9cc8",
		"166557d7bea44bc0dd02ae8d63f96bd0",
	},
	{
		"2^521 - 1",
		"01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		2,
		"01a31303634bb73bc49e5018c5a391f3f6afd4ff2f9d15565fb48388cbba60c030e1cb3aa849"
		"a667317b333402293746d4846c4c2759b23ed3c66fcc435eda14e93300e10aaac618abff7fa3"
		"c773aee28e118168d0e0c35c114f8eeec00021c0beb9cca147bfbdd5e64979f191bf138cddda"
		"666c1b2108c08cb489ffe333858682dc33b000d7568a0b40c6221e36ccbc0789cfe9facc05ca"
		"66e449cd3f1cbd5cf9f438a2aed1cdcae3dddece10ce83b1d8a237b08fe04ce7320c3acc9e78"
		"c2da23f078af5fc2004b7198523f499c473ed33a16130a965da563200dad5bc65028401fc930"
		"2f39a306ed12d820010cfa10460ed538c493757447faab85bd0adc317896a485ab15e389",
		"003478ad8549325ed4c655081262bc684bdd77a635ea7bea95056d66b1e3bb27675edc69c097"
		"d76f4676980d5af781dd4c8dafe721702833c45b08cfd026790c080e",
	},
	{
		"67, with leading zeros",
		"00000000000000000000000000000043",
		3,
		"0000000000000000000000000000000100000000000000000000000000000007000000000000"
		"0000000000000000004200000000000000000000000000000009000000000000000000000000"
		"0000002800000000000000000000000000000008",
		"00000000000000000000000000000005",
	},
};

static void test_known_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		const struct vector *v = &vectors[i];
		CLEANUP(buf_done) struct buf prime = bytes_of(v->prime);
		CLEANUP(buf_done) struct buf shares = bytes_of(v->shares);
		CLEANUP(buf_done) struct buf want = bytes_of(v->secret);
		CLEANUP(buf_done) struct buf secret = {0};
		size_t size = 2 * prime.n;

		for (unsigned j = 0; j < v->t; j++) {
			struct ref share = {shares.p + j * size, size};

			expect(v->name, shamir_check(buf_ref(&prime), share, shares.p, j), 0);
		}
		expect(v->name, shamir_combine(buf_ref(&prime), v->t, buf_ref(&shares), &secret),
		       0);
		assert_int_equal(secret.n, prime.n);
		assert_memory_equal(secret.p, want.p, want.n);
	}
}

/* Those of the n shares that are in the set, the last first where `backwards`. */
static struct buf choose(const struct buf *shares, unsigned n, unsigned set, bool backwards)
{
	struct buf chosen = {0};

	assert_int_equal(buf_init(&chosen, shares->n), 0);
	for (unsigned i = 0; i < n; i++) {
		unsigned x = backwards ? n - 1 - i : i;

		if (set & 1U << x)
			assert_int_equal(buf_append(&chosen, shares->p + x * SHAMIR_SHARE_SIZE,
						    SHAMIR_SHARE_SIZE),
					 0);
	}
	return chosen;
}

static bool gives(const struct buf *shares, unsigned n, unsigned set, const struct buf *secret)
{
	unsigned size = (unsigned)__builtin_popcount(set);
	bool same[2];

	for (int backwards = 0; backwards < 2; backwards++) {
		CLEANUP(buf_done) struct buf chosen = choose(shares, n, set, backwards);
		CLEANUP(buf_done) struct buf got = {0};

		assert_int_equal(shamir_combine(our_prime(), size, buf_ref(&chosen), &got), 0);
		assert_int_equal(got.n, SHAMIR_SIZE);
		same[backwards] = ref_equal(buf_ref(&got), buf_ref(secret));
	}
	assert_int_equal(same[0], same[1]);
	return same[0];
}

/* So many are enough, in any order; fewer are not. */
static void test_all_subsets(void **state)
{
	unsigned tried = 0;

	(void)state;
	for (unsigned n = 1; n <= 6; n++)
		for (unsigned t = 1; t <= n; t++) {
			CLEANUP(buf_done) struct buf secret = {0};
			CLEANUP(buf_done) struct buf shares = {0};

			assert_int_equal(shamir_split(t, n, &secret, &shares), 0);
			assert_int_equal(secret.n, SHAMIR_SIZE);
			assert_int_equal(shares.n, n * SHAMIR_SHARE_SIZE);
			for (unsigned set = 1; set < 1U << n; set++, tried++) {
				bool enough = (unsigned)__builtin_popcount(set) >= t;

				if (gives(&shares, n, set, &secret) != enough)
					fail_msg("%u of %u: the set %#x was %s", t, n, set,
						 enough ? "not enough" : "enough");
			}
		}
	assert_int_equal(tried, 1 * 1 + 2 * 3 + 3 * 7 + 4 * 15 + 5 * 31 + 6 * 63);
}

static void test_many_shares(void **state)
{
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP(buf_done) struct buf shares = {0};
	CLEANUP(buf_done) struct buf got = {0};

	(void)state;
	assert_int_equal(shamir_split(SHAMIR_SHARES_MAX, SHAMIR_SHARES_MAX, &secret, &shares), 0);
	for (unsigned i = 0; i < SHAMIR_SHARES_MAX; i++) {
		struct ref share = {shares.p + i * SHAMIR_SHARE_SIZE, SHAMIR_SHARE_SIZE};

		assert_int_equal(shamir_check(our_prime(), share, shares.p, i), 0);
	}
	assert_int_equal(shamir_combine(our_prime(), SHAMIR_SHARES_MAX, buf_ref(&shares), &got), 0);
	assert_true(ref_equal(buf_ref(&got), buf_ref(&secret)));
}

/* Each byte of a share counts. */
static void test_tampered_shares(void **state)
{
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP(buf_done) struct buf shares = {0};

	(void)state;
	assert_int_equal(shamir_split(3, 3, &secret, &shares), 0);
	for (size_t i = 0; i < shares.n; i++) {
		struct ref share = {shares.p + i / SHAMIR_SHARE_SIZE * SHAMIR_SHARE_SIZE,
				    SHAMIR_SHARE_SIZE};

		shares.p[i] ^= 0x10;
		if (shamir_check(our_prime(), share, NULL, 0) == 0)
			assert_false(gives(&shares, 3, 7, &secret));
		shares.p[i] ^= 0x10;
	}
	assert_true(gives(&shares, 3, 7, &secret));
}

/* Each time another secret and other shares; one share alone says nothing that two have in common. */
static void test_randomness(void **state)
{
	struct buf before = {0};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		CLEANUP(buf_done) struct buf secret = {0};
		struct buf shares = {0};

		assert_int_equal(shamir_split(2, 2, &secret, &shares), 0);
		assert_memory_not_equal(secret.p, shares.p + SHAMIR_SIZE, SHAMIR_SIZE);
		assert_memory_not_equal(secret.p, shares.p + SHAMIR_SHARE_SIZE + SHAMIR_SIZE,
					SHAMIR_SIZE);
		if (before.p)
			assert_memory_not_equal(before.p, shares.p, shares.n);
		buf_done(&before);
		before = shares;
	}
	buf_done(&before);
}

static void test_split_refuses(void **state)
{
	static const unsigned bad[][2] = {
		{0, 0},
		{0, 1},
		{2, 1},
		{1, 0},
		{1, SHAMIR_SHARES_MAX + 1},
		{SHAMIR_SHARES_MAX + 1, SHAMIR_SHARES_MAX + 1},
	};
	struct buf secret, shares;

	(void)state;
	memset(&secret, UNTOUCHED, sizeof(secret));
	memset(&shares, UNTOUCHED, sizeof(shares));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect("split", shamir_split(bad[i][0], bad[i][1], &secret, &shares), -EINVAL);
	assert_untouched("split", &secret, sizeof(secret));
	assert_untouched("split", &shares, sizeof(shares));
}

static void test_primes(void **state)
{
	uint8_t number[SHAMIR_PRIME_MAX + 1];

	(void)state;
	memset(number, 0xff, sizeof(number));
	for (size_t n = 0; n <= sizeof(number); n++)
		assert_int_equal(shamir_prime_ok((struct ref){number, n}),
				 n >= SHAMIR_PRIME_MIN && n <= SHAMIR_PRIME_MAX);
	number[31] = 0xfe;
	assert_false(shamir_prime_ok((struct ref){number, 32}));

	/* with leading zeros, down to a number that is too small for 64 shares */
	memset(number, 0, sizeof(number));
	for (unsigned value = 0; value < 0x100; value++) {
		number[31] = (uint8_t)value;
		assert_int_equal(shamir_prime_ok((struct ref){number, 32}),
				 value % 2 == 1 && value > SHAMIR_SHARES_MAX);
	}
	number[30] = 1;
	number[31] = 1;
	assert_true(shamir_prime_ok((struct ref){number, 32}));
}

/* A share as its two numbers' last bytes; the bytes before are zero, or 0xff where "high". */
static void test_check(void **state)
{
	/* provokes: shamir_check -EBADMSG */
	static const struct {
		uint8_t high_x, x, high_y, y;
		bool good;
	} cases[] = {
		{0, 1, 0, 0, true},
		{0, 64, 0, 1, true},
		{0xff, 0x42, 0xff, 0x42, true}, /* the prime ends in 0x43 */
		{0, 0, 0, 1, false},
		{0xff, 0x43, 0, 1, false},
		{0xff, 0x44, 0, 1, false},
		{0xff, 0xff, 0, 1, false},
		{0, 1, 0xff, 0x43, false},
		{0, 1, 0xff, 0xff, false},
		{0, 7, 0, 1, false}, /* the place of another one */
	};
	uint8_t other[SHAMIR_SHARE_SIZE] = {[SHAMIR_SIZE - 1] = 7}, share[SHAMIR_SHARE_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(share, cases[i].high_x, SHAMIR_SIZE);
		memset(share + SHAMIR_SIZE, cases[i].high_y, SHAMIR_SIZE);
		share[SHAMIR_SIZE - 1] = cases[i].x;
		share[SHAMIR_SHARE_SIZE - 1] = cases[i].y;
		for (size_t n = 0; n <= sizeof(share); n++) {
			bool good = cases[i].good && n == SHAMIR_SHARE_SIZE;
			int r = shamir_check(our_prime(), (struct ref){share, n}, other, 1);

			if (r != (good ? 0 : -EBADMSG))
				fail_msg("case %zu at %zu bytes: %d", i, n, r);
		}
	}
}

static void test_combine_refuses(void **state)
{
	static const uint8_t even[SHAMIR_SIZE] = {0x80};
	uint8_t composite[SHAMIR_SIZE] = {0}, shares[2 * SHAMIR_SHARE_SIZE] = {0};
	struct ref both = {shares, sizeof(shares)};
	struct buf secret;

	(void)state;
	memset(&secret, UNTOUCHED, sizeof(secret));
	shares[SHAMIR_SIZE - 1] = 1;
	shares[SHAMIR_SHARE_SIZE + SHAMIR_SIZE - 1] = 12;

	/* 11 * 11, of which the difference of the two places is a multiple */
	composite[SHAMIR_SIZE - 1] = 121;
	expect("no prime", shamir_combine((struct ref){composite, SHAMIR_SIZE}, 2, both, &secret),
	       -EBADMSG);
	expect("even", shamir_combine((struct ref){even, SHAMIR_SIZE}, 2, both, &secret), -EBADMSG);
	expect("none", shamir_combine(our_prime(), 0, (struct ref){shares, 0}, &secret), -EBADMSG);
	expect("fewer", shamir_combine(our_prime(), 3, both, &secret), -EBADMSG);
	expect("more", shamir_combine(our_prime(), 1, both, &secret), -EBADMSG);
	expect("many", shamir_combine(our_prime(), SHAMIR_SHARES_MAX + 1, both, &secret), -EBADMSG);
	assert_untouched("combine", &secret, sizeof(secret));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),   cmocka_unit_test(test_all_subsets),
		cmocka_unit_test(test_many_shares),     cmocka_unit_test(test_tampered_shares),
		cmocka_unit_test(test_randomness),      cmocka_unit_test(test_split_refuses),
		cmocka_unit_test(test_primes),          cmocka_unit_test(test_check),
		cmocka_unit_test(test_combine_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
