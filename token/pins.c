/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of pins in this program or module. */
#include "token/token.h"

#ifdef PIN_TANG
#include "tang/tang.h"
#endif

const struct pin *const pins[] = {
#ifdef PIN_TANG
	&pin_tang,
#endif
	NULL,
};
