/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line: read whole first, then checked, then converted. */
#include "enroll/options-pin.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum option_id {
	OPT_UNLOCK_KEY_FILE,
	OPT_UNLOCK_TOKEN,
	OPT_HEADER,
	OPT_KEY_SLOT,
	OPT_TOKEN_ID,
	OPT_LABEL,
	OPT_PBKDF,
	OPT_LIST,
	OPT_TEST,
	OPT_PROOF,
	OPT_WIPE_SLOT,
	OPT_JSON,
	OPT_QUIET,
	OPT_HELP,
	OPT_VERSION,
	OPT_COUNT, /* from here on the pins' options, in the order of their table */
	OPT_MAX = OPT_COUNT + 4 * PIN_OPTIONS_MAX,
};

enum { OPT_FIRST = 256 }; /* above every character that getopt_long() can return */

#define OPTION(id, text, arg) [id] = {text, arg, NULL, OPT_FIRST + (id)}

static const struct option general_options[OPT_COUNT] = {
	OPTION(OPT_UNLOCK_KEY_FILE, "unlock-key-file", required_argument),
	OPTION(OPT_UNLOCK_TOKEN, "unlock-token", no_argument),
	OPTION(OPT_HEADER, "header", required_argument),
	OPTION(OPT_KEY_SLOT, "key-slot", required_argument),
	OPTION(OPT_TOKEN_ID, "token-id", required_argument),
	OPTION(OPT_LABEL, "label", required_argument),
	OPTION(OPT_PBKDF, "pbkdf", required_argument),
	OPTION(OPT_LIST, "list", no_argument),
	OPTION(OPT_TEST, "test", no_argument),
	OPTION(OPT_PROOF, "proof", no_argument),
	OPTION(OPT_WIPE_SLOT, "wipe-slot", required_argument),
	OPTION(OPT_JSON, "json", required_argument),
	OPTION(OPT_QUIET, "quiet", no_argument),
	OPTION(OPT_HELP, "help", no_argument),
	OPTION(OPT_VERSION, "version", no_argument),
};

/* The command line as it stands: each option's text where it was given. */
struct given {
	struct option options[OPT_MAX + 1];
	bool may_be_empty[OPT_MAX];
	const char *text[OPT_MAX];
	const char *device;
	const struct pin_options *by; /* the pin of a new binding; NULL: none is wanted */
	const char *const *by_text;   /* its options' texts */
};

static void know_options(struct given *given)
{
	int id = OPT_COUNT;

	memcpy(given->options, general_options, sizeof(general_options));
	for (size_t pin = 0; all_pin_options[pin]; pin++)
		for (size_t i = 0; i < all_pin_options[pin]->n; i++, id++) {
			const struct pin_option *option = &all_pin_options[pin]->options[i];

			given->may_be_empty[id] = option->may_be_empty;
			given->options[id] = (struct option){option->name, required_argument, NULL,
							     OPT_FIRST + id};
		}
}

static int read_arguments(int argc, char **argv, const struct log *log, struct given *given)
{
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", given->options, NULL)) != -1) {
		int id = c >= OPT_FIRST ? c - OPT_FIRST : optopt - OPT_FIRST;

		if (c == ':' || (optarg && !*optarg && !given->may_be_empty[id]))
			return log_err(log, -EINVAL, "--%s needs a value", given->options[id].name);
		if (c == '?' && id >= 0)
			return log_err(log, -EINVAL, "--%s takes no value",
				       given->options[id].name);
		if (c == '?' && optopt != 0)
			return log_err(log, -EINVAL,
				       "the option -%c is not known; see cotter-enroll --help",
				       optopt);
		if (c == '?')
			return log_err(log, -EINVAL,
				       "the option %s is not known; see cotter-enroll --help",
				       argv[optind - 1]);
		if (given->text[id])
			return log_err(log, -EINVAL, "--%s is given twice",
				       given->options[id].name);
		given->text[id] = optarg ? optarg : "";
	}

	if (argc - optind > 1)
		return log_err(log, -EINVAL, "one device at a time: %s or %s", argv[optind],
			       argv[optind + 1]);
	given->device = argv[optind];
	return 0;
}

/* The pin that the binding is to have: at most one, and no options of another. */
static int choose_pin(struct given *given, const struct log *log)
{
	const char *const *text = given->text + OPT_COUNT;

	for (size_t pin = 0; all_pin_options[pin]; text += all_pin_options[pin++]->n) {
		if (!text[0])
			continue;
		if (given->by)
			return log_err(log, -EINVAL,
				       "--%s and --%s exclude each other: a binding has one pin",
				       given->by->options[0].name,
				       all_pin_options[pin]->options[0].name);
		given->by = all_pin_options[pin];
		given->by_text = text;
	}

	text = given->text + OPT_COUNT;
	for (size_t pin = 0; all_pin_options[pin]; text += all_pin_options[pin++]->n)
		for (size_t i = 0; i < all_pin_options[pin]->n; i++)
			if (text[i] && text != given->by_text)
				return log_err(log, -EINVAL,
					       "--%s belongs to a new binding, so it needs %s",
					       all_pin_options[pin]->options[i].name,
					       all_pin_options[pin]->usage);
	return 0;
}

