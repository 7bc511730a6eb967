/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads a sealed object and takes its secret out. */
#include "tpm/unseal.h"

#include "tpm/auth.h"
#include "tpm/bank.h"
#include "tpm/parent.h"
#include "tpm/satisfy.h"

#include <errno.h>
#include <stdio.h>

enum { TRIES_MAX = 5 /* while something else measures into PCRs */ };

/* One attempt. Its ESYS handles are void after the first command that fails, and after success. */
struct attempt {
	struct tss *tss;
	const struct sealed *sealed;
	struct ref pin;
	ESYS_TR parent;
	ESYS_TR session;
	ESYS_TR object;
};

int unseal_explain(struct tss *tss, const struct sealed *sealed)
{
	char text[PCR_TEXT_MAX], list[PCR_TEXT_MAX];
	struct pcr_set changed;
	size_t n = 0;
	int r;

	r = bank_changed(tss, &sealed->pcrs, &changed);
	if (r < 0)
		return r;

	list[0] = '\0';
	for (size_t i = 0; i < changed.n && n < sizeof(list) - 1; i++) {
		pcr_describe(&changed.pcrs[i], text);
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", text);
	}
	if (changed.n > 0)
		return log_err(tss->log, -EKEYREJECTED, "PCR %s changed since enrollment", list);
	if (sealed->pcrs.n > 0 && !sealed->pcrs.pcrs[0].has_value) {
		pcr_format(&sealed->pcrs, text);
		return log_err(tss->log, -EKEYREJECTED,
			       "at least one of the PCRs %s changed since enrollment", text);
	}
	return log_err(tss->log, -EBADMSG,
		       "the sealed key has another policy than the token says: it was altered");
}

static int begin_session(struct attempt *a)
{
	bool policy = sealed_has_policy(a->sealed);
	struct session session = {
		.type = policy ? TPM2_SE_POLICY : TPM2_SE_HMAC,
		.hash = policy ? a->sealed->object_hash : hash_alg_by_id(TPM2_ALG_SHA256),
		.attributes = TPMA_SESSION_ENCRYPT,
	};
	int r;

	r = parent_session(a->tss, a->parent, &session, &a->session);
	return r < 0 ? r : satisfy(a->tss, a->session, a->sealed);
}

/*
 * Before a PIN is asked for or tried: all else must hold, so that the PIN would unseal, and so that
 * a policy that does not hold never costs a try.
 */
static int check_rest(const struct attempt *a)
{
	const TPM2B_DIGEST *wanted = &a->sealed->pub.publicArea.authPolicy;
	TPM2B_DIGEST digest;
	uint32_t left;
	int r;

	r = satisfy_digest(a->tss, a->session, &digest);
	if (r < 0)
		return r;
	if (digest.size != wanted->size || memcmp(digest.buffer, wanted->buffer, digest.size) != 0)
		return unseal_explain(a->tss, a->sealed);
	if (a->pin.p)
		return 0;

	r = auth_check_lockout(a->tss, &left);
	return r < 0 ? r : log_err(a->tss->log, -ENOANO, "the TPM wants a PIN");
}

/* A private part is readable only for the parent that it was made under. */
static int explain_load(const struct attempt *a, TSS2_RC rc)
{
	struct tss *tss = a->tss;

	switch (tss_base(rc)) {
	case TPM2_RC_INTEGRITY:
	case TPM2_RC_SIZE:
	case TPM2_RC_VALUE:
	case TPM2_RC_ATTRIBUTES:
	case TPM2_RC_SYMMETRIC:
	case TPM2_RC_TYPE:
	case TPM2_RC_BINDING:
		break;
	default:
		return auth_fail(tss, rc, "the sealed key cannot be loaded");
	}
	if (a->sealed->name_len == 0)
		return log_err(
			tss->log, -EKEYREJECTED,
			"this was sealed by another TPM, or the TPM was cleared since, or the "
			"token was altered");
	return log_err(tss->log, -EBADMSG, "the TPM does not know the sealed key: it was altered");
}

static int load(struct attempt *a)
{
	struct tss *tss = a->tss;
	const struct sealed *s = a->sealed;
	TSS2_RC rc;

	rc = ESYS(tss, Load,
		  (tss->esys, a->parent, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &s->priv,
		   &s->pub),
		  (tss->esys, &a->object));
	return rc == TSS2_RC_SUCCESS ? 0 : explain_load(a, rc);
}

