/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives Clevis's token the type that the same one of ours has. */
#include "token/clevis.h"

#include <errno.h>
#include <stdlib.h>

static int read_pin(const json_t *json, const struct log *log, json_t **ret_type)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	const char *pin;
	int r;

	r = jwe_from_json(json_object_get(json, "jwe"), &jwe);
	if (r < 0)
		return log_err(log, r, "the token's JWE is missing, malformed or not supported");
	pin = js_str(json_object_get(jwe.hdr, "clevis"), "pin");
	if (!pin)
		return log_err(log, -EBADMSG, "the token's JWE names no pin");
	*ret_type = json_sprintf(TOKEN_TYPE_PREFIX "%s", pin);
	return *ret_type ? 0 : -ENOMEM;
}

int clevis_token_parse(struct ref text, const struct log *log, struct token *ret)
{
	CLEANUP_JSON json_t *json = NULL, *type = NULL;
	CLEANUP(free_text) char *ours = NULL;
	const char *theirs;
	int r;

	r = js_load(text, &json);
	if (r < 0)
		return log_err(log, r, "the token is not JSON, or too large");
	theirs = js_str(json, "type");
	if (!theirs || strcmp(theirs, CLEVIS_TOKEN_TYPE) != 0)
		return log_err(log, -EOPNOTSUPP, "the token is none of Clevis's");

	r = read_pin(json, log, &type);
	if (r == 0 && json_object_set(json, "type", type) != 0)
		r = -ENOMEM;
	if (r == 0)
		r = js_dump(json, &ours);
	return r < 0 ? r : token_parse(ref_str(ours), log, ret);
}
