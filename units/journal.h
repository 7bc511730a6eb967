/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What services log goes to the journal through standard error, with its level (sd-daemon(3)). */
#pragma once

#include "crypto/log.h"

/* With what SYSTEMD_LOG_LEVEL=debug says. */
struct log journal_log(void);
