/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which TPM, whether it is there yet, and the way to it. */
#pragma once

#include "tpm/tss-dl.h"

enum { TCTI_NAME_MAX = 1024 };

/*
 * The TPM to use, as libtss2-tctildr names it: `given` where that is not NULL, else what
 * COTTER_TPM2_TCTI says, else this machine's device. The cause of a failure goes to `log` at ERROR,
 * except for -EAGAIN. Errors: -ENODEV (no TPM, or no access to it), -EAGAIN (the firmware announces
 * one whose device is not there yet, or in use), -E2BIG.
 */
MUST int tcti_find(const char *given, const struct log *log, char ret[TCTI_NAME_MAX]);

enum { TCTI_HANDLES_MAX = 8, TCTI_REPLY_MAX = 4096 };

/*
 * A TCTI between ESYS and the real one. ESYS writes about each error reply to stderr, which is not
 * ours to write to; so errors are kept here, and ESYS hears only that there is no reply yet. And it
 * keeps the handle of whatever the TPM opened, so that all can be closed again, whatever ESYS made
 * of the reply. It must not move while it is open.
 */
struct tcti {
	TSS2_TCTI_CONTEXT_COMMON_V1 common; /* what ESYS sees */
	TSS2_TCTI_CONTEXT *real;
	bool closed;                           /* no more commands get through */
	bool pending;                          /* the last command's reply was not fetched */
	TSS2_RC error;                         /* of the last command, 0: none */
	TPM2_CC command;                       /* the last one */
	TPM2_HANDLE handles[TCTI_HANDLES_MAX]; /* open in the TPM, oldest first */
	size_t n_handles;
	uint8_t reply[TCTI_REPLY_MAX];
	size_t reply_len;
};

/* Errors: the response code, 0 for none. */
MUST TSS2_RC tcti_open(const struct libtss *lib, const char *name, struct tcti *ret);

/* Closes in the TPM what was opened last. A reply that ESYS did not come to fetch is fetched before. */
void tcti_flush_last(struct tcti *tcti);

/* Closes all that is open in the TPM, in the same way. */
void tcti_flush(struct tcti *tcti);

/* Forgets a handle that the TPM closed by itself: the oldest session. */
void tcti_forget_session(struct tcti *tcti);

/* Takes zeroed structs too. Flushes nothing. */
void tcti_close(const struct libtss *lib, struct tcti *tcti);
