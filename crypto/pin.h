/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pin contract. A pin makes and recovers the content encryption key of a JWE under one
 * condition; it never sees the plaintext. Recovery is stepped: a pin never sleeps, and pin_recover()
 * is the only loop that waits.
 */
#pragma once

#include "crypto/jwe.h"
#include "crypto/log.h"

enum pin_flags {
	PIN_LOCAL = 1 << 0,    /* needs this machine alone */
	PIN_NET = 1 << 1,      /* needs the network */
	PIN_USER_PIN = 1 << 2, /* may need a PIN typed by a person */
};

/* A device that would not take a PIN. */
struct refusal {
	uint64_t device; /* by a hash of whatever names it */
	int error;
};

enum { COT_REFUSALS_MAX = 64 };

struct cot;
struct job;
struct surveyor; /* tang/survey.h */

struct pin {
	const char *name;  /* value of clevis.pin, and of the LUKS2 token type after "cotter-" */
	unsigned flags;    /* enum pin_flags */
	size_t state_size; /* zeroed bytes at job->state */

	/*
	 * Whether `decrypt` can use this header: members and their types, no I/O, no secrets. The
	 * cause goes to `log` at ERROR. Errors: -EBADMSG, -EOPNOTSUPP, -E2BIG, -ENOMEM.
	 */
	int (*check)(const struct pin *const *pins, const json_t *hdr, const struct log *log);

	/*
	 * Makes a key under the condition that `cfg`, Clevis's configuration object for this pin,
	 * describes: completes `hdr` (alg, enc, the clevis member and what recovery needs) and
	 * returns the key in a new buffer. May wait, through cot_wait() alone, and ask, through
	 * cot->confirm alone. The cause of a failure goes to cot->log at ERROR. Errors: see
	 * pin_seal().
	 */
	int (*encrypt)(struct cot *cot, const json_t *cfg, json_t *hdr, struct buf *ret_cek);

	/*
	 * One step towards the key of job->jwe, whose header passed `check`. 0: done, the key is in a
	 * new buffer; -EINPROGRESS: call again after cot_wait(); anything else: failed for good, and
	 * the cause went to job->log at ERROR. While cot->network is false a PIN_NET pin returns
	 * -EINPROGRESS without sending anything. Past cot->deadline_us it returns no -EINPROGRESS.
	 * Where cot->survey is set it comes to its end only once its survey has.
	 */
	int (*decrypt)(struct cot *cot, struct job *job, struct buf *ret_cek);

	/*
	 * Adds to `facts`, an object, what is public in the header and worth reading: names in
	 * lower case with underscores, values strings, numbers or arrays of strings. Errors: -ENOMEM.
	 */
	int (*describe)(const struct pin *const *pins, const json_t *hdr, json_t *facts);

	/*
	 * Whether recovery of this header takes a PIN. NULL in pins that never do.
	 */
	bool (*wants_pin)(const struct pin *const *pins, const json_t *hdr);

	/*
	 * Whether recovery of this header may use the network. NULL where PIN_NET says it for all.
	 */
	bool (*uses_network)(const struct pin *const *pins, const json_t *hdr);

	/* Frees what is in job->state, in any state, also half made. */
	void (*release)(struct job *job);

	/*
	 * Of a pin that stands for programs of others, which make and open whole JWEs; NULL in all
	 * else. It answers to every name that `stands_for` says yes to and no pin before it has; `seal`
	 * makes the JWE instead of `encrypt` its key, and `open` is a step towards the plaintext as
	 * `decrypt` is towards the key.
	 */
	bool (*stands_for)(const char *name);
	int (*seal)(struct cot *cot, const char *name, const json_t *cfg, struct ref secret,
		    struct jwe *ret);
	int (*open)(struct cot *cot, struct job *job, struct buf *ret);
};

struct pollfd;

/* What a PIN_NET pin puts at cot->waiter on first use: waits for its transfers. */
struct waiter {
	/*
	 * Sleeps until something happened, `alarm` (NULL: there is none) is ready or until_us
	 * (CLOCK_MONOTONIC) came. Errors: -EINTR.
	 */
	int (*wait)(struct waiter *waiter, const struct pollfd *alarm, uint64_t until_us);
	void (*release)(struct waiter *waiter);
};

