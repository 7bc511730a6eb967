/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line as one checked struct. */
#pragma once

#include "crypto/log.h"
#include "token/token.h"

enum verb {
	VERB_LIST,
	VERB_TEST,
	VERB_REPORT,
	VERB_WIPE,
	VERB_ENROLL,
	VERB_RENEW,
	VERB_DEVICES,
	VERB_EXPLAIN,
	VERB_CRYPTTAB,
	VERB_REORDER,
	VERB_IMPORT,
	VERB_DOCTOR,
	VERB_HELP,
	VERB_VERSION,
};

enum output_form { OUTPUT_TEXT, OUTPUT_JSON_SHORT, OUTPUT_JSON_PRETTY };

enum { OPTIONS_ANY = -1, OPTIONS_KEEP_MAX = 32 };

/* What --wipe-slot selects. */
struct selection {
	uint32_t keyslots; /* these, a bit each */
	uint32_t pins;     /* tokens of these entries of the table of pins, a bit each */
	bool orphaned;     /* cotter tokens without a keyslot */
	bool all;          /* every cotter token */
	const char *label; /* cotter tokens with this label; NULL: not by label */
};

enum { PIN_OPTIONS_MAX = 8 };

/* What --renew is told of one leaf, or of all of a pin: the pin's options, each at its place or NULL. */
struct leaf_wish {
	const char *pin;
	const char *texts[PIN_OPTIONS_MAX];
};

/* Strings are the process's arguments, borrowed. End it with options_done(). */
struct options {
	enum verb verb;
	const char *device;   /* NULL where no volume is wanted; VERB_EXPLAIN may do without */
	char *const *devices; /* all that are named, of which `device` is one */
	size_t n_devices;
	bool all;           /* those of the machine instead */
	const char *header; /* NULL: on the device */
	enum output_form form;
	bool quiet;

	/* a new binding */
	const char *pin; /* its pin, or the one whose devices are listed; NULL: none is wanted */
	json_t *config;  /* Clevis's configuration object for that pin; tree_check() passed it */
	bool user_pin;   /* a PIN is to be chosen for some part of it */
	bool card_pin;   /* the PIN that a card has is to be typed */
	bool saved; /* each server in it is bound to from saved data, so none need be in reach */
	bool later; /* what some part demands need not hold yet */
	const char *label; /* NULL: none */
	const char *pbkdf; /* NULL: PBKDF2 at its minimum */
	int keyslot;       /* or OPTIONS_ANY */
	int token;         /* or OPTIONS_ANY; with --test, --report and --renew the one to try */

	/* the credential that opens the volume; neither: ask at the terminal */
	const char *unlock_key_file; /* "-": standard input */
	bool unlock_token;

	/* a new volume key before the binding, and the key files of keyslots that are to survive it */
	bool reencrypt;
	const char **keep_key_files;
	size_t n_keep_key_files;

	/*
	 * Set in the process that proves a binding, which nobody sees: the PIN, where there is
	 * one, is what standard input holds, and no terminal is asked.
	 */
	bool proof;

	bool replace; /* a token by the new binding */
	int replaced; /* which, or OPTIONS_ANY: the only one */

	bool force; /* renew what is not due, replace by what is unproven, lose what would be */

	/* --renew; `token` is the one to renew */
	bool reseal;
	struct leaf_wish *wishes;
	size_t n_wishes;

	bool reorder;  /* all tokens, also those of other programs */
	bool import;   /* Clevis's bindings; `token` or `keyslot` is the one */
	bool to_luks2; /* a LUKS1 volume, before that or alone */
	bool wipe;
	struct selection selection;

	const char *initrd; /* the image that --doctor looks at; NULL: the running kernel's */

	const char *crypttab; /* NULL: not asked; the volume's name in crypttab, "": found out */
};

/*
 * Reads and checks the whole command line. What is wrong goes to `log` as one sentence. Errors:
 * -EINVAL, -ENOMEM.
 */
MUST int options_parse(int argc, char **argv, const struct log *log, struct options *ret);

/* What a token names is read from elsewhere at boot. A new string; NULL where it is not UTF-8. */
json_t *options_absolute_path(const char *path);

void options_done(struct options *options);
