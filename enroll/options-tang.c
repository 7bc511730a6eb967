/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a binding to a Tang server. */
#include "enroll/options-pin.h"
#include "enroll/same.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { URL, THUMBPRINT, ADVERTISEMENT, CA, PUBKEY, OPTIONS };

/* With --renew the URL may be the token's. */
static int check(const char *const *texts, const struct log *log)
{
	const char *thumbprint = texts[THUMBPRINT], *pubkey = texts[PUBKEY], *url = texts[URL];
	bool https = !url || strncasecmp(url, "https://", 8) == 0;

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

static const json_t *header_of(const json_t *hdr)
{
	return json_object_get(json_object_get(hdr, "clevis"), "tang");
}

static bool is_about(const char *const *texts, const json_t *hdr)
{
	const char *url = js_str(header_of(hdr), "url");

	return !texts[URL] || (url && same_server(texts[URL], url));
}

/* Where the header's server is, with what was given of it in its place. */
static json_t *place_of(const struct again *again)
{
	const json_t *tang = header_of(again->hdr);
	const char *ca = again->texts[CA], *pubkey = again->texts[PUBKEY];

	return json_pack("{s:s*, s:s*, s:s*}", "url", js_str(tang, "url"), "ca",
			 ca ? ca : js_str(tang, "ca"), "pubkey",
			 pubkey ? pubkey : js_str(tang, "pubkey"));
}

/* What the user says of the server's keys now; nothing of it overrides a thumbprint given. */
static int trust_given(const struct again *again, json_t *config)
{
	const char *thumbprint = again->texts[THUMBPRINT], *saved = again->texts[ADVERTISEMENT];

	if ((thumbprint && json_object_set_new(config, "thp", json_string(thumbprint)) != 0) ||
	    (saved && json_object_set_new(config, "adv", json_string(saved)) != 0))
		return -ENOMEM;
	return 0;
}

static int keys_of(const struct survey *survey, json_t *config)
{
	return json_object_set(config, "keys", survey->keys) == 0 &&
			       json_object_set_new(config, "kid", json_string(survey->kid)) == 0
		       ? 0
		       : -ENOMEM;
}

/* Whether the token's own keys, which are the server's, are those that the thumbprint given names. */
static int check_current(const struct again *again, const struct log *log)
{
	const char *thumbprint = again->texts[THUMBPRINT];
	char s256[JWK_THUMBPRINT_MAX + 1], s1[JWK_THUMBPRINT_MAX + 1];
	const json_t *json;
	size_t i;

	if (!thumbprint)
		return 0;
	json_array_foreach(json_object_get(again->survey->keys, "keys"), i, json) {
		CLEANUP(jwk_done) struct jwk key = {0};

		if (jwk_from_json(json, &key) == 0 && jwk_allows(&key, JWK_OP_VERIFY) &&
		    jwk_thumbprint(&key, "S256", s256) == 0 &&
		    jwk_thumbprint(&key, "S1", s1) == 0 &&
		    (strcmp(s256, thumbprint) == 0 || strcmp(s1, thumbprint) == 0))
			return 0;
	}
	return log_err(log, -EKEYREJECTED,
		       "the advertisement of %.200s is not signed by the key with the thumbprint "
		       "%s",
		       js_str(header_of(again->hdr), "url"), thumbprint);
}

/* By a person, by a file, or by nobody: then as the survey found it. */
static int choose_keys(const struct again *again, const struct log *log, json_t *config, bool *due)
{
	const struct survey *survey = again->survey;
	bool thumbprint = again->texts[THUMBPRINT], saved = again->texts[ADVERTISEMENT];
	bool named = again->texts[URL] || thumbprint || saved;

	if (!survey)
		return log_err(log, -EINVAL, "tang: nothing was asked of the server");
	switch (survey->state) {
	case SURVEY_CURRENT:
		*due = false;
		return check_current(again, log) < 0 ? -EKEYREJECTED : keys_of(survey, config);
	case SURVEY_CHANGED:
		*due = true;
		return thumbprint || saved ? trust_given(again, config) : keys_of(survey, config);
	case SURVEY_UNREACHABLE:
		*due = saved;
		return saved ? trust_given(again, config) : keys_of(survey, config);
	default:
		*due = true;
		return named ? trust_given(again, config)
			     : log_err(log, -EKEYREJECTED,
				       "%s; where that is as it should be, give --tang-thumbprint=THP, "
				       "which tang-show-keys prints on the server",
				       survey->why);
	}
}

static int again(const struct again *again, const struct log *log, struct again_plan *ret)
{
	CLEANUP_JSON json_t *config = place_of(again);
	bool due = false;
	int r = config ? 0 : -ENOMEM;

	if (r == 0)
		r = choose_keys(again, log, config, &due);
	if (r < 0)
		return r;

	*ret = (struct again_plan){.config = TAKE_PTR(config), .due = due};
	return 0;
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
	.each_time = {"adv"},
	.size_min = 900, /* with two keys on P-256 */
	.read = read_tang,
	.complete = complete,
	.traits = traits,
	.describe = describe,
	.words = words,
	.is_about = is_about,
	.check_again = check,
	.again = again,
};
