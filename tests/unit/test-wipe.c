/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is removed, what is refused, and that a way in is always left. */
#include "enroll/wipe.h"

#include "enroll/verbs.h"
#include "tests/unit/capture.h"
#include "tests/unit/opened.h"

static struct opened o;
static struct inventory inventory;
static struct output out;

static int begin(void **state)
{
	(void)state;
	return luks_setup(false, NULL);
}

static int make_volume(void **state)
{
	(void)state;
	opened_begin(&o);
	out = (struct output){0};
	return output_init(&out);
}

static int drop_volume(void **state)
{
	(void)state;
	inventory_done(&inventory);
	output_done(&out);
	opened_end(&o);
	return 0;
}

static void look(void)
{
	inventory_done(&inventory);
	assert_int_equal(inventory_read(o.luks, &inventory), 0);
	opened_forget_lines(&o);
}

/*
 * Keyslots: 0 a passphrase's, 1 and 2 those of tokens 1 and 2, 3 of another program's token 3, 4
 * unbound. Token 2 has a label. Token 5 is orphaned, token 6 is of a type that is not built in and has keyslot 6.
 */
static void fill(void)
{
	add_keyslot(o.luks, 1, "one");
	add_keyslot(o.luks, 2, "two");
	add_keyslot(o.luks, 3, "three");
	add_unbound_keyslot(o.luks, 4, "four");
	add_keyslot(o.luks, 6, "six");
	add_local(o.luks, 1, "{}", 1 << 1, "one");
	add_labelled(o.luks, 2, "spare, left", 1 << 2, "two");
	add_token(o.luks, 3, "{\"type\":\"foreign\",\"keyslots\":[\"3\"]}");
	add_token(o.luks, 4, "{\"type\":\"foreign\",\"keyslots\":[]}");
	add_local(o.luks, 5, "{}", 0, "five");
	add_token(o.luks, 6, "{\"type\":\"cotter-new\",\"keyslots\":[\"6\"]}");
}

static void test_plan(void **state)
{
	static const struct {
		const char *name;
		struct selection selection;
		uint32_t keyslots, tokens;
	} cases[] = {
		{"nothing", {0}, 0, 0},
		{"not there", {.keyslots = UINT32_C(1) << 31 | 1 << 7}, 0, 1 << 5},
		{"a passphrase", {.keyslots = 1}, 1, 0},
		{"an unbound one", {.keyslots = 1 << 4}, 1 << 4, 0},
		{"a token's", {.keyslots = 1 << 1}, 1 << 1, 1 << 1},
		{"two", {.keyslots = 1 | 1 << 2}, 1 | 1 << 2, 1 << 2},
		{"orphaned", {.orphaned = true}, 0, 1 << 5},
		{"the pin", {.pins = 1}, 1 << 1 | 1 << 2, 1 << 1 | 1 << 2 | 1 << 5},
		{"no pin of ours", {.pins = 1 << 1}, 0, 0},
		{"all", {.all = true}, 1 << 1 | 1 << 2 | 1 << 6, 1 << 1 | 1 << 2 | 1 << 5 | 1 << 6},
		{"a label", {.label = "spare, left"}, 1 << 2, 1 << 2},
		{"another label", {.label = "spare"}, 0, 0},
		{"one that is gone", {.keyslots = 1 << 1 | 1 << 9}, 1 << 1, 1 << 1 | 1 << 5},
		{"orphaned and one",
		 {.orphaned = true, .keyslots = 1 << 1},
		 1 << 1,
		 1 << 1 | 1 << 5},
	};

	(void)state;
	fill();
	look();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct wipe wipe;

		expect(cases[i].name, wipe_plan(o.luks, &inventory, &cases[i].selection, &wipe), 0);
		expect(cases[i].name, (int)wipe.keyslots, (int)cases[i].keyslots);
		expect(cases[i].name, (int)wipe.tokens, (int)cases[i].tokens);
		assert_told(cases[i].name, &o.lines, NULL);
	}
}

/* A token with several keyslots goes with the last of them. */
static void test_plan_several(void **state)
{
	const struct selection one = {.keyslots = 1 << 1}, both = {.keyslots = 1 << 1 | 1 << 2};
	struct wipe wipe;

	(void)state;
	add_keyslot(o.luks, 1, "one");
	add_keyslot(o.luks, 2, "two");
	add_local(o.luks, 0, "{}", 1 << 1 | 1 << 2, "two");
	look();
	assert_int_equal(wipe_plan(o.luks, &inventory, &one, &wipe), 0);
	assert_int_equal(wipe.keyslots, 1 << 1);
	assert_int_equal(wipe.tokens, 0);
	assert_int_equal(wipe_plan(o.luks, &inventory, &both, &wipe), 0);
	assert_int_equal(wipe.tokens, 1);
}