static int choose_verb(const struct given *given, const struct log *log, enum verb *ret)
{
	bool list = given->text[OPT_LIST], test = given->text[OPT_TEST];
	bool wipe = given->text[OPT_WIPE_SLOT];

	if (list && test)
		return log_err(log, -EINVAL, "--list and --test exclude each other");
	if ((list || test) && (wipe || given->by))
		return log_err(log, -EINVAL, "--%s changes nothing, so it excludes --%s",
			       list ? "list" : "test",
			       given->by ? given->by->options[0].name : "wipe-slot");

	*ret = test ? VERB_TEST : VERB_LIST;
	if (wipe)
		*ret = VERB_WIPE;
	if (given->by)
		*ret = VERB_ENROLL;
	if (given->by && given->by->devices && strcmp(given->by_text[0], given->by->devices) == 0)
		*ret = VERB_DEVICES;
	return 0;
}

/* "--tang=URL or …": what makes a new binding. */
static const char *usages(char ret[LOG_LINE_MAX])
{
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; all_pin_options[i] && n < LOG_LINE_MAX; i++)
		n += (size_t)snprintf(ret + n, LOG_LINE_MAX - n, "%s%s", i > 0 ? " or " : "",
				      all_pin_options[i]->usage);
	return ret;
}

/* A list of devices is about no volume. */
static int check_alone(const struct given *given, const struct log *log)
{
	for (size_t i = 0; i < OPT_MAX; i++)
		if (given->text[i] && &given->text[i] != given->by_text && i != OPT_JSON &&
		    i != OPT_QUIET)
			return log_err(log, -EINVAL, "--%s=%s lists devices, so it excludes --%s",
				       given->by->options[0].name, given->by->devices,
				       given->options[i].name);
	if (given->device)
		return log_err(log, -EINVAL, "--%s=%s lists devices, and takes no volume",
			       given->by->options[0].name, given->by->devices);
	return 0;
}

/* Whether each given option means something for this verb. */
static int check_company(const struct given *given, enum verb verb, const struct log *log)
{
	static const enum option_id binding_only[] = {
		OPT_UNLOCK_KEY_FILE, OPT_UNLOCK_TOKEN, OPT_LABEL, OPT_PBKDF, OPT_KEY_SLOT,
	};
	char line[LOG_LINE_MAX];

	if (verb == VERB_DEVICES)
		return check_alone(given, log);
	for (size_t i = 0; verb != VERB_ENROLL && i < ARRAY_SIZE(binding_only); i++)
		if (given->text[binding_only[i]])
			return log_err(log, -EINVAL,
				       "--%s belongs to a new binding, so it needs %s",
				       given->options[binding_only[i]].name, usages(line));

	if (given->text[OPT_TOKEN_ID] && verb != VERB_ENROLL && verb != VERB_TEST)
		return log_err(log, -EINVAL, "--token-id goes with a new binding or --test");
	if (given->text[OPT_PROOF] && verb != VERB_TEST)
		return log_err(log, -EINVAL, "--proof goes with --test");
	if (given->text[OPT_UNLOCK_KEY_FILE] && given->text[OPT_UNLOCK_TOKEN])
		return log_err(log, -EINVAL,
			       "--unlock-key-file and --unlock-token exclude each "
			       "other: one credential opens the volume");
	if (!given->device)
		return log_err(log, -EINVAL,
			       "no device or image is named; see cotter-enroll --help");
	return 0;
}

/* A decimal number below `limit`, or -1. */
static int small_number(const char *text, size_t len, int limit)
{
	int n = 0;

	if (len == 0 || len > 3)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		n = n * 10 + (text[i] - '0');
	}
	return n < limit ? n : -1;
}

static int read_number(const struct given *given, enum option_id id, const struct log *log,
		       int *ret)
{
	const char *text = given->text[id];
	int n = OPTIONS_ANY;

	if (text) {
		n = small_number(text, strlen(text), TOKEN_KEYSLOTS_MAX);
		if (n < 0)
			return log_err(log, -EINVAL, "--%s is a number from 0 to %d, not \"%s\"",
				       general_options[id].name, TOKEN_KEYSLOTS_MAX - 1, text);
	}

	*ret = n;
	return 0;
}

/* The index of `text` in `words`, which end with NULL; -1 where it is none of them. */
static int which_word(const char *text, size_t len, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return i;
	return -1;
}

static bool select_pin(const char *text, size_t len, struct selection *selection)
{
	for (unsigned i = 0; pins[i]; i++)
		if (strlen(pins[i]->name) == len && memcmp(pins[i]->name, text, len) == 0) {
			selection->pins |= UINT32_C(1) << i;
			return true;
		}
	return false;
}

