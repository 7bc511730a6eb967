/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread of the server that waits for things, and for its end. */
#pragma once

#include "crypto/util.h"

#include <pthread.h>

struct thread {
	pthread_t id;
	int stop; /* becomes readable when the thread shall end */
};

/*
 * Starts `run` with all signals blocked: they are for the thread that handles them. End it with
 * thread_stop(). Errors: those of pthread_create(3) and eventfd(2).
 */
MUST int thread_start(struct thread *thread, void *(*run)(void *arg), void *arg);

/* Tells it to end and waits until it did. */
void thread_stop(struct thread *thread);
