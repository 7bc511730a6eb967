/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the command line, and groups the options of pins by the pin to which they belong. */
#include "enroll/options-given.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

/* From OPT_COUNT on the numbers are the pins' options, in the order of their table. */
enum { OPT_MAX = OPT_COUNT + GIVEN_PINS_MAX * PIN_OPTIONS_MAX };

enum { OPT_FIRST = 256 }; /* above every character that getopt_long() can return */

#define OPTION(id, text, arg) [id] = {text, arg, NULL, OPT_FIRST + (id)}

static const struct option general_options[OPT_COUNT] = {
	OPTION(OPT_UNLOCK_KEY_FILE, "unlock-key-file", required_argument),
	OPTION(OPT_UNLOCK_TOKEN, "unlock-token", no_argument),
	OPTION(OPT_ALL, "all", no_argument),
	OPTION(OPT_REENCRYPT_FIRST, "reencrypt-first", no_argument),
	OPTION(OPT_KEEP_KEY_FILE, "keep-key-file", required_argument),
	OPTION(OPT_HEADER, "header", required_argument),
	OPTION(OPT_KEY_SLOT, "key-slot", required_argument),
	OPTION(OPT_TOKEN_ID, "token-id", required_argument),
	OPTION(OPT_LABEL, "label", required_argument),
	OPTION(OPT_PBKDF, "pbkdf", required_argument),
	OPTION(OPT_POLICY, "policy", required_argument),
	OPTION(OPT_THRESHOLD, "threshold", required_argument),
	OPTION(OPT_LIST, "list", no_argument),
	OPTION(OPT_TEST, "test", no_argument),
	OPTION(OPT_REPORT, "report", no_argument),
	OPTION(OPT_EXPLAIN, "explain", no_argument),
	OPTION(OPT_DOCTOR, "doctor", no_argument),
	OPTION(OPT_INITRD, "initrd", required_argument),
	OPTION(OPT_PROOF, "proof", no_argument),
	OPTION(OPT_WIPE_SLOT, "wipe-slot", required_argument),
	OPTION(OPT_RENEW, "renew", optional_argument),
	OPTION(OPT_RESEAL, "reseal", no_argument),
	OPTION(OPT_REPLACE, "replace", optional_argument),
	OPTION(OPT_FORCE, "force", no_argument),
	OPTION(OPT_REORDER, "reorder", no_argument),
	OPTION(OPT_CRYPTTAB, "crypttab", optional_argument),
	OPTION(OPT_IMPORT, "import", optional_argument),
	OPTION(OPT_TO_LUKS2, "to-luks2", no_argument),
	OPTION(OPT_JSON, "json", required_argument),
	OPTION(OPT_QUIET, "quiet", no_argument),
	OPTION(OPT_HELP, "help", no_argument),
	OPTION(OPT_VERSION, "version", no_argument),
};

/* The options as getopt_long() takes them. */
struct known {
	struct option options[OPT_MAX + 1];
	struct {
		uint8_t pin, i;
	} of[OPT_MAX]; /* from OPT_COUNT on: which option of which pin */
};

static void known_freep(struct known **known)
{
	free(*known);
}

static void know_options(struct known *known)
{
	int id = OPT_COUNT;

	memcpy(known->options, general_options, sizeof(general_options));
	for (size_t pin = 0; all_pin_options[pin]; pin++)
		for (size_t i = 0; i < all_pin_options[pin]->n; i++, id++) {
			known->of[id].pin = (uint8_t)pin;
			known->of[id].i = (uint8_t)i;
			known->options[id] =
				(struct option){all_pin_options[pin]->options[i].name,
						required_argument, NULL, OPT_FIRST + id};
		}
}

const char *given_name(enum option_id id)
{
	return general_options[id].name;
}

bool given_binding(const struct given *given)
{
	return !given->text[OPT_RENEW] && (given->n_groups > 0 || given->text[OPT_POLICY]);
}

const char *given_binding_name(const struct given *given)
{
	return given->n_groups > 0 ? given->groups[0].of->options[0].name : given_name(OPT_POLICY);
}

static struct group *last_group(const struct given *given, const struct pin_options *of)
{
	for (size_t i = given->n_groups; i > 0; i--)
		if (given->groups[i - 1].of == of)
			return &given->groups[i - 1];
	return NULL;
}

static int put(struct group *group, size_t i, const char *text, const struct log *log)
{
	if (group->texts[i])
		return log_err(log, -EINVAL, "--%s is given twice for one --%s",
			       group->of->options[i].name, group->of->options[0].name);
	group->texts[i] = text;
	return 0;
}

