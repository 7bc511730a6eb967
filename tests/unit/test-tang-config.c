/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tang pin's configuration, advertisements from files, and servers that give none. */
#include "tests/unit/network.h"

#include <sys/stat.h>
#include <unistd.h>

#define URL    "http://tang.test"
#define SECRET "the secret of this test"

static const struct pin *const table[] = {&pin_tang, NULL};

/* Whoever is asked trusts everything, so that a refusal has another cause. */
static int trust_all(void *arg, const struct trust_question *question)
{
	(void)arg;
	(void)question;
	return 0;
}

/* Seals by `cfg`, which it takes over. */
static int seal(const char *what, json_t *cfg, struct lines *lines, struct jwe *ret)
{
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = table,
		.log = lines_begin(lines),
		.deadline_us = now_us() + 60ull * USEC_PER_SEC,
		.confirm = trust_all,
	};
	struct jwe jwe;
	int r;

	memset(&jwe, UNTOUCHED, sizeof(jwe));
	r = pin_seal(&cot, "tang", cfg, ref_str(SECRET), &jwe);
	json_decref(cfg);
	if (r == 0) {
		assert_told(what, lines, NULL);
		*ret = jwe;
	} else {
		assert_untouched(what, &jwe, sizeof(jwe));
		assert_told(what, lines, "");
	}
	assert_int_equal(net.alive, 0);
	return r;
}

static void write_file(const char *path, const char *text, size_t n)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static int seal_from(const char *path, struct lines *lines, struct jwe *ret)
{
	return seal(path, json_pack("{s:s, s:s}", "url", URL, "adv", path), lines, ret);
}

static void test_saved_file(void **state)
{
	char path[] = "/tmp/cotter-adv-XXXXXX", long_text[FETCH_REPLY_MAX + 1], *text = NULL;
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP_JSON json_t *adv = NULL;
	struct lines lines;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	network_begin("P-256");
	adv = usual_adv(&net.sign, &net.exchange);
	assert_int_equal(js_dump(adv, &text), 0);

	write_file(path, text, strlen(text));
	expect("good", seal_from(path, &lines, &jwe), 0);
	assert_int_equal(net.started, 0);

	write_file(path, text, strlen(text) - 1);
	expect("truncated", seal_from(path, &lines, &jwe), -EBADMSG);
	assert_told("truncated", &lines, path);
	write_file(path, "", 0);
	expect("empty", seal_from(path, &lines, &jwe), -EBADMSG);

	memset(long_text, ' ', sizeof(long_text));
	memcpy(long_text, text, strlen(text));
	write_file(path, long_text, sizeof(long_text));
	expect("long", seal_from(path, &lines, &jwe), -E2BIG);
	assert_told("long", &lines, path);

	assert_int_equal(unlink(path), 0);
	expect("missing", seal_from(path, &lines, &jwe), -ENOENT);
	assert_told("missing", &lines, path);
	assert_int_equal(mkdir(path, 0700), 0);
	expect("a folder", seal_from(path, &lines, &jwe), -ENOENT);
	assert_int_equal(rmdir(path), 0);
	free(text);
}