static void test_plan_refused(void **state)
{
	static const struct selection selections[] = {
		{.keyslots = 1 << 3}, {.keyslots = 1 << 1}, {.pins = 1}, {.all = true}};
	struct wipe wipe;

	(void)state;
	fill();
	add_token(o.luks, 7, "{\"type\":\"other\",\"keyslots\":[\"1\"]}");
	look();
	for (size_t i = 0; i < ARRAY_SIZE(selections); i++) {
		memset(&wipe, UNTOUCHED, sizeof(wipe));
		opened_forget_lines(&o);
		assert_int_equal(wipe_plan(o.luks, &inventory, &selections[i], &wipe), -EPERM);
		assert_told("refused", &o.lines,
			    i == 0 ? "belongs to token 3 of type foreign"
				   : "belongs to token 7 of type other");
		assert_untouched("refused", &wipe, sizeof(wipe));
	}
}

static int leaves_way(uint32_t keyslots)
{
	const struct wipe wipe = {.keyslots = keyslots};

	look();
	return wipe_leaves_way(o.luks, &inventory, &wipe);
}

static void test_leaves_way(void **state)
{
	(void)state;
	add_keyslot(o.luks, 1, "one");
	add_unbound_keyslot(o.luks, 4, "four");
	assert_int_equal(leaves_way(0), 0);
	assert_int_equal(leaves_way(1), 0);
	assert_int_equal(leaves_way(1 << 1 | 1 << 4), 0);
	assert_told("a passphrase is left", &o.lines, NULL);
	assert_int_equal(leaves_way(1 | 1 << 1), -EPERM);
	assert_told("none", &o.lines, "this would remove the last keyslot that opens /tmp/");

	/* another program's token is believed, whatever it holds */
	add_token(o.luks, 3, "{\"type\":\"foreign\",\"keyslots\":[\"1\",\"4\"]}");
	assert_int_equal(leaves_way(1), 0);
	assert_int_equal(leaves_way(1 | 1 << 1), -EPERM);
}

/* Where nothing but tokens of ours would be left, one of them must open the volume now. */
static void test_leaves_token(void **state)
{
	static const char fails[] = "{\"result\":5,\"words\":\"no luck\"}";

	(void)state;
	add_keyslot(o.luks, 1, "one");
	add_keyslot(o.luks, 2, "two");
	add_local(o.luks, 1, "{}", 1 << 1, "one");
	add_local(o.luks, 2, fails, 1 << 2, "two");
	local_decrypts = 0;
	assert_int_equal(leaves_way(1 << 1 | 1 << 2), 0);
	assert_int_equal(leaves_way(0), 0);
	assert_int_equal(local_decrypts, 0);

	assert_int_equal(leaves_way(1), 0);
	assert_int_equal(leaves_way(1 | 1 << 2), 0);
	assert_int_equal(leaves_way(1 | 1 << 1), -EPERM);
	assert_told("it fails", &o.lines, "none of them does now: local: no luck");

	add_local(o.luks, 2, "{}", 1 << 2, "not two");
	assert_int_equal(leaves_way(1 | 1 << 1), -EPERM);
	assert_told("another secret", &o.lines, "recovered, but opens no keyslot of it");
}

/* A keyslot that will be gone is no way in, even if the token opens it now. */
static void test_leaves_other_keyslot(void **state)
{
	(void)state;
	add_keyslot(o.luks, 1, "one");
	add_keyslot(o.luks, 2, "nobody knows");
	add_local(o.luks, 0, "{}", 1 << 1 | 1 << 2, "one");
	assert_int_equal(leaves_way(1 | 1 << 2), 0);
	assert_int_equal(leaves_way(1 | 1 << 1), -EPERM);
	assert_told("the other one", &o.lines, "opens no keyslot of it");
}

static const char *done(const struct wipe *wipe, int want)
{
	const struct capture errors = capture_begin(STDERR_FILENO);
	struct signals held;
	const char *text;
	int r;

	signals_hold(&held, false);
	r = wipe_do(o.luks, wipe, &held, &out);
	signals_release(&held);
	text = capture_end(&errors);
	expect("wiping", r, want);
	return text;
}

static void expect_wiped(const char *text)
{
	CLEANUP_JSON json_t *want = json_of(text);
	const json_t *got = json_object_get(out.json, "wiped");
	char *dump = NULL;

	if (json_equal(got, want))
		return;
	assert_int_equal(js_dump(got, &dump), 0);
	fail_msg("wiped is %s, not %s", dump, text);
}

