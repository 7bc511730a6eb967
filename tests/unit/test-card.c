/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which token is spoken with, and when its PIN is asked for and tried; with SoftHSM. */
#include "pkcs11/card.h"

#include "tests/unit/softhsm.h"

static struct softhsm hsm;

/* SoftHSM, but for what a test says of logins. */
static CK_FUNCTION_LIST fake;
static unsigned logins;
static CK_RV login_result;
static bool login_had_pin;
static CK_FLAGS flags_after; /* what the token says after a login */

static CK_RV fake_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
			CK_ULONG n)
{
	(void)session;
	(void)n;
	assert_int_equal(user, CKU_USER);
	logins++;
	login_had_pin = pin != NULL;
	return login_result;
}

static CK_RV fake_logout(CK_SESSION_HANDLE session)
{
	(void)session;
	return CKR_OK;
}

static CK_RV fake_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
	(void)slot;
	info->flags = flags_after;
	return CKR_OK;
}

struct fixture {
	struct uri uri;
	struct modules modules;
	struct card card;
	struct lines lines;
};

static int begin(struct fixture *f, const char *path, const char *query)
{
	const char *text = softhsm_uri(&hsm, path, query);

	*f = (struct fixture){0};
	expect(text, uri_read(text, lines_begin(&f->lines), &f->uri), 0);
	expect(text, modules_open(&f->uri, &f->lines.log, &f->modules), 0);
	return card_open(&f->modules, &f->uri, &f->lines.log, &f->card);
}

static void end(struct fixture *f)
{
	card_close(&f->card);
	modules_close(&f->modules);
	uri_done(&f->uri);
}

