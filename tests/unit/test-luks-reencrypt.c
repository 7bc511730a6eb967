/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A re-encryption from its first keyslot to its end, each state told as what it is. */
#include "enroll/luks-reencrypt.h"

#include "enroll/luks-settle.h"
#include "tests/unit/opened.h"

#include <errno.h>
#include <sys/wait.h>

static const struct ref person = {(const uint8_t *)PASSPHRASE, sizeof(PASSPHRASE) - 1};

struct seen {
	unsigned calls;
	bool stop;
};

static bool note(void *arg, uint64_t size, uint64_t done)
{
	struct seen *seen = arg;

	assert_true(done <= size);
	seen->calls++;
	return seen->stop;
}

static void begin(struct opened *o)
{
	struct luks_twin twin = {.old = 0, .keyslot = 4, .secret = person};
	struct buf key = {0};
	struct luks_room room;

	opened_begin(o);
	assert_int_equal(luks_reencryption(o->luks), LUKS_REENCRYPTION_NONE);
	assert_int_equal(luks_reencrypt_possible(o->luks), 0);
	assert_int_equal(luks_reencrypt_room(o->luks, &room), 0);
	assert_true(room.area > 8 * room.keyslot && room.keyslot > 0);
	assert_in_range(room.json, 10000, 12288);

	add_token(o->luks, 3, "{\"type\":\"other\",\"keyslots\":[\"0\"]}");
	assert_int_equal(luks_add_token(o->luks, "{\"type\":\"more\",\"keyslots\":[]}"), 0);
	assert_int_equal(luks_reencrypt_new_key(o->luks, &key), 0);
	assert_int_equal(key.n, VOLUME_KEY_SIZE);
	twin.key = buf_ref(&key);
	assert_int_equal(luks_reencrypt_add(o->luks, &twin), 0);
	assert_int_equal(luks_keyslot(o->luks, 4), LUKS_KEYSLOT_UNBOUND);
	assert_int_equal(luks_token_keyslots(o->luks, 3), 1 | 1 << 4);
	assert_int_equal(luks_reencrypt_begin(o->luks, &twin), 0);
	assert_int_equal(luks_reload(o->luks), 0);
	assert_int_equal(luks_reencryption(o->luks), LUKS_REENCRYPTION_CLEAN);
	assert_int_equal(luks_opens(o->luks, person), 0);
	buf_done(&key);
}

/* The exit status of a process that runs it. */
static int run(struct opened *o, struct seen *seen)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct luks *luks = NULL;
		int r = luks_open(o->volume.path, NULL, true, NULL, &luks);

		if (r == 0)
			r = luks_reencrypt_run(luks, person, note, seen);
		_exit(-r);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(luks_reload(o->luks), 0);
	return WEXITSTATUS(status);
}

static void test_whole(void **state)
{
	struct seen seen = {0};
	struct opened o;

	(void)state;
	begin(&o);
	/* stopped before the first chunk */
	seen.stop = true;
	assert_int_equal(run(&o, &seen), EINTR);
	assert_int_equal(luks_reencryption(o.luks), LUKS_REENCRYPTION_CLEAN);
	/* its end is not here yet */
	assert_int_equal(luks_settle(o.luks, person, LUKS_SETTLE_FINISH), -EIO);
	assert_int_equal(luks_reload(o.luks), 0);
	assert_int_equal(luks_reencryption(o.luks), LUKS_REENCRYPTION_CLEAN);

	seen.stop = false;
	assert_int_equal(run(&o, &seen), 0);
	assert_int_equal(luks_reencryption(o.luks), LUKS_REENCRYPTION_WRITTEN);
	assert_int_equal(luks_opens(o.luks, person), 0);
	/* and would be encrypted again */
	assert_int_equal(run(&o, &seen), EIO);
	assert_int_equal(luks_reencryption(o.luks), LUKS_REENCRYPTION_WRITTEN);

	assert_int_equal(luks_settle(o.luks, ref_str("wrong"), LUKS_SETTLE_FINISH), -EPERM);
	assert_int_equal(luks_reencryption(o.luks), LUKS_REENCRYPTION_WRITTEN);
	assert_int_equal(luks_settle(o.luks, person, LUKS_SETTLE_FINISH), 0);
	assert_int_equal(luks_reencryption(o.luks), LUKS_REENCRYPTION_NONE);
	assert_int_equal(luks_keyslot(o.luks, 0), LUKS_KEYSLOT_FREE);
	assert_int_equal(luks_keyslot(o.luks, 4), LUKS_KEYSLOT_ACTIVE);
	assert_int_equal(luks_token_keyslots(o.luks, 3), 1 << 4);
	assert_int_equal(luks_keyslot_opens(o.luks, 4, person), 0);
	opened_end(&o);
}

static void test_wrong(void **state)
{
	struct seen seen = {0};
	struct opened o;

	(void)state;
	begin(&o);
	assert_int_equal(luks_reencrypt_run(o.luks, ref_str("wrong"), note, &seen), -EPERM);
	assert_int_equal(seen.calls, 0);
	opened_end(&o);
}

static int set_up(void **state)
{
	(void)state;
	return luks_setup(false, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
