/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a binding is bound to, as the configuration that one would give to bind so again: what clevis luks list
 * prints. Members that the pin needs not, as the thumbprint that a server was trusted by, are in no header.
 */
#pragma once

#include "crypto/js.h"

/*
 * The pin that a protected header names, borrowed from it, and its configuration, a new object whose members are
 * in Clevis's order; of a pin that is unknown, *ret_config is NULL. A policy lacks those of its shares that
 * cannot be told. Errors: -EBADMSG, -ENOMEM.
 */
MUST int bound_config_of(const json_t *hdr, const char **ret_pin, json_t **ret_config);

/* Whether `config` has a part for each share of the policies in the header, and all shares are known. */
bool bound_config_is_whole(const json_t *hdr);

/* The names of all its pins, sorted, each once: a new array of strings. Errors: -ENOMEM. */
MUST int bound_config_pins(const char *pin, const json_t *config, json_t **ret);

/* The configuration as one line, the caller frees it; NULL out of memory. */
char *bound_config_text(const json_t *config);
