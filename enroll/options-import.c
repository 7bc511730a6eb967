/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks what is given with --import. */
#include "enroll/options-import.h"

#include <errno.h>

/* The last option that says nothing to an import or conversion; NULL: each does. */
static const char *stranger(const struct given *given)
{
	static const enum option_id allowed[] = {
		OPT_IMPORT, OPT_TO_LUKS2, OPT_KEY_SLOT, OPT_LABEL,
		OPT_JSON,   OPT_HEADER,   OPT_QUIET,    OPT_ALL,
	};
	const char *found = given_binding(given) ? given_binding_name(given) : NULL;

	for (size_t i = 0; i < OPT_COUNT; i++) {
		size_t j = 0;

		while (j < ARRAY_SIZE(allowed) && allowed[j] != i)
			j++;
		if (given->text[i] && j == ARRAY_SIZE(allowed))
			found = given_name((enum option_id)i);
	}
	return found;
}

int options_check_import(const struct given *given, const struct log *log)
{
	const char *token = given->text[OPT_IMPORT], *other = stranger(given);

	if (other && token)
		return log_err(log, -EINVAL,
			       "--import changes nothing of a binding but whose it is, so it "
			       "excludes --%s",
			       other);
	if (!other && !token)
		other = given->text[OPT_LABEL]      ? given_name(OPT_LABEL)
			: given->text[OPT_KEY_SLOT] ? given_name(OPT_KEY_SLOT)
						    : NULL;
	if (other)
		return log_err(
			log, -EINVAL,
			"--to-luks2 changes nothing but the header's form, so it excludes --%s",
			other);
	if (given->text[OPT_TO_LUKS2] && given->text[OPT_ALL])
		return log_err(log, -EINVAL,
			       "--all is about volumes that may be in use, which --to-luks2 cannot "
			       "convert: name the devices");
	if (token && *token && given->text[OPT_KEY_SLOT])
		return log_err(log, -EINVAL,
			       "--import=TOKEN and --key-slot exclude each other: either says "
			       "which binding");
	if (!given->device && !given->text[OPT_ALL])
		return log_err(log, -EINVAL,
			       "no device or image is named; see cotter-enroll --help");
	return 0;
}
