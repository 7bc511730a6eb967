/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Threads that can be told to end. */
#include "tang/server/thread.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>

int thread_start(struct thread *thread, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int r;

	thread->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (thread->stop < 0)
		return -errno;

	(void)sigfillset(&all);
	r = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (r == 0)
		r = pthread_create(&thread->id, NULL, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		close_fd(&thread->stop);
	return -r;
}

void thread_stop(struct thread *thread)
{
	(void)eventfd_write(thread->stop, 1);
	(void)pthread_join(thread->id, NULL);
	close_fd(&thread->stop);
}
