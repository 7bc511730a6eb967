/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results as text for people, made from the same objects as the JSON output. */
#pragma once

#include "crypto/js.h"

/* The line above what is said of one of several volumes. */
void table_heading(const char *device);

/* One line of text, whatever it holds and however long it is. */
void table_line(const char *text);

/* The table of --list from the members "keyslots" and "tokens". */
void table_list(const json_t *result);

/* What is explained, from the member "explanations". */
void table_explain(const json_t *result);

/*
 * One line a token, and below it one for each part of its policy, from the member "tokens" of
 * --test; where `quiet` those that failed alone.
 */
void table_test(const json_t *result, bool quiet);

/*
 * The same from the member "tokens" of --report, with what the servers advertise; where `quiet` those
 * that are not well alone.
 */
void table_report(const json_t *result, bool quiet);

/*
 * A line a volume, and below it what was found of it, from the members of --doctor; where `quiet` of those with
 * findings alone. That there are none is said where it is `ok`: all that there are were looked at.
 */
void table_doctor(const json_t *result, bool ok, bool quiet);

/* The member "devices": one line a device. */
void table_devices(const json_t *result);
