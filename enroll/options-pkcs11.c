/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a binding to a smart card or HSM, and what is said of it. */
#include "enroll/options-pin.h"

#include "pkcs11/pkcs11.h"

#include <errno.h>
#include <stdio.h>

enum { URI, OPTIONS };

#define AUTO "auto"

/* "auto" is the one token that is here, as systemd-cryptenroll has it. */
static int complete(json_t *config, const struct log *log)
{
	const char *uri = js_str(config, "uri");

	if (uri && strcmp(uri, AUTO) == 0) {
		(void)json_object_del(config, "uri");
		return 0;
	}
	return uri && pkcs11_check_uri(uri, log) < 0 ? -EINVAL : 0;
}

static int read_pkcs11(const char *const *texts, const struct log *log, json_t **ret)
{
	CLEANUP_JSON json_t *config = json_pack("{s:s}", "uri", texts[URI]);
	int r;

	if (!config)
		return log_err(log, -EINVAL, "the --pkcs11-token-uri option is not UTF-8 text");
	r = complete(config, log);
	if (r == 0)
		*ret = TAKE_PTR(config);
	return r;
}

static unsigned traits(const json_t *config)
{
	return pkcs11_asks_pin(config) ? PIN_TRAIT_CARD_PIN : 0;
}

static int announce(const json_t *config, struct output *out)
{
	(void)out;
	if (pkcs11_holds_pin(config))
		output_warn("warning: the PIN in the URI is kept in the token, where whoever has "
			    "the disk reads it; without pin-value it is asked for");
	return 0;
}

static int describe(const json_t *config, json_t *facts)
{
	const char *uri = js_str(config, "uri");

	if (json_object_set_new(facts, "user_pin",
				json_string(pkcs11_asks_pin(config) ? "yes" : "no")) != 0 ||
	    (pkcs11_holds_pin(config) &&
	     json_object_set_new(facts, "pin_source", json_string("the token")) != 0))
		return -ENOMEM;
	if (!uri)
		return 0;
	/* The query says nothing of the card. */
	if (json_object_set_new(facts, "uri", json_stringn(uri, strcspn(uri, "?"))) != 0)
		return -ENOMEM;
	return pkcs11_conceal(facts);
}

static void words(const json_t *facts, char ret[PIN_WORDS_MAX])
{
	const char *token = js_str(facts, "token"), *serial = js_str(facts, "serial");
	const char *uri = js_str(facts, "uri"), *user_pin = js_str(facts, "user_pin");
	size_t n;

	if (token || serial)
		n = (size_t)snprintf(ret, PIN_WORDS_MAX, "the card \"%.64s\"%s%.32s",
				     token ? token : "", serial ? ", serial number " : "",
				     serial ? serial : "");
	else
		n = (size_t)snprintf(ret, PIN_WORDS_MAX, "the card %.300s",
				     uri ? uri : "that is here");
	if (user_pin && strcmp(user_pin, "yes") == 0)
		(void)snprintf(ret + n, PIN_WORDS_MAX - n, " with its PIN");
}

static const char *warning(const json_t *facts)
{
	const char *user_pin = js_str(facts, "user_pin");
	const char *source = js_str(facts, "pin_source");

	if (source && strcmp(source, "the token") == 0)
		return "its PIN is written in the header, where whoever has the disk reads it: the "
		       "card alone opens the volume";
	return user_pin && strcmp(user_pin, "yes") == 0
		       ? "somebody must put in the card and type its PIN, so this machine does not "
			 "start unattended by it"
		       : "the card alone opens the volume, without a PIN that somebody types";
}

static int check_again(const char *const *texts, const struct log *log)
{
	return texts[URI] ? log_err(log, -EINVAL,
				    "--renew binds to the same card; for another one use --replace")
			  : 0;
}

/* The same key; what Clevis wrote stays in its form. */
static int again(const struct again *again, const struct log *log, struct again_plan *ret)
{
	const json_t *header = json_object_get(json_object_get(again->hdr, "clevis"), "pkcs11");
	const char *mechanism = js_str(header, "mechanism");
	bool clevis = !mechanism || !*mechanism || strcmp(mechanism, "RSA-PKCS") == 0;
	json_t *config = json_pack("{s:s, s:s*}", "uri", js_str(header, "uri"), "mechanism",
				   !clevis     ? NULL
				   : mechanism ? mechanism
					       : "");

	(void)log;
	if (!config)
		return -ENOMEM;
	*ret = (struct again_plan){.config = config};
	return 0;
}

const struct pin_options pin_options_pkcs11 = {
	.pin = "pkcs11",
	.usage = "--pkcs11-token-uri=URI",
	.devices = "list",
	.options = {[URI] = {"pkcs11-token-uri", false}},
	.n = OPTIONS,
	.members =
		{
			{.name = "uri", .alias = "token-uri"},
			{.name = "mechanism"},
			{.name = "hash"},
		},
	.n_members = 3,
	.each_time = {"key"}, /* encrypted for the card; absent with an EC key */
	.size_min = 500,      /* with an EC key */
	.read = read_pkcs11,
	.complete = complete,
	.traits = traits,
	.announce = announce,
	.conceal = pkcs11_conceal,
	.wants_typed = pkcs11_wants_typed,
	.describe = describe,
	.words = words,
	.warning = warning,
	.check_again = check_again,
	.again = again,
	.list = pkcs11_tokens,
};
