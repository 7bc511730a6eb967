/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks what is given with --import. */
#include "enroll/options-import.h"

#include <errno.h>

int options_check_import(const struct given *given, const struct log *log)
{
	static const enum option_id allowed[] = {
		OPT_IMPORT, OPT_KEY_SLOT, OPT_LABEL, OPT_JSON, OPT_HEADER, OPT_QUIET, OPT_ALL,
	};
	const char *token = given->text[OPT_IMPORT], *other = NULL;

	if (given_binding(given))
		other = given_binding_name(given);
	for (size_t i = 0; i < OPT_COUNT; i++) {
		size_t j = 0;

		while (j < ARRAY_SIZE(allowed) && allowed[j] != i)
			j++;
		if (given->text[i] && j == ARRAY_SIZE(allowed))
			other = given_name((enum option_id)i);
	}
	if (other)
		return log_err(log, -EINVAL,
			       "--import changes nothing of a binding but whose it is, so it "
			       "excludes --%s",
			       other);
	if (token && *token && given->text[OPT_KEY_SLOT])
		return log_err(log, -EINVAL,
			       "--import=TOKEN and --key-slot exclude each other: either says "
			       "which binding");
	if (!given->device && !given->text[OPT_ALL])
		return log_err(log, -EINVAL,
			       "no device or image is named; see cotter-enroll --help");
	return 0;
}
