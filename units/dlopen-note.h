/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* This program's own ELF notes of what it loads with dlopen(): https://systemd.io/ELF_DLOPEN_METADATA/ */
#pragma once

#include "crypto/js.h"

/* All entries of the notes, as a new array of objects. Errors: -EBADMSG, -ENOMEM. */
MUST int dlopen_notes(json_t **ret);
