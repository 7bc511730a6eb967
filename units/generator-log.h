/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a generator's lines go: the kernel's log when systemd runs it, otherwise standard error. */
#pragma once

#include "crypto/log.h"

struct generator_log {
	struct log log;
	int kmsg;      /* or -1 */
	bool no_error; /* only what is worse than a warning is wanted, and nothing here is */
};

/* The struct stays where it is as long as out->log is used. */
void generator_log_begin(struct generator_log *out);

void generator_log_done(struct generator_log *out);
