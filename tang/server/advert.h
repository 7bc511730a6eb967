/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The advertisements of a snapshot of keys: signed once, then told to everyone who asks. */
#pragma once

#include "crypto/buf.h"

struct advert;
struct keys_file;

/*
 * For `n` files, which stay the caller's and must outlive it; signs what is advertised. The caller owns
 * *ret. Errors: -ENOMEM.
 */
MUST int advert_new(const struct keys_file *files, size_t n, struct advert **ret);

void advert_free(struct advert *advert);

/*
 * The text of the default one, or of that for the file numbered `i`, whose key must sign: this one is
 * signed when it is asked for first, by whichever thread does. The text lives as long as `advert`.
 * Errors: -ENOKEY (no advertised key signs), -ENOMEM.
 */
MUST int advert_default(const struct advert *advert, struct ref *ret);
MUST int advert_for(struct advert *advert, size_t i, struct ref *ret);
