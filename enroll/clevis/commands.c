/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of commands. */
#include "enroll/clevis/command.h"

#include <stdio.h>
#include <string.h>

const struct command commands[] = {
	{"decrypt", "Decrypts using the policy defined at encryption time", command_decrypt},
	{"decrypt-null", NULL, command_decrypt_null},
#ifdef PIN_PKCS11
	{"decrypt-pkcs11", NULL, command_decrypt_pkcs11},
#endif
	{"decrypt-sss", NULL, command_decrypt_sss},
	{"decrypt-tang", NULL, command_decrypt_tang},
	{"decrypt-tpm2", NULL, command_decrypt_tpm2},
	{"encrypt-null", NULL, command_encrypt_null},
#ifdef PIN_PKCS11
	{"encrypt-pkcs11", "Encrypts using a PKCS#11 token", command_encrypt_pkcs11},
#endif
	{"encrypt-sss", "Encrypts using a Shamir's Secret Sharing policy", command_encrypt_sss},
	{"encrypt-tang", "Encrypts using a Tang binding server policy", command_encrypt_tang},
	{"encrypt-tpm2", "Encrypts using a TPM2.0 chip binding policy", command_encrypt_tpm2},
	{"luks-bind", "Binds a LUKS device using the specified policy", command_luks_bind},
	{"luks-edit", "Edit a binding from a clevis-bound slot in a LUKS device",
	 command_luks_edit},
	{"luks-jwe", NULL, command_luks_jwe},
	{"luks-list", "Lists pins bound to a LUKSv1 or LUKSv2 device", command_luks_list},
	{"luks-pass", "Returns the LUKS passphrase used for binding a particular slot.",
	 command_luks_pass},
	{"luks-regen", "Regenerate clevis binding", command_luks_regen},
	{"luks-report", "Report tang keys' rotations", command_luks_report},
	{"luks-unbind", "Unbinds a pin bound to a LUKS volume", command_luks_unbind},
	{"luks-unlock", "Unlocks a LUKS volume", command_luks_unlock},
	{NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

int command_usage(const char *const texts[], int code)
{
	for (size_t i = 0; texts[i]; i++)
		(void)fputs(texts[i], stderr);
	return code;
}