/* A question of trust for a person; NULL-terminated lists are not used, counts are. */
struct trust_question {
	const char *url;
	const json_t *thumbprints; /* array of strings: the signing keys' S256 thumbprints */
};

/*
 * One recovery or sealing, on its caller's stack: who may take part, until when, and whom to tell.
 * Zero it, set what is wanted, end it with cot_done().
 */
struct cot {
	const struct pin *const *pins; /* the pins that may be used, NULL-terminated */
	const struct log *log;
	uint64_t deadline_us; /* CLOCK_MONOTONIC */
	struct ref user_pin;  /* what a person typed, borrowed; p NULL: nothing yet */
	unsigned depth;       /* nesting of the policy so far */

	/*
	 * Every part of the policy is asked, whether or not it is needed any more, and a leaf that
	 * a server holds a key for leaves in its job what that server advertises now. This last
	 * is up to the surveyor, NULL where there is none; a pointer, so that the plugins, which
	 * never survey, do not carry it.
	 */
	bool survey;
	const struct surveyor *surveyor;

	/*
	 * Asked whether to trust what cannot be verified: 0 yes, -EKEYREJECTED no, with a line to
	 * the log. NULL: no. Whoever asks puts the deadline off by as long as it took.
	 */
	int (*confirm)(void *arg, const struct trust_question *question);
	void *confirm_arg;

	/* Ends cot_wait() when it is ready; NULL: nothing does. Borrowed. */
	const struct pollfd *alarm;

	/* set by the functions below and by pins */
	bool network;          /* packets may be sent now */
	uint64_t wake_us;      /* earliest time at which a step is wanted; 0: none */
	struct waiter *waiter; /* whoever has transfers to wait for */
	struct refusal refusals[COT_REFUSALS_MAX];
	size_t n_refusals;
};

void cot_done(struct cot *cot);

/* Asks for a step at `at_us` at the latest, whatever the waiter sees. */
void cot_wake_at(struct cot *cot, uint64_t at_us);

/*
 * Sleeps until a transfer moved, the alarm, the wake time or the deadline. Errors: -EINTR (a signal: the
 * person wants an end).
 */
MUST int cot_wait(struct cot *cot);

/*
 * A device counts the PINs that it refuses, so none is asked twice in one recovery, whichever leaves it serves:
 * cot_refused() is 0, or what cot_refuse() was told of this device.
 */
int cot_refused(const struct cot *cot, uint64_t device);
void cot_refuse(struct cot *cot, uint64_t device, int error);

/*
 * The sleep itself, for waiters: ppoll() on `n` descriptors until until_us (CLOCK_MONOTONIC). Errors:
 * -EINTR, and the others of ppoll(2).
 */
MUST int cot_poll(struct pollfd *fds, size_t n, uint64_t until_us);

/* How what a leaf holds of its server compares with what the server advertises. */
enum survey_state {
	SURVEY_CURRENT,     /* its exchange key is still there, its signing keys are the server's */
	SURVEY_CHANGED,     /* not so, and one of its signing keys vouches for the new ones */
	SURVEY_UNTRUSTED,   /* none of its signing keys vouches for what is advertised */
	SURVEY_UNREACHABLE, /* there is no advertisement to be had */
};

/* What a survey found out of a leaf. */
struct survey {
	enum survey_state state;
	char why[LOG_LINE_MAX]; /* what differs, or the cause; empty: SURVEY_CURRENT */

	/*
	 * The JWK set to hold from now on, signing keys and one exchange key, and the S256 thumbprint
	 * of that exchange key: the server's where the state is SURVEY_CURRENT or SURVEY_CHANGED, else
	 * those that the leaf holds. Both are what the tang pin's configuration takes.
	 */
	json_t *keys;
	char kid[JWK_THUMBPRINT_MAX + 1];
};