static void test_login(void **state)
{
	static const struct {
		const char *query, *typed;
		int result;
		const char *words;
	} cases[] = {
		{"", SOFTHSM_PIN, 0, NULL},
		{"", "9999", -ENOANO, "wrong PIN; the token takes few more"},
		{"", NULL, -ENOANO, "the token wants a PIN"},
		{"", "", -EKEYREJECTED, "the PIN was empty"},
		{"&pin-value=9999", SOFTHSM_PIN, -EKEYREJECTED, "wrong PIN in the URI"},
		{"&pin-value=", SOFTHSM_PIN, -EKEYREJECTED, "the PIN was empty"},
		{"&pin-value=" SOFTHSM_PIN, NULL, 0, NULL},
		{"&pin-value=" SOFTHSM_PIN, "9999", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ref typed = cases[i].typed ? ref_str(cases[i].typed) : (struct ref){0};
		struct fixture f;
		char what[16];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		expect(what, begin(&f, "token=one", cases[i].query), 0);
		expect(what, card_login(&f.card, &f.uri, typed), cases[i].result);
		assert_told(what, &f.lines, cases[i].words);
		expect(what, f.card.logged_in, cases[i].result == 0);
		end(&f);
	}
}

/* What the token says of its PIN before, what it answers, and what it says then. */
static void test_rules(void **state)
{
	enum { NORMAL = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED };
	static const struct {
		CK_FLAGS before;
		CK_RV answer;
		CK_FLAGS after;
		int result;
		unsigned logins;
		const char *words;
	} cases[] = {
		{NORMAL, CKR_OK, NORMAL, 0, 1, NULL},
		{NORMAL, CKR_USER_ALREADY_LOGGED_IN, NORMAL, 0, 1, NULL},
		{NORMAL & ~CKF_LOGIN_REQUIRED, CKR_OK, NORMAL, 0, 0, NULL},
		{NORMAL & ~CKF_USER_PIN_INITIALIZED, CKR_OK, 0, -EKEYREJECTED, 0, "has no PIN yet"},
		{NORMAL | CKF_USER_PIN_LOCKED, CKR_OK, 0, -EKEYREJECTED, 0, "is locked"},
		{NORMAL | CKF_USER_PIN_FINAL_TRY, CKR_OK, 0, -EKEYREJECTED, 0,
		 "one more wrong PIN locks the token \"one\""},
		{NORMAL | CKF_USER_PIN_COUNT_LOW, CKR_OK, 0, 0, 1, NULL},
		{NORMAL, CKR_PIN_INCORRECT, NORMAL, -ENOANO, 1, "wrong PIN"},
		{NORMAL, CKR_PIN_LEN_RANGE, NORMAL, -ENOANO, 1, "wrong PIN"},
		{NORMAL, CKR_PIN_INCORRECT, NORMAL | CKF_USER_PIN_FINAL_TRY, -EKEYREJECTED, 1,
		 "the next wrong one locks the token"},
		{NORMAL, CKR_PIN_INCORRECT, NORMAL | CKF_USER_PIN_LOCKED, -EKEYREJECTED, 1,
		 "is locked"},
		{NORMAL, CKR_PIN_LOCKED, NORMAL, -EKEYREJECTED, 1, "is locked"},
		{NORMAL, CKR_PIN_EXPIRED, NORMAL, -EKEYREJECTED, 1, "expired"},
		{NORMAL, CKR_DEVICE_REMOVED, NORMAL, -ENODEV, 1, "cannot be logged in to"},
		{NORMAL, CKR_GENERAL_ERROR, NORMAL, -EIO, 1, "cannot be logged in to"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CK_FUNCTION_LIST *real;
		struct fixture f;
		char what[16];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		expect(what, begin(&f, "token=one", ""), 0);
		real = f.card.place.module;
		fake = *real;
		fake.C_Login = fake_login;
		fake.C_Logout = fake_logout;
		fake.C_GetTokenInfo = fake_token_info;
		f.card.place.module = &fake;
		f.card.place.info.flags = cases[i].before;
		logins = 0;
		login_result = cases[i].answer;
		flags_after = cases[i].after;
		expect(what, card_login(&f.card, &f.uri, ref_str("1")), cases[i].result);
		expect(what, (int)logins, (int)cases[i].logins);
		assert_told(what, &f.lines, cases[i].words);
		end(&f);
	}
}

/* At its own pad the PIN is typed for this very token: no other is wanted, and the last try is the person's. */
static void test_pad(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(begin(&f, "token=one", ""), 0);
	fake = *f.card.place.module;
	fake.C_Login = fake_login;
	fake.C_Logout = fake_logout;
	fake.C_GetTokenInfo = fake_token_info;
	f.card.place.module = &fake;
	f.card.place.info.flags |= CKF_PROTECTED_AUTHENTICATION_PATH | CKF_USER_PIN_FINAL_TRY;
	logins = 0;
	login_result = CKR_OK;
	assert_int_equal(card_login(&f.card, &f.uri, (struct ref){0}), 0);
	assert_int_equal(logins, 1);
	assert_false(login_had_pin);

	f.card.logged_in = false;
	login_result = CKR_PIN_INCORRECT;
	flags_after = CKF_USER_PIN_INITIALIZED;
	assert_int_equal(card_login(&f.card, &f.uri, ref_str("1")), -EKEYREJECTED);
	assert_told("pad", &f.lines, "wrong PIN");
	end(&f);
}

/* What is known before anybody is asked. */
static void test_wants_typed(void **state)
{
	enum { NORMAL = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED };
	static const struct {
		const char *query;
		CK_FLAGS flags;
		int result;
		bool typed;
	} cases[] = {
		{"", NORMAL, 0, true},
		{"", NORMAL | CKF_PROTECTED_AUTHENTICATION_PATH, 0, false},
		{"", NORMAL | CKF_PROTECTED_AUTHENTICATION_PATH | CKF_USER_PIN_FINAL_TRY, 0, false},
		{"", NORMAL | CKF_USER_PIN_FINAL_TRY, -EKEYREJECTED, false},
		{"", NORMAL | CKF_USER_PIN_LOCKED, -EKEYREJECTED, false},
		{"", NORMAL & ~CKF_LOGIN_REQUIRED, 0, false},
		{"&pin-value=1", NORMAL, 0, false},
		{"&pin-source=/a.pin", NORMAL, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool typed = false;
		struct fixture f;
		char what[16];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		expect(what, begin(&f, "token=one", cases[i].query), 0);
		f.card.place.info.flags = cases[i].flags;
		expect(what, card_wants_typed(&f.card, &f.uri, &typed), cases[i].result);
		expect(what, typed, cases[i].typed);
		end(&f);
	}
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void test_pin_source(void **state)
{
	static const struct {
		const char *name, *text;
		mode_t mode;
		int result;
		const char *words;
	} cases[] = {
		{"a.pin", SOFTHSM_PIN, 0600, 0, NULL},
		{"a.pin", SOFTHSM_PIN "\n", 0400, 0, NULL},
		{"a.pin", SOFTHSM_PIN "\n\n", 0600, -EKEYREJECTED, "wrong PIN in the URI"},
		{"a.pin", "", 0600, -EKEYREJECTED, "the PIN was empty"},
		{"a.pin", SOFTHSM_PIN, 0640, -EKEYREJECTED, "mode 0600"},
		{"a.pin", SOFTHSM_PIN, 0604, -EKEYREJECTED, "mode 0600"},
		{"a.key", SOFTHSM_PIN, 0600, -EKEYREJECTED, "ends in \".pin\""},
		{"none.pin", NULL, 0, -EKEYREJECTED, "cannot be read: No such file"},
		{"link.pin", NULL, 0, -EKEYREJECTED, "cannot be read"},
	};
	char path[64], link[64], query[96];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/a.pin", hsm.dir);
	(void)snprintf(link, sizeof(link), "%s/link.pin", hsm.dir);
	assert_int_equal(symlink(path, link), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		char what[16];

		(void)snprintf(what, sizeof(what), "case %zu", i);
		(void)snprintf(path, sizeof(path), "%s/%s", hsm.dir, cases[i].name);
		(void)snprintf(query, sizeof(query), "&pin-source=%s", path);
		if (cases[i].text)
			write_file(path, cases[i].text, cases[i].mode);
		expect(what, begin(&f, "token=one", query), 0);
		expect(what, card_login(&f.card, &f.uri, ref_str("9999")), cases[i].result);
		assert_told(what, &f.lines, cases[i].words);
		end(&f);
	}
}

static void test_which_token(void **state)
{
	static const struct {
		const char *path;
		int result;
		const char *words;
	} cases[] = {
		{"token=one", 0, NULL},
		{"token=one;manufacturer=SoftHSM%20project;model=SoftHSM%20v2", 0, NULL},
		{"token=on", -EAGAIN, NULL},
		{"token=one;serial=0", -EAGAIN, NULL},
		{"token=none", -EAGAIN, NULL},
		{"slot-id=77", -EAGAIN, NULL},
		{"token=twin", 0, NULL}, /* the other one is empty */
		{"model=SoftHSM%20v2", -EKEYREJECTED, "3 tokens are what the URI says"},
		{"model=SoftHSM%20v2", -EKEYREJECTED, "\"one\" (serial number "},
		{"", -EKEYREJECTED, "3 tokens are what the URI says"},
		{"object=there", 0, NULL},
		{"token=twin;object=there", 0, NULL},
		{"token=twin;id=%0a", 0, NULL},
		{"token=twin;object=nowhere", -EKEYREJECTED, "by serial="},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;

		expect(cases[i].path, begin(&f, cases[i].path, ""), cases[i].result);
		assert_told(cases[i].path, &f.lines, cases[i].words);
		if (cases[i].result == 0)
			expect(cases[i].path, f.card.open, true);
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),       cmocka_unit_test(test_rules),
		cmocka_unit_test(test_pad),         cmocka_unit_test(test_pin_source),
		cmocka_unit_test(test_which_token), cmocka_unit_test(test_wants_typed),
	};

	softhsm_start(&hsm);
	softhsm_token("one");
	softhsm_key(&hsm, "one", "EC:prime256v1", "0b", "here");
	softhsm_token("twin");
	softhsm_key(&hsm, "twin", "EC:prime256v1", "0a", "there");
	softhsm_token("twin");
	return cmocka_run_group_tests(tests, NULL, softhsm_group_end);
}
