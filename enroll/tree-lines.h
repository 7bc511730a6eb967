/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy's tree for people: a line a part, indented by how deep it lies. */
#pragma once

#include "crypto/js.h"
#include "enroll/options-pin.h"

/* Who a leaf is, from what tree_describe() or a pin describes of it, for a sentence. */
void tree_who(const json_t *facts, char ret[PIN_WORDS_MAX]);

/*
 * Append strings to `lines`, beginning `indent` places from the left: what a policy is made of,
 * from what tree_describe() or a pin describes of it; and how a recovery went, from what
 * token_report() says of it, without the root. Out of memory lines are missing.
 */
void tree_lines(const json_t *facts, unsigned indent, json_t *lines);
void tree_report_lines(const json_t *report, unsigned indent, json_t *lines);

/* The one line of the root. */
void tree_report_line(const json_t *report, unsigned indent, json_t *lines);
