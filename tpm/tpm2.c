/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tpm2 pin: a key sealed by this machine's TPM, under a policy. */
#include "tpm/tpm2.h"

#include "tpm/bank.h"
#include "tpm/config.h"
#include "tpm/parent.h"
#include "tpm/satisfy.h"
#include "tpm/seal.h"
#include "tpm/unseal.h"

#include <errno.h>
#include <stdio.h>

enum { LOOK_AGAIN_US = 250 * USEC_PER_MSEC };

static int tpm2_check(const struct pin *const *all, const json_t *hdr, const struct log *log)
{
	CLEANUP(sealed_freep) struct sealed *sealed = NULL;

	(void)all;
	return sealed_read(hdr, log, &sealed);
}

/* A signature may come later; that the TPM cannot use any would show too late. */
static int check_signed(struct tss *tss, const struct sealed *sealed)
{
	struct pcr_set pcrs = sealed->pubkey_pcrs;
	int r;

	if (sealed->pubkey.modulus_len == 0)
		return 0;
	r = bank_read(tss, &pcrs);
	return r < 0 ? r : satisfy_can_verify(tss, sealed);
}

static int prepare_parent(struct tss *tss, const struct sealed *sealed)
{
	bool exists = true;
	int r = 0;

	if (sealed->parent == TPM_SRK)
		r = parent_exists(tss, TPM_SRK, &exists);
	return r == 0 && !exists ? parent_create_srk(tss) : r;
}

static int seal_key(struct cot *cot, struct config *config, struct ref cek)
{
	CLEANUP(tss_closep) struct tss *tss = NULL;
	CLEANUP(buf_done) struct buf jwk = {0};
	int r;

	r = jwk_write_oct(cek, &jwk);
	if (r == 0)
		r = tss_open_now(config->tcti, cot->log, &tss);
	if (r == 0)
		r = bank_complete(tss, &config->sealed->pcrs);
	if (r == 0)
		r = check_signed(tss, config->sealed);
	if (r == 0)
		r = prepare_parent(tss, config->sealed);
	return r < 0 ? r : seal(tss, config->sealed, cot->user_pin, buf_ref(&jwk));
}

static int tpm2_encrypt(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek)
{
	CLEANUP(config_done) struct config config = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	int r;

	r = config_read(cfg, cot->log, &config);
	if (r < 0)
		return r;
	if (config.sealed->has_pin && cot->user_pin.n == 0)
		return log_err(cot->log, -EINVAL, "an empty PIN protects nothing");

	r = buf_random(&cek, JWE_CEK_SIZE);
	if (r == 0)
		r = seal_key(cot, &config, buf_ref(&cek));
	if (r == 0)
		r = sealed_write(config.sealed, hdr);
	if (r < 0)
		return r;

	*ret_cek = TAKE_STRUCT(cek);
	return 0;
}

/* What is sealed is a JWK's text, which never passes through jansson. */
static int take_key(struct ref text, const struct log *log, struct buf *ret_cek)
{
	int r;

	r = jwk_read_oct(text, JWE_CEK_SIZE, ret_cek);
	return r == -EBADMSG ? log_err(log, r, "what the TPM unsealed is not a key for this token")
			     : r;
}

/* -EINPROGRESS while a TPM that the firmware announces may still come. */
static int open_or_wait(struct cot *cot, const struct log *log, struct tss **ret)
{
	uint64_t now = now_us();
	int r;

	r = now < cot->deadline_us ? tss_open(NULL, log, ret) : tss_open_now(NULL, log, ret);

	if (r != -EAGAIN)
		return r;
	cot_wake_at(cot, now + LOOK_AGAIN_US);
	return log_dbg(log, -EINPROGRESS, "tpm2: the TPM is not ready yet");
}

