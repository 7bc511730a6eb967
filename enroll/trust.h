/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The question of trust in a server, to a person at the terminal. */
#pragma once

#include "crypto/pin.h"

/* cot.confirm; `arg` is the struct log that is told why not. */
int trust_confirm(void *arg, const struct trust_question *question);
