/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of pins in this program or module. */
#include "token/token.h"

#ifdef PIN_PKCS11
#include "pkcs11/pkcs11.h"
#endif
#ifdef PIN_SSS
#include "sss/sss.h"
#endif
#ifdef PIN_TANG
#include "tang/tang.h"
#endif
#ifdef PIN_TPM2
#include "tpm/tpm2.h"
#endif

const struct pin *const pins[] = {
#ifdef PIN_TANG
	&pin_tang,
#endif
#ifdef PIN_TPM2
	&pin_tpm2,
#endif
#ifdef PIN_PKCS11
	&pin_pkcs11,
#endif
#ifdef PIN_SSS
	&pin_sss,
#endif
	NULL,
};
