/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread that calls back when a folder of keys has changed. */
#pragma once

#include "crypto/util.h"

struct watch;

/* Called in the thread. Returns after how many microseconds at the latest to call again; 0: at a change. */
typedef uint64_t (*watch_fn)(void *arg);

/*
 * Starts the thread, with all signals blocked, and calls once. The kernel tells of changes (inotify);
 * where it does not (a network file system, a folder that may not be listed, too many watches) the times
 * of the folder are looked at each second. A symbolic link's target that changed, which neither
 * shows, is found within half a minute. The caller ends it with watch_stop(). Errors: those of
 * pthread_create(3) and eventfd(2), -ENOMEM.
 */
MUST int watch_start(const char *folder, watch_fn fn, void *arg, struct watch **ret);

void watch_stop(struct watch *watch);
