/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of the pins' options in this program, and who surveys their servers. */
#include "enroll/options-pin.h"

#ifdef PIN_TANG
#include "tang/survey.h"
#endif

const struct pin_options *const all_pin_options[] = {
#ifdef PIN_TANG
	&pin_options_tang,
#endif
#ifdef PIN_TPM2
	&pin_options_tpm2,
#endif
#ifdef PIN_PKCS11
	&pin_options_pkcs11,
#endif
	NULL,
};

#ifdef PIN_TANG
const struct surveyor *const pin_surveyor = &tang_surveyor;
#else
const struct surveyor *const pin_surveyor = NULL;
#endif

const struct pin_options *pin_options_find(const char *pin)
{
	for (size_t i = 0; all_pin_options[i]; i++)
		if (strcmp(all_pin_options[i]->pin, pin) == 0)
			return all_pin_options[i];
	return NULL;
}
