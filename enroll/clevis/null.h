/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The null pin, compatible with Clevis's: its key stands in the header for everybody to read. It protects
 * nothing; image builders bind with it what is bound properly on the first boot. Configuration: with `fail`
 * true the key is left out, so that nothing opens it ever again. In no plugin.
 */
#pragma once

#include "crypto/pin.h"

extern const struct pin pin_null;
