/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What commands say of themselves at a terminal, in texts for command_usage(). */
#pragma once

extern const char *const usage_decrypt[];
extern const char *const usage_decrypt_pkcs11[];
extern const char *const usage_decrypt_sss[];
extern const char *const usage_decrypt_tang[];
extern const char *const usage_decrypt_tpm2[];
extern const char *const usage_encrypt_pkcs11[];
extern const char *const usage_encrypt_sss[];
extern const char *const usage_encrypt_tang[];
extern const char *const usage_encrypt_tpm2[];
