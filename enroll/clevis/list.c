/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis luks list. */
#include "enroll/clevis/arguments.h"
#include "enroll/clevis/bound-config.h"
#include "enroll/tree.h"

#include <errno.h>
#include <stdio.h>

static const char *const usage[] = {
	"\nUsage: clevis luks list -d DEV [-s SLT] [-p]\n\n",
	"Lists pins bound to a LUKSv1 or LUKSv2 device:\n\n",
	"  -d DEV   The LUKS device to list bound pins\n\n",
	"  -s SLOT  The slot number to list\n\n",
	"  -p       Print only a sorted, space-separated list of the pins of each slot\n\n",
	NULL,
};

static int print_pins(unsigned slot, const struct bound_to *bound_to)
{
	CLEANUP_JSON json_t *names = NULL;
	const json_t *name;
	size_t i;

	if (bound_config_pins(bound_to->pin, bound_to->config, &names) < 0)
		return -ENOMEM;
	(void)printf("%u:", slot);
	json_array_foreach(names, i, name)
		(void)printf(" %s", json_string_value(name));
	return puts("") < 0 ? -EIO : 0;
}

static int print(unsigned slot, const struct bound_to *bound_to)
{
	CLEANUP_JSON json_t *shown = NULL;
	CLEANUP(free_text) char *text = NULL;

	if (!bound_to->config)
		return printf("%u: unknown pin '%s'\n", slot, bound_to->pin) < 0 ? -EIO : 0;
	if (tree_conceal(bound_to->pin, bound_to->config, &shown) == 0)
		text = bound_config_text(shown);
	if (!text)
		return -ENOMEM;
	return printf("%u: %s '%s'\n", slot, bound_to->pin, text) < 0 ? -EIO : 0;
}

static int list(struct volume *volume, unsigned slot, bool pins_alone)
{
	CLEANUP(bound_to_done) struct bound_to bound_to = {0};
	int r;

	r = bound_to_read(volume, slot, &bound_to);
	if (r < 0)
		return r;
	return pins_alone ? print_pins(slot, &bound_to) : print(slot, &bound_to);
}

static int list_all(struct volume *volume, bool pins_alone)
{
	for (unsigned i = 0; i < volume->format->slots; i++) {
		int r = luks_keyslot(volume->luks, i) == LUKS_KEYSLOT_FREE
				? 0
				: list(volume, i, pins_alone);

		if (r == -EIO || r == -ENOMEM)
			return r;
	}
	return 0;
}

int command_luks_list(struct context *context, int argc, char **argv)
{
	struct arguments arguments;
	CLEANUP(volume_done) struct volume volume = {0};
	bool all, pins_alone;
	unsigned slot;
	int r;

	if (arguments_read(argc, argv, "+:d:s:p", &arguments) < 0)
		return command_usage(usage, CLEVIS_FAILED);
	if (!arguments.values['d']) {
		(void)log_err(&context->log, 0, "Did not specify a device!");
		return command_usage(usage, CLEVIS_FAILED);
	}
	all = !arguments.values['s'] || !*arguments.values['s'];
	pins_alone = arguments.values['p'];

	r = arguments_open(context, &arguments, false, &volume, all ? NULL : &slot);
	if (r == 0 && all)
		r = volume.format->check(&volume);
	if (r == 0)
		r = all ? list_all(&volume, pins_alone) : list(&volume, slot, pins_alone);
	return r < 0 || fflush(stdout) == EOF ? CLEVIS_FAILED : CLEVIS_OK;
}