/* The first option of a pin begins a new group, the others belong to the last one before them. */
static int take_pin_option(struct given *given, size_t pin, size_t i, const struct log *log)
{
	const struct pin_options *of = all_pin_options[pin];
	struct group *group;

	if (!*optarg && !of->options[i].may_be_empty)
		return log_err(log, -EINVAL, "--%s needs a value", of->options[i].name);

	if (i > 0) {
		group = last_group(given, of);
		if (!group)
			group = &given->early[pin];
	} else {
		if (given->n_groups == GROUPS_MAX)
			return log_err(log, -EINVAL, "a binding has at most %d pins", GROUPS_MAX);
		group = &given->groups[given->n_groups++];
	}
	group->of = of;
	return put(group, i, optarg, log);
}

static int take_option(struct given *given, const struct known *known, int id,
		       const struct log *log)
{
	if (id >= OPT_COUNT)
		return take_pin_option(given, known->of[id].pin, known->of[id].i, log);
	if (optarg && !*optarg)
		return log_err(log, -EINVAL, "--%s needs a value", known->options[id].name);
	if (id == OPT_KEEP_KEY_FILE) {
		if (given->n_keep == OPTIONS_KEEP_MAX)
			return log_err(log, -EINVAL, "--%s is given more than %d times",
				       known->options[id].name, OPTIONS_KEEP_MAX);
		given->keep[given->n_keep++] = optarg;
	} else if (given->text[id])
		return log_err(log, -EINVAL, "--%s is given twice", known->options[id].name);
	given->text[id] = optarg ? optarg : "";
	return 0;
}

static int refuse_option(const struct known *known, int c, char **argv, const struct log *log)
{
	int id = optopt - OPT_FIRST;

	if (c == ':')
		return log_err(log, -EINVAL, "--%s needs a value", known->options[id].name);
	if (id >= 0)
		return log_err(log, -EINVAL, "--%s takes no value", known->options[id].name);
	if (optopt != 0)
		return log_err(log, -EINVAL,
			       "the option -%c is not known; see cotter-enroll --help", optopt);
	return log_err(log, -EINVAL, "the option %s is not known; see cotter-enroll --help",
		       argv[optind - 1]);
}

int given_read(int argc, char **argv, const struct log *log, struct given *ret)
{
	CLEANUP(given_done) struct given given = {0};
	CLEANUP(known_freep) struct known *known = calloc(1, sizeof(*known));
	int c, r;

	given.groups = calloc(GROUPS_MAX, sizeof(*given.groups));
	given.keep = calloc(OPTIONS_KEEP_MAX, sizeof(*given.keep));
	if (!given.groups || !given.keep || !known)
		return -ENOMEM;

	know_options(known);
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", known->options, NULL)) != -1) {
		r = c >= OPT_FIRST ? take_option(&given, known, c - OPT_FIRST, log)
				   : refuse_option(known, c, argv, log);
		if (r < 0)
			return r;
	}

	given.device = argv[optind];
	given.devices = argv + optind;
	given.n_devices = (size_t)(argc - optind);
	*ret = TAKE_STRUCT(given);
	return 0;
}

static int settle_early(struct given *given, const struct group *early, const struct log *log)
{
	struct group *last = last_group(given, early->of);

	for (size_t i = 1; i < PIN_OPTIONS_MAX; i++) {
		int r;

		if (!early->texts[i])
			continue;
		if (!last && given->text[OPT_RENEW])
			continue;
		if (!last)
			return log_err(log, -EINVAL,
				       "--%s belongs to a new binding, so it needs %s",
				       early->of->options[i].name, early->of->usage);
		for (size_t other = 0; other < given->n_groups; other++)
			if (given->groups[other].of == early->of && &given->groups[other] != last)
				return log_err(log, -EINVAL,
					       "--%s stands before the --%s that it belongs to",
					       early->of->options[i].name,
					       early->of->options[0].name);
		r = put(last, i, early->texts[i], log);
		if (r < 0)
			return r;
	}
	return 0;
}

int given_settle(struct given *given, const struct log *log)
{
	for (size_t pin = 0; pin < GIVEN_PINS_MAX; pin++) {
		int r = given->early[pin].of ? settle_early(given, &given->early[pin], log) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

void given_done(struct given *given)
{
	free(given->groups);
	free(given->keep);
	*given = (struct given){0};
}
