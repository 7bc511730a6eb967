/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Authorization values, and the TPM's protection against guessing them. */
#include "tpm/auth.h"

#include "crypto/hash.h"

#include <errno.h>
#include <stdio.h>

enum { ROUNDS = 10000, VALUE_SIZE = 32 };

void auth_done(TPM2B_AUTH *auth)
{
	explicit_bzero(auth, sizeof(*auth));
}

/* TPMs remove trailing zero bytes, and not all at the same moment: without any, all agree. */
int auth_from_pin(struct ref pin, const uint8_t salt[TPM_SALT_SIZE], TPM2B_AUTH *ret)
{
	CLEANUP(auth_done) TPM2B_AUTH auth = {.size = VALUE_SIZE};
	int r;

	r = hash_pbkdf2(pin, (struct ref){salt, TPM_SALT_SIZE}, ROUNDS, auth.buffer, VALUE_SIZE);
	if (r < 0)
		return r;
	while (auth.size > 0 && auth.buffer[auth.size - 1] == 0)
		auth.size--;

	*ret = auth;
	return 0;
}

/* What the TPM says of its protection. */
struct protection {
	uint32_t permanent; /* TPMA_PERMANENT */
	uint32_t failures;
	uint32_t failures_max;
	uint32_t interval; /* seconds until one failure is forgotten */
};

static int read_protection(struct tss *tss, struct protection *ret)
{
	TPMS_CAPABILITY_DATA *data = NULL;
	struct protection p = {0};
	TPMI_YES_NO more;
	TSS2_RC rc;

	rc = ESYS(tss, GetCapability,
		  (tss->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES,
		   TPM2_PT_PERMANENT, TPM2_PT_LOCKOUT_INTERVAL - TPM2_PT_PERMANENT + 1),
		  (tss->esys, &more, &data));
	if (rc != TSS2_RC_SUCCESS)
		return tss_fail(tss, rc, "the TPM's lockout state cannot be read");

	for (uint32_t i = 0; i < data->data.tpmProperties.count; i++) {
		const TPMS_TAGGED_PROPERTY *property = &data->data.tpmProperties.tpmProperty[i];

		if (property->property == TPM2_PT_PERMANENT)
			p.permanent = property->value;
		else if (property->property == TPM2_PT_LOCKOUT_COUNTER)
			p.failures = property->value;
		else if (property->property == TPM2_PT_MAX_AUTH_FAIL)
			p.failures_max = property->value;
		else if (property->property == TPM2_PT_LOCKOUT_INTERVAL)
			p.interval = property->value;
	}
	tss->lib.Esys_Free(data);
	*ret = p;
	return 0;
}

static void format_wait(uint32_t seconds, char *ret, size_t size)
{
	if (seconds < 120)
		(void)snprintf(ret, size, "%u seconds", seconds);
	else if (seconds < 2 * 3600)
		(void)snprintf(ret, size, "%u minutes", (seconds + 59) / 60);
	else
		(void)snprintf(ret, size, "%u hours", (seconds + 3599) / 3600);
}

int auth_check_lockout(struct tss *tss, uint32_t *ret_left)
{
	struct protection p = {0};
	char wait[32];
	int r;

	r = read_protection(tss, &p);
	if (r < 0)
		return r;

	if (!(p.permanent & TPMA_PERMANENT_INLOCKOUT)) {
		*ret_left = p.failures_max > p.failures ? p.failures_max - p.failures : 0;
		return 0;
	}
	format_wait(p.interval, wait, sizeof(wait));
	return log_err(tss->log, -EKEYREJECTED,
		       "the TPM is locked after too many wrong PINs: it allows one more try within "
		       "%s, or all of them after tpm2_dictionarylockout --clear-lockout",
		       wait);
}

int auth_fail(struct tss *tss, TSS2_RC rc, const char *what)
{
	uint32_t left;
	int r = 0;

	if (tss_base(rc) == TPM2_RC_LOCKOUT)
		r = auth_check_lockout(tss, &left);
	return r < 0 ? r : tss_fail(tss, rc, what);
}
