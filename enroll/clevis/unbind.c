/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis luks unbind. */
#include "enroll/clevis/arguments.h"
#include "enroll/clevis/line.h"

#include "enroll/ask.h"
#include "enroll/signals.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const char *const usage[] = {
	"\nUsage: clevis luks unbind -d DEV -s SLT\n\n",
	"Unbinds a pin bound to a LUKS volume:\n\n",
	"  -d DEV  The bound LUKS device\n\n",
	"  -s SLOT The LUKS slot number for the pin unbind\n\n",
	"  -f      Do not ask for confirmation and wipe slot in batch-mode\n\n",
	NULL,
};

enum { TRIES = 3 };

static int agree(const struct volume *volume, unsigned slot)
{
	CLEANUP(free_text) char *question = NULL;

	if (asprintf(&question,
		     "The unbind operation will wipe a slot. This operation is unrecoverable.\n"
		     "Do you wish to erase LUKS slot %u on %s? [ynYN] ",
		     slot, volume->luks->name) < 0)
		return -ENOMEM;
	return ask_yes(question);
}

static bool opens_another(const struct volume *volume, unsigned slot, struct ref passphrase)
{
	for (unsigned i = 0; i < volume->format->slots; i++)
		if (i != slot && luks_keyslot(volume->luks, i) == LUKS_KEYSLOT_ACTIVE &&
		    luks_keyslot_opens(volume->luks, i, passphrase) == 0)
			return true;
	return false;
}

static bool is_last(const struct volume *volume, unsigned slot)
{
	for (unsigned i = 0; i < volume->format->slots; i++)
		if (i != slot && luks_keyslot(volume->luks, i) == LUKS_KEYSLOT_ACTIVE)
			return false;
	return true;
}

/* Errors: those of line_secret(), -EPERM: it opens no other keyslot. */
static int ask_remaining(const struct volume *volume, unsigned slot)
{
	CLEANUP(buf_done) struct buf passphrase = {0};
	int r;

	r = line_secret("Enter any remaining passphrase: ", &passphrase);
	if (r < 0)
		return log_err(volume->luks->log, r, "no remaining passphrase came");
	if (!opens_another(volume, slot, buf_ref(&passphrase)))
		return log_err(volume->luks->log, -EPERM,
			       "this passphrase opens no other keyslot of %s", volume->luks->name);
	return 0;
}

/* As cryptsetup will have it before it removes a keyslot: that there is another way in. */
static int check_remaining(const struct volume *volume, unsigned slot)
{
	int tries = isatty(STDIN_FILENO) ? TRIES : 1, r = -EPERM;

	if (luks_keyslot(volume->luks, slot) == LUKS_KEYSLOT_FREE)
		return 0;
	if (is_last(volume, slot))
		return log_err(volume->luks->log, r,
			       "slot %u is the last that opens %s; -f removes it all the same",
			       slot, volume->luks->name);
	for (int i = 0; i < tries && r == -EPERM; i++)
		r = ask_remaining(volume, slot);
	return r;
}

static int remove_binding(struct volume *volume, unsigned slot)
{
	struct signals held;
	int r;

	signals_hold(&held, false);
	r = volume->format->remove(volume, slot);
	signals_release(&held);
	return r;
}

static int unbind(struct context *context, struct volume *volume, unsigned slot, bool forced)
{
	int r;

	r = forced ? 0 : agree(volume, slot);
	if (r == -ECANCELED)
		return CLEVIS_OK;
	if (r < 0) {
		(void)log_err(
			&context->log, 0,
			"there is no terminal to ask whether slot %u is to be wiped; -f wipes it "
			"without a question",
			slot);
		return CLEVIS_FAILED;
	}
	r = forced ? 0 : check_remaining(volume, slot);
	if (r == 0)
		r = remove_binding(volume, slot);
	if (r == 0)
		return CLEVIS_OK;
	/* On standard output, as Clevis has it. */
	(void)printf("LUKS slot %u for device %s couldn't be deleted\n", slot, volume->luks->name);
	return CLEVIS_FAILED;
}

int command_luks_unbind(struct context *context, int argc, char **argv)
{
	struct arguments arguments;
	CLEANUP(volume_done) struct volume volume = {0};
	unsigned slot;

	if (arguments_read(argc, argv, "+:d:s:f", &arguments) < 0)
		return command_usage(usage, CLEVIS_USAGE);
	if (!arguments_name_binding(context, &arguments))
		return command_usage(usage, CLEVIS_USAGE);
	if (arguments_open(context, &arguments, true, &volume, NULL) < 0 ||
	    volume.format->resume(&volume, NULL, NULL) < 0 ||
	    arguments_slot(&arguments, &volume, &slot) < 0)
		return CLEVIS_FAILED;
	return unbind(context, &volume, slot, arguments.values['f']);
}
