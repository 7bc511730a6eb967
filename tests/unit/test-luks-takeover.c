/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens taken over: whole, killed before each write and brought to an end by the next run, or refused. */
#include "enroll/luks-takeover.h"

#include "enroll/luks-resume.h"
#include "tests/unit/opened.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define OLD   "the old secret, which is long enough to be a key"
#define NEW   "the new secret, which is long enough to be a key"
#define OTHER "what a person chose meanwhile"

enum { ID = 3, KEYSLOT = 1, JSON_AREA = 12 * 1024, HEADER_SIZE = 2 * 1024 * 1024 };

/* Sanitized programs are slow: with them every third write is taken. */
#ifdef __SANITIZE_ADDRESS__
enum { STEP = 3 };
#else
enum { STEP = 1 };
#endif

static struct opened o;
static struct buf volume_key;
static char *text;           /* of the new token */
static unsigned kill_before; /* which write; 0: none */

/* In place of libc's, for libcryptsetup too. */
__attribute__((visibility("default"))) ssize_t write(int fd, const void *bytes, size_t n)
{
	if (kill_before > 0 && --kill_before == 0)
		(void)kill(getpid(), SIGKILL);
	return syscall(SYS_write, fd, bytes, n);
}

static int begin(void **state)
{
	(void)state;
	return luks_setup(false, NULL);
}

/* Keyslot 0 is a person's, keyslot 1 that of the old token, 3; two others stand around it. */
static int make_volume(void **state)
{
	char *with_keyslot;
	json_t *json;

	(void)state;
	opened_begin(&o);
	assert_int_equal(luks_unlock_by_passphrase(o.luks, ref_str(PASSPHRASE), &volume_key), 0);
	add_keyslot(o.luks, KEYSLOT, OLD);
	add_token(o.luks, 5, "{\"type\":\"f\",\"keyslots\":[]}");
	add_local(o.luks, ID, "{\"which\":\"old\"}", 1 << KEYSLOT, OLD);
	add_token(o.luks, 6, "{\"type\":\"f\",\"keyslots\":[\"0\"]}");
	with_keyslot = local_token("{\"which\":\"new\"}", 0, NEW);
	json = json_of(with_keyslot);
	free(with_keyslot);
	change(json, "keyslots", "[]");
	assert_int_equal(js_dump(json, &text), 0);
	json_decref(json);
	return 0;
}

static int drop_volume(void **state)
{
	(void)state;
	free(text);
	buf_done(&volume_key);
	opened_end(&o);
	return 0;
}

static struct luks_takeover usual(void)
{
	return (struct luks_takeover){
		.binding = {.json = text,
			    .secret = ref_str(NEW),
			    .volume_key = buf_ref(&volume_key),
			    .keyslot = LUKS_ANY,
			    .token = LUKS_ANY},
		.token = ID,
		.keyslot = KEYSLOT,
		.secret = ref_str(OLD),
	};
}

/* All token ids are taken, so there is no temporary one. */
static void take_all_ids(void)
{
	const char *type, *json;

	for (unsigned i = 0; i < LUKS_TOKENS; i++)
		if (luks_token(o.luks, i, &type, &json) < 0)
			add_token(o.luks, (int)i, "{\"type\":\"f\",\"keyslots\":[]}");
}

/* Another program's token that leaves `room` bytes, or a few less, of the JSON area. */
static void fill(size_t room)
{
	char padding[JSON_AREA] = "", area[JSON_AREA + 1] = "", *token = NULL;
	int fd = open(o.volume.path, O_RDONLY | O_CLOEXEC);
	size_t used;

	assert_int_equal(pread(fd, area, JSON_AREA, LUKS2_JSON_AT), JSON_AREA);
	(void)close(fd);
	used = strlen(area) + 48;
	assert_true(used + room < JSON_AREA);
	memset(padding, 'x', JSON_AREA - used - room);
	assert_true(asprintf(&token, "{\"type\":\"f\",\"keyslots\":[],\"x\":\"%s\"}", padding) > 0);
	add_token(o.luks, 31, token);
	free(token);
}

/* What a token of ours recovers, which must open one of its keyslots; false: there is no such token. */
static bool recover(unsigned id, struct buf *secret, unsigned *keyslot)
{
	CLEANUP(token_done) struct token token = {0};
	struct cot cot = {.pins = pins};
	const char *type, *json;
	uint32_t keyslots = luks_token_keyslots(o.luks, id);

	if (luks_token(o.luks, id, &type, &json) < 0 || !token_type_pin(type) || keyslots == 0)
		return false;
	assert_int_equal(token_parse(ref_str(json), NULL, &token), 0);
	assert_int_equal(token_recover(&cot, &token, 0, secret), 0);
	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++)
		if (keyslots & UINT32_C(1) << i &&
		    luks_keyslot_opens(o.luks, i, buf_ref(secret)) == 0) {
			*keyslot = i;
			return true;
		}
	fail_msg("the secret of token %u opens none of its keyslots", id);
	return false;
}

