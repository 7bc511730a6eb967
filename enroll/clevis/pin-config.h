/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configurations of pins as Clevis takes them. */
#pragma once

#include "crypto/js.h"
#include "crypto/log.h"

/*
 * Reads the JSON text, or the file of that name, and makes of it what our pin takes, to any depth of a
 * policy: members that Clevis does not know, and ignores, are named in a warning and left out, and a tpm2
 * configuration with PCRs but without a bank gets Clevis's default, of which the TPM is asked. What is for
 * others' pins stays as it is. The cause goes to `log` at ERROR, and so do warnings. Errors: -EINVAL,
 * -ENOMEM, those of tpm2_first_bank().
 */
MUST int pin_config_read(const char *pin, const char *text, const struct log *log, json_t **ret);
