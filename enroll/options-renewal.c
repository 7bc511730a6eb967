/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what is given with --renew. */
#include "enroll/options-renewal.h"

#include <errno.h>
#include <stdlib.h>

int options_check_renewal(const struct given *given, const struct log *log)
{
	static const enum option_id allowed[] = {
		OPT_RENEW, OPT_RESEAL, OPT_FORCE,  OPT_UNLOCK_KEY_FILE, OPT_UNLOCK_TOKEN,
		OPT_PBKDF, OPT_JSON,   OPT_HEADER, OPT_QUIET,           OPT_ALL,
	};

	for (size_t i = 0; i < OPT_COUNT; i++) {
		size_t j = 0;

		while (j < ARRAY_SIZE(allowed) && allowed[j] != i)
			j++;
		if (given->text[i] && j == ARRAY_SIZE(allowed))
			return log_err(log, -EINVAL,
				       "--renew keeps what a token is, so it excludes --%s",
				       given_name((enum option_id)i));
	}
	if (given->text[OPT_UNLOCK_KEY_FILE] && given->text[OPT_UNLOCK_TOKEN])
		return log_err(log, -EINVAL,
			       "--unlock-key-file and --unlock-token exclude each other: one "
			       "credential opens the volume");
	if (!given->device && !given->text[OPT_ALL])
		return log_err(log, -EINVAL,
			       "no device or image is named; see cotter-enroll --help");
	return 0;
}

static int add(const struct group *group, const struct log *log, struct options *options)
{
	struct leaf_wish *wish = &options->wishes[options->n_wishes];
	int r;

	if (!group->of->check_again)
		return log_err(log, -EINVAL, "--%s means nothing with --renew",
			       group->of->options[0].name);
	r = group->of->check_again(group->texts, log);
	if (r < 0)
		return r;
	wish->pin = group->of->pin;
	memcpy(wish->texts, group->texts, sizeof(wish->texts));
	options->n_wishes++;
	return 0;
}

/* Such a group has what stood before it by now. */
static bool has_group(const struct given *given, const struct pin_options *of)
{
	for (size_t i = 0; i < given->n_groups; i++)
		if (given->groups[i].of == of)
			return true;
	return false;
}

int options_read_renewal(const struct given *given, const struct log *log, struct options *options)
{
	int r = 0;

	options->wishes = calloc(given->n_groups + GIVEN_PINS_MAX, sizeof(*options->wishes));
	if (!options->wishes)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < given->n_groups; i++)
		r = add(&given->groups[i], log, options);

	/* Those that named no leaf are about the only one, or all, of their pin. */
	for (size_t i = 0; r == 0 && i < GIVEN_PINS_MAX; i++)
		if (given->early[i].of && !has_group(given, given->early[i].of))
			r = add(&given->early[i], log, options);
	return r;
}
