/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proof of a binding that is in the header: what stands there is recovered by a fresh process, and opens its keyslot. */
#pragma once

#include "enroll/clevis/volume.h"

/*
 * For volume_binding.prove; `arg` is its struct secret. Where that is unproven, or nothing but the header can be looked
 * at, the JWE in the header is compared with the secret's. Errors: -EKEYREJECTED, -EIO, told, -ENOMEM.
 */
int prove_in_header(void *arg, struct volume *volume, unsigned slot);
