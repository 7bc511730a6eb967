/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From headers to keys, by a token that answers as a test says: what it is asked, what it is not asked again, and
 * that a wrong padding is not told from a wrong key, by the answer or by the time that it takes.
 */
#include "pkcs11/recover.h"

#include "crypto/jwk.h"
#include "tests/unit/lines.h"

#include <stdlib.h>
#include <time.h>

enum { KEYS = 3, TEXT_MAX = 128 };

/* What the token has, what it answers, and what it was asked. */
static struct {
	CK_RV login, decrypt_init;
	CK_RV decrypt[KEYS]; /* by each key */
	uint8_t text[TEXT_MAX];
	CK_ULONG text_n;
	unsigned logins, decryptions;
	CK_OBJECT_HANDLE used[8 * KEYS];
	CK_OBJECT_HANDLE now; /* the key of the decryption that began */
	CK_ULONG next;        /* object to be found */
} token;

static CK_RV fake_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
	(void)slot;
	info->flags |= CKF_USER_PIN_COUNT_LOW;
	return CKR_OK;
}

static CK_RV fake_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
			CK_ULONG n)
{
	(void)session, (void)user, (void)pin, (void)n;
	token.logins++;
	return token.login;
}

static CK_RV fake_session(CK_SESSION_HANDLE session)
{
	(void)session;
	return CKR_OK;
}

static CK_RV fake_find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR wanted, CK_ULONG n)
{
	(void)session, (void)wanted, (void)n;
	return CKR_OK;
}

static CK_RV fake_find(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE_PTR ret, CK_ULONG max,
		       CK_ULONG_PTR n)
{
	(void)session;
	assert_true(max >= KEYS);
	for (*n = 0; *n < KEYS; (*n)++)
		ret[*n] = *n + 1;
	return CKR_OK;
}

/* All its keys decrypt, and no more is known of them. */
static CK_RV fake_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
			    CK_ATTRIBUTE_PTR attribute, CK_ULONG n)
{
	(void)session, (void)object, (void)n;
	if (attribute->type != CKA_DECRYPT)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	*(CK_BBOOL *)attribute->pValue = CK_TRUE;
	return CKR_OK;
}

static CK_RV fake_decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
			       CK_OBJECT_HANDLE key)
{
	(void)session, (void)mechanism;
	token.now = key;
	return token.decrypt_init;
}

/* As much is copied whatever it answers. */
static CK_RV fake_decrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR text, CK_ULONG n, CK_BYTE_PTR out,
			  CK_ULONG_PTR out_n)
{
	CK_RV rv = token.decrypt[token.now - 1];

	(void)session, (void)text, (void)n;
	if (token.decryptions < ARRAY_SIZE(token.used))
		token.used[token.decryptions] = token.now;
	token.decryptions++;
	memcpy(out, token.text, sizeof(token.text));
	*out_n = token.text_n;
	return rv;
}

static CK_FUNCTION_LIST fake = {
	.C_GetTokenInfo = fake_token_info,
	.C_Login = fake_login,
	.C_Logout = fake_session,
	.C_CloseSession = fake_session,
	.C_FindObjectsInit = fake_find_init,
	.C_FindObjects = fake_find,
	.C_FindObjectsFinal = fake_session,
	.C_GetAttributeValue = fake_attribute,
	.C_DecryptInit = fake_decrypt_init,
	.C_Decrypt = fake_decrypt,
};

static const char *fake_strerror(CK_RV rv)
{
	(void)rv;
	return "an error";
}

static const struct libp11 lib = {.p11_kit_strerror = fake_strerror};

struct fixture {
	struct lines lines;
	struct cot cot;
	struct card card;
	struct card_header header;
};

static void begin(struct fixture *f)
{
	memset(&token, 0, sizeof(token));
	*f = (struct fixture){0};
	f->cot.user_pin = ref_str("1234");
	f->header.padding = RSA_PADDING_PKCS1;
	assert_int_equal(buf_random(&f->header.key, 256), 0);
	f->card = (struct card){
		.lib = &lib,
		.log = lines_begin(&f->lines),
		.place = {.module = &fake,
			  .info = {.flags = CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED}},
		.open = true,
	};
}

static void end(struct fixture *f)
{
	card_close(&f->card);
	card_header_done(&f->header);
}

static void set_text(const char *text)
{
	memset(token.text, 'x', sizeof(token.text));
	memcpy(token.text, text, strlen(text));
	token.text_n = strlen(text);
}

