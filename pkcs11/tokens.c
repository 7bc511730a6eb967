/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is to be said of tokens without a binding. */
#include "pkcs11/pkcs11.h"

#include "pkcs11/card.h"

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

bool pkcs11_holds_pin(const json_t *cfg)
{
	const char *text = js_str(cfg, "uri");
	CLEANUP(uri_done) struct uri uri = {0};

	return text && uri_read(text, NULL, &uri) == 0 && uri.pin_value.p;
}

int pkcs11_conceal(json_t *cfg)
{
	const char *text = js_str(cfg, "uri");
	CLEANUP(free_text) char *shown = text ? uri_conceal(text) : NULL;

	if (!text)
		return 0;
	return shown && json_object_set_new(cfg, "uri", json_string(shown)) == 0 ? 0 : -ENOMEM;
}

static int look_at_card(const struct uri *uri, const struct log *log, bool *ret)
{
	struct modules modules = {0};
	struct card card = {0};
	int r;

	r = modules_open(uri, log, &modules);
	if (r == 0)
		r = card_open(&modules, uri, log, &card);
	if (r == -EAGAIN)
		r = card_absent(uri, log);
	if (r == 0)
		r = card_wants_typed(&card, uri, ret);
	card_close(&card);
	modules_close(&modules);
	return r;
}

int pkcs11_wants_typed(const json_t *cfg, const struct log *log, bool *ret)
{
	const char *text = js_str(cfg, "uri");
	CLEANUP(uri_done) struct uri uri = {0};
	int r;

	r = uri_read(text ? text : "pkcs11:", log, &uri);
	return r < 0 ? r : look_at_card(&uri, log, ret);
}

int pkcs11_check_uri(const char *text, const struct log *log)
{
	CLEANUP(uri_done) struct uri uri = {0};

	return uri_read(text, log, &uri);
}