static void test_config(void **state)
{
	static const struct {
		const char *cfg;
		int want;
		const char *words;
	} cases[] = {
		{"{\"url\":\"http://tang.test\"}", 0, NULL},
		{"{\"url\":\"tang.test\"}", 0, NULL},
		{"{}", -EBADMSG, "url"},
		{"[]", -EBADMSG, "url"},
		{"{\"url\":1}", -EBADMSG, "url"},
		{"{\"url\":\"ftp://tang.test\"}", -EBADMSG, "URL"},
		{"{\"url\":\"http://tang.test\",\"ca\":\"/ca.pem\"}", -EBADMSG, "https"},
		{"{\"url\":\"https://tang.test\",\"ca\":\"ca.pem\"}", -EBADMSG, "ca.pem"},
		{"{\"url\":\"https://tang.test\",\"pubkey\":\"x\"}", -EBADMSG, "sha256//"},
		{"{\"url\":\"http://tang.test\",\"thp\":\"short\"}", -EINVAL, "short"},
		{"{\"url\":\"http://tang.test\",\"thp\":\"\"}", -EINVAL, "thumbprint"},
		{"{\"url\":\"http://tang.test\",\"thp\":1}", -EINVAL, "thumbprint"},
		{"{\"url\":\"http://tang.test\",\"thp\":\"../../x\"}", -EINVAL, "../../x"},
		{"{\"url\":\"http://tang.test\",\"adv\":1}", -EINVAL, "adv"},
		{"{\"url\":\"http://tang.test\",\"adv\":null}", -EINVAL, "adv"},
		{"{\"url\":\"http://tang.test\",\"adv\":[]}", -EINVAL, "adv"},
		{"{\"url\":\"http://tang.test\",\"adv\":{}}", -EBADMSG, "advertisement"},
		{"{\"url\":\"http://tang.test\",\"adv\":{\"keys\":[]}}", -EBADMSG, "advertisement"},
		{"{\"url\":\"http://tang.test\",\"adv\":\"\"}", -ENOENT, NULL},
		{"{\"url\":\"http://tang.test\",\"thumbprint\":\"x\"}", -EINVAL, "thumbprint"},
		{"{\"url\":\"http://tang.test\",\"URL\":\"x\"}", -EINVAL, "URL"},
		{"{\"url\":\"http://tang.test\",\"\":0}", -EINVAL, "unknown"},
		{"{\"url\":\"http://tang.test\",\"keys\":1,\"kid\":\"x\"}", -EBADMSG, "keys"},
		{"{\"url\":\"http://tang.test\",\"keys\":{\"keys\":[]},\"kid\":1}", -EINVAL, "kid"},
		{"{\"url\":\"http://tang.test\",\"keys\":null}", -EINVAL, "go together"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(jwe_done) struct jwe jwe = {0};
		struct lines lines;

		network_begin("P-256");
		expect(cases[i].cfg, seal(cases[i].cfg, json_of(cases[i].cfg), &lines, &jwe),
		       cases[i].want);
		if (cases[i].words)
			assert_told(cases[i].cfg, &lines, cases[i].words);
		expect(cases[i].cfg, (int)net.started, cases[i].want == 0);
	}
}

static void test_replies(void **state)
{
	static const struct {
		long status;
		const char *text;
		int want;
		const char *words;
	} cases[] = {
		{404, "", -EPROTO, "404"},
		{500, "", -EPROTO, "500"},
		{302, "", -EPROTO, "302"},
		{204, "", -EPROTO, "204"},
		{200, "", -EBADMSG, "advertisement"},
		{200, "<html></html>", -EBADMSG, "advertisement"},
		{200, "{\"keys\":[]}", -EBADMSG, "advertisement"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *what = *cases[i].text ? cases[i].text : "an empty reply";
		struct lines lines;
		struct jwe jwe;

		network_begin("P-256");
		net.status = cases[i].status;
		net.text = cases[i].text;
		expect(what, seal(what, json_pack("{s:s}", "url", URL), &lines, &jwe),
		       cases[i].want);
		assert_told(what, &lines, cases[i].words);
		assert_told(what, &lines, URL);
	}
}

/* The server does not have the key: that is a matter of trust, not of the protocol. */
static void test_unknown_thumbprint(void **state)
{
	char thp[JWK_THUMBPRINT_MAX + 1];
	struct lines lines;
	struct jwe jwe;

	(void)state;
	network_begin("P-256");
	assert_int_equal(jwk_thumbprint(&net.exchange, "S256", thp), 0);
	expect("unknown",
	       seal("unknown", json_pack("{s:s, s:s}", "url", URL, "thp", thp), &lines, &jwe),
	       -EKEYREJECTED);
	assert_told("unknown", &lines, thp);
}

static void test_network_errors(void **state)
{
	static const int errors[] = {-ENETUNREACH, -EHOSTUNREACH, -ECONNREFUSED, -ETIMEDOUT,
				     -EPROTO,      -EKEYREJECTED, -EOPNOTSUPP};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(errors); i++) {
		struct lines lines;
		struct jwe jwe;

		network_begin("P-256");
		*(i % 2 ? &net.start_error : &net.step_error) = errors[i / 2];
		expect("error", seal("error", json_pack("{s:s}", "url", URL), &lines, &jwe),
		       errors[i / 2]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_saved_file, network_end),
		cmocka_unit_test_teardown(test_config, network_end),
		cmocka_unit_test_teardown(test_replies, network_end),
		cmocka_unit_test_teardown(test_unknown_thumbprint, network_end),
		cmocka_unit_test_teardown(test_network_errors, network_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
