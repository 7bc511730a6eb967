/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a test cannot do where it was built for another architecture than the machine's: see portability/cross.sh. */
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