static int read_selection(const char *text, const struct log *log, struct selection *ret)
{
	static const char *const words[] = {"orphaned", "all", NULL};
	struct selection selection = {0};

	for (;;) {
		size_t len = strcspn(text, ",");
		int keyslot = small_number(text, len, TOKEN_KEYSLOTS_MAX);
		int word = which_word(text, len, words);

		selection.orphaned |= word == 0;
		selection.all |= word == 1;
		if (keyslot >= 0)
			selection.keyslots |= UINT32_C(1) << keyslot;
		else if (word < 0 && !select_pin(text, len, &selection))
			return log_err(log, -EINVAL,
				       "--wipe-slot takes keyslot numbers from 0 to %d, a pin as "
				       "\"tang\", \"orphaned\" or \"all\", not \"%.*s\"",
				       TOKEN_KEYSLOTS_MAX - 1, (int)len, text);
		if (text[len] == '\0')
			break;
		text += len + 1;
	}

	*ret = selection;
	return 0;
}

static int read_form(const char *text, const struct log *log, enum output_form *ret)
{
	static const char *const forms[] = {
		[OUTPUT_TEXT] = "off",
		[OUTPUT_JSON_SHORT] = "short",
		[OUTPUT_JSON_PRETTY] = "pretty",
		NULL,
	};
	int form = text ? which_word(text, strlen(text), forms) : OUTPUT_TEXT;

	if (form < 0)
		return log_err(log, -EINVAL, "--json is off, short or pretty, not \"%s\"", text);

	*ret = (enum output_form)form;
	return 0;
}

static int check_pbkdf(const char *text, const struct log *log)
{
	static const char *const names[] = {"pbkdf2", "argon2i", "argon2id", NULL};

	if (text && which_word(text, strlen(text), names) < 0)
		return log_err(log, -EINVAL, "--pbkdf is pbkdf2, argon2i or argon2id, not \"%s\"",
			       text);
	return 0;
}

static int check_label(const char *text, const struct log *log)
{
	CLEANUP_JSON json_t *string = text ? json_string(text) : NULL;

	if (text && (!string || !token_label_ok(text)))
		return log_err(log, -EINVAL,
			       "--label is 1 to %d bytes of UTF-8 text without control characters",
			       TOKEN_LABEL_MAX);
	return 0;
}

json_t *options_absolute_path(const char *path)
{
	json_t *absolute;
	char *cwd;

	if (path[0] == '/')
		return json_string(path);

	cwd = getcwd(NULL, 0);
	absolute = cwd ? json_sprintf("%s/%s", cwd, path) : NULL;
	free(cwd);
	return absolute;
}

static int convert(const struct given *given, const struct log *log, struct options *options)
{
	int r;

	options->device = given->device;
	options->header = given->text[OPT_HEADER];
	options->quiet = given->text[OPT_QUIET];
	options->label = given->text[OPT_LABEL];
	options->pbkdf = given->text[OPT_PBKDF];
	options->unlock_key_file = given->text[OPT_UNLOCK_KEY_FILE];
	options->unlock_token = given->text[OPT_UNLOCK_TOKEN];
	options->wipe = given->text[OPT_WIPE_SLOT];
	options->proof = given->text[OPT_PROOF];
	options->pin = given->by ? given->by->pin : NULL;

	r = read_number(given, OPT_KEY_SLOT, log, &options->keyslot);
	if (r == 0)
		r = read_number(given, OPT_TOKEN_ID, log, &options->token);
	if (r == 0)
		r = read_form(given->text[OPT_JSON], log, &options->form);
	if (r == 0)
		r = check_pbkdf(options->pbkdf, log);
	if (r == 0)
		r = check_label(options->label, log);
	if (r == 0 && options->wipe)
		r = read_selection(given->text[OPT_WIPE_SLOT], log, &options->selection);
	if (r == 0 && options->verb == VERB_ENROLL)
		r = given->by->read(given->by_text, log, options);
	return r;
}

int options_parse(int argc, char **argv, const struct log *log, struct options *ret)
{
	CLEANUP(options_done) struct options options = {0};
	struct given given = {0};
	int r;

	know_options(&given);
	r = read_arguments(argc, argv, log, &given);
	if (r < 0)
		return r;

	if (given.text[OPT_HELP] || given.text[OPT_VERSION]) {
		options.verb = given.text[OPT_HELP] ? VERB_HELP : VERB_VERSION;
	} else {
		r = choose_pin(&given, log);
		if (r == 0)
			r = choose_verb(&given, log, &options.verb);
		if (r == 0)
			r = check_company(&given, options.verb, log);
		if (r == 0)
			r = convert(&given, log, &options);
		if (r < 0)
			return r;
	}

	*ret = TAKE_STRUCT(options);
	return 0;
}

void options_done(struct options *options)
{
	json_decref(options->config);
	*options = (struct options){0};
}
