/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of a recovery that has come to its end. */
#pragma once

#include "token/token.h"

/*
 * Why a recovery failed, to `log` at ERROR: a line for each leaf of its policy, wherever in the tree,
 * that says which share it is and what became of it, and one for the whole.
 */
void report_failure(const struct log *log, const struct job *root);
