/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Tang server's key folder and what it holds now, read again as it changes. */
#pragma once

#include "crypto/log.h"
#include "tang/server/keys.h"

struct store;

/*
 * Reads the folder, and for half a second again where its keys make no pair to advertise, as they are
 * being rotated; nothing is started. A folder that holds no keys, or that cannot be read just
 * now, is one to be read again later, and said to `log`, which must outlive the store. The caller owns
 * *ret. Errors: -ENOENT, -ENOTDIR (there is no such folder; said to `log`), -ENOMEM (also where it was the
 * folder that could not be read).
 */
MUST int store_open(const char *folder, const struct log *log, struct store **ret);

/*
 * Starts the thread that reads the folder again within a second of each change. A key that a reading
 * misses, and a folder without an advertised pair where there was one, are believed after half a second,
 * so that no rotation, in whatever order it is done, refuses anyone. All signals are blocked in the
 * thread; `log` is then used by it too. Errors: those of pthread_create(3).
 */
MUST int store_watch(struct store *store);

/* Reads the folder now. Returns after how many microseconds it is to be read again; 0: at a change. */
uint64_t store_reload(struct store *store);

/* The keys as they are now: a new reference. Any thread may ask, also while others do. */
struct keys *store_keys(struct store *store);

/* Ends the thread, frees all; snapshots that others hold live on. */
void store_close(struct store *store);

DEFINE_CLEANUP(struct store *, store_close)