/* How many of our tokens open it. */
static unsigned ways(void)
{
	unsigned n = 0, keyslot;

	for (unsigned i = 0; i < LUKS_TOKENS; i++) {
		CLEANUP(buf_done) struct buf secret = {0};

		n += recover(i, &secret, &keyslot);
	}
	return n;
}

/* What the next run does, with the tokens' secrets or without. */
static enum luks_resumed resume_all(bool secrets)
{
	enum luks_resumed last = LUKS_RESUMED_NONE;

	for (unsigned i = 0; i < LUKS_TOKENS; i++) {
		CLEANUP(buf_done) struct buf secret = {0};
		enum luks_resumed resumed = LUKS_RESUMED_NONE;
		unsigned keyslot = LUKS_KEYSLOTS, left;

		if (secrets)
			(void)recover(i, &secret, &keyslot);
		assert_int_equal(luks_resume(o.luks, i, buf_ref(&secret), keyslot, &resumed, &left),
				 0);
		if (resumed != LUKS_RESUMED_NONE)
			last = resumed;
	}
	return last;
}

static uint32_t active(void)
{
	uint32_t keyslots = 0;

	for (unsigned i = 0; i < LUKS_KEYSLOTS; i++)
		keyslots |= (uint32_t)(luks_keyslot(o.luks, i) == LUKS_KEYSLOT_ACTIVE) << i;
	return keyslots;
}

/* One token of ours at its place, one keyslot of it, no note; `which` opens it. */
static void expect_clean(const char *which)
{
	CLEANUP(buf_done) struct buf secret = {0};
	const char *type, *json;
	unsigned keyslot = 0;

	opened_again(&o);
	assert_true(recover(ID, &secret, &keyslot));
	for (unsigned i = 0; i < LUKS_TOKENS; i++)
		if (i != ID && luks_token(o.luks, i, &type, &json) == 0)
			assert_null(token_type_pin(type));
	assert_int_equal(luks_keyslot_opens(o.luks, 0, ref_str(PASSPHRASE)), 0);
	if (which)
		assert_true(ref_equal(buf_ref(&secret), ref_str(which)));
	assert_int_equal(luks_token_keyslots(o.luks, ID), 1 << keyslot);
	assert_int_equal(active(), 1 | 1 << keyslot);
	assert_int_equal(luks_token(o.luks, ID, &type, &json), 0);
	assert_null(strstr(json, "unfinished"));
	assert_int_equal(luks_token_keyslots(o.luks, 6), 1);
}

static void take_over(struct luks_takeover *takeover)
{
	struct bound bound;

	assert_int_equal(luks_takeover_begin(o.luks, takeover, &bound), 0);
	assert_int_equal(ways(), takeover->cramped ? 1 : 2);
	assert_int_equal(luks_keyslot_opens(o.luks, KEYSLOT, ref_str(OLD)), 0);
	assert_int_equal(luks_keyslot_opens(o.luks, bound.keyslot, ref_str(NEW)), 0);
	assert_int_equal(luks_takeover_finish(o.luks, takeover, &bound), 0);
	assert_int_equal(bound.token, ID);
	assert_int_equal(luks_keyslot_opens(o.luks, bound.keyslot, ref_str(NEW)), 0);
}

/* The rehearsal writes not a byte, and says whether there is room for both. */
static void rehearse(struct luks_takeover *takeover, bool cramped)
{
	struct print before = print_of(o.volume.path), after;

	opened_forget_lines(&o);
	assert_int_equal(luks_takeover_rehearse(o.luks, takeover), 0);
	assert_told("rehearsal", &o.lines, NULL);
	assert_int_equal(takeover->cramped, cramped);
	after = print_of(o.volume.path);
	assert_same_print(&before, &after);
}

static void test_take_over(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	rehearse(&takeover, false);
	take_over(&takeover);
	assert_told("takeover", &o.lines, NULL);
	expect_clean(NEW);
}

static void test_cramped(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	take_all_ids();
	rehearse(&takeover, true);
	take_over(&takeover);
	assert_told("takeover", &o.lines, NULL);
	expect_clean(NEW);
}

static void test_full_area(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	fill(strlen(text) + 500);
	rehearse(&takeover, true);
	take_over(&takeover);
	expect_clean(NEW);
}

