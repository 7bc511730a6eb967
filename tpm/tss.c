/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ESYS contexts, and what becomes of errors. */
#include "tpm/tss.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_ONE = 0x80, FORMAT_ONE_CODE = 0xbf, REASON_MAX = 200 };

static TSS2_RC begin(struct tss *tss)
{
	return tss->lib.Esys_Initialize(&tss->esys, (TSS2_TCTI_CONTEXT *)&tss->tcti, NULL);
}

/*
 * The SYS context inside, which Esys_Finalize() does no more than free, holds commands and replies as
 * they were before they were encrypted, and after.
 */
static void end(struct tss *tss)
{
	TSS2_SYS_CONTEXT *sys;

	if (!tss->esys)
		return;
	if (tss->lib.Esys_GetSysContext(tss->esys, &sys) == TSS2_RC_SUCCESS)
		explicit_bzero(sys, tss->lib.Tss2_Sys_GetContextSize(0));
	tss->lib.Esys_Finalize(&tss->esys);
}

static bool lacks_memory(TSS2_RC rc)
{
	return (rc & ~TSS2_RC_LAYER_MASK) == TSS2_BASE_RC_MEMORY;
}

int tss_open(const char *name, const struct log *log, struct tss **ret)
{
	char found[TCTI_NAME_MAX];
	CLEANUP(tss_closep) struct tss *tss = NULL;
	TSS2_RC rc;
	int r;

	r = tcti_find(name, log, found);
	if (r < 0)
		return r;

	tss = calloc(1, sizeof(*tss));
	if (!tss)
		return -ENOMEM;
	tss->log = log;
	r = libtss_open(log, &tss->lib);
	if (r < 0)
		return r;

	rc = tcti_open(&tss->lib, found, &tss->tcti);
	if (rc != TSS2_RC_SUCCESS) {
		char words[REASON_MAX];

		libtss_describe(rc, words, sizeof(words));
		return log_err(log, lacks_memory(rc) ? -ENOMEM : -ENODEV,
			       "the TPM at %.200s cannot be reached: %s", found, words);
	}
	rc = begin(tss);
	if (rc != TSS2_RC_SUCCESS) {
		/* The TPM has not been asked anything yet. */
		r = tss_fail(tss, rc, "tpm2-tss cannot be used");
		return r == -ENOMEM ? r : -EOPNOTSUPP;
	}

	*ret = TAKE_PTR(tss);
	return 0;
}

int tss_open_now(const char *name, const struct log *log, struct tss **ret)
{
	int r = tss_open(name, log, ret);

	return r == -EAGAIN ? log_err(log, -ENODEV,
				      "the TPM is not ready yet, or another program uses it alone")
			    : r;
}

void tss_close(struct tss *tss)
{
	if (!tss)
		return;
	tcti_flush(&tss->tcti);
	end(tss);
	tcti_close(&tss->lib, &tss->tcti);
	libtss_close(&tss->lib);
	free(tss);
}

static bool is_try_again(TSS2_RC rc)
{
	return (rc & ~TSS2_RC_LAYER_MASK) == TSS2_BASE_RC_TRY_AGAIN;
}

bool tss_again(const struct tss *tss, TSS2_RC rc)
{
	return is_try_again(rc) && tss->tcti.error == TSS2_RC_SUCCESS;
}

/* ESYS waits for ever for a reply that was kept from it, so a new context takes its place. */
TSS2_RC tss_settle(struct tss *tss, TSS2_RC rc)
{
	TSS2_RC kept = tss->tcti.error;

	if (rc == TSS2_RC_SUCCESS)
		return rc;
	if (is_try_again(rc) && kept != TSS2_RC_SUCCESS)
		rc = kept;

	tss->tcti.error = TSS2_RC_SUCCESS;
	tcti_flush(&tss->tcti);
	end(tss);
	if (begin(tss) != TSS2_RC_SUCCESS)
		rc = TSS2_ESYS_RC_MEMORY;
	return rc;
}

TSS2_RC tss_base(TSS2_RC rc)
{
	return (rc & TSS2_RC_LAYER_MASK) == 0 && rc & FORMAT_ONE ? rc & FORMAT_ONE_CODE : rc;
}

/* The cases that a person can do something about; the rest is said in the TPM's own words. */
static const char *explain(TSS2_RC rc)
{
	switch (rc) {
	case TPM2_RC_OBJECT_MEMORY:
	case TPM2_RC_SESSION_MEMORY:
	case TPM2_RC_SESSION_HANDLES:
	case TPM2_RC_OBJECT_HANDLES:
	case TPM2_RC_CONTEXT_GAP:
		return "it has no room left, because other programs did not close their keys and "
		       "sessions; restart the machine, or use tpm2_flushcontext";
	case TPM2_RC_FAILURE:
		return "it is in failure mode and needs a restart of the machine";
	case TPM2_RC_INITIALIZE:
		return "the firmware did not start it";
	case TPM2_RC_LOCKOUT:
		return "it is locked after too many wrong PINs";
	case TPM2_RC_BAD_AUTH:
	case TPM2_RC_AUTH_FAIL:
		return "it wants a password for its keys or its owner hierarchy";
	case TPM2_RC_HIERARCHY:
		return "its owner hierarchy is switched off";
	case TSS2_ESYS_RC_RSP_AUTH_FAILED:
		return "a reply was altered on its way, or is not of this TPM";
	default:
		return NULL;
	}
}

int tss_fail(const struct tss *tss, TSS2_RC rc, const char *what)
{
	TSS2_RC base = tss_base(rc);
	const char *why = explain(base);
	char words[REASON_MAX];
	int r = -EIO;

	if (base == TPM2_RC_LOCKOUT || base == TPM2_RC_BAD_AUTH || base == TPM2_RC_AUTH_FAIL)
		r = -EKEYREJECTED;
	else if (lacks_memory(rc))
		r = -ENOMEM;
	else if ((rc & TSS2_RC_LAYER_MASK) == TSS2_ESAPI_RC_LAYER ||
		 (rc & TSS2_RC_LAYER_MASK) == TSS2_SYS_RC_LAYER ||
		 (rc & TSS2_RC_LAYER_MASK) == TSS2_MU_RC_LAYER)
		r = -EPROTO;

	if (!why) {
		libtss_describe(rc, words, sizeof(words));
		why = words;
	}
	return log_err(tss->log, r, "%s: the TPM: %s", what, why);
}
