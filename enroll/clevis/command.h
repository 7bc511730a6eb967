/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of the Clevis drop-in: one table, one run a process. */
#pragma once

#include "crypto/log.h"

enum {
	CLEVIS_OK = 0,
	CLEVIS_FAILED = 1,
	CLEVIS_USAGE = 2
}; /* exit codes that most commands share */

struct context {
	const struct command *command; /* that runs */
	struct log log;                /* ERROR lines go to stderr, its name before them */
};

/* `argv` begins with the command's name; returns what the process exits with. */
typedef int command_fn(struct context *context, int argc, char **argv);

struct command {
	const char *name; /* "luks-bind": the words after "clevis", as its file's name has them */
	const char *summary; /* what --summary prints; NULL: none, and it is in no list */
	command_fn *run;
};

/* By name; ends with one without. Each is among `clevis_commands` in meson.build too. */
extern const struct command commands[];

command_fn command_decrypt;
command_fn command_decrypt_null;
command_fn command_decrypt_pkcs11;
command_fn command_decrypt_sss;
command_fn command_decrypt_tang;
command_fn command_decrypt_tpm2;
command_fn command_encrypt_null;
command_fn command_encrypt_pkcs11;
command_fn command_encrypt_sss;
command_fn command_encrypt_tang;
command_fn command_encrypt_tpm2;
command_fn command_luks_bind;
command_fn command_luks_edit;
command_fn command_luks_jwe;
command_fn command_luks_list;
command_fn command_luks_pass;
command_fn command_luks_regen;
command_fn command_luks_report;
command_fn command_luks_unbind;
command_fn command_luks_unlock;

/* The command of this name; NULL where it is none of ours. */
const struct command *command_find(const char *name);

/* Writes texts, NULL-terminated, to stderr; returns `code`. */
int command_usage(const char *const texts[], int code);
