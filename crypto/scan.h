/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Walks one JSON object or array in place, copying nothing: for texts that hold secrets, which
 * jansson would leave behind in freed memory.
 */
#pragma once

#include "crypto/buf.h"

/*
 * Gets each member; `name` is empty for array elements, `value` is the element's text with its
 * quotes or brackets. Returns 0 to go on, else the negative errno that ends the walk.
 */
typedef int (*scan_fn)(void *arg, struct ref name, struct ref value);

/*
 * Walks the members of the object, or elements of the array, that `text` is. Nested values are
 * stepped over with their brackets matched, not looked into. Names with escapes are refused.
 * Errors: -EBADMSG, and those of `fn`.
 */
MUST int scan_object(struct ref text, scan_fn fn, void *arg);
MUST int scan_array(struct ref text, scan_fn fn, void *arg);

/* The inside of a string value without escapes. Errors: -EBADMSG (no string, or with escapes). */
MUST int scan_string(struct ref value, struct ref *ret);
