/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A key folder and its snapshots. */
#include "tang/server/store.h"

#include "tang/server/folder.h"
#include "tang/server/watch.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

/*
 * For so long a loss is taken for a change that is under way; where no pair is left the folder is read often
 * meanwhile, since one reading may fall between the steps of one rotation, the next between another's.
 */
enum { NO_PAIR_US = 10 * USEC_PER_MSEC };
static const uint64_t doubt_us = 500 * USEC_PER_MSEC;
static const uint64_t lost_us = 100 * USEC_PER_MSEC;

struct store {
	char *folder;
	const struct log *log;
	pthread_mutex_t lock; /* guards `keys`, the pointer, for the moment of taking a reference */
	struct keys *keys;
	struct watch *watch;

	/* Of the thread that reads the folder. */
	struct complaints complaints;
	uint64_t unusable_us; /* since when the folder has no pair, though `keys` has one */
	int error;            /* of reading the folder, said once */
};

struct keys *store_keys(struct store *store)
{
	struct keys *keys;

	(void)pthread_mutex_lock(&store->lock);
	keys = keys_ref(store->keys);
	(void)pthread_mutex_unlock(&store->lock);
	return keys;
}

static void swap(struct store *store, struct keys *keys)
{
	struct keys *old;

	(void)pthread_mutex_lock(&store->lock);
	old = store->keys;
	store->keys = keys;
	(void)pthread_mutex_unlock(&store->lock);
	if (old)
		keys_unref(old);
}

static bool holds(const struct keys_file *files, size_t n, const struct key *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(key_name(files[i].key), key_name(key)) == 0)
			return true;
	return false;
}

/*
 * A file that is renamed while the folder is listed may be listed under neither name. So a key that is gone is kept
 * for a while. Sets *ret_again where there is one. Errors: -ENOMEM.
 */
static int keep_gone(const struct keys *old, struct keys_file **files, size_t *n, bool *ret_again)
{
	size_t n_old = 0, n_read = *n;
	const struct keys_file *known = keys_files(old, &n_old);
	struct keys_file *all = calloc(n_old + n_read + 1, sizeof(*all));
	uint64_t now = now_us();

	if (!all)
		return -ENOMEM;
	if (n_read > 0)
		memcpy(all, *files, n_read * sizeof(*all));
	free(*files);
	*files = all;

	for (size_t i = 0; i < n_old; i++) {
		uint64_t since = known[i].gone_us ? known[i].gone_us : now;
		char *name;

		if (holds(all, n_read, known[i].key) || now - since >= doubt_us)
			continue;
		name = strdup(known[i].name);
		if (!name)
			return -ENOMEM;
		all[(*n)++] =
			(struct keys_file){name, key_ref(known[i].key), known[i].hidden, since};
		*ret_again = true;
	}
	return 0;
}

/* Reads the folder; a folder that is gone is as an empty one. */
static int read_keys(struct store *store, struct keys **ret, bool *ret_again)
{
	struct keys_file *files = NULL;
	size_t n = 0;
	int r;

	r = folder_read(store->folder, store->keys, &store->complaints, store->log, &files, &n);
	if (r == -ENOENT && store->keys)
		r = 0;
	if (r < 0)
		return r;

	if (store->keys)
		r = keep_gone(store->keys, &files, &n, ret_again);
	if (r < 0) {
		keys_files_free(files, n);
		return r;
	}
	return keys_new(files, n, ret);
}

/* Whether the new keys are to be waited with, as they are none to serve with and the old ones were. */
static bool in_doubt(struct store *store, const struct keys *keys)
{
	uint64_t now = now_us();

	if (keys_usable(keys) || !keys_usable(store->keys)) {
		store->unusable_us = 0;
		return false;
	}
	if (store->unusable_us == 0)
		store->unusable_us = now;
	return now - store->unusable_us < doubt_us;
}

/* What is wrong with the folder as a whole is said when it begins. */
static void tell(struct store *store, int error)
{
	if (error == store->error)
		return;
	store->error = error;
	if (error == -ENOKEY)
		(void)log_err(store->log, 0,
			      "%s holds no pair of a signing and an exchange key to advertise; "
			      "\"cotter-tang-keys generate %s\" makes one.",
			      store->folder, store->folder);
	else if (error < 0)
		(void)log_err(store->log, 0, "%s cannot be read: %s. The keys stay as they were.",
			      store->folder, strerror(-error));
}

uint64_t store_reload(struct store *store)
{
	struct keys *keys = NULL;
	bool again = false;
	int r;

	r = read_keys(store, &keys, &again);
	if (r < 0) {
		tell(store, r);
		return doubt_us;
	}
	if (in_doubt(store, keys)) {
		keys_unref(keys);
		return NO_PAIR_US;
	}

	tell(store, keys_usable(keys) ? 0 : -ENOKEY);
	swap(store, keys);
	return again || store->complaints.n_untold > 0 ? lost_us : 0;
}

/*
 * A server that is started for each connection may be so in the midst of a rotation, where all keys are
 * hidden and the new ones are not there yet.
 */
static bool awaits_pair(const struct keys *keys, uint64_t begin)
{
	size_t n = 0;

	(void)keys_files(keys, &n);
	return n > 0 && !keys_usable(keys) && now_us() - begin < doubt_us;
}

/*
 * Where memory was short OpenSSL may go on to fail for as long as the process lives; that of who starts next is
 * another. All else is tried again.
 */
static int read_first(struct store *store)
{
	uint64_t begin = now_us();
	struct keys *keys = NULL;
	bool again = false;
	int r;

	for (;;) {
		r = read_keys(store, &keys, &again);
		if (r == -ENOMEM)
			return log_err(store->log, r, "%s cannot be read: %s.", store->folder,
				       strerror(ENOMEM));
		if (r < 0) {
			tell(store, r);
			return 0;
		}
		if (!awaits_pair(keys, begin))
			break;
		keys_unref(keys);
		(void)usleep(NO_PAIR_US);
	}
	tell(store, keys_usable(keys) ? 0 : -ENOKEY);
	swap(store, keys);
	/* From now on a file may be seen while it is being written. */
	store->complaints.patient = true;
	return 0;
}

static int check_folder(const char *folder, const struct log *log)
{
	struct stat st;

	if (stat(folder, &st) < 0)
		return log_err(log, -errno, "%s: %s.", folder, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return log_err(log, -ENOTDIR, "%s is not a folder.", folder);
	return 0;
}

int store_open(const char *folder, const struct log *log, struct store **ret)
{
	CLEANUP(store_closep) struct store *store = NULL;
	struct keys *none = NULL;
	int r;

	r = check_folder(folder, log);
	if (r < 0)
		return r;

	store = calloc(1, sizeof(*store));
	if (!store)
		return -ENOMEM;
	(void)pthread_mutex_init(&store->lock, NULL);
	store->log = log;
	store->folder = strdup(folder);
	if (!store->folder)
		return -ENOMEM;
	r = keys_new(NULL, 0, &none);
	if (r < 0)
		return r;
	swap(store, none);
	r = read_first(store);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(store);
	return 0;
}

static uint64_t reload(void *store)
{
	return store_reload(store);
}

int store_watch(struct store *store)
{
	return watch_start(store->folder, reload, store, &store->watch);
}

void store_close(struct store *store)
{
	if (store->watch)
		watch_stop(store->watch);
	if (store->keys)
		keys_unref(store->keys);
	complaints_done(&store->complaints);
	free(store->folder);
	(void)pthread_mutex_destroy(&store->lock);
	free(store);
}
