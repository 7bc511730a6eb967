/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proves bindings. */
#include "enroll/clevis/prove.h"

#include "enroll/clevis/external.h"
#include "enroll/clevis/secret.h"

#include <errno.h>
#include <stdio.h>

enum { WAIT_US = 100 * USEC_PER_MSEC, OUTPUT_MAX = 64 };

static int run(const char *device, const char *slot)
{
	char *const argv[] = {(char *)"clevis-luks-unlock",
			      (char *)"-d",
			      (char *)device,
			      (char *)"-t",
			      (char *)slot,
			      NULL};
	CLEANUP(external_done) struct external process = {0};
	int r;

	r = external_start("/proc/self/exe", argv, ref_str(""), OUTPUT_MAX, &process);
	if (r < 0)
		return r;
	while ((r = external_step(&process)) == -EINPROGRESS)
		if (external_wait(&process, now_us() + WAIT_US) < 0)
			return -EINTR;
	return r;
}

static int compare(struct volume *volume, unsigned slot, const struct secret *secret)
{
	CLEANUP(free_text) char *jwe = NULL;
	int r;

	r = volume->format->jwe(volume, slot, &jwe);
	if (r == 0 && strcmp(jwe, secret->jwe) != 0)
		r = -EIO;
	return r;
}

int prove_in_header(void *arg, struct volume *volume, unsigned slot)
{
	const struct secret *secret = arg;
	const struct log *log = volume->luks->log;
	char text[16];
	int r;

	if (compare(volume, slot, secret) < 0)
		return log_err(log, -EIO, "another binding is in the header of %s than was made",
			       volume->luks->name);
	/* Where somebody typed a PIN, what is written was recovered with it a moment ago; a fresh process would ask again. */
	if (secret->unproven[0] || secret->typed)
		return 0;

	(void)snprintf(text, sizeof(text), "%u", slot);
	r = run(volume->luks->name, text);
	if (r < 0)
		return log_err(log, r == -ENOMEM ? r : -EKEYREJECTED,
			       "the new binding was not proven, so it is removed again");
	return 0;
}
