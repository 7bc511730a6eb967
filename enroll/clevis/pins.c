/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The drop-in's table of pins: all that are built, Clevis's null, and others' programs. */
#include "enroll/clevis/null.h"
#include "enroll/clevis/pin-external.h"
#include "token/token.h"

#ifdef PIN_PKCS11
#include "pkcs11/pkcs11.h"
#endif
#include "sss/sss.h"
#ifdef PIN_TANG
#include "tang/tang.h"
#endif
#ifdef PIN_TPM2
#include "tpm/tpm2.h"
#endif

const struct pin *const pins[] = {
#ifdef PIN_PKCS11
	&pin_pkcs11,
#endif
#ifdef PIN_TANG
	&pin_tang,
#endif
#ifdef PIN_TPM2
	&pin_tpm2,
#endif
	&pin_sss,    &pin_null, &pin_external, NULL,
};
