/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From tokens to options of crypttab. */
#include "enroll/marks.h"

#include "enroll/quorum.h"

#include <errno.h>

static bool is_local(void *arg, const char *pin, const json_t *facts)
{
	(void)arg;
	(void)facts;
	for (size_t i = 0; pin && pins[i]; i++)
		if (strcmp(pins[i]->name, pin) == 0)
			return !(pins[i]->flags & PIN_NET);
	return false;
}

static bool is_late(void *arg, const char *pin, const json_t *facts)
{
	(void)arg;
	return pin && !json_object_get(facts, "holds");
}

bool marks_local(const char *pin, const json_t *facts)
{
	return quorum_met(pin, facts, is_local, NULL);
}

void marks_add(struct marks *marks, const char *pin, const json_t *facts)
{
	for (unsigned i = 0; pins[i]; i++)
		if (strcmp(pins[i]->name, pin) == 0)
			marks->pins |= UINT32_C(1) << i;
	marks->local = marks->local || marks_local(pin, facts);
	marks->late = marks->late || quorum_met(pin, facts, is_late, NULL);
}

int marks_of(const struct inventory *inventory, uint32_t without, struct marks *ret)
{
	struct marks marks = {0};

	for (size_t i = 0; i < inventory->n; i++) {
		const struct item *item = &inventory->items[i];
		CLEANUP_JSON json_t *facts = NULL;

		if (!item->valid || item->keyslots == 0 || without & UINT32_C(1) << item->id)
			continue;
		if (token_describe(&item->token, &facts) < 0)
			return -ENOMEM;
		marks_add(&marks, item->token.pin->name, facts);
		marks.keyslots |= item->keyslots;
	}

	*ret = marks;
	return 0;
}

int marks_text(const struct marks *marks, struct buf *text)
{
	const char *before = "";
	int r = 0;

	for (unsigned i = 0; r == 0 && pins[i]; i++) {
		if (!(marks->pins & UINT32_C(1) << i))
			continue;
		r = buf_append_str(text, before);
		if (r == 0)
			r = buf_append_str(text, "token-type=" TOKEN_TYPE_PREFIX);
		if (r == 0)
			r = buf_append_str(text, pins[i]->name);
		before = ",";
	}
	return r == 0 && !marks->local ? buf_append_str(text, ",_netdev") : r;
}
