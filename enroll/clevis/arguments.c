/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads options, and opens what they name. */
#include "enroll/clevis/arguments.h"

#include "enroll/clevis/bound-config.h"
#include "enroll/clevis/jwe-text.h"
#include "token/token.h"

#include <errno.h>
#include <unistd.h>

int arguments_read(int argc, char **argv, const char *options, struct arguments *ret)
{
	int c;

	*ret = (struct arguments){0};
	opterr = 0;
	optind = 1;
	while ((c = getopt(argc, argv, options)) != -1) {
		if (c == '?' || c == ':' || c > 'z')
			return -EINVAL;
		ret->values[c] = optarg ? optarg : "";
	}
	ret->next = optind;
	return 0;
}

bool arguments_name_binding(const struct context *context, const struct arguments *arguments)
{
	if (arguments->values['d'] && arguments->values['s'])
		return true;
	(void)log_err(&context->log, 0, "Did not specify a %s!",
		      arguments->values['d'] ? "slot" : "device");
	return false;
}

static int open_volume(struct context *context, const struct arguments *arguments, bool to_write,
		       struct volume *ret)
{
	static bool ready; /* libcryptsetup keeps it as long as the process lives */
	const struct log *log = &context->log;
	int r = 0;

	if (!ready)
		r = luks_setup(arguments->values['e'], log); /* a token of others */
	if (!ready && r == 0)
		r = luks_carry(TOKEN_TYPE_CLEVIS, log);
	if (r < 0)
		return r;
	ready = true;
	return volume_load(arguments->values['d'], to_write, log, ret);
}

int arguments_slot(const struct arguments *arguments, struct volume *volume, unsigned *ret)
{
	const char *text = arguments->values['s'];
	const struct log *log = volume->luks->log;
	CLEANUP(free_text) char *jwe = NULL;
	unsigned slot;
	int r;

	r = volume->format->check(volume);
	if (r < 0)
		return r == -ENOENT ? log_err(log, r, "%s has no place for Clevis bindings yet",
					      volume->luks->name)
				    : r;
	if (volume_slot(volume, text, &slot) < 0)
		return log_err(log, -EINVAL,
			       "please give a valid keyslot number; those of %s are 0 to %u",
			       volume->format->name, volume->format->slots - 1);
	r = volume->format->jwe(volume, slot, &jwe);
	if (r == -ENOENT)
		return log_err(log, r, "slot %u of %s has no Clevis binding", slot,
			       volume->luks->name);
	if (r < 0)
		return log_err(log, r, "the Clevis binding of slot %u of %s is damaged", slot,
			       volume->luks->name);
	*ret = slot;
	return 0;
}

int arguments_open(struct context *context, const struct arguments *arguments, bool to_write,
		   struct volume *ret, unsigned *ret_slot)
{
	CLEANUP(volume_done) struct volume volume = {0};
	int r;

	r = open_volume(context, arguments, to_write, &volume);
	if (r == 0 && ret_slot)
		r = arguments_slot(arguments, &volume, ret_slot);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(volume);
	return 0;
}

void bound_to_done(struct bound_to *bound_to)
{
	free(bound_to->jwe);
	json_decref(bound_to->hdr);
	json_decref(bound_to->config);
	*bound_to = (struct bound_to){0};
}

int bound_to_read(struct volume *volume, unsigned slot, struct bound_to *ret)
{
	CLEANUP(bound_to_done) struct bound_to bound_to = {0};
	int r;

	r = volume->format->jwe(volume, slot, &bound_to.jwe);
	if (r == 0)
		r = jwe_text_header(bound_to.jwe, &bound_to.hdr);
	if (r == 0)
		r = bound_config_of(bound_to.hdr, &bound_to.pin, &bound_to.config);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(bound_to);
	return 0;
}