static int wrong_pin(struct tss *tss)
{
	uint32_t left;
	int r;

	r = auth_check_lockout(tss, &left);
	if (r < 0)
		return r;
	return log_err(tss->log, -ENOANO, "wrong PIN; the TPM takes %u more before it locks itself",
		       left);
}

/* -EAGAIN: a PCR changed since the session saw it. */
static int explain_unseal(const struct attempt *a, TSS2_RC rc)
{
	struct tss *tss = a->tss;
	TSS2_RC base = tss_base(rc);

	if (base == TPM2_RC_PCR_CHANGED)
		return -EAGAIN;
	if (base == TPM2_RC_POLICY_FAIL)
		return unseal_explain(tss, a->sealed);
	if (base == TPM2_RC_AUTH_UNAVAILABLE)
		return log_err(tss->log, -EBADMSG,
			       "the sealed key has a policy that the token does not name: it was "
			       "altered");
	if ((base == TPM2_RC_AUTH_FAIL || base == TPM2_RC_BAD_AUTH) && a->sealed->has_pin)
		return wrong_pin(tss);
	return auth_fail(tss, rc, "the sealed key cannot be unsealed");
}

/*
 * ESYS keeps the authorization value in the object and in the session, and wipes neither. Another
 * value takes its place by a command that does not leave the house.
 */
static void forget_auth(const struct attempt *a)
{
	TPM2B_AUTH other = {.size = PCR_DIGEST_MAX};
	struct tss *tss = a->tss;

	memset(other.buffer, 0xff, other.size);
	tss->tcti.closed = true;
	(void)tss->lib.Esys_TR_SetAuth(tss->esys, a->object, &other);
	(void)tss->lib.Unseal_Async(tss->esys, a->object, a->session, ESYS_TR_NONE, ESYS_TR_NONE);
}

/* With the PIN's value as the object's authorization, of which only a proof crosses the bus. */
static TSS2_RC command_unseal(const struct attempt *a, const TPM2B_AUTH *auth,
			      TPM2B_SENSITIVE_DATA **ret)
{
	struct tss *tss = a->tss;
	TSS2_RC rc;

	rc = tss->lib.Esys_TR_SetAuth(tss->esys, a->object, auth);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	rc = ESYS(tss, Unseal, (tss->esys, a->object, a->session, ESYS_TR_NONE, ESYS_TR_NONE),
		  (tss->esys, ret));
	if (rc == TSS2_RC_SUCCESS) {
		tcti_forget_session(&tss->tcti);
		forget_auth(a);
	}
	return rc;
}

static int take_secret(const struct attempt *a, struct buf *ret)
{
	CLEANUP(auth_done) TPM2B_AUTH auth = {0};
	TPM2B_SENSITIVE_DATA *data = NULL;
	TSS2_RC rc;
	int r = 0;

	if (a->sealed->has_pin)
		r = auth_from_pin(a->pin, a->sealed->salt, &auth);
	if (r < 0)
		return r;

	rc = command_unseal(a, &auth, &data);
	if (rc != TSS2_RC_SUCCESS)
		return explain_unseal(a, rc);
	r = buf_copy(ret, (struct ref){data->buffer, data->size});
	explicit_bzero(data, sizeof(*data));
	a->tss->lib.Esys_Free(data);
	return r;
}

/* -EAGAIN: a PCR changed on the way. */
static int attempt(struct attempt *a, struct buf *ret)
{
	int r;

	r = parent_open(a->tss, a->sealed, &a->parent);
	if (r == 0)
		r = begin_session(a);
	if (r == 0 && a->sealed->has_pin)
		r = check_rest(a);
	if (r == 0)
		r = load(a);
	return r < 0 ? r : take_secret(a, ret);
}

int unseal(struct tss *tss, const struct sealed *sealed, struct ref pin, struct buf *ret)
{
	struct attempt a = {.tss = tss, .sealed = sealed, .pin = pin};
	int r = -EAGAIN;

	for (int i = 0; i < TRIES_MAX && r == -EAGAIN; i++)
		r = attempt(&a, ret);
	if (r == -EAGAIN)
		return log_err(tss->log, -EIO, "the PCRs change all the time");
	return r;
}
