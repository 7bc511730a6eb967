/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks for tokens that take a PIN. */
#include "enroll/second-pin.h"

#include <errno.h>

/* systemd's, and the member that says so; NULL: all do. */
static const struct {
	const char *type, *member;
} others[] = {
	{"systemd-fido2", "fido2-clientPin-required"},
	{"systemd-pkcs11", NULL},
	{"systemd-tpm2", "tpm2-pin"},
};

static bool another_takes_pin(const char *type, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		CLEANUP_JSON json_t *token = NULL;

		if (strcmp(others[i].type, type) != 0)
			continue;
		if (!others[i].member)
			return true;
		return js_load(ref_str(text), &token) == 0 &&
		       json_is_true(json_object_get(token, others[i].member));
	}
	return false;
}

static bool takes_pin(const struct luks *luks, const struct item *item)
{
	const struct pin *pin = item->token.pin;
	const char *type, *json;

	if (item->ours)
		return item->valid && pin->wants_pin && pin->wants_pin(pins, item->token.jwe.hdr);
	return luks_token(luks, item->id, &type, &json) == 0 && another_takes_pin(type, json);
}

int second_pin_check(const struct luks *luks, const struct inventory *inventory,
		     const struct options *options, uint32_t gone, const char *but)
{
	if (options->force || !(options->user_pin || options->card_pin))
		return 0;
	for (size_t i = 0; i < inventory->n; i++) {
		const struct item *item = &inventory->items[i];

		if (item->keyslots == 0 || gone & UINT32_C(1) << item->id ||
		    (but && item->valid && strcmp(item->token.pin->name, but) == 0) ||
		    !takes_pin(luks, item))
			continue;
		return log_err(luks->log, -EEXIST,
			       "token %u (%s) of %s takes a PIN, too, and a PIN that is typed is "
			       "tried on each, so that a card or TPM counts another's PIN as a "
			       "wrong one; --replace=%u or --wipe-slot puts the new binding in its "
			       "place, --force adds it all the same",
			       item->id, item->type, luks->name, item->id);
	}
	return 0;
}
