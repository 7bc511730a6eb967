/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cotter-enroll can do, one function a file, and the codes with which it ends. */
#pragma once

#include "enroll/options.h"
#include "enroll/output.h"

/* Documented in cotter-enroll(1). */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILED = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_AWAY = 3, /* nothing is wrong but that something cannot be reached now */
	EXIT_CODE_BROKEN =
		4, /* --test: a token that will not open the volume as it is; --doctor: a boot that will not */

	/* --report: the worst that is found of any token */
	EXIT_CODE_DUE = 10,          /* its renewal is due */
	EXIT_CODE_FAILING = 11,      /* a part of it fails, but its policy holds */
	EXIT_CODE_POLICY_FAILS = 12, /* it does not open the volume */
};

/*
 * Each does its work, all but the last three on the volume that `options` name. Causes of failure
 * go to out->log, the result to out->json in the members that cotter-enroll(1) documents.
 */
MUST enum exit_code verb_list(const struct options *options, struct output *out);
MUST enum exit_code verb_test(const struct options *options, struct output *out);
MUST enum exit_code verb_report(const struct options *options, struct output *out);
MUST enum exit_code verb_wipe(const struct options *options, struct output *out);
MUST enum exit_code verb_renew(const struct options *options, struct output *out);
MUST enum exit_code verb_enroll(const struct options *options, struct output *out);
MUST enum exit_code verb_reorder(const struct options *options, struct output *out);
MUST enum exit_code verb_import(const struct options *options, struct output *out);
MUST enum exit_code verb_crypttab(const struct options *options, struct output *out);
MUST enum exit_code verb_explain(const struct options *options, struct output *out);
MUST enum exit_code verb_doctor(const struct options *options, struct output *out);
MUST enum exit_code verb_devices(const struct options *options, struct output *out);
