/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis luks regen. */
#include "enroll/clevis/regen.h"

#include "enroll/clevis/bound-config.h"
#include "enroll/clevis/line.h"
#include "enroll/clevis/rebind.h"

#include <errno.h>
#include <stdio.h>

static const char *const usage[] = {
	"Usage: clevis luks regen [-q] -d DEV -s SLOT\n\n",
	"Regenerate clevis binding\n\n",
	"  -d DEV  The LUKS device on which to perform rebinding\n\n",
	"  -s SLT  The LUKS slot to use\n\n",
	"  -q      Do not prompt for confirmation\n\n",
	NULL,
};

/* Where a run was interrupted, the binding may have another number than before; then it is put back first. */
static int open_binding(struct context *context, const struct arguments *arguments,
			struct volume *volume, unsigned *slot, struct bound_to *bound_to)
{
	int r;

	r = arguments_open(context, arguments, true, volume, slot);
	if (r == 0)
		r = rebind_resume(volume);
	if (r == 0)
		r = bound_to_read(volume, *slot, bound_to);
	return r;
}

static int announce(const struct arguments *arguments, const struct bound_to *bound_to)
{
	CLEANUP(free_text) char *text = bound_config_text(bound_to->config);

	if (!text)
		return -ENOMEM;
	(void)printf("Regenerating binding (device %s, slot %s):\nPin: %s, Config: '%s'\n",
		     arguments->values['d'], arguments->values['s'], bound_to->pin, text);
	return fflush(stdout) == EOF ? -EIO : 0;
}

int regen(struct context *context, const struct arguments *arguments, bool quiet)
{
	CLEANUP(volume_done) struct volume volume = {0};
	CLEANUP(bound_to_done) struct bound_to bound_to = {0};
	unsigned slot;
	int r;

	r = open_binding(context, arguments, &volume, &slot, &bound_to);
	if (r == 0 && !bound_to.config)
		r = log_err(&context->log, -EBADMSG,
			    "slot %u is bound by the pin \"%.64s\", which is unknown here; bind it "
			    "anew with clevis luks bind",
			    slot, bound_to.pin);
	if (r == 0)
		r = announce(arguments, &bound_to);
	if (r == 0 && !quiet) {
		r = line_yes("Do you want to proceed? [ynYN] ");
		if (r == -ECANCELED)
			return CLEVIS_OK;
	}
	if (r == 0)
		r = rebind(&volume, slot, &bound_to, NULL);
	if (r < 0) {
		(void)log_err(&context->log, 0, "the binding of slot %s of %s was not regenerated",
			      arguments->values['s'], arguments->values['d']);
		return CLEVIS_FAILED;
	}
	(void)fputs("Binding regenerated successfully\n", stderr);
	return CLEVIS_OK;
}

int command_luks_regen(struct context *context, int argc, char **argv)
{
	struct arguments arguments;

	if (arguments_read(argc, argv, "+:hqd:s:", &arguments) < 0)
		return command_usage(usage, CLEVIS_FAILED);
	if (arguments.values['h'])
		return command_usage(usage, CLEVIS_OK);
	if (!arguments_name_binding(context, &arguments))
		return CLEVIS_FAILED;
	return regen(context, &arguments, arguments.values['q']);
}
