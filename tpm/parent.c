/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Primary keys, the storage root key, and salted sessions. */
#include "tpm/parent.h"

#include <errno.h>

static const TPMT_SYM_DEF_OBJECT aes_128_cfb = {
	.algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB};

/* A storage key, as tpm2_createprimary makes it, and with NODA as the TCG would have it. */
static void template(const struct hash_alg *hash, const struct key_type *key, TPM2B_PUBLIC *ret)
{
	TPMT_PUBLIC *area = &ret->publicArea;

	*ret = (TPM2B_PUBLIC){
		.publicArea =
			{
				.type = key->type,
				.nameAlg = hash->id,
				.objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
						    TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
						    TPMA_OBJECT_SENSITIVEDATAORIGIN |
						    TPMA_OBJECT_USERWITHAUTH,
			},
	};
	if (key->type == TPM2_ALG_RSA) {
		area->parameters.rsaDetail.symmetric = aes_128_cfb;
		area->parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
		area->parameters.rsaDetail.keyBits = key->size;
	} else {
		area->parameters.eccDetail.symmetric = aes_128_cfb;
		area->parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
		area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
		area->parameters.eccDetail.curveID = key->size;
	}
}

static TSS2_RC create_primary(struct tss *tss, const TPM2B_PUBLIC *public, ESYS_TR *ret)
{
	static const TPM2B_SENSITIVE_CREATE no_sensitive;
	static const TPM2B_DATA no_info;
	static const TPML_PCR_SELECTION no_pcrs;

	return ESYS(tss, CreatePrimary,
		    (tss->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
		     &no_sensitive, public, &no_info, &no_pcrs),
		    (tss->esys, ret, NULL, NULL, NULL, NULL));
}

int parent_exists(struct tss *tss, TPM2_HANDLE handle, bool *ret)
{
	TPMS_CAPABILITY_DATA *data = NULL;
	TPMI_YES_NO more;
	TSS2_RC rc;

	rc = ESYS(
		tss, GetCapability,
		(tss->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, handle, 1),
		(tss->esys, &more, &data));
	if (rc != TSS2_RC_SUCCESS)
		return tss_fail(tss, rc, "the TPM's persistent keys cannot be listed");

	*ret = data->data.handles.count > 0 && data->data.handles.handle[0] == handle;
	tss->lib.Esys_Free(data);
	return 0;
}

static TSS2_RC try_create_srk(struct tss *tss, const char *type)
{
	TPM2B_PUBLIC public;
	ESYS_TR transient, persistent;
	TSS2_RC rc;

	template(hash_alg_by_id(TPM2_ALG_SHA256), key_type_by_name(type), &public);
	public.publicArea.objectAttributes |= TPMA_OBJECT_NODA;
	rc = create_primary(tss, &public, &transient);
	if (rc != TSS2_RC_SUCCESS)
		return rc;
	rc = ESYS(tss, EvictControl,
		  (tss->esys, ESYS_TR_RH_OWNER, transient, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		   ESYS_TR_NONE, TPM_SRK),
		  (tss->esys, &persistent));
	if (rc == TSS2_RC_SUCCESS)
		tcti_flush_last(&tss->tcti);
	return rc;
}

int parent_create_srk(struct tss *tss)
{
	TSS2_RC rc = try_create_srk(tss, "ecc");

	if (tss_base(rc) == TPM2_RC_CURVE || tss_base(rc) == TPM2_RC_VALUE ||
	    tss_base(rc) == TPM2_RC_TYPE)
		rc = try_create_srk(tss, "rsa");
	if (rc != TSS2_RC_SUCCESS)
		return tss_fail(tss, rc, "the TPM's storage root key cannot be made");
	return log_dbg(tss->log, 0, "tpm2: made the storage root key, 0x%08x", TPM_SRK);
}

