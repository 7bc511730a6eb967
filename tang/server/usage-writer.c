/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeping the record of recoveries. */
#include "tang/server/usage-writer.h"

#include "tang/server/thread.h"
#include "tang/server/usage.h"

#include <errno.h>
#include <poll.h>

enum { PERIOD_MS = 1000 };

struct usage_writer {
	char *path;
	struct store *store;
	const struct log *log;
	struct thread thread;
	struct usage usage;
	struct keys *last; /* the keys that were counted last: some of them may be gone */
	bool changed;      /* since it was written */
	int error;         /* of writing it, said once */
};

/* A record that is full begins anew: then it is known to know less. */
static int add(struct usage_writer *writer, const struct usage_key *more)
{
	int r = usage_add(&writer->usage, more);

	if (r == 0)
		return 0;
	usage_done(&writer->usage);
	r = usage_new((uint64_t)time(NULL), &writer->usage);
	return r < 0 ? r : usage_add(&writer->usage, more);
}

static void add_keys(struct usage_writer *writer, const struct keys *keys)
{
	const struct keys_file *files;
	size_t n;

	files = keys_files(keys, &n);
	for (size_t i = 0; i < n; i++) {
		struct key *key = files[i].key;
		struct key_count count = key_counted(key);
		uint64_t recoveries = count.recoveries - key->recorded;
		struct usage_key more = {{0}, recoveries, count.last, recoveries};

		if (recoveries == 0)
			continue;
		memcpy(more.thumbprint, key_name(key), sizeof(more.thumbprint));
		if (add(writer, &more) == 0) {
			key->recorded = count.recoveries;
			writer->changed = true;
		}
	}
}

static void update(struct usage_writer *writer)
{
	struct keys *keys = store_keys(writer->store);

	add_keys(writer, writer->last);
	if (keys != writer->last)
		add_keys(writer, keys);
	keys_unref(writer->last);
	writer->last = keys;
}

/* Errors: those of usage_save(). */
static int save(struct usage_writer *writer)
{
	int r = usage_save(&writer->usage, writer->path);

	if (r == 0)
		writer->changed = false;
	else if (r != writer->error)
		(void)log_err(writer->log, 0, "The record of recoveries %s cannot be written: %s.",
			      writer->path, strerror(-r));
	writer->error = r;
	return r;
}

static void *run(void *arg)
{
	struct usage_writer *writer = arg;
	struct pollfd stop = {writer->thread.stop, POLLIN, 0};
	bool ended;

	do {
		ended = poll(&stop, 1, PERIOD_MS) > 0;
		update(writer);
		if (writer->changed)
			(void)save(writer);
	} while (!ended);
	return NULL;
}

static void writer_free(struct usage_writer *writer)
{
	if (writer->last)
		keys_unref(writer->last);
	usage_done(&writer->usage);
	free(writer->path);
	free(writer);
}

DEFINE_CLEANUP(struct usage_writer *, writer_free)

static int load(struct usage_writer *writer)
{
	uint64_t now = (uint64_t)time(NULL);
	int r;

	r = usage_load(writer->path, &writer->usage);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		if (r != -ENOENT)
			(void)log_err(writer->log, 0,
				      "%s is no record of recoveries; a new one begins now.",
				      writer->path);
		return usage_new(now, &writer->usage);
	}

	writer->usage.started = now;
	for (size_t i = 0; i < writer->usage.n; i++)
		writer->usage.keys[i].since_start = 0;
	return 0;
}

int usage_writer_start(const char *path, struct store *store, const struct log *log,
		       struct usage_writer **ret)
{
	CLEANUP(writer_freep) struct usage_writer *writer = calloc(1, sizeof(*writer));
	int r;

	if (!writer)
		return -ENOMEM;
	writer->store = store;
	writer->log = log;
	writer->last = store_keys(store);
	writer->path = strdup(path);
	if (!writer->path)
		return -ENOMEM;

	r = load(writer);
	if (r == 0)
		r = save(writer);
	if (r == 0)
		r = thread_start(&writer->thread, run, writer);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(writer);
	return 0;
}

void usage_writer_stop(struct usage_writer *writer)
{
	thread_stop(&writer->thread);
	writer_free(writer);
}
