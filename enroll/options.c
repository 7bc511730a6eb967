/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line: read whole first, then checked, then converted. */
#include "enroll/options-binding.h"
#include "enroll/options-values.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The group that asks for its pin's devices instead of a binding; NULL: none does. */
static const struct group *devices_group(const struct given *given)
{
	for (size_t i = 0; i < given->n_groups; i++) {
		const struct group *group = &given->groups[i];

		if (group->of->devices && strcmp(group->texts[0], group->of->devices) == 0)
			return group;
	}
	return NULL;
}

/* What a command line changes alone; with a new binding it follows that. */
static const struct {
	enum option_id id;
	enum verb verb;
} changers[] = {
	{OPT_WIPE_SLOT, VERB_WIPE},
	{OPT_REORDER, VERB_REORDER},
	{OPT_CRYPTTAB, VERB_CRYPTTAB},
};

/* The option that changes something; NULL: none does. */
static const char *changing_name(const struct given *given)
{
	if (given_binding(given))
		return given_binding_name(given);
	for (size_t i = 0; i < ARRAY_SIZE(changers); i++)
		if (given->text[changers[i].id])
			return given_name(changers[i].id);
	return NULL;
}

static int choose_change(const struct given *given, const struct log *log, enum verb *ret)
{
	enum option_id chosen = OPT_COUNT;

	*ret = given_binding(given) ? VERB_ENROLL : VERB_LIST;
	for (size_t i = 0; *ret != VERB_ENROLL && i < ARRAY_SIZE(changers); i++) {
		if (!given->text[changers[i].id])
			continue;
		if (chosen != OPT_COUNT)
			return log_err(log, -EINVAL,
				       "--%s and --%s go together with a new binding alone",
				       given_name(chosen), given_name(changers[i].id));
		chosen = changers[i].id;
		*ret = changers[i].verb;
	}
	return 0;
}

static int choose_verb(const struct given *given, const struct log *log, enum verb *ret)
{
	static const struct {
		enum option_id id;
		enum verb verb;
	} lookers[] = {{OPT_LIST, VERB_LIST}, {OPT_TEST, VERB_TEST}, {OPT_EXPLAIN, VERB_EXPLAIN}};
	const char *change = changing_name(given);
	enum option_id chosen = OPT_COUNT;
	int r;

	r = choose_change(given, log, ret);
	if (r < 0)
		return r;
	if (devices_group(given))
		*ret = VERB_DEVICES;
	for (size_t i = 0; i < ARRAY_SIZE(lookers); i++) {
		if (!given->text[lookers[i].id])
			continue;
		if (chosen != OPT_COUNT)
			return log_err(log, -EINVAL, "--%s and --%s exclude each other",
				       given_name(chosen), given_name(lookers[i].id));
		chosen = lookers[i].id;
		*ret = lookers[i].verb;
	}

	/* A binding to be explained is described by the whole command that would make it. */
	if (chosen != OPT_COUNT && change && !(given_binding(given) && chosen == OPT_EXPLAIN))
		return log_err(log, -EINVAL, "--%s changes nothing, so it excludes --%s",
			       given_name(chosen), change);
	return 0;
}

/* "--tang=URL, … or …": what makes a new binding. */
static const char *usages(char ret[LOG_LINE_MAX])
{
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; all_pin_options[i] && n < LOG_LINE_MAX; i++)
		n += (size_t)snprintf(ret + n, LOG_LINE_MAX - n, "%s%s", i > 0 ? ", " : "",
				      all_pin_options[i]->usage);
	if (n < LOG_LINE_MAX)
		(void)snprintf(ret + n, LOG_LINE_MAX - n, "%s--policy=POLICY", n > 0 ? " or " : "");
	return ret;
}

/* A list of devices is about no volume. */
static int check_alone(const struct given *given, const struct log *log)
{
	const struct group *asks = devices_group(given);
	const struct pin_options *of = asks->of;
	const char *other = NULL;

	for (size_t i = 0; i < OPT_COUNT; i++)
		if (given->text[i] && i != OPT_JSON && i != OPT_QUIET)
			other = given_name((enum option_id)i);
	for (size_t i = 1; i < of->n; i++)
		if (asks->texts[i])
			other = of->options[i].name;
	for (size_t i = 0; i < given->n_groups; i++)
		if (&given->groups[i] != asks)
			other = given->groups[i].of->options[0].name;
	if (other)
		return log_err(log, -EINVAL, "--%s=%s lists devices, so it excludes --%s",
			       of->options[0].name, of->devices, other);
	if (given->device)
		return log_err(log, -EINVAL, "--%s=%s lists devices, and takes no volume",
			       of->options[0].name, of->devices);
	return 0;
}

/* A policy says all that these would. */
static int check_policy(const struct given *given, const struct log *log)
{
	if (!given->text[OPT_POLICY])
		return 0;
	if (given->n_groups > 0)
		return log_err(log, -EINVAL,
			       "--policy and --%s exclude each other: the policy names all pins",
			       given_binding_name(given));
	if (given->text[OPT_THRESHOLD])
		return log_err(log, -EINVAL,
			       "--policy and --threshold exclude each other: the policy says how "
			       "many must hold");
	return 0;
}

