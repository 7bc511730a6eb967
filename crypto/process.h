/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What our programs do about themselves before anything else; plugins leave their host as it is. */
#pragma once

#include "crypto/util.h"

/*
 * Keeps secrets out of swap and core files as far as this user may, standard streams from being taken
 * for devices, and tpm2-tss from writing its own lines. Errors: -EBADF (a closed stream cannot be
 * replaced).
 */
MUST int process_begin(void);
