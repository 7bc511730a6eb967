/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only reader of the environment here. */
#include "enroll/clevis/environment.h"

#include <stdlib.h>

const char *environment_value(const char *variable, const char *otherwise)
{
	const char *value = secure_getenv(variable);

	return value && *value ? value : otherwise;
}

const char *environment_path(void)
{
	return environment_value("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
}

void environment_take_tpm(void)
{
	const char *tcti = secure_getenv("TPM2TOOLS_TCTI");

	if (tcti)
		(void)setenv("COTTER_TPM2_TCTI", tcti, 0);
}