static int check_reencrypt(const struct given *given, const struct log *log)
{
	bool first = given->text[OPT_REENCRYPT_FIRST];
	size_t inputs = 0;

	if (!first && (given->n_keep > 0 || given->text[OPT_FORCE]))
		return log_err(log, -EINVAL, "--%s goes with --reencrypt-first",
			       given_name(given->n_keep > 0 ? OPT_KEEP_KEY_FILE : OPT_FORCE));
	if (first && given->text[OPT_WIPE_SLOT])
		return log_err(log, -EINVAL,
			       "--reencrypt-first gives keyslots other numbers, so --wipe-slot is "
			       "for a command of its own");
	for (size_t i = 0; i < given->n_keep; i++)
		inputs += strcmp(given->keep[i], "-") == 0;
	if (given->text[OPT_UNLOCK_KEY_FILE])
		inputs += strcmp(given->text[OPT_UNLOCK_KEY_FILE], "-") == 0;
	if (inputs > 1)
		return log_err(log, -EINVAL, "standard input holds one key, not two");
	return 0;
}

/* Whether each given option means something for this verb. */
static int check_company(const struct given *given, enum verb verb, const struct log *log)
{
	static const enum option_id binding_only[] = {
		OPT_UNLOCK_KEY_FILE, OPT_UNLOCK_TOKEN, OPT_LABEL,           OPT_PBKDF,
		OPT_KEY_SLOT,        OPT_THRESHOLD,    OPT_REENCRYPT_FIRST,
	};
	char line[LOG_LINE_MAX];

	if (verb == VERB_DEVICES)
		return check_alone(given, log);
	for (size_t i = 0; !given_binding(given) && i < ARRAY_SIZE(binding_only); i++)
		if (given->text[binding_only[i]])
			return log_err(log, -EINVAL,
				       "--%s belongs to a new binding, so it needs %s",
				       given_name(binding_only[i]), usages(line));

	if (given->text[OPT_TOKEN_ID] && !given_binding(given) && verb != VERB_TEST)
		return log_err(log, -EINVAL, "--token-id goes with a new binding or --test");
	if (given->text[OPT_PROOF] && verb != VERB_TEST)
		return log_err(log, -EINVAL, "--proof goes with --test");
	if (given->text[OPT_UNLOCK_KEY_FILE] && given->text[OPT_UNLOCK_TOKEN])
		return log_err(log, -EINVAL,
			       "--unlock-key-file and --unlock-token exclude each "
			       "other: one credential opens the volume");
	if (!given->device && verb == VERB_EXPLAIN && !given_binding(given))
		return log_err(log, -EINVAL,
			       "--explain needs a new binding (%s), or a volume whose tokens are "
			       "explained",
			       usages(line));
	if (!given->device && verb != VERB_EXPLAIN)
		return log_err(log, -EINVAL,
			       "no device or image is named; see cotter-enroll --help");
	return check_reencrypt(given, log) < 0 ? -EINVAL : check_policy(given, log);
}

static int convert(struct given *given, const struct log *log, struct options *options)
{
	int r;

	options->device = given->device;
	options->header = given->text[OPT_HEADER];
	options->quiet = given->text[OPT_QUIET];
	options->label = given->text[OPT_LABEL];
	options->pbkdf = given->text[OPT_PBKDF];
	options->unlock_key_file = given->text[OPT_UNLOCK_KEY_FILE];
	options->unlock_token = given->text[OPT_UNLOCK_TOKEN];
	options->reencrypt = given->text[OPT_REENCRYPT_FIRST];
	options->n_keep_key_files = given->n_keep;
	options->keep_key_files = TAKE_PTR(given->keep);
	options->wipe = given->text[OPT_WIPE_SLOT];
	options->force = given->text[OPT_FORCE];
	options->proof = given->text[OPT_PROOF];
	options->crypttab = given->text[OPT_CRYPTTAB];
	options->reorder = given->text[OPT_REORDER];

	r = options_read_values(given, log, options);
	if (r < 0)
		return r;
	if (options->verb == VERB_DEVICES)
		options->pin = devices_group(given)->of->pin;
	else if (given_binding(given))
		r = options_read_binding(given, log, options);
	return r;
}

int options_parse(int argc, char **argv, const struct log *log, struct options *ret)
{
	CLEANUP(options_done) struct options options = {0};
	CLEANUP(given_done) struct given given = {0};
	int r;

	r = given_read(argc, argv, log, &given);
	if (r < 0)
		return r;

	if (given.text[OPT_HELP] || given.text[OPT_VERSION]) {
		options.verb = given.text[OPT_HELP] ? VERB_HELP : VERB_VERSION;
	} else {
		r = given_settle(&given, log);
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
	free(options->keep_key_files);
	*options = (struct options){0};
}
