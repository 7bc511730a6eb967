/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only reader of the environment here. */
#include "enroll/clevis/environment.h"

#include <stdlib.h>

const char *environment_path(void)
{
	const char *path = secure_getenv("PATH");

	return path ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
}

void environment_take_tpm(void)
{
	const char *tcti = secure_getenv("TPM2TOOLS_TCTI");

	if (tcti)
		(void)setenv("COTTER_TPM2_TCTI", tcti, 0);
}
