/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the command line knows of a pin: its options and what they become, a file a pin. */
#pragma once

#include "enroll/options.h"
#include "enroll/output.h"

enum { PIN_MEMBERS_MAX = 12, PIN_EACH_TIME_MAX = 3, PIN_WORDS_MAX = 512 };

/* An option of one pin. All take a value. */
struct pin_option {
	const char *name;
	bool may_be_empty;
};

/* A member of a pin's configuration, as policies for people write it. */
struct pin_member {
	const char *name;
	const char *alias;   /* another name for people; NULL: none */
	bool yes_no;         /* else a string */
	const char *implied; /* its value where none is written ("none": no value); NULL: none */
	const char *instead; /* the member that takes the place of what is implied */
};

/* What follows from a configuration. */
enum pin_trait {
	PIN_TRAIT_USER_PIN = 1 << 0, /* a PIN is to be chosen for it */
	PIN_TRAIT_SAVED = 1 << 1,    /* made from saved data: the server need not be in reach */
	PIN_TRAIT_LIVE = 1 << 2,     /* made by asking a server, which is in reach therefore */
	PIN_TRAIT_LATER = 1 << 3,    /* what it demands need not hold yet */
	PIN_TRAIT_CARD_PIN = 1 << 4, /* the PIN that it has is to be typed */
};

struct survey;

/* A leaf that is to be bound again, and how. */
struct again {
	const json_t *hdr;           /* its protected header, authenticated by what it recovered */
	const struct survey *survey; /* what a survey found out of it; NULL: there was none */
	const char *const *texts;    /* the pin's options, each at its place or NULL */
	bool reseal;                 /* to the state of this machine as it is now */
};

/* What is to be done for it. */
struct again_plan {
	json_t *config; /* what it is bound by again; owned */
	bool due;       /* whether that is another binding than it is now */
};

struct pin_options {
	const char *pin;     /* its name in the table of pins */
	const char *usage;   /* the option that chooses it, for a sentence: "--tang=URL" */
	const char *devices; /* that option's value which asks for `devices`; NULL: there is none */
	size_t size_min;     /* bytes of a compact JWE of it, at the very least */

	/* The first one chooses the pin; the others mean something with it alone. */
	struct pin_option options[PIN_OPTIONS_MAX];
	size_t n;

	/*
	 * All that a configuration may have. Where `positional`, the first must be there, and its
	 * name may be left out.
	 */
	struct pin_member members[PIN_MEMBERS_MAX];
	size_t n_members;
	bool positional;

	/* The members of its header that are other each time that the same is bound; the others are not. */
	const char *each_time[PIN_EACH_TIME_MAX];

	/*
	 * Checks the texts, each at its option's place or NULL, and makes the configuration of
	 * them. The cause goes to `log`. Errors: -EINVAL, -ENOMEM.
	 */
	int (*read)(const char *const *texts, const struct log *log, json_t **ret);

	/*
	 * Makes a configuration that was written out what the pin takes: reads the files that are
	 * named in place of their content, and makes paths absolute. The cause goes to `log`.
	 * Errors: -EINVAL, -ENOMEM.
	 */
	int (*complete)(json_t *config, const struct log *log);

	/* What follows from it: enum pin_trait. */
	unsigned (*traits)(const json_t *config);

	/*
	 * What is to be said before a binding is made: warnings, and changes outside the volume.
	 * NULL: nothing. The cause of a failure goes to out->log. Errors: those of pin_seal().
	 */
	int (*announce)(const json_t *config, struct output *out);

	/* Takes secrets out of a configuration that is to be shown. NULL: there are none. Errors: -ENOMEM. */
	int (*conceal)(json_t *config);

	/*
	 * Of PIN_TRAIT_CARD_PIN: whether that is to be typed here, and not at the device. NULL: it is. The cause of
	 * a failure goes to `log`. Errors: those of pin_seal().
	 */
	int (*wants_typed)(const json_t *config, const struct log *log, bool *ret);

	/*
	 * Adds to `facts` what `words` and `warning` look at, named as the pin's own facts are
	 * but that its "pin" is "user_pin". Errors: -ENOMEM.
	 */
	int (*describe)(const json_t *config, json_t *facts);

	/* Who that is, for a sentence: "the Tang server http://…". */
	void (*words)(const json_t *facts, char ret[PIN_WORDS_MAX]);

	/* What is to be known of such a part, a sentence; NULL: nothing. */
	const char *(*warning)(const json_t *facts);

	/*
	 * Adds to `facts` what only this machine can say of a header; NULL: nothing. Errors:
	 * -ENOMEM.
	 */
	int (*look)(const json_t *hdr, json_t *facts);

	/*
	 * Whether the texts of --renew are about this leaf, of a header that was checked. NULL: always.
	 */
	bool (*is_about)(const char *const *texts, const json_t *hdr);

	/*
	 * Checks the texts of --renew, of which any may be NULL. The cause goes to `log`. Errors: -EINVAL.
	 */
	int (*check_again)(const char *const *texts, const struct log *log);

	/*
	 * How a leaf is bound again, with the same configuration but for what is given. Where it cannot
	 * be, the cause goes to `log`. Errors: those of pin_seal().
	 */
	int (*again)(const struct again *again, const struct log *log, struct again_plan *ret);

	/* The pin's devices: a new array of objects of strings. Errors: -ENOMEM. */
	int (*list)(json_t **ret);
};

extern const struct pin_options pin_options_pkcs11, pin_options_tang, pin_options_tpm2;

/* Those built into this program, NULL-terminated (options-pins.c). */
extern const struct pin_options *const all_pin_options[];

/* For cot->surveyor; NULL where no pin of this program has servers to survey. */
extern const struct surveyor *const pin_surveyor;

/* NULL where there is none. */
const struct pin_options *pin_options_find(const char *pin);
