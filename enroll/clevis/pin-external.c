/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Others' pins, as parts of a policy or bound to a volume. */
#include "enroll/clevis/pin-external.h"

#include "enroll/clevis/external.h"
#include "enroll/clevis/trust.h"
#include "token/token.h"

#include <errno.h>
#include <stdio.h>

enum {
	PLAINTEXT_MAX = 64 * 1024, /* of a share or a keyslot's passphrase */
	STEP_US = 5 * USEC_PER_MSEC,
};

/* A person may have to find a card and type its PIN. While one is waited for, so is everything else. */
#define PATIENCE_US ((uint64_t)TOKEN_DEADLINE_MAX * USEC_PER_SEC)

struct state {
	char *jwe;
	struct external external;
	struct cot *patient; /* whose deadline is put off; NULL: nobody's */
};

static void be_patient(struct state *s, struct cot *cot)
{
	cot->deadline_us += PATIENCE_US;
	s->patient = cot;
}

static void be_strict(struct state *s)
{
	if (s->patient)
		s->patient->deadline_us -= PATIENCE_US;
	s->patient = NULL;
}

/* The program for "encrypt" or "decrypt"; the caller frees it. */
static char *program(const char *verb, const char *pin)
{
	CLEANUP(free_text) char *name = NULL;

	if (asprintf(&name, "%s-%s", verb, pin) < 0)
		name = NULL;
	return name ? external_find(name) : NULL;
}

static bool stands_for(const char *name)
{
	CLEANUP(free_text) char *decrypt = program("decrypt", name);
	CLEANUP(free_text) char *encrypt = decrypt ? NULL : program("encrypt", name);

	return decrypt || encrypt;
}

static const char *name_in(const json_t *hdr)
{
	return js_str(json_object_get(hdr, "clevis"), "pin");
}

static int external_check(const struct pin *const *all, const json_t *hdr, const struct log *log)
{
	CLEANUP(free_text) char *path = program("decrypt", name_in(hdr));

	(void)all;
	if (!path)
		return log_err(log, -EOPNOTSUPP,
			       "the pin \"%.32s\" has no program clevis-decrypt-%.32s on PATH",
			       name_in(hdr), name_in(hdr));
	return 0;
}

/* As long as it takes: a person may have to touch something. */
static int run(struct external *external)
{
	int r;

	while ((r = external_step(external)) == -EINPROGRESS)
		if (external_wait(external, now_us() + USEC_PER_SEC) < 0)
			return -EINTR;
	return r;
}

static int external_seal(struct cot *cot, const char *name, const json_t *cfg, struct ref secret,
			 struct jwe *ret)
{
	CLEANUP(external_done) struct external external = {0};
	CLEANUP(free_text) char *path = program("encrypt", name);
	CLEANUP(free_text) char *config = NULL;
	uint64_t began_us = now_us();
	char *argv[] = {path, NULL, cot->confirm == trust_all ? (char[]){"-y"} : NULL, NULL};
	int r;

	if (!path)
		return log_err(cot->log, -EOPNOTSUPP,
			       "the pin \"%.32s\" has no program clevis-encrypt-%.32s on PATH",
			       name, name);
	r = js_dump(cfg, &config);
	if (r < 0)
		return r;

	argv[1] = config;
	r = external_start(path, argv, secret, JS_TEXT_MAX, &external);
	if (r == 0)
		r = run(&external);
	cot->deadline_us += now_us() - began_us; /* it may have asked a person */
	if (r < 0)
		return log_err(cot->log, r, "%.200s failed", path);
	r = jwe_from_compact(buf_ref(&external.output), ret);
	if (r < 0)
		return log_err(cot->log, r, "%.200s wrote a JWE that %s", path, jwe_explain(r));
	return 0;
}

static int begin(struct cot *cot, struct job *job, struct state *s)
{
	const char *name = name_in(job->jwe->hdr);
	CLEANUP(free_text) char *path = program("decrypt", name);
	char *argv[] = {path, NULL};
	int r;

	(void)snprintf(job->where, sizeof(job->where), "%.64s", name);
	if (!path)
		return -ENOENT;
	r = jwe_to_compact(job->jwe, &s->jwe);
	if (r == 0)
		r = external_start(path, argv, ref_str(s->jwe), PLAINTEXT_MAX, &s->external);
	if (r == 0)
		be_patient(s, cot);
	return r;
}

static int external_open(struct cot *cot, struct job *job, struct buf *ret)
{
	struct state *s = job->state;
	int r = 0;

	/* What it asks, network or person, is not known: it waits until local pins have not sufficed. */
	if (!cot->network)
		return -EINPROGRESS;
	if (!s->jwe)
		r = begin(cot, job, s);
	if (r == 0)
		r = external_step(&s->external);
	if (r == -EINPROGRESS && now_us() < cot->deadline_us) {
		cot_wake_at(cot, now_us() + STEP_US);
		return r;
	}
	if (r == -EINPROGRESS)
		return log_err(&job->log, -ETIMEDOUT, "%s: no result in time", job->where);
	if (r < 0)
		return log_err(&job->log, r == -ENOENT ? -EOPNOTSUPP : r,
			       "%s: clevis-decrypt-%s failed", job->where, job->where);

	*ret = TAKE_STRUCT(s->external.output);
	return 0;
}

/* What is in it is between the programs. */
static int external_describe(const struct pin *const *all, const json_t *hdr, json_t *facts)
{
	(void)all;
	(void)hdr;
	(void)facts;
	return 0;
}

static void external_release(struct job *job)
{
	struct state *s = job->state;

	be_strict(s);
	external_done(&s->external);
	free(s->jwe);
}

const struct pin pin_external = {
	.name = "external",
	.flags = PIN_NET,
	.state_size = sizeof(struct state),
	.check = external_check,
	.describe = external_describe,
	.release = external_release,
	.stands_for = stands_for,
	.seal = external_seal,
	.open = external_open,
};
