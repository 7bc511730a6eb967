/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base64url against RFC 4648's vectors and OpenSSL's encoder, and what it must refuse. */
#include "crypto/b64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

enum { LENGTH_MAX = 70, TEXT_MAX = LENGTH_MAX / 3 * 4 + 5 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Decodes from memory of just the text's size, so that a read past the end is seen. */
static int decode(struct ref text, struct buf *ret)
{
	CLEANUP(buf_done) struct buf exact = {0};

	assert_int_equal(buf_copy(&exact, text), 0);
	return b64_decode(buf_ref(&exact), ret);
}

static void assert_refused(struct ref text)
{
	/* provokes: b64_decode -EBADMSG */
	static const struct buf untouched = {NULL, 7, 9};
	struct buf out = untouched;

	if (decode(text, &out) != -EBADMSG)
		fail_msg("\"%.*s\" was not refused", (int)text.n, (const char *)text.p);
	assert_memory_equal(&out, &untouched, sizeof(out));
}

static void assert_decodes(struct ref text, struct ref want)
{
	struct buf out = {0};

	assert_int_equal(decode(text, &out), 0);
	assert_non_null(out.p);
	assert_true(ref_equal(buf_ref(&out), want));
	buf_done(&out);
}

static void assert_encodes(struct ref bytes, const char *want)
{
	struct buf out = {0};

	assert_int_equal(b64_encoded_len(bytes.n), strlen(want));
	assert_int_equal(buf_init(&out, b64_encoded_len(bytes.n)), 0);
	assert_int_equal(b64_encode(bytes, &out), 0);
	assert_true(ref_equal(buf_ref(&out), ref_str(want)));
	buf_done(&out);
}

static void test_published(void **state)
{
	static const struct {
		const char *bytes, *text;
	} cases[] = {
		/* RFC 4648 section 10 */
		{"", ""},
		{"f", "Zg"},
		{"fo", "Zm8"},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg"},
		{"fooba", "Zm9vYmE"},
		{"foobar", "Zm9vYmFy"},
		/* RFC 7515 appendix C */
		{"\x03\xec\xff\xe0\xc1", "A-z_4ME"},
		/* the two characters that differ from base64 */
		{"\xfb\xff\xfe", "-__-"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_encodes(ref_str(cases[i].bytes), cases[i].text);
		assert_decodes(ref_str(cases[i].text), ref_str(cases[i].bytes));
	}
}

/* OpenSSL's base64, made base64url. */
static void reference(struct ref bytes, char text[TEXT_MAX])
{
	int n = EVP_EncodeBlock((uint8_t *)text, bytes.p, (int)bytes.n);

	for (int i = 0; i < n; i++) {
		if (text[i] == '+')
			text[i] = '-';
		else if (text[i] == '/')
			text[i] = '_';
		else if (text[i] == '=')
			text[i] = '\0';
	}
}

static void test_every_length(void **state)
{
	uint8_t bytes[LENGTH_MAX];
	char text[TEXT_MAX];

	(void)state;
	for (size_t n = 0; n <= LENGTH_MAX; n++) {
		for (unsigned round = 0; round < 8; round++) {
			struct ref src = {bytes, n};

			for (size_t i = 0; i < n; i++)
				bytes[i] = (uint8_t)(i * 151 + n * 37 + round * 89 + (i * i) / 3);
			reference(src, text);
			assert_encodes(src, text);
			assert_decodes(ref_str(text), src);
		}
	}
}

static void test_every_byte_value(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		bool legal = c != 0 && strchr(alphabet, c);

		for (size_t place = 0; place < 8; place++) {
			uint8_t text[8] = "AAAAAAAA";
			struct buf out = {0};

			text[place] = (uint8_t)c;
			if (!legal) {
				assert_refused((struct ref){text, sizeof(text)});
				continue;
			}
			assert_int_equal(decode((struct ref){text, sizeof(text)}, &out), 0);
			assert_encodes(buf_ref(&out),
				       (char[9]){(char)text[0], (char)text[1], (char)text[2],
						 (char)text[3], (char)text[4], (char)text[5],
						 (char)text[6], (char)text[7]});
			buf_done(&out);
		}
	}
}

static void test_trailing_bits(void **state)
{
	(void)state;
	for (size_t v = 0; v < 64; v++) {
		char one[] = {'A', alphabet[v], '\0'}, two[] = {'A', 'A', alphabet[v], '\0'};
		uint8_t byte = (uint8_t)(v >> 4), bytes[] = {0, (uint8_t)(v >> 2)};

		if (v % 16 == 0)
			assert_decodes(ref_str(one), (struct ref){&byte, 1});
		else
			assert_refused(ref_str(one));
		if (v % 4 == 0)
			assert_decodes(ref_str(two), (struct ref){bytes, 2});
		else
			assert_refused(ref_str(two));
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"Zg==",       "Zm8=",  "Zm9v====", "=",         "==",        "====",     "Zg=",
		"Z=g",        "Zm9v ", " Zm9v",    "Zm9v\n",    "\nZm9v",    "Zm\r\n9v", "Zm9v\t",
		"Zm 9v",      "+_8A",  "A/8A",     "Zm9v.Zm9v", "Zm9v,",     "\"Zm9v",   "Zm9v\xc3",
		"Z\xc3\xa4v", "Zm9v%", "A",        "AAAAA",     "AAAAAAAAA",
	};
	static const uint8_t nul[] = {'Z', 'm', '9', 'v', 0, 0, 0, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(ref_str(cases[i]));
	assert_refused((struct ref){nul, sizeof(nul)});
}

static void test_encode_needs_room(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 8; cap++) {
		struct buf out = {0};

		assert_int_equal(buf_init(&out, cap), 0);
		assert_int_equal(b64_encode(ref_str("foobar"), &out), -E2BIG);
		assert_int_equal(out.n, 0);
		buf_done(&out);
	}
}

static void test_encode_appends(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_int_equal(buf_init(&out, 9), 0);
	assert_int_equal(buf_append_str(&out, "x."), 0);
	assert_int_equal(b64_encode(ref_str("foo"), &out), 0);
	assert_int_equal(b64_encode(ref_str("fo"), &out), 0);
	assert_true(ref_equal(buf_ref(&out), ref_str("x.Zm9vZm8")));
	assert_int_equal(b64_encode(ref_str("f"), &out), -E2BIG);
	assert_int_equal(b64_encode(ref_str(""), &out), 0);
	assert_int_equal(out.n, 9);
	buf_done(&out);
}

static void test_nothing(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_int_equal(b64_encode((struct ref){0}, &out), 0);
	assert_null(out.p);
	assert_int_equal(b64_decode((struct ref){0}, &out), 0);
	assert_non_null(out.p);
	assert_int_equal(out.n, 0);
	buf_done(&out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published),        cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_every_byte_value), cmocka_unit_test(test_trailing_bits),
		cmocka_unit_test(test_refused),          cmocka_unit_test(test_encode_needs_room),
		cmocka_unit_test(test_encode_appends),   cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