/* TPMs have several codes for a handle without a key. */
static bool is_missing(TSS2_RC rc)
{
	TSS2_RC base = tss_base(rc);

	return base == TPM2_RC_HANDLE || base == TPM2_RC_VALUE || base == TPM2_RC_REFERENCE_H0;
}

static int open_persistent(struct tss *tss, const struct sealed *s, ESYS_TR *ret)
{
	TSS2_RC rc;

	rc = ESYS(tss, TR_FromTPMPublic,
		  (tss->esys, s->parent, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE),
		  (tss->esys, ret));
	if (rc == TSS2_RC_SUCCESS)
		return 0;
	if (!is_missing(rc))
		return tss_fail(tss, rc, "the TPM's storage root key cannot be read");
	if (s->name_len)
		return log_err(tss->log, -EKEYREJECTED,
			       "this was sealed by another TPM, or the TPM was cleared since: it "
			       "has no key 0x%08x",
			       s->parent);
	return log_err(tss->log, -EINVAL, "the TPM has no key 0x%08x to seal under", s->parent);
}

static int open_primary(struct tss *tss, const struct sealed *s, ESYS_TR *ret)
{
	TPM2B_PUBLIC public;
	TSS2_RC rc;

	template(s->hash, s->key, &public);
	rc = create_primary(tss, &public, ret);
	return rc == TSS2_RC_SUCCESS ? 0
				     : tss_fail(tss, rc, "the TPM's primary key cannot be made");
}

/* ESYS computes it from the public area, with which it then salts: the two belong together. */
static int get_name(struct tss *tss, ESYS_TR parent, TPM2B_NAME *ret)
{
	TPM2B_NAME *name = NULL;
	TSS2_RC rc = tss->lib.Esys_TR_GetName(tss->esys, parent, &name);

	if (rc != TSS2_RC_SUCCESS)
		return tss_fail(tss, rc, "the name of the TPM's key cannot be computed");
	*ret = *name;
	tss->lib.Esys_Free(name);
	return 0;
}

static int check_name(struct tss *tss, ESYS_TR parent, const struct sealed *s)
{
	TPM2B_NAME name;
	int r;

	r = get_name(tss, parent, &name);
	if (r < 0)
		return r;
	if (ref_equal((struct ref){s->name, s->name_len}, (struct ref){name.name, name.size}))
		return 0;
	return log_err(
		tss->log, -EKEYREJECTED,
		"this was sealed by another TPM, or the TPM was cleared since: its %s key is "
		"not the one that the token names",
		s->parent ? "storage root" : "primary");
}

int parent_open(struct tss *tss, const struct sealed *s, ESYS_TR *ret)
{
	ESYS_TR parent;
	int r;

	r = s->parent ? open_persistent(tss, s, &parent) : open_primary(tss, s, &parent);
	if (r == 0 && s->name_len)
		r = check_name(tss, parent, s);
	if (r < 0)
		return r;

	*ret = parent;
	return 0;
}

int parent_keep_name(struct tss *tss, ESYS_TR parent, struct sealed *s)
{
	TPM2B_NAME name;
	int r;

	r = get_name(tss, parent, &name);
	if (r < 0)
		return r;
	if (name.size > sizeof(s->name))
		return -EPROTO;
	s->name_len = name.size;
	memcpy(s->name, name.name, name.size);
	return 0;
}

int parent_session(struct tss *tss, ESYS_TR parent, const struct session *session, ESYS_TR *ret)
{
	static const TPMT_SYM_DEF aes = {
		.algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB};
	TSS2_RC rc;

	rc = ESYS(tss, StartAuthSession,
		  (tss->esys, parent, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
		   session->type, &aes, session->hash->id),
		  (tss->esys, ret));
	if (rc == TSS2_RC_SUCCESS)
		rc = tss->lib.Esys_TRSess_SetAttributes(tss->esys, *ret, session->attributes, 0xff);
	return rc == TSS2_RC_SUCCESS ? 0 : tss_fail(tss, rc, "a session cannot be begun");
}
