/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of systemd units, escaped as systemd-escape(1) does it. */
#pragma once

#include "crypto/util.h"

/*
 * The name of the unit that opens a volume: "systemd-cryptsetup@data.service". A new string.
 * Errors: -EINVAL (the name is empty, or too long for a unit), -ENOMEM.
 */
MUST int unit_name_of_volume(const char *volume, char **ret);

/*
 * The same of another template: ("cotter-key@", "data", ".socket") is "cotter-key@data.socket". Errors as
 * above.
 */
MUST int unit_name_of(const char *prefix, const char *volume, const char *suffix, char **ret);
