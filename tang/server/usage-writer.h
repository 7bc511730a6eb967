/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread that keeps the record of recoveries, at most once a second, so that no request waits for a disk. */
#pragma once

#include "tang/server/store.h"

struct usage_writer;

/*
 * Continues the record in `path`, or begins one where there is none (or none that can be read, which
 * is said to `log`), and writes it. What key_count() counts is added. One writer a store; the store
 * and `log` must outlive it. The thread has all signals blocked. The caller ends it with
 * usage_writer_stop(). Errors: those of put_path() (said to `log`: the record cannot be kept
 * there), pthread_create(3) and eventfd(2), -ENOMEM.
 */
MUST int usage_writer_start(const char *path, struct store *store, const struct log *log,
			    struct usage_writer **ret);

/* Writes what is left, ends the thread. */
void usage_writer_stop(struct usage_writer *writer);
