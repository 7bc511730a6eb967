/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watching a folder of keys. */
#include "tang/server/watch.h"

#include "tang/server/folder.h"
#include "tang/server/thread.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

/* A change is over when it was quiet for so long, or has taken so long. */
static const uint64_t quiet_us = 50 * USEC_PER_MSEC, patience_us = 250 * USEC_PER_MSEC;
static const uint64_t look_us = USEC_PER_SEC, anyway_us = 30ULL * USEC_PER_SEC;

static const uint32_t changes = IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_DELETE |
				IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |
				IN_ONLYDIR;

struct watch {
	char *folder;
	watch_fn fn;
	void *arg;
	struct thread thread;
	int inotify; /* -1: there is none */
	int id;      /* of the folder's watch; -1: there is none */
	struct stat seen;
};

/* What the thread waits for; 0 is never. */
struct times {
	uint64_t first;  /* change that was not called for yet */
	uint64_t latest; /* change of that kind */
	uint64_t look;   /* at the folder's times */
	uint64_t call;   /* as the callback wants it, or anyway */
};

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The folder may be another one by now. */
static void watch_folder(struct watch *watch)
{
	if (watch->inotify < 0)
		return;
	if (watch->id >= 0)
		(void)inotify_rm_watch(watch->inotify, watch->id);
	watch->id = inotify_add_watch(watch->inotify, watch->folder, changes);
}

/* Files that are no keys come and go; names with two dots are how Kubernetes swaps a whole set of them. */
static bool concerns_keys(const struct inotify_event *event)
{
	return event->len == 0 || (event->mask & IN_Q_OVERFLOW) || folder_is_key(event->name) ||
	       strncmp(event->name, "..", 2) == 0;
}

/* Takes all events; whether one concerns keys, and in *ret_any whether there was one at all. */
static bool take_events(struct watch *watch, bool *ret_any)
{
	_Alignas(struct inotify_event) char events[2048];
	bool found = false;
	ssize_t n;

	*ret_any = false;
	while ((n = read(watch->inotify, events, sizeof(events))) > 0) {
		const struct inotify_event *event;

		*ret_any = true;
		for (ssize_t at = 0; at < n; at += (ssize_t)(sizeof(*event) + event->len)) {
			event = (const void *)(events + at);
			found = found || concerns_keys(event);
			if (event->mask & IN_IGNORED && event->wd == watch->id)
				watch->id = -1;
		}
	}
	return found;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/*
 * Whether the folder changed in a way that was not told of; `told`: something was. Another folder in its
 * place is one.
 */
static bool look(struct watch *watch, bool told)
{
	struct stat st = {0}, *seen = &watch->seen;
	bool other, changed;

	(void)stat(watch->folder, &st);
	other = st.st_ino != seen->st_ino || st.st_dev != seen->st_dev;
	changed = other || !same_time(st.st_mtim, seen->st_mtim) ||
		  !same_time(st.st_ctim, seen->st_ctim);
	*seen = st;
	if (other || watch->id < 0)
		watch_folder(watch);
	return other || (changed && !(told && watch->id >= 0));
}

static int timeout_ms(const struct times *times)
{
	uint64_t until = sooner(times->look, times->call), now = now_us();

	if (times->first)
		until = sooner(until, sooner(times->latest + quiet_us, times->first + patience_us));
	return until > now ? (int)((until - now) / USEC_PER_MSEC) + 1 : 0;
}

static void changed(struct times *times)
{
	times->latest = now_us();
	if (!times->first)
		times->first = times->latest;
}

static bool is_due(const struct times *times)
{
	uint64_t now = now_us();

	return now >= times->call || (times->first && (now >= times->latest + quiet_us ||
						       now >= times->first + patience_us));
}

static void call(struct watch *watch, struct times *times)
{
	uint64_t again;

	times->first = 0;
	again = watch->fn(watch->arg);
	times->call = now_us() + (again && again < anyway_us ? again : anyway_us);
}

static void *run(void *arg)
{
	struct watch *watch = arg;
	struct pollfd fds[] = {{watch->thread.stop, POLLIN, 0}, {watch->inotify, POLLIN, 0}};
	struct times times = {.look = now_us() + look_us};
	bool told = false, any = false;

	(void)look(watch, false);
	call(watch, &times);
	for (;;) {
		(void)poll(fds, ARRAY_SIZE(fds), timeout_ms(&times));
		if (fds[0].revents)
			return NULL;
		if (take_events(watch, &any))
			changed(&times);
		told = told || any;
		if (now_us() >= times.look) {
			if (look(watch, told))
				changed(&times);
			told = false;
			times.look = now_us() + look_us;
		}
		if (is_due(&times))
			call(watch, &times);
	}
}

static void watch_free(struct watch *watch)
{
	close_fd(&watch->inotify);
	free(watch->folder);
	free(watch);
}

DEFINE_CLEANUP(struct watch *, watch_free)

int watch_start(const char *folder, watch_fn fn, void *arg, struct watch **ret)
{
	CLEANUP(watch_freep) struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){.fn = fn, .arg = arg, .inotify = -1, .id = -1};
	watch->folder = strdup(folder);
	if (!watch->folder)
		return -ENOMEM;
	watch->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	r = thread_start(&watch->thread, run, watch);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(watch);
	return 0;
}

void watch_stop(struct watch *watch)
{
	thread_stop(&watch->thread);
	watch_free(watch);
}