static int run(struct fixture *f, struct buf *ret)
{
	return recover(&f->cot, &f->card, &f->header, NULL, ret);
}

/* The first key that gives a JWK is the one. */
static void test_keys(void **state)
{
	static const uint8_t ones[32] = {1, 1, 1};
	CLEANUP(buf_done) struct buf jwk = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	struct fixture f;

	(void)state;
	assert_int_equal(jwk_write_oct((struct ref){ones, sizeof(ones)}, &jwk), 0);
	begin(&f);
	memcpy(token.text, jwk.p, jwk.n);
	token.text_n = jwk.n;
	token.decrypt[0] = CKR_ENCRYPTED_DATA_INVALID;
	assert_int_equal(run(&f, &cek), 0);
	assert_int_equal(token.decryptions, 2);
	assert_true(ref_equal(buf_ref(&cek), (struct ref){ones, sizeof(ones)}));
	assert_told("a key", &f.lines, NULL);
	end(&f);
}

/* Whatever was decrypted without being the key: no error, no word, all keys asked, and another key each time. */
static void test_same_answer(void **state)
{
	static const struct {
		const char *what, *text;
		CK_RV rv;
	} cases[] = {
		{"padding", "", CKR_ENCRYPTED_DATA_INVALID},
		{"length", "", CKR_ENCRYPTED_DATA_LEN_RANGE},
		{"general", "", CKR_GENERAL_ERROR},
		{"function failed", "", CKR_FUNCTION_FAILED},
		{"nothing", "", CKR_OK},
		{"no JWK", "nonsense", CKR_OK},
		{"half a JWK", "{\"kty\":\"oct\"", CKR_OK},
		{"a short key", "{\"kty\":\"oct\",\"k\":\"AAAA\"}", CKR_OK},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(buf_done) struct buf first = {0};
		CLEANUP(buf_done) struct buf second = {0};
		struct fixture f;

		begin(&f);
		set_text(cases[i].text);
		for (size_t k = 0; k < KEYS; k++)
			token.decrypt[k] = cases[i].rv;
		expect(cases[i].what, run(&f, &first), 0);
		expect(cases[i].what, (int)token.decryptions, KEYS);
		expect(cases[i].what, run(&f, &second), 0);
		expect(cases[i].what, first.n == 32 && second.n == 32, true);
		expect(cases[i].what, ref_equal(buf_ref(&first), buf_ref(&second)), false);
		assert_told(cases[i].what, &f.lines, NULL);
		end(&f);
	}
}

