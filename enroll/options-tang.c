/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a binding to a Tang server. */
#include "enroll/options-pin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { URL, THUMBPRINT, ADVERTISEMENT, CA, PUBKEY, OPTIONS };

static int check(const char *const *texts, const struct log *log)
{
	const char *thumbprint = texts[THUMBPRINT], *pubkey = texts[PUBKEY];
	bool https = strncasecmp(texts[URL], "https://", 8) == 0;

	if (!https && (texts[CA] || pubkey))
		return log_err(log, -EINVAL, "--tang-%s needs a URL that begins with https://",
			       pubkey ? "pubkey" : "ca");
	if (pubkey && (strncmp(pubkey, "sha256//", 8) != 0 || strlen(pubkey) != 8 + 44))
		return log_err(log, -EINVAL,
			       "--tang-pubkey is sha256// and 44 characters of "
			       "base64, as curl's --pinnedpubkey takes it");
	if (thumbprint && !jwk_is_thumbprint(thumbprint))
		return log_err(
			log, -EINVAL,
			"--tang-thumbprint is the thumbprint of a key, 43 letters, digits, - "
			"and _ as tang-show-keys prints, not \"%.64s\"",
			thumbprint);
	return 0;
}

static int complete(json_t *config, const struct log *log)
{
	const char *ca = js_str(config, "ca");

	if (!ca)
		return 0;
	if (access(ca, R_OK) < 0)
		return log_err(log, -EINVAL, "the CA file %.200s cannot be read: %s", ca,
			       strerror(errno));
	return json_object_set_new(config, "ca", options_absolute_path(ca)) == 0 ? 0 : -ENOMEM;
}

static int read_tang(const char *const *texts, const struct log *log, json_t **ret)
{
	CLEANUP_JSON json_t *config = NULL;
	int r;

	r = check(texts, log);
	if (r < 0)
		return r;
	config = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "url", texts[URL], "thp",
			   texts[THUMBPRINT], "adv", texts[ADVERTISEMENT], "ca", texts[CA],
			   "pubkey", texts[PUBKEY]);
	if (!config)
		return log_err(log, -EINVAL, "the --tang options are not UTF-8 text");
	r = complete(config, log);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(config);
	return 0;
}

static unsigned traits(const json_t *config)
{
	bool saved = json_object_get(config, "adv") || json_object_get(config, "keys");

	return saved ? PIN_TRAIT_SAVED : PIN_TRAIT_LIVE;
}

static int describe(const json_t *config, json_t *facts)
{
	return json_object_set(facts, "url", json_object_get(config, "url")) == 0 ? 0 : -ENOMEM;
}

static void words(const json_t *facts, char ret[PIN_WORDS_MAX])
{
	const char *url = js_str(facts, "url");

	(void)snprintf(ret, PIN_WORDS_MAX, "the Tang server %.400s", url ? url : "?");
}

const struct pin_options pin_options_tang = {
	.pin = "tang",
	.usage = "--tang=URL",
	.options =
		{
			[URL] = {"tang", false},
			[THUMBPRINT] = {"tang-thumbprint", false},
			[ADVERTISEMENT] = {"tang-advertisement", false},
			[CA] = {"tang-ca", false},
			[PUBKEY] = {"tang-pubkey", false},
		},
	.n = OPTIONS,
	.members =
		{
			{.name = "url"},
			{.name = "thp", .alias = "thumbprint"},
			{.name = "adv", .alias = "advertisement"},
			{.name = "ca"},
			{.name = "pubkey"},
		},
	.n_members = 5,
	.positional = true,
	.size_min = 900, /* with two keys on P-256 */
	.read = read_tang,
	.complete = complete,
	.traits = traits,
	.describe = describe,
	.words = words,
};
