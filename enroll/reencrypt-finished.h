/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The metadata of a re-encryption whose data are all written: how to tell, and what they are once it is over.
 * libcryptsetup 2.6 takes them for those of one that has yet to begin, and would re-encrypt again what no
 * key is then known for. Pure, on the JSON of a LUKS2 header (LUKS2 On-Disk Format Specification 3).
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* Whether it is such a header. */
bool finished_is(const json_t *header);

/*
 * Removes what belongs to the re-encryption and to the old volume key, its keyslots too. Errors: -EBADMSG (no
 * such header; then it may be changed in part), -ENOMEM.
 */
__attribute__((warn_unused_result)) int finished_make(json_t *header);