static int tpm2_decrypt(struct cot *cot, struct job *job, struct buf *ret_cek)
{
	CLEANUP(sealed_freep) struct sealed *sealed = NULL;
	CLEANUP(tss_closep) struct tss *tss = NULL;
	CLEANUP(buf_done) struct buf secret = {0};
	int r;

	r = sealed_read(job->jwe->hdr, &job->log, &sealed);
	if (r < 0)
		return r;
	if (sealed->has_pin && cot->user_pin.p && cot->user_pin.n == 0)
		return log_err(&job->log, -EKEYREJECTED,
			       "the PIN was empty, and the TPM was not asked");

	r = open_or_wait(cot, &job->log, &tss);
	if (r == 0)
		r = unseal(tss, sealed, cot->user_pin, &secret);
	return r < 0 ? r : take_key(buf_ref(&secret), &job->log, ret_cek);
}

static int add(json_t *facts, const char *name, const char *value)
{
	return json_object_set_new(facts, name, json_string(value)) == 0 ? 0 : -ENOMEM;
}

static int describe_parent(const struct sealed *s, json_t *facts)
{
	char parent[64];
	int r;

	if (s->parent) {
		(void)snprintf(parent, sizeof(parent), "0x%08x%s", s->parent,
			       s->parent == TPM_SRK ? " (storage root key)" : "");
		return add(facts, "parent", parent);
	}
	r = add(facts, "hash", s->hash->name);
	return r < 0 ? r : add(facts, "key", s->key->name);
}

/* Whether it wants PCR 15 as it is when the machine starts, which cotter-pcr15 soon ends. */
static bool is_early(const struct sealed *s)
{
	for (size_t i = 0; i < s->pcrs.n; i++)
		if (pcr_is_early(&s->pcrs.pcrs[i]))
			return true;
	return false;
}

bool tpm2_is_early(const json_t *cfg)
{
	CLEANUP(config_done) struct config config = {0};

	return config_read(cfg, NULL, &config) == 0 && is_early(config.sealed);
}

static int describe_policy(const struct sealed *s, json_t *facts)
{
	char pcrs[PCR_TEXT_MAX];
	int r;

	pcr_format(&s->pcrs, pcrs);
	r = add(facts, "pcrs", s->pcrs.n > 0 ? pcrs : "none");
	if (r == 0)
		r = add(facts, "pin", s->has_pin ? "yes" : "no");
	if (r == 0 && is_early(s))
		r = add(facts, "holds", "only before switch-root");
	if (r < 0 || s->pubkey.modulus_len == 0)
		return r;
	pcr_format(&s->pubkey_pcrs, pcrs);
	r = add(facts, "signed_pcrs", pcrs);
	return r < 0 || !s->signature[0] ? r : add(facts, "signature", s->signature);
}

static int tpm2_describe(const struct pin *const *all, const json_t *hdr, json_t *facts)
{
	CLEANUP(sealed_freep) struct sealed *s = NULL;
	bool clevis;
	int r;

	(void)all;
	r = sealed_read(hdr, NULL, &s);
	if (r == 0)
		r = describe_parent(s, facts);
	if (r == 0)
		r = describe_policy(s, facts);
	if (r < 0)
		return r;

	clevis = !s->parent && (s->pcrs.n == 0 || pcr_one_bank(&s->pcrs));
	return add(facts, "clevis_reads_it", clevis ? "yes" : "no");
}

static bool tpm2_wants_pin(const struct pin *const *all, const json_t *hdr)
{
	(void)all;
	return json_object_get(json_object_get(json_object_get(hdr, "clevis"), "tpm2"), "salt");
}

static void tpm2_release(struct job *job)
{
	(void)job; /* each step leaves nothing behind */
}

const struct pin pin_tpm2 = {
	.name = "tpm2",
	.flags = PIN_LOCAL | PIN_USER_PIN,
	.check = tpm2_check,
	.encrypt = tpm2_encrypt,
	.decrypt = tpm2_decrypt,
	.describe = tpm2_describe,
	.wants_pin = tpm2_wants_pin,
	.release = tpm2_release,
};
