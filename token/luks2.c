/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads volumes. */
#include "token/luks2.h"

#include <errno.h>

static void no_log(int level, const char *line, void *to)
{
	(void)level;
	(void)line;
	(void)to;
}

int luks2_open(const char *device, const char *header, struct crypt_device **ret)
{
	struct crypt_device *cd = NULL;

	crypt_set_log_callback(NULL, no_log, NULL);
	if (crypt_init_data_device(&cd, header ? header : device, device) < 0)
		return -ENODEV;
	crypt_set_log_callback(cd, no_log, NULL);
	if (crypt_load(cd, CRYPT_LUKS2, NULL) < 0) {
		crypt_free(cd);
		return -ENOENT;
	}

	*ret = cd;
	return 0;
}

/* Of one of our types, or of Clevis's. */
static int read_token(struct crypt_device *cd, int id, bool clevis, const struct log *log,
		      struct token *ret)
{
	CLEANUP(token_done) struct token token = {0};
	const char *type, *json;
	int r;

	if (crypt_token_status(cd, id, &type) < CRYPT_TOKEN_INTERNAL ||
	    (clevis ? strcmp(type, TOKEN_TYPE_CLEVIS) != 0 : !token_type_pin(type)) ||
	    crypt_token_json_get(cd, id, &json) < 0 || !json)
		return -ENOENT;
	r = token_parse(ref_str(json), log, &token);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || token.n_keyslots == 0)
		return -ENOENT;

	*ret = TAKE_STRUCT(token);
	return 0;
}

int luks2_token(struct crypt_device *cd, int id, const struct log *log, struct token *ret)
{
	return read_token(cd, id, false, log, ret);
}

int luks2_clevis_token(struct crypt_device *cd, int id, const struct log *log, struct token *ret)
{
	return read_token(cd, id, true, log, ret);
}
