/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of --help, in parts of whole lines that are printed in order; NULL ends them. */
#pragma once

extern const char *const help_texts[];
