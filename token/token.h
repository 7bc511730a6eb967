/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The LUKS2 token JSON (cotter-token(5)) and its recovery. Knows no disk: plugin and tool share it. */
#pragma once

#include "crypto/pin.h"

enum {
	TOKEN_VERSION = 1,
	TOKEN_KEYSLOTS_MAX = 32,
	TOKEN_LABEL_MAX = 64,        /* characters of cotter.label */
	TOKEN_DEADLINE_DEFAULT = 15, /* seconds */
	TOKEN_DEADLINE_MAX = 300,
	TOKEN_SECRET_SIZE = 32, /* random bytes of a secret, before base64url */
};

#define TOKEN_TYPE_PREFIX "cotter-"

/* Of what `clevis luks bind` writes, whatever its root pin; the same members, and none but the first three. */
#define TOKEN_TYPE_CLEVIS "clevis"

/* A parsed token; a zeroed struct is empty. */
struct token {
	const struct pin *pin; /* the root pin, which a type of ours names */
	unsigned keyslots[TOKEN_KEYSLOTS_MAX];
	size_t n_keyslots;
	struct jwe jwe;
	char *label;       /* NULL: none */
	unsigned deadline; /* seconds, 1 to TOKEN_DEADLINE_MAX */
};

void token_done(struct token *token);

/* The pins built into this program or module, NULL-terminated (token/pins.c). */
extern const struct pin *const pins[];

/* The pin whose token type is `type`; NULL where it is none of ours, Clevis's too. */
const struct pin *token_type_pin(const char *type);

/* Whether a text can be a label: 1 to TOKEN_LABEL_MAX bytes, no control characters. */
bool token_label_ok(const char *label);

/*
 * Parses what a LUKS2 header holds, of one of our types or of Clevis's, and accepts what token_recover() can use
 * and nothing else. The
 * cause goes to `log` at ERROR. Errors: -EBADMSG, -EOPNOTSUPP, -E2BIG, -ENOMEM.
 */
MUST int token_parse(struct ref json, const struct log *log, struct token *ret);

/* The token's JSON text. The caller frees *ret. Errors: -ENOMEM. */
MUST int token_format(const struct token *token, char **ret);

/*
 * What is public in the token and worth reading, as a new object: label and deadline where they are
 * set, and what the pin describes. Errors: -ENOMEM.
 */
MUST int token_describe(const struct token *token, json_t **ret);

/* A new secret: TOKEN_SECRET_SIZE random bytes as base64url text. Errors: -EIO, -ENOMEM. */
MUST int token_new_secret(struct buf *ret);

/*
 * Recovers the token's secret to a new buffer within its own deadline, or within max_us where that
 * is sooner (0: no limit of the caller's). cot needs pins, log and, where wanted, user_pin; each
 * failed leaf is written to cot->log at ERROR, a line a leaf. Errors: those of pin_recover().
 */
MUST int token_recover(struct cot *cot, const struct token *token, uint64_t max_us,
		       struct buf *ret);

/*
 * The same, leaving what is to be said of each part in `job`, also on success; job must be zeroed or
 * done, and cot->log outlive it. End it with job_done().
 */
MUST int token_recover_job(struct cot *cot, const struct token *token, uint64_t max_us,
			   struct job *job, struct buf *ret);

/*
 * How a recovery went, as a new object: "pin" (or "unknown"), "where" (whom it asked, where that is
 * known), "state" ("recovered", "failed", "not needed", "wants a PIN"), "ms" (the time it took),
 * "cause" where it failed or wants a PIN; of a surveyed leaf "advertisement" ("current", "changed",
 * "untrusted", "unreachable") and, but for the first, "advertisement_cause"; of a policy also "threshold" and "shares", an array of the
 * same in the header's order. Errors: -ENOMEM.
 */
MUST int token_report(const struct job *root, json_t **ret);

/* Whether a recovery of the token may use the network. */
bool token_uses_network(const struct token *token);
