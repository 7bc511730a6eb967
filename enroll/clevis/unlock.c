/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis luks unlock. */
#include "enroll/clevis/arguments.h"
#include "enroll/clevis/credential.h"
#include "enroll/clevis/cryptsetup.h"
#include "enroll/luks-activate.h"

#include <errno.h>
#include <stdio.h>

static const char *const usage[] = {
	"\nUsage: clevis luks unlock -d DEV [-n NAME] [-t SLT] [-o PARAMS]\n\n",
	"Unlocks a LUKS volume:\n\n",
	"  -d DEV     The LUKS device on which to perform unlocking\n\n",
	"  -n NAME    The name of the unlocked device node\n\n",
	"  -t SLT     Test the passphrase for the given slot without unlocking\n",
	"             the device\n\n",
	"  -o PARAMS  Pass these parameters to cryptsetup open\n\n",
	NULL,
};

/* cryptsetup's exit codes, which Clevis passes on. */
enum { CRYPTSETUP_NO_KEY = 2, CRYPTSETUP_EXISTS = 5 };

static int code_of(int r)
{
	return r == 0                        ? CLEVIS_OK
	       : r == -EPERM                 ? CRYPTSETUP_NO_KEY
	       : r == -EEXIST || r == -EBUSY ? CRYPTSETUP_EXISTS
					     : CLEVIS_FAILED;
}

/* The caller frees it; NULL out of memory. */
static char *name_of(const struct volume *volume, const char *given)
{
	char *name = NULL;

	if (given && *given)
		return strdup(given);
	return asprintf(&name, "luks-%s", luks_uuid(volume->luks)) < 0 ? NULL : name;
}

static int unlock(const struct context *context, struct volume *volume,
		  const struct arguments *arguments)
{
	const char *parameters = arguments->values['o'];
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP(free_text) char *name = NULL;
	int keyslot, r;

	name = name_of(volume, arguments->values['n']);
	if (!name)
		return CLEVIS_FAILED;
	if (credential_by_binding(volume, &secret, &keyslot) < 0) {
		(void)log_err(&context->log, 0, "%s could not be opened", volume->luks->name);
		return CLEVIS_FAILED;
	}
	if (parameters && *parameters) {
		r = cryptsetup_open(volume->luks->name, name, parameters, buf_ref(&secret));
		(void)log_err(&context->log, r, "cryptsetup could not be run: %s", strerror(-r));
		return CLEVIS_FAILED;
	}
	r = luks_activate(volume->luks, name, keyslot, buf_ref(&secret));
	return code_of(r);
}

static int test(const struct context *context, struct volume *volume, unsigned slot)
{
	CLEANUP(buf_done) struct buf secret = {0};

	if (credential_by_slot(volume, slot, &secret) == 0)
		return CLEVIS_OK;
	(void)log_err(&context->log, 0, "slot %u of %s does not open it", slot, volume->luks->name);
	return CLEVIS_FAILED;
}

int command_luks_unlock(struct context *context, int argc, char **argv)
{
	struct arguments arguments;
	CLEANUP(volume_done) struct volume volume = {0};
	bool testing;
	unsigned slot;
	int r;

	if (arguments_read(argc, argv, "+:d:n:t:o:", &arguments) < 0)
		return command_usage(usage, CLEVIS_USAGE);
	if (!arguments.values['d']) {
		(void)log_err(&context->log, 0, "Did not specify a device!");
		return command_usage(usage, CLEVIS_USAGE);
	}
	testing = arguments.values['t'] && *arguments.values['t'];
	arguments.values['s'] = arguments.values['t'];
	r = arguments_open(context, &arguments, false, &volume, testing ? &slot : NULL);
	if (r < 0)
		return CLEVIS_FAILED;
	return testing ? test(context, &volume, slot) : unlock(context, &volume, &arguments);
}
