/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A conversation with the TPM. Whatever is opened in it is closed again: by the first command that
 * fails, and at the end. All ESYS handles are therefore void after an error.
 */
#pragma once

#include "tpm/tcti.h"

struct tss {
	struct libtss lib;
	struct tcti tcti;
	ESYS_CONTEXT *esys;
	const struct log *log;
};

/*
 * Begins one with the TPM that tcti_find() chooses. The cause goes to `log`, which must outlive it,
 * at ERROR, except for -EAGAIN. The caller ends it with tss_close(). Errors: -EOPNOTSUPP (tpm2-tss
 * is missing, or does not work), -ENODEV, -EAGAIN, -E2BIG, -ENOMEM.
 */
MUST int tss_open(const char *tcti, const struct log *log, struct tss **ret);

/* The same for those who do not wait: a TPM that is not there yet is -ENODEV, and said. */
MUST int tss_open_now(const char *tcti, const struct log *log, struct tss **ret);

/* Closes all that is open in the TPM, and ends it. Takes NULL. */
void tss_close(struct tss *tss);
DEFINE_CLEANUP(struct tss *, tss_close)

/*
 * Runs one command: ESYS(tss, Load, (esys, …in…), (esys, …out…)), where the lists are those of
 * Esys_Load_Async() and Esys_Load_Finish(). The value is the response code.
 */
#define ESYS(tss, command, in, out)                                         \
	__extension__({                                                     \
		TSS2_RC esys_rc_ = (tss)->lib.command##_Async in;           \
		if (esys_rc_ == TSS2_RC_SUCCESS)                            \
			do                                                  \
				esys_rc_ = (tss)->lib.command##_Finish out; \
			while (tss_again(tss, esys_rc_));                   \
		tss_settle(tss, esys_rc_);                                  \
	})

/* Whether ESYS sent the command again and its reply must be waited for. */
bool tss_again(const struct tss *tss, TSS2_RC rc);

/* The true response code; an error closes all that is open in the TPM. */
TSS2_RC tss_settle(struct tss *tss, TSS2_RC rc);

/* A response code without the number of the handle, session or parameter that it is about. */
TSS2_RC tss_base(TSS2_RC rc);

/*
 * Writes what failed ("the sealed key cannot be loaded") and why to the log at ERROR, and returns
 * the errno: -EIO, -EPROTO (a reply that cannot be the TPM's own), -EKEYREJECTED (a wrong
 * authorization, or lockout), -ENOMEM.
 */
MUST int tss_fail(const struct tss *tss, TSS2_RC rc, const char *what);
