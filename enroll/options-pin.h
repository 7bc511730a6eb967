/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the command line knows of a pin: its options and what they become, a file a pin. */
#pragma once

#include "enroll/options.h"
#include "enroll/output.h"

enum { PIN_OPTIONS_MAX = 8 };

/* An option of one pin. All take a value. */
struct pin_option {
	const char *name;
	bool may_be_empty;
};

struct pin_options {
	const char *pin;     /* its name in the table of pins */
	const char *usage;   /* the option that chooses it, for a sentence: "--tang=URL" */
	const char *devices; /* that option's value which asks for `devices`; NULL: there is none */

	/* The first one chooses the pin; the others mean something with it alone. */
	struct pin_option options[PIN_OPTIONS_MAX];
	size_t n;

	/*
	 * Checks the texts, each at its option's place or NULL, and fills what is the pin's in
	 * `options`. The cause goes to `log`. Errors: -EINVAL, -ENOMEM.
	 */
	int (*read)(const char *const *texts, const struct log *log, struct options *options);

	/*
	 * What is to be said before a binding is made: warnings, and changes outside the volume. NULL:
	 * nothing. The cause of a failure goes to out->log. Errors: those of pin_seal().
	 */
	int (*announce)(const struct options *options, struct output *out);

	/* Adds to `facts` what only this machine can say of a header; NULL: nothing. Errors: -ENOMEM. */
	int (*look)(const json_t *hdr, json_t *facts);

	/* The pin's devices: a new array of objects of strings. Errors: -ENOMEM. */
	int (*list)(json_t **ret);
};

extern const struct pin_options pin_options_tang, pin_options_tpm2;

/* Those built into this program, NULL-terminated (options-pins.c). */
extern const struct pin_options *const all_pin_options[];

/* NULL where there is none. */
const struct pin_options *pin_options_find(const char *pin);
