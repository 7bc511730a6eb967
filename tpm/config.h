/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration of a new tpm2 binding (tpm2.h lists its members). */
#pragma once

#include "tpm/sealed.h"

struct config {
	const char *tcti;      /* borrowed; NULL: as usual */
	struct sealed *sealed; /* what the configuration says of it */
};

void config_done(struct config *config);

/*
 * Reads and checks a configuration, which must outlive the result. PCRs may still want a bank and
 * values. The cause goes to `log` at ERROR. Errors: -EINVAL, -ENOMEM.
 */
MUST int config_read(const json_t *cfg, const struct log *log, struct config *ret);