static void test_do(void **state)
{
	static const struct {
		struct wipe wipe;
		const char *said, *wiped;
	} cases[] = {
		{{0, 0},
		 "nothing that --wipe-slot selects is there; nothing was changed",
		 "{\"keyslots\":[],\"tokens\":[]}"},
		{{0, 1 << 5}, "removed token 5", "{\"keyslots\":[],\"tokens\":[5]}"},
		{{1 << 4, 0}, "removed keyslot 4", "{\"keyslots\":[4],\"tokens\":[]}"},
		{{1 << 1 | 1 << 2 | 1 << 6, 1 << 1 | 1 << 2},
		 "removed keyslots 1, 2 and 6, tokens 1 and 2",
		 "{\"keyslots\":[1,2,6],\"tokens\":[1,2]}"},
	};

	(void)state;
	fill();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *text = done(&cases[i].wipe, 0);

		if (!strstr(text, cases[i].said))
			fail_msg("said \"%s\", not \"%s\"", text, cases[i].said);
		expect_wiped(cases[i].wiped);
	}
	look();
	assert_int_equal(inventory.active, 1 | 1 << 3);
	assert_int_equal(inventory.unbound, 0);
	assert_int_equal(inventory.n, 3);
	assert_int_equal(inventory_find(&inventory, 6)->keyslots, 0);
	out.quiet = true;
	assert_string_equal(done(&(const struct wipe){0, 0}, 0), "");
}

static void on_signal(int number)
{
	(void)number;
}

/* A signal that waits ends it before the next removal. */
static void test_do_interrupted(void **state)
{
	const struct sigaction action = {.sa_handler = on_signal};
	const struct wipe wipe = {1 << 1, 1 << 1};
	struct sigaction before;
	struct signals held;
	int r;

	(void)state;
	fill();
	assert_int_equal(sigaction(SIGTERM, &action, &before), 0);
	signals_hold(&held, false);
	(void)raise(SIGTERM);
	r = wipe_do(o.luks, &wipe, &held, &out);
	signals_release(&held);
	assert_int_equal(sigaction(SIGTERM, &before, NULL), 0);

	assert_int_equal(r, -EINTR);
	assert_told("interrupted", &o.lines, "interrupted; nothing was removed");
	expect_wiped("{\"keyslots\":[],\"tokens\":[]}");
	look();
	assert_int_equal(inventory_find(&inventory, 1)->keyslots, 1 << 1);
}

/* What was not done is not said to be, and what was, is. */
static void test_do_fails(void **state)
{
	const struct wipe gone = {1 << 1 | 1 << 9, 1 << 1}, none = {1 << 9, 0};
	const char *text;

	(void)state;
	fill();
	text = done(&gone, -EIO);
	assert_non_null(strstr(text, "removed keyslot 1\n"));
	assert_told("a keyslot", &o.lines, "keyslot 9 of /tmp/");
	expect_wiped("{\"keyslots\":[1],\"tokens\":[]}");

	text = done(&none, -EIO);
	assert_null(strstr(text, "nothing that --wipe-slot selects is there"));
	expect_wiped("{\"keyslots\":[],\"tokens\":[]}");
}

static void test_verb(void **state)
{
	const struct options options = {.device = o.volume.path, .selection.all = true};
	const struct options last = {.device = o.volume.path, .selection.keyslots = 1 | 1 << 3};
	const struct options none = {.device = "/nonexistent", .selection.all = true};
	const struct options forced = {
		.device = o.volume.path, .selection.keyslots = 1 | 1 << 3, .force = true};
	struct capture errors;
	enum exit_code codes[5];
	const char *said;

	(void)state;
	fill();
	add_token(o.luks, 3, NULL);
	errors = capture_begin(STDERR_FILENO);
	codes[0] = verb_wipe(&options, &out);
	codes[1] = verb_wipe(&options, &out);
	codes[2] = verb_wipe(&last, &out);
	codes[3] = verb_wipe(&none, &out);
	codes[4] = verb_wipe(&forced, &out);
	said = capture_end(&errors);
	assert_non_null(strstr(said, "no keyslot opens /tmp/"));
	assert_int_equal(codes[0], EXIT_CODE_OK);
	assert_int_equal(codes[1], EXIT_CODE_OK);
	assert_int_equal(codes[2], EXIT_CODE_FAILED);
	assert_int_equal(codes[3], EXIT_CODE_FAILED);
	assert_int_equal(codes[4], EXIT_CODE_OK);
	assert_int_equal(json_array_size(out.errors), 2);

	opened_again(&o);
	look();
	assert_int_equal(inventory.active, 0);
	assert_int_equal(inventory.n, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plan, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_plan_several, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_plan_refused, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_leaves_way, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_leaves_token, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_leaves_other_keyslot, make_volume,
						drop_volume),
		cmocka_unit_test_setup_teardown(test_do, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_do_interrupted, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_do_fails, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_verb, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
