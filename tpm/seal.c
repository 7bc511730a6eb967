/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Creates sealed objects. */
#include "tpm/seal.h"

#include "tpm/auth.h"
#include "tpm/parent.h"

#include <errno.h>

/* The same steps as satisfy(), in software: what is sealed to need not hold now. */
int seal_digest(const struct sealed *s, TPM2B_DIGEST *ret)
{
	struct policy policy = {.hash = s->object_hash};
	TPM2B_NAME key;
	int r = 0;

	if (!sealed_has_policy(s)) {
		ret->size = 0;
		return 0;
	}
	if (s->pubkey.modulus_len > 0) {
		r = policy_key_name(&s->pubkey, &key);
		if (r == 0)
			r = policy_authorize(&policy, &key);
	}
	if (r == 0 && s->pcrs.n > 0)
		r = policy_pcr(&policy, &s->pcrs);
	if (r == 0 && s->has_pin)
		r = policy_auth_value(&policy);
	if (r < 0)
		return r;

	ret->size = s->object_hash->size;
	memcpy(ret->buffer, policy.digest, ret->size);
	return 0;
}

/*
 * What Clevis makes, so that Clevis can read it; with a PIN, the TPM counts wrong ones. Without a
 * policy the object's own (empty) value authorizes its use.
 */
static int make_template(const struct sealed *s, TPM2B_PUBLIC *ret)
{
	bool policy = sealed_has_policy(s);

	*ret = (TPM2B_PUBLIC){
		.publicArea =
			{
				.type = TPM2_ALG_KEYEDHASH,
				.nameAlg = s->object_hash->id,
				.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
						    TPMA_OBJECT_ADMINWITHPOLICY |
						    (s->has_pin ? 0 : TPMA_OBJECT_NODA) |
						    (policy ? 0 : TPMA_OBJECT_USERWITHAUTH),
				.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL,
			},
	};
	return seal_digest(s, &ret->publicArea.authPolicy);
}

static void sensitive_done(TPM2B_SENSITIVE_CREATE *sensitive)
{
	explicit_bzero(sensitive, sizeof(*sensitive));
}

static int make_sensitive(const struct sealed *s, struct ref pin, struct ref secret,
			  TPM2B_SENSITIVE_CREATE *ret)
{
	TPM2B_SENSITIVE_DATA *data = &ret->sensitive.data;

	if (secret.n > sizeof(data->buffer))
		return -E2BIG;
	data->size = (UINT16)secret.n;
	memcpy(data->buffer, secret.p, secret.n);
	return s->has_pin ? auth_from_pin(pin, s->salt, &ret->sensitive.userAuth) : 0;
}

/* What Create needs apart from the secret. */
struct creation {
	ESYS_TR parent;
	ESYS_TR session;
	TPM2B_PUBLIC template;
};

static int create(struct tss *tss, struct sealed *s, const struct creation *c,
		  const TPM2B_SENSITIVE_CREATE *sensitive)
{
	static const TPM2B_DATA no_info;
	static const TPML_PCR_SELECTION no_pcrs;
	static const TPM2B_SENSITIVE_CREATE blank;
	TPM2B_PUBLIC *public = NULL;
	TPM2B_PRIVATE *private = NULL;
	TSS2_RC rc;

	rc = ESYS(tss, Create,
		  (tss->esys, c->parent, c->session, ESYS_TR_NONE, ESYS_TR_NONE, sensitive,
		   &c->template, &no_info, &no_pcrs),
		  (tss->esys, &private, &public, NULL, NULL, NULL));
	if (rc != TSS2_RC_SUCCESS)
		return auth_fail(tss, rc, "the secret cannot be sealed");

	s->pub = *public;
	s->priv = *private;
	tss->lib.Esys_Free(public);
	tss->lib.Esys_Free(private);
	tcti_forget_session(&tss->tcti);
	/* ESYS keeps what it was given last and does not wipe it: nothing, sent nowhere. */
	tss->tcti.closed = true;
	(void)tss->lib.Create_Async(tss->esys, c->parent, c->session, ESYS_TR_NONE, ESYS_TR_NONE,
				    &blank, &c->template, &no_info, &no_pcrs);
	return 0;
}

int seal(struct tss *tss, struct sealed *s, struct ref pin, struct ref secret)
{
	CLEANUP(sensitive_done) TPM2B_SENSITIVE_CREATE sensitive = {0};
	struct session session = {
		.type = TPM2_SE_HMAC,
		.hash = hash_alg_by_id(TPM2_ALG_SHA256),
		.attributes = TPMA_SESSION_DECRYPT,
	};
	struct creation c = {0};
	int r;

	r = make_sensitive(s, pin, secret, &sensitive);
	if (r == 0)
		r = make_template(s, &c.template);
	if (r == 0)
		r = parent_open(tss, s, &c.parent);
	if (r == 0)
		r = parent_keep_name(tss, c.parent, s);
	if (r == 0)
		r = parent_session(tss, c.parent, &session, &c.session);
	return r < 0 ? r : create(tss, s, &c, &sensitive);
}
