/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis luks edit. */
#include "enroll/clevis/arguments.h"
#include "enroll/clevis/editor.h"
#include "enroll/clevis/line.h"
#include "enroll/clevis/rebind.h"

#include <errno.h>
#include <stdio.h>

static const char *const usage[] = {
	"Usage: clevis luks edit [-f] -d DEV -s SLT [-c CONFIG]\n\n",
	"Edit a binding from a clevis-bound slot in a LUKS device\n\n",
	"'clevis luks edit' uses the text editor defined in the EDITOR environment variable.\n",
	"                   If EDITOR is not defined, it uses 'vi'.\n\n",
	"  -d DEV     The LUKS device to edit clevis-bound pins\n\n",
	"  -s SLOT    The slot to use when editing the clevis binding\n\n",
	"  -f         Proceed with the edit operation even if the configuration is unchanged\n\n",
	"  -c CONFIG  The updated config to use\n\n",
	NULL,
};

enum { INDENT = 2 };

/* In the person's editor, until it is a configuration or the person gives up. */
static int edit(const struct context *context, const json_t *config, json_t **ret)
{
	CLEANUP(free_text) char *before = js_text(config, JSON_INDENT(INDENT));
	CLEANUP(edited_done) struct edited edited = {0};
	int r;

	r = before ? edited_begin(before, &context->log, &edited) : -ENOMEM;
	while (r == 0) {
		CLEANUP(buf_done) struct buf text = {0};

		r = edited_run(&edited, &context->log, &text);
		if (r < 0)
			return r;
		r = js_load(buf_ref(&text), ret);
		if (r == 0 || r == -ENOMEM)
			return r;
		r = line_yes("Malformed configuration. Would you like to edit again? [ynYN] ");
	}
	return r;
}

static int confirm(const struct bound_to *bound_to, const json_t *config)
{
	CLEANUP(free_text) char *text = js_text(config, JSON_INDENT(INDENT) | JSON_SORT_KEYS);

	if (!text)
		return -ENOMEM;
	(void)printf("Pin: %s\nNew config:\n%s\n", bound_to->pin, text);
	if (fflush(stdout) == EOF)
		return -EIO;
	return line_yes("Would you like to proceed with the updated configuration? [ynYN] ");
}

/* Returns an exit code, or -EINPROGRESS: all can go on with *ret. */
static int choose(const struct context *context, const struct arguments *arguments,
		  const struct bound_to *bound_to, json_t **ret)
{
	const char *given = arguments->values['c'];
	int r;

	given = given && *given ? given : NULL;
	r = given ? js_load(ref_str(given), ret) : edit(context, bound_to->config, ret);
	if (r < 0) {
		(void)log_err(&context->log, 0, "%s",
			      given ? "the configuration that -c gives is no JSON object"
				    : "nothing was changed");
		return CLEVIS_FAILED;
	}
	if (json_equal(*ret, bound_to->config) && !arguments->values['f']) {
		(void)log_err(&context->log, 0, "No changes detected; exiting");
		return CLEVIS_FAILED;
	}
	r = given ? 0 : confirm(bound_to, *ret);
	return r == 0 ? -EINPROGRESS : r == -ECANCELED ? CLEVIS_OK : CLEVIS_FAILED;
}

static int edit_binding(struct context *context, const struct arguments *arguments)
{
	CLEANUP(volume_done) struct volume volume = {0};
	CLEANUP(bound_to_done) struct bound_to bound_to = {0};
	CLEANUP_JSON json_t *config = NULL;
	unsigned slot;
	int code, r;

	r = arguments_open(context, arguments, true, &volume, &slot);
	if (r == 0)
		r = rebind_resume(&volume);
	if (r == 0)
		r = bound_to_read(&volume, slot, &bound_to);
	if (r == 0 && !bound_to.config)
		r = log_err(&context->log, -EBADMSG, "the pin \"%.64s\" is unknown here",
			    bound_to.pin);
	if (r < 0)
		return CLEVIS_FAILED;
	code = choose(context, arguments, &bound_to, &config);
	if (code != -EINPROGRESS)
		return code;

	(void)puts("Updating binding...");
	(void)fflush(stdout);
	r = rebind(&volume, slot, &bound_to, config);
	if (r < 0) {
		(void)log_err(&context->log, 0, "the binding of slot %s of %s was not updated",
			      arguments->values['s'], arguments->values['d']);
		return CLEVIS_FAILED;
	}
	(void)fputs("Binding edited successfully\n", stderr);
	return CLEVIS_OK;
}

int command_luks_edit(struct context *context, int argc, char **argv)
{
	struct arguments arguments;

	if (arguments_read(argc, argv, "+:fd:s:c:", &arguments) < 0)
		return command_usage(usage, CLEVIS_FAILED);
	if (!arguments_name_binding(context, &arguments))
		return command_usage(usage, CLEVIS_FAILED);
	return edit_binding(context, &arguments);
}
