/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line: read whole first, then checked, then converted. */
#include "enroll/options-binding.h"
#include "enroll/options-import.h"
#include "enroll/options-renewal.h"
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
	{OPT_RENEW, VERB_RENEW},       {OPT_WIPE_SLOT, VERB_WIPE}, {OPT_REORDER, VERB_REORDER},
	{OPT_CRYPTTAB, VERB_CRYPTTAB}, {OPT_IMPORT, VERB_IMPORT},  {OPT_TO_LUKS2, VERB_IMPORT},
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
		if (chosen != OPT_COUNT && *ret != changers[i].verb)
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
	} lookers[] = {
		{OPT_LIST, VERB_LIST},       {OPT_TEST, VERB_TEST},     {OPT_REPORT, VERB_REPORT},
		{OPT_EXPLAIN, VERB_EXPLAIN}, {OPT_DOCTOR, VERB_DOCTOR},
	};
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

/* The machine is looked at, as crypttab has it. */
static int check_doctor(const struct given *given, const struct log *log)
{
	for (size_t i = 0; i < OPT_COUNT; i++)
		if (given->text[i] && i != OPT_DOCTOR && i != OPT_INITRD && i != OPT_JSON &&
		    i != OPT_QUIET)
			return log_err(log, -EINVAL, "--doctor and --%s exclude each other",
				       given_name((enum option_id)i));
	if (given->n_groups > 0)
		return log_err(log, -EINVAL, "--doctor and --%s exclude each other",
			       given_binding_name(given));
	if (given->device)
		return log_err(log, -EINVAL,
			       "--doctor is about every volume of crypttab, and takes no device");
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

/* What can be said of one volume only. */
static int check_several(const struct given *given, enum verb verb, const struct log *log)
{
	const char *key = given->text[OPT_UNLOCK_KEY_FILE], *name = given->text[OPT_CRYPTTAB];

	if (given->text[OPT_ALL] && given->device)
		return log_err(log, -EINVAL,
			       "--all is about every volume of this machine, so it excludes %s",
			       given->device);
	if (given->text[OPT_ALL] && given_binding(given) && verb != VERB_RENEW)
		return log_err(log, -EINVAL,
			       "--all makes no new bindings: name the devices that --%s is for",
			       given_binding_name(given));
	if (!given->text[OPT_ALL] && given->n_devices < 2)
		return 0;
	if (given->text[OPT_HEADER])
		return log_err(log, -EINVAL, "--header is of one volume, so name one device");
	if (name && *name)
		return log_err(log, -EINVAL, "--crypttab=%s names one volume, so name one device",
			       name);
	if (key && strcmp(key, "-") == 0)
		return log_err(log, -EINVAL,
			       "standard input has the key of one volume: give --unlock-key-file "
			       "a file, or name one device");
	return 0;
}

/* A number says which keyslot to remove of a volume that somebody looked at. */
static int check_selection(const struct options *options, const struct log *log)
{
	if (options->all && options->selection.keyslots != 0)
		return log_err(log, -EINVAL,
			       "--wipe-slot takes no keyslot numbers with --all, where each volume "
			       "has its own: name the device");
	return 0;
}

static int check_reencrypt(const struct given *given, const struct log *log)
{
	bool first = given->text[OPT_REENCRYPT_FIRST];
	size_t inputs = 0;

	if (!first && given->n_keep > 0)
		return log_err(log, -EINVAL, "--keep-key-file goes with --reencrypt-first");
	if (first && (given->text[OPT_WIPE_SLOT] || given->text[OPT_REPLACE]))
		return log_err(log, -EINVAL,
			       "--reencrypt-first gives keyslots other numbers, so --%s is for a "
			       "command of its own",
			       given_name(given->text[OPT_REPLACE] ? OPT_REPLACE : OPT_WIPE_SLOT));
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
		OPT_UNLOCK_KEY_FILE, OPT_UNLOCK_TOKEN, OPT_LABEL,   OPT_PBKDF,
		OPT_KEY_SLOT,        OPT_THRESHOLD,    OPT_REPLACE, OPT_REENCRYPT_FIRST,
	};
	char line[LOG_LINE_MAX];
	int r;

	if (verb == VERB_DEVICES)
		return check_alone(given, log);
	if (verb == VERB_DOCTOR)
		return check_doctor(given, log);
	if (given->text[OPT_INITRD])
		return log_err(log, -EINVAL, "--initrd goes with --doctor");
	r = check_several(given, verb, log);
	if (r < 0)
		return r;
	if (verb == VERB_RENEW)
		return options_check_renewal(given, log);
	if (given->text[OPT_IMPORT] || given->text[OPT_TO_LUKS2])
		return options_check_import(given, log);
	for (size_t i = 0; !given_binding(given) && i < ARRAY_SIZE(binding_only); i++)
		if (given->text[binding_only[i]])
			return log_err(log, -EINVAL,
				       "--%s belongs to a new binding, so it needs %s",
				       given_name(binding_only[i]), usages(line));

	if (given->text[OPT_TOKEN_ID] && !given_binding(given) && verb != VERB_TEST &&
	    verb != VERB_REPORT)
		return log_err(log, -EINVAL,
			       "--token-id goes with a new binding, --test or --report");
	if (given->text[OPT_RESEAL])
		return log_err(log, -EINVAL, "--reseal goes with --renew");
	if (given->text[OPT_FORCE] && !given->text[OPT_REPLACE] && !given->text[OPT_WIPE_SLOT] &&
	    !given->text[OPT_REENCRYPT_FIRST] && !given_binding(given))
		return log_err(log, -EINVAL,
			       "--force goes with a new binding, --renew, --replace, --wipe-slot "
			       "or --reencrypt-first");
	if (given->text[OPT_REPLACE] && (given->text[OPT_WIPE_SLOT] || given->text[OPT_TOKEN_ID]))
		return log_err(
			log, -EINVAL, "--replace and --%s exclude each other",
			given_name(given->text[OPT_WIPE_SLOT] ? OPT_WIPE_SLOT : OPT_TOKEN_ID));
	if (given->text[OPT_PROOF] && verb != VERB_TEST)
		return log_err(log, -EINVAL, "--proof goes with --test");
	if (given->text[OPT_UNLOCK_KEY_FILE] && given->text[OPT_UNLOCK_TOKEN])
		return log_err(log, -EINVAL,
			       "--unlock-key-file and --unlock-token exclude each "
			       "other: one credential opens the volume");
	if (!given->device && !given->text[OPT_ALL] && verb == VERB_EXPLAIN &&
	    !given_binding(given))
		return log_err(log, -EINVAL,
			       "--explain needs a new binding (%s), or a volume whose tokens are "
			       "explained",
			       usages(line));
	if (!given->device && !given->text[OPT_ALL] && verb != VERB_EXPLAIN)
		return log_err(log, -EINVAL,
			       "no device or image is named; see cotter-enroll --help");
	return check_reencrypt(given, log) < 0 ? -EINVAL : check_policy(given, log);
}

static int convert(struct given *given, const struct log *log, struct options *options)
{
	int r;

	options->device = given->device;
	options->devices = given->devices;
	options->n_devices = given->n_devices;
	options->all = given->text[OPT_ALL];
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
	options->initrd = given->text[OPT_INITRD];
	options->reorder = given->text[OPT_REORDER];
	options->replace = given->text[OPT_REPLACE];
	options->import = given->text[OPT_IMPORT];
	options->to_luks2 = given->text[OPT_TO_LUKS2];
	options->reseal = given->text[OPT_RESEAL];

	r = options_read_values(given, log, options);
	if (r == 0)
		r = check_selection(options, log);
	if (r == 0 && options->verb == VERB_RENEW)
		r = options_read_renewal(given, log, options);
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
	free(options->wishes);
	free(options->keep_key_files);
	*options = (struct options){0};
}
