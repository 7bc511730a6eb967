/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line as it stands, before it means anything. */
#pragma once

#include "enroll/options-pin.h"

enum option_id {
	OPT_UNLOCK_KEY_FILE,
	OPT_UNLOCK_TOKEN,
	OPT_ALL,
	OPT_REENCRYPT_FIRST,
	OPT_KEEP_KEY_FILE,
	OPT_HEADER,
	OPT_KEY_SLOT,
	OPT_TOKEN_ID,
	OPT_LABEL,
	OPT_PBKDF,
	OPT_POLICY,
	OPT_THRESHOLD,
	OPT_LIST,
	OPT_TEST,
	OPT_REPORT,
	OPT_EXPLAIN,
	OPT_DOCTOR,
	OPT_INITRD,
	OPT_PROOF,
	OPT_WIPE_SLOT,
	OPT_RENEW,
	OPT_RESEAL,
	OPT_REPLACE,
	OPT_FORCE,
	OPT_REORDER,
	OPT_CRYPTTAB,
	OPT_IMPORT,
	OPT_TO_LUKS2,
	OPT_JSON,
	OPT_QUIET,
	OPT_HELP,
	OPT_VERSION,
	OPT_COUNT,
};

/* One pin, and the texts of its options, each at its place or NULL. */
struct group {
	const struct pin_options *of;
	const char *texts[PIN_OPTIONS_MAX];
};

enum { GROUPS_MAX = 64, GIVEN_PINS_MAX = 4 };

/* Strings are the process's arguments, borrowed. End it with given_done(). */
struct given {
	const char *text[OPT_COUNT]; /* "" for those without a value; NULL: not given */
	const char *device;          /* the first of them */
	char *const *devices;
	size_t n_devices;
	const char **keep; /* what --keep-key-file was given, each time; OPTIONS_KEEP_MAX places */
	size_t n_keep;
	struct group *groups; /* of the pins' options, in the order in which they chose a pin */
	size_t n_groups;
	struct group
		early[GIVEN_PINS_MAX]; /* those that stand before their pin, in the table's order */
};

/*
 * Reads the command line. What is wrong goes to `log` as one sentence. Errors: -EINVAL, -ENOMEM.
 */
MUST int given_read(int argc, char **argv, const struct log *log, struct given *ret);

/*
 * Puts options that stand before the only pin that they can belong to where they belong. Errors:
 * -EINVAL, as above.
 */
MUST int given_settle(struct given *given, const struct log *log);

void given_done(struct given *given);

/* "label" */
const char *given_name(enum option_id id);

/* Whether a new binding is described (with --renew the same options are about an old one), and the name of the option that does. */
bool given_binding(const struct given *given);
const char *given_binding_name(const struct given *given);
