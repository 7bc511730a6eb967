/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the file that orders one unit after the network. */
#pragma once

#include "crypto/util.h"

/*
 * Makes FOLDER/UNIT.d/50-cotter.conf, where FOLDER is one that systemd gave to a generator. What
 * cannot be written whole is removed again. Errors: those of mkdir(2), open(2) and write(2).
 */
MUST int dropin_write(const char *folder, const char *unit);