/* Takes NULL; returns NULL. */
struct survey *survey_free(struct survey *survey);

/*
 * The leaf or inner node of a recovery: one JWE. It keeps its address. Once it has come to an end, it
 * holds nothing but what is to be said of it. End it with job_done().
 */
struct job {
	const struct pin *pin; /* NULL where there is none for this JWE */
	const struct jwe *jwe; /* NULL once the job was stopped */
	struct jwe own_jwe;    /* what job_init_text() made of its text */
	void *state;           /* pin->state_size zeroed bytes; NULL once the job was stopped */

	struct log log; /* what the pin writes: ERROR lines are kept in `why`, DEBUG passed on */
	const struct log *outer;
	char why[LOG_LINE_MAX];       /* the last ERROR line */
	char where[LOG_LINE_MAX / 2]; /* whom it asks, by the pin; empty: the pin's name will do */
	int result;                   /* 0 recovered, -EINPROGRESS, or the error */
	uint64_t began_us, ended_us;
	struct survey
		*survey; /* by the pin; NULL: there was nothing to survey. Freed by job_done() */

	struct job *children; /* of a policy node, allocated by its pin, freed here; else NULL */
	size_t n_children;
	unsigned threshold; /* how many of the children are needed */
};

/* The first pin in the table that has that name or stands for it, or NULL. */
const struct pin *pin_by_name(const struct pin *const *pins, const char *name);

/* Whether what failed with this error may succeed at another time, nothing here being changed. */
bool pin_may_pass(int err);

/* The pin that clevis.pin names; NULL where the header names none that is in the table. */
const struct pin *pin_find(const struct pin *const *pins, const json_t *hdr);

/*
 * The pin of `hdr`, after its own `check`. The cause goes to `log` at ERROR. Errors: -EBADMSG,
 * -EOPNOTSUPP (no such pin here), -E2BIG, -ENOMEM.
 */
MUST int pin_check(const struct pin *const *pins, const json_t *hdr, const struct log *log,
		   const struct pin **ret);

/* Prepares the recovery of `jwe`, which must outlive the job. Errors: as pin_check(). */
MUST int job_init(struct job *job, struct cot *cot, const struct jwe *jwe);

/*
 * The same from a compact JWE, which need not. Where it cannot be used, the job has ended and says so:
 * its result, why and, where the header names one of the table, pin.
 */
void job_init_text(struct job *job, struct cot *cot, struct ref text);

/*
 * One step of a job and, at its end, the plaintext in a new buffer; job_stop() was called then.
 * Returns as pin.decrypt.
 */
MUST int job_step(struct cot *cot, struct job *job, struct buf *ret);

/*
 * Lets go of all that a job and its children hold, transfers on their way too; what is to be said of
 * them stays. One that had come to no end keeps the result -EINPROGRESS: it was not needed.
 */
void job_stop(struct job *job);

void job_done(struct job *job);

/*
 * Runs a prepared job to its end and returns the plaintext in a new buffer. First all that is local
 * is done; only where that does not suffice may packets be sent. On failure job->why (at each leaf)
 * says what happened. Errors, and no others: -EBADMSG (malformed, failed authentication), -EPROTO
 * (a peer broke the protocol), -EKEYREJECTED (a policy or trust said no), -ENETUNREACH,
 * -EHOSTUNREACH, -ECONNREFUSED, -ETIMEDOUT (network), -ENODEV, -ENOANO (a PIN is wanted), -EINTR,
 * -EOPNOTSUPP, -E2BIG, -ENOMEM, -EIO.
 */
MUST int pin_recover(struct cot *cot, struct job *job, struct buf *ret);

/*
 * Seals `secret` under the pin called `name` and configuration `cfg`, then, but for what a program of
 * others made, opens the result in memory and compares. The cause of a failure goes to cot->log at ERROR. Errors: those of
 * pin_recover(), and -EINVAL (the configuration), -ENOENT (a file it names).
 */
MUST int pin_seal(struct cot *cot, const char *name, const json_t *cfg, struct ref secret,
		  struct jwe *ret);
