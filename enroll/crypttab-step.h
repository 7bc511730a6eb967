/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --crypttab: the step that follows a binding, or stands alone. */
#pragma once

#include "enroll/marks.h"
#include "enroll/output.h"

/*
 * Whether the volume's line can be written as it would be with these tokens; nothing is changed. The cause
 * goes to the log. Errors: those of crypttab_plan_make().
 */
MUST int crypttab_step_check(struct luks *luks, const struct options *options,
			     const struct marks *marks);

/*
 * Writes the line that the header's tokens ask for, enables the key socket where the volume needs it, says
 * what was changed and what is to be done now, and adds it to out->json as "crypttab". The cause of a failure
 * goes to the log. Errors: as above, -ENOKEY (no token of ours opens the volume), -EIO.
 */
MUST int crypttab_step_do(struct luks *luks, const struct options *options, struct output *out);