static void test_undo(void **state)
{
	(void)state;
	for (int cramped = 0; cramped <= 1; cramped++) {
		CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();
		struct bound bound;

		if (cramped)
			take_all_ids();
		rehearse(&takeover, cramped);
		assert_int_equal(luks_takeover_begin(o.luks, &takeover, &bound), 0);
		assert_int_equal(luks_takeover_undo(o.luks, &takeover, &bound), 0);
		expect_clean(OLD);
	}
}

/* As much of it as is written to: the metadata and a few keyslots. */
static void copy_header(const char *from, const char *to)
{
	static char bytes[64 * 1024];
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CLOEXEC);

	for (int i = 0; i < HEADER_SIZE / (int)sizeof(bytes); i++) {
		assert_int_equal(read(in, bytes, sizeof(bytes)), sizeof(bytes));
		assert_int_equal(write(out, bytes, sizeof(bytes)), sizeof(bytes));
	}
	(void)close(in);
	(void)close(out);
}

/* Whether it was killed, rather than came to its end. */
static bool run_killed(struct luks_takeover *takeover, unsigned before)
{
	struct bound bound;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		kill_before = before;
		if (luks_takeover_begin(o.luks, takeover, &bound) < 0 ||
		    luks_takeover_finish(o.luks, takeover, &bound) < 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

/* Before each write there is: opened by the old or by the new, and mended by the next run. */
static void kill_everywhere(struct luks_takeover *takeover)
{
	char saved[] = "/tmp/cotter-saved-XXXXXX";
	unsigned n = 1;

	(void)close(mkstemp(saved));
	copy_header(o.volume.path, saved);
	do {
		copy_header(saved, o.volume.path);
		opened_again(&o);
		if (!run_killed(takeover, n))
			break;
		opened_again(&o);
		assert_true(ways() >= 1);
		if (n % 2)
			assert_true(resume_all(false) != LUKS_RESUMED_KEYSLOT);
		assert_true(resume_all(true) != LUKS_RESUMED_KEYSLOT);
		expect_clean(NULL);
		n += STEP;
	} while (n < 1000);
	print_message("# killed before %u writes\n", n - 1);
	assert_true(n > 30);
	expect_clean(NEW);
	(void)unlink(saved);
}

static void test_killed(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	rehearse(&takeover, false);
	kill_everywhere(&takeover);
}

static void test_killed_cramped(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	take_all_ids();
	rehearse(&takeover, true);
	kill_everywhere(&takeover);
}

/* Two steps of the finish alone: both ids have the new token, and nobody has the old keyslot. */
static void stop_with_old_keyslot(struct luks_takeover *takeover)
{
	struct bound bound;

	rehearse(takeover, false);
	assert_int_equal(luks_takeover_begin(o.luks, takeover, &bound), 0);
	for (unsigned n = 20;; n++) {
		enum luks_resumed resumed;
		unsigned left;

		assert_true(n < 60);
		assert_int_equal(luks_takeover_undo(o.luks, takeover, &bound), 0);
		assert_true(run_killed(takeover, n));
		opened_again(&o);
		if (active() == 7 && luks_token_keyslots(o.luks, ID) == 1 << 2)
			break;
		assert_int_equal(luks_resume(o.luks, 0, (struct ref){0}, 0, &resumed, &left), 0);
	}
}

/* The old keyslot is somebody else's by then: it is named and stays. */
static void test_taken_meanwhile(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	stop_with_old_keyslot(&takeover);
	assert_int_equal(luks_remove_keyslot(o.luks, KEYSLOT), 0);
	add_keyslot(o.luks, KEYSLOT, OTHER);
	assert_int_equal(resume_all(true), LUKS_RESUMED_KEYSLOT);
	assert_int_equal(luks_keyslot_opens(o.luks, KEYSLOT, ref_str(OTHER)), 0);
	assert_int_equal(ways(), 1);
	assert_int_equal(resume_all(true), LUKS_RESUMED_NONE);
}

/* Or some token names it again. */
static void test_named_meanwhile(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	stop_with_old_keyslot(&takeover);
	add_local(o.luks, 9, "{}", 1 << KEYSLOT, OLD);
	assert_int_equal(resume_all(true), LUKS_RESUMED_DONE);
	assert_int_equal(luks_keyslot_opens(o.luks, KEYSLOT, ref_str(OLD)), 0);
	assert_int_equal(ways(), 2);
}

/* Without the old secret the keyslot is known by its print. */
static void test_secret_unknown(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	takeover.secret = (struct ref){0};
	stop_with_old_keyslot(&takeover);
	assert_int_equal(resume_all(false), LUKS_RESUMED_WANTS);
	assert_int_equal(resume_all(true), LUKS_RESUMED_DONE);
	expect_clean(NEW);
}

/* One that somebody else made in its place, if only for the empty passphrase, is named and stays. */
static void test_secret_unknown_taken(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	takeover.secret = (struct ref){0};
	stop_with_old_keyslot(&takeover);
	assert_int_equal(luks_remove_keyslot(o.luks, KEYSLOT), 0);
	add_keyslot(o.luks, KEYSLOT, "");
	assert_int_equal(resume_all(true), LUKS_RESUMED_KEYSLOT);
	assert_int_equal(luks_keyslot_opens(o.luks, KEYSLOT, ref_str("")), 0);
	assert_int_equal(resume_all(true), LUKS_RESUMED_NONE);
}

/* A note is anybody's writing: it removes nothing that its own secret does not open. */
static void test_forged(void **state)
{
	static const char *const notes[] = {
		"{\"keyslot\":0}",
		"{\"keyslot\":1}",
		"{\"keyslot\":2}",
		"{\"token\":3,\"keyslot\":0}",
		"{\"token\":5,\"keyslot\":0}",
		"{\"token\":6,\"keyslot\":0}",
		("{\"keyslot\":0,\"secret\":\"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0.."
		 "AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA\"}"),
		"{\"keyslot\":99}",
		"[]",
	};
	const char *type, *json;

	(void)state;
	add_keyslot(o.luks, 2, OTHER);
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		CLEANUP_JSON json_t *token = NULL;
		char *forged = NULL;

		assert_int_equal(luks_token(o.luks, ID, &type, &json), 0);
		token = json_of(json);
		change(json_object_get(token, "cotter"), "unfinished", notes[i]);
		assert_int_equal(js_dump(token, &forged), 0);
		add_token(o.luks, ID, forged);
		free(forged);
		(void)resume_all(false);
		(void)resume_all(true);
		assert_int_equal(active(), 7);
		assert_int_equal(ways(), 1);
		assert_int_equal(luks_token_keyslots(o.luks, ID), 1 << KEYSLOT);
		assert_int_equal(luks_token(o.luks, 5, &type, &json), 0);
		assert_int_equal(luks_token_keyslots(o.luks, 6), 1);
	}
}

static void expect_not_rehearsed(struct luks_takeover *takeover, int want, const char *words)
{
	struct print before = print_of(o.volume.path), after;

	opened_forget_lines(&o);
	expect(words, luks_takeover_rehearse(o.luks, takeover), want);
	assert_told("rehearsal", &o.lines, words);
	after = print_of(o.volume.path);
	assert_same_print(&before, &after);
}

static void test_keyslots_taken(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	for (int i = 2; i < LUKS_KEYSLOTS; i++)
		add_keyslot(o.luks, i, "other");
	expect_not_rehearsed(&takeover, -ENOSPC, "all 32 keyslots of /tmp/");
}

static void test_no_room(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	fill(100);
	expect_not_rehearsed(&takeover, -ENOSPC, "has no room: its JSON area takes 12288 bytes");
}

static void test_errors(void **state)
{
	CLEANUP(luks_takeover_done) struct luks_takeover takeover = usual();

	(void)state;
	volume_key.p[0] ^= 1;
	expect_not_rehearsed(&takeover, -EIO, "the keyslot could not be added to /tmp/");
	takeover.token = 9;
	expect_not_rehearsed(&takeover, -ENOENT, "token 9 of /tmp/");
}

static void expect_impossible(unsigned id, const char *words)
{
	unsigned keyslot = 77;

	opened_forget_lines(&o);
	expect(words, luks_takeover_possible(o.luks, id, &keyslot), -EPERM);
	assert_told("possible", &o.lines, words);
	assert_int_equal(keyslot, 77);
}

static void test_possible(void **state)
{
	unsigned keyslot = 77;

	(void)state;
	assert_int_equal(luks_takeover_possible(o.luks, ID, &keyslot), 0);
	assert_int_equal(keyslot, KEYSLOT);
	expect_impossible(5, "no keyslot belongs to token 5");
	add_token(o.luks, 8, "{\"type\":\"f\",\"keyslots\":[\"1\"]}");
	expect_impossible(ID, "keyslot 1 of /tmp/");
	add_token(o.luks, 8, "{\"type\":\"f\",\"keyslots\":[\"0\",\"1\"]}");
	expect_impossible(8, "token 8 of /tmp/");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_take_over, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_cramped, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_full_area, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_undo, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_killed, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_killed_cramped, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_taken_meanwhile, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_named_meanwhile, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_secret_unknown, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_secret_unknown_taken, make_volume,
						drop_volume),
		cmocka_unit_test_setup_teardown(test_forged, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_keyslots_taken, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_no_room, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_errors, make_volume, drop_volume),
		cmocka_unit_test_setup_teardown(test_possible, make_volume, drop_volume),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
