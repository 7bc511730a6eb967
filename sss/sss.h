/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sss pin: a policy that holds where `t` of its parts do, in Clevis's form. Its configuration is
 * {"t": N, "pins": {"tang": [{…}, …], "tpm2": {…}, "sss": {"t": …}, …}}, t being 1 where it is left out.
 */
#pragma once

#include "crypto/pin.h"

enum {
	SSS_DEPTH_MAX = 8,   /* thresholds within each other */
	SSS_SHARES_MAX = 64, /* parts of one threshold */
};

extern const struct pin pin_sss;
