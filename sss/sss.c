/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sss pin: its children's plaintexts are shares of its key. */
#include "sss/sss.h"

#include "sss/policy.h"
#include "sss/seal.h"
#include "sss/shamir.h"

#include <errno.h>
#include <stdlib.h>

/* A recovery on its way. */
struct state {
	struct policy policy;
	struct buf shares; /* good ones, side by side */
	unsigned n_shares;
	bool prepared;
};

/* What has become of the children. */
struct tally {
	unsigned pending, wanting_pin, passing;
	int passing_error;   /* the first one that may be otherwise at another time */
	int permanent_error; /* the first other one */
};

/* A child that cannot even begin has failed, and costs only itself. */
static int prepare(struct cot *cot, struct job *job)
{
	struct state *s = job->state;
	int r;

	if (cot->depth >= SSS_DEPTH_MAX)
		return log_err(&job->log, -E2BIG, "sss: thresholds are nested more than %d deep",
			       SSS_DEPTH_MAX);
	r = policy_read(job->jwe->hdr, &job->log, &s->policy);
	if (r == 0)
		r = buf_init(&s->shares, (size_t)s->policy.t * 2 * s->policy.prime.n);
	if (r < 0)
		return r;

	job->children = calloc(s->policy.n, sizeof(*job->children));
	if (!job->children)
		return -ENOMEM;
	job->n_children = s->policy.n;
	job->threshold = s->policy.t;
	for (unsigned i = 0; i < s->policy.n; i++)
		job_init_text(&job->children[i], cot, policy_child(&s->policy, i));
	s->prepared = true;
	return 0;
}

static void step_child(struct cot *cot, struct state *s, struct job *child)
{
	CLEANUP(buf_done) struct buf share = {0};

	if (child->result != -EINPROGRESS || job_step(cot, child, &share) < 0)
		return;

	if (shamir_check(buf_ref(&s->policy.prime), buf_ref(&share), s->shares.p, s->n_shares) <
		    0 ||
	    (s->n_shares < s->policy.t && buf_append(&s->shares, share.p, share.n) < 0))
		child->result = log_err(&child->log, -EBADMSG,
					"%s: what was recovered is not a share of this policy",
					child->where[0] ? child->where : child->pin->name);
	else if (s->n_shares < s->policy.t)
		s->n_shares++;
}

/* Whether a part has still to be asked. */
static bool wanted(const struct cot *cot, const struct state *s)
{
	return cot->survey || s->n_shares < s->policy.t;
}

/* Requests go out before anything local takes its time. */
static void step_children(struct cot *cot, struct job *job)
{
	struct state *s = job->state;

	cot->depth++;
	for (unsigned local = 0; local <= 1; local++)
		for (unsigned i = 0; i < s->policy.n && wanted(cot, s); i++)
			if (job->children[i].pin &&
			    !(job->children[i].pin->flags & PIN_LOCAL) == !local)
				step_child(cot, s, &job->children[i]);
	cot->depth--;
}

static struct tally count(const struct job *job)
{
	struct tally tally = {0};

	for (size_t i = 0; i < job->n_children; i++) {
		int result = job->children[i].result;

		if (result == -EINPROGRESS) {
			tally.pending++;
		} else if (result == -ENOANO) {
			tally.wanting_pin++;
		} else if (pin_may_pass(result)) {
			tally.passing++;
			if (tally.passing_error == 0)
				tally.passing_error = result;
		} else if (result < 0 && tally.permanent_error == 0) {
			tally.permanent_error = result;
		}
	}
	return tally;
}

/* With fewer than t shares: what the whole has come to. */
static int outcome(const struct job *job)
{
	const struct state *s = job->state;
	struct tally tally = count(job);
	unsigned possible = s->n_shares + tally.wanting_pin + tally.pending;
	bool later = possible + tally.passing >= s->policy.t;

	if (possible >= s->policy.t && tally.pending > 0)
		return -EINPROGRESS;
	if (possible >= s->policy.t)
		return log_err(&job->log, -ENOANO, "sss: a PIN is wanted");

	/* Those that are still on their way could not make up for those that failed. */
	return log_err(&job->log, later ? tally.passing_error : tally.permanent_error,
		       "sss: %u of %u needed parts %s recovered", s->n_shares, s->policy.t,
		       s->n_shares == 1 ? "was" : "were");
}

static int sss_decrypt(struct cot *cot, struct job *job, struct buf *ret_cek)
{
	struct state *s = job->state;
	int r;

	r = s->prepared ? 0 : prepare(cot, job);
	if (r < 0)
		return r;

	step_children(cot, job);
	if (cot->survey && count(job).pending > 0)
		return -EINPROGRESS;
	if (s->n_shares < s->policy.t)
		return outcome(job);

	r = shamir_combine(buf_ref(&s->policy.prime), s->policy.t, buf_ref(&s->shares), ret_cek);
	if (r == -EBADMSG)
		return log_err(&job->log, r, "sss: \"p\" is not a prime: the policy is corrupt");
	return r;
}

static void sss_release(struct job *job)
{
	struct state *s = job->state;

	buf_done(&s->shares);
	policy_done(&s->policy);
}

const struct pin pin_sss = {
	.name = "sss",
	.flags = PIN_LOCAL | PIN_NET | PIN_USER_PIN,
	.state_size = sizeof(struct state),
	.check = policy_check,
	.encrypt = seal_policy,
	.decrypt = sss_decrypt,
	.describe = policy_describe,
	.wants_pin = policy_wants_pin,
	.uses_network = policy_uses_network,
	.release = sss_release,
};
