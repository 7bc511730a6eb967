/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a test leaves out what cannot be for another architecture than the machine's. Its TAP has no word for it. */
#pragma once

#include <stdbool.h>
#include <stdlib.h>

/* The machine's compiler makes no libraries for it. */
static inline bool foreign(void)
{
	return getenv("COTTER_CROSS") != NULL;
}

/* The kernel cannot start it, only an emulator, to which vfork() is fork(). */
static inline bool emulated(void)
{
	return foreign() && getenv("MESON_EXE_WRAPPER") != NULL;
}
