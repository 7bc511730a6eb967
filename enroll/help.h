/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of --help. */
#pragma once

extern const char help_text[];
