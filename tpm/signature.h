/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd's tpm2-pcr-signature.json: which PCR policies a key's owner signed. */
#pragma once

#include "tpm/sealed.h"

/*
 * Finds the header's key's signature of a policy digest (SHA-256) in the file that the header
 * names, else where systemd has them. The cause goes to `log` at ERROR. Errors: -EKEYREJECTED (there
 * is none), -ENOMEM.
 */
MUST int signature_find(const struct sealed *sealed, const TPM2B_DIGEST *policy,
			const struct log *log, TPMT_SIGNATURE *ret);
