/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is to be said of tokens without a binding. */
#include "pkcs11/pkcs11.h"

#include "pkcs11/modules.h"

#include <errno.h>

static json_t *describe_token(const CK_TOKEN_INFO *info)
{
	CLEANUP(uri_done) struct uri uri = {0};
	CLEANUP(buf_done) struct buf text = {0};

	place_text(info->label, sizeof(info->label), uri.token);
	place_text(info->manufacturerID, sizeof(info->manufacturerID), uri.manufacturer);
	place_text(info->serialNumber, sizeof(info->serialNumber), uri.serial);
	place_text(info->model, sizeof(info->model), uri.model);
	if (uri_write(&uri, &text) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:s}", "uri", (const char *)text.p, "token", uri.token,
			 "manufacturer", uri.manufacturer);
}

int pkcs11_tokens(json_t **ret)
{
	CLEANUP_JSON json_t *tokens = json_array();
	static const struct uri any;
	struct modules modules = {0};
	struct place places[PLACES_MAX];
	size_t n = 0;
	int r = tokens ? 0 : -ENOMEM;

	if (r == 0 && modules_open(&any, NULL, &modules) == 0)
		n = modules_find(&modules, &any, places);
	for (size_t i = 0; i < n && r == 0; i++)
		if (json_array_append_new(tokens, describe_token(&places[i].info)) != 0)
			r = -ENOMEM;
	modules_close(&modules);
	if (r == 0)
		*ret = TAKE_PTR(tokens);
	return r;
}

bool pkcs11_asks_pin(const json_t *cfg)
{
	const char *text = js_str(cfg, "uri");
	CLEANUP(uri_done) struct uri uri = {0};

	return !text || uri_read(text, NULL, &uri) < 0 || !uri_has_pin(&uri);
}

int pkcs11_check_uri(const char *text, const struct log *log)
{
	CLEANUP(uri_done) struct uri uri = {0};

	return uri_read(text, log, &uri);
}
