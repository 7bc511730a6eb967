/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who sits at a seat, as systemd-logind knows it. */
#pragma once

#include <stdbool.h>

/*
 * Whether somebody works at this seat now: its active session is a person's, not a greeter's, a desktop's
 * and of this machine.
 */
bool seat_in_use(const char *seat);