static void test_of_card(void **state)
{
	static const struct {
		CK_RV init, decrypt;
		int result;
		unsigned decryptions;
	} cases[] = {
		{CKR_OK, CKR_DEVICE_REMOVED, -ENODEV, 1},
		{CKR_TOKEN_NOT_PRESENT, CKR_OK, -ENODEV, 0},
		{CKR_HOST_MEMORY, CKR_OK, -ENOMEM, 0},
		{CKR_PIN_INCORRECT, CKR_OK, -EKEYREJECTED, 0},
		{CKR_MECHANISM_INVALID, CKR_OK, -EOPNOTSUPP, 0},
		{CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_OK, -EOPNOTSUPP, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(buf_done) struct buf cek = {0};
		struct fixture f;
		char what[16];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		begin(&f);
		token.decrypt_init = cases[i].init;
		for (size_t k = 0; k < KEYS; k++)
			token.decrypt[k] = cases[i].decrypt;
		expect(what, run(&f, &cek), cases[i].result);
		expect(what, (int)token.decryptions, (int)cases[i].decryptions);
		assert_null(cek.p);
		end(&f);
	}
}

/* A card is asked with one PIN in a recovery; other cards are other cards. */
static void test_one_try(void **state)
{
	static const struct {
		const char *in_uri; /* of the first leaf */
		CK_RV login;
		int first, second;
		unsigned logins;
	} cases[] = {
		{NULL, CKR_PIN_INCORRECT, -ENOANO, -ENOANO, 1},
		{"9", CKR_PIN_INCORRECT, -EKEYREJECTED, -EKEYREJECTED, 1},
		{NULL, CKR_PIN_LOCKED, -EKEYREJECTED, -EKEYREJECTED, 1},
		{NULL, CKR_GENERAL_ERROR, -EIO, -EIO, 2},
		{NULL, CKR_OK, 0, 0, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(buf_done) struct buf cek = {0};
		struct fixture f;
		char what[16];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		begin(&f);
		token.login = cases[i].login;
		if (cases[i].in_uri)
			assert_int_equal(
				buf_copy(&f.header.uri.pin_value, ref_str(cases[i].in_uri)), 0);
		expect(what, run(&f, &cek), cases[i].first);
		buf_done(&f.header.uri.pin_value);
		f.card.refused = false;
		buf_done(&cek);
		expect(what, run(&f, &cek), cases[i].second);
		expect(what, (int)token.logins, (int)cases[i].logins);
		f.card.place.info.serialNumber[0] = 'x';
		buf_done(&cek);
		expect(what, run(&f, &cek),
		       cases[i].login == CKR_PIN_INCORRECT ? -ENOANO : cases[i].second);
		expect(what, (int)token.logins, (int)cases[i].logins + 1);
		end(&f);
	}
}

/* More cards than can be remembered: none is asked. */
static void test_many_cards(void **state)
{
	struct cot cot = {0};

	(void)state;
	for (uint64_t i = 0; i < COT_REFUSALS_MAX; i++) {
		assert_int_equal(cot_refused(&cot, i), 0);
		cot_refuse(&cot, i, -ENOANO);
		assert_int_equal(cot_refused(&cot, i), -ENOANO);
	}
	assert_int_equal(cot_refused(&cot, COT_REFUSALS_MAX), -EKEYREJECTED);
	cot_refuse(&cot, COT_REFUSALS_MAX, -ENOANO);
	assert_int_equal(cot_refused(&cot, COT_REFUSALS_MAX), -EKEYREJECTED);
}

enum { ROUNDS = 20000, ATTEMPTS = 5 };

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The square of Welch's t of the quicker four fifths of each: what is slower was interrupted. */
static double compare(uint64_t times[2][ROUNDS], double means[2])
{
	enum { KEPT = ROUNDS / 5 * 4 };
	double variances[2] = {0};

	for (unsigned class = 0; class < 2; class ++) {
		qsort(times[class], ROUNDS, sizeof(times[class][0]), by_time);
		means[class] = 0;
		for (size_t i = 0; i < KEPT; i++)
			means[class] += (double)times[class][i] / KEPT;
		for (size_t i = 0; i < KEPT; i++) {
			double off = (double)times[class][i] - means[class];

			variances[class] += off * off / (KEPT - 1);
		}
	}
	return (means[0] - means[1]) * (means[0] - means[1]) * KEPT / (variances[0] + variances[1]);
}

/* As dudect has it: two classes, measured in random order. */
static void measure(struct fixture *f, uint64_t times[2][ROUNDS])
{
	size_t n[2] = {0};

	while (n[0] < ROUNDS || n[1] < ROUNDS) {
		CLEANUP(buf_done) struct buf cek = {0};
		unsigned class = (unsigned)random() & 1;
		uint64_t before;

		if (n[class] == ROUNDS)
			class = !class;
		for (size_t i = 0; i < 64; i++)
			token.text[i] = (uint8_t)random();
		for (size_t k = 0; k < KEYS; k++)
			token.decrypt[k] = class ? CKR_ENCRYPTED_DATA_INVALID : CKR_OK;
		before = now_ns();
		if (run(f, &cek) != 0)
			fail_msg("class %u", class);
		times[class][n[class]++] = now_ns() - before;
	}
}

static bool apart(double t2, const double means[2])
{
	double differ = means[0] - means[1];

	/* Half a percent is less than the clock of a machine of others shows in a day. */
	return t2 >= 4.5 * 4.5 && (differ < 0 ? -differ : differ) >= 0.005 * means[0];
}

/* A leak shows each time; what else a machine does, not each time. */
static void test_same_time(void **state)
{
	static uint64_t times[2][ROUNDS];
	double t2 = 0, means[2] = {0};
	struct fixture f;

	(void)state;
	begin(&f);
	f.card.place.info.flags = 0;
	token.text_n = 64;
	for (int i = 0; i < ATTEMPTS && (i == 0 || apart(t2, means)); i++) {
		measure(&f, times);
		t2 = compare(times, means);
		print_message("# wrong key %.0f ns, wrong padding %.0f ns, t^2 %.1f\n", means[0],
			      means[1], t2);
	}
	if (apart(t2, means))
		fail_msg("t^2 = %.1f", t2);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),       cmocka_unit_test(test_same_answer),
		cmocka_unit_test(test_of_card),    cmocka_unit_test(test_one_try),
		cmocka_unit_test(test_many_cards), cmocka_unit_test(test_same_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
