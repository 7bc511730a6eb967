/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis luks report. */
#include "enroll/clevis/arguments.h"
#include "enroll/clevis/line.h"
#include "enroll/clevis/regen.h"
#include "enroll/clevis/rotated.h"

#include <errno.h>
#include <stdio.h>

static const char *const usage[] = {
	"Usage: clevis luks report [-q] [-r] -d DEV -s SLOT\n\n",
	"Report tang keys' rotations\n\n",
	"  -d DEV  The LUKS device to check for key rotations\n\n",
	"  -s SLT  The LUKS slot to use\n\n",
	"  -q      Quiet mode; do not prompt for using 'clevis luks regen'\n\n",
	"  -r      Regenerate binding with 'clevis luks regen -q -d DEV -s SLOT'\n\n",
	NULL,
};

static int print(const json_t *keys)
{
	const json_t *key;
	size_t i;

	(void)puts("The following keys are not in the current advertisement and were probably "
		   "rotated:");
	json_array_foreach(keys, i, key)
		(void)printf("  %s\n", json_string_value(key));
	return fflush(stdout) == EOF ? -EIO : 0;
}

static int ask(const struct arguments *arguments)
{
	CLEANUP(free_text) char *question = NULL;

	if (asprintf(&question,
		     "Do you want to regenerate the binding with \"clevis luks regen -q -d %s -s "
		     "%s\"? [ynYN] ",
		     arguments->values['d'], arguments->values['s']) < 0)
		return -ENOMEM;
	return line_yes(question);
}

static int report(struct context *context, const struct arguments *arguments)
{
	CLEANUP(volume_done) struct volume volume = {0};
	CLEANUP(bound_to_done) struct bound_to bound_to = {0};
	CLEANUP_JSON json_t *keys = NULL;
	unsigned slot;
	int r;

	r = arguments_open(context, arguments, false, &volume, &slot);
	if (r == 0)
		r = bound_to_read(&volume, slot, &bound_to);
	if (r < 0)
		return CLEVIS_FAILED;
	r = rotated_keys(bound_to.hdr, &context->log, &keys);
	if (r < 0) {
		(void)log_err(&context->log, 0,
			      "whether keys of slot %u were rotated could not be found out", slot);
		return CLEVIS_FAILED;
	}
	if (json_array_size(keys) == 0)
		return CLEVIS_OK;
	if (print(keys) < 0)
		return CLEVIS_FAILED;

	if (!arguments->values['r'] && (arguments->values['q'] || ask(arguments) < 0))
		return CLEVIS_FAILED;
	volume_done(&volume); /* read anew, to be written to */
	return regen(context, arguments, true);
}

int command_luks_report(struct context *context, int argc, char **argv)
{
	struct arguments arguments;

	if (arguments_read(argc, argv, "+hd:s:rq", &arguments) < 0)
		return command_usage(usage, CLEVIS_FAILED);
	if (arguments.values['h'])
		return command_usage(usage, CLEVIS_OK);
	if (!arguments_name_binding(context, &arguments))
		return CLEVIS_FAILED;
	return report(context, &arguments);
}
