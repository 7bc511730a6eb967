/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The LUKS2 token JSON and its recovery. */
#include "token/token.h"

#include "crypto/b64.h"
#include "token/report.h"

#include <errno.h>
#include <stdlib.h>

void token_done(struct token *token)
{
	jwe_done(&token->jwe);
	free(token->label);
	*token = (struct token){0};
}

const struct pin *token_type_pin(const char *type)
{
	size_t prefix = strlen(TOKEN_TYPE_PREFIX);

	if (strncmp(type, TOKEN_TYPE_PREFIX, prefix) != 0)
		return NULL;
	for (size_t i = 0; pins[i]; i++)
		if (strcmp(pins[i]->name, type + prefix) == 0)
			return pins[i];
	return NULL;
}

/* libcryptsetup has keyslot numbers as decimal strings. */
static int read_keyslots(const json_t *array, struct token *token)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > TOKEN_KEYSLOTS_MAX)
		return -EBADMSG;

	json_array_foreach(array, i, item) {
		const char *text = json_string_value(item);
		char *end = NULL;
		unsigned long slot;

		if (!text || text[0] < '0' || text[0] > '9')
			return -EBADMSG;
		slot = strtoul(text, &end, 10);
		if (*end != '\0' || slot >= TOKEN_KEYSLOTS_MAX)
			return -EBADMSG;
		token->keyslots[token->n_keyslots++] = (unsigned)slot;
	}
	return 0;
}

static int read_label(const json_t *label, struct token *token)
{
	const char *text = json_string_value(label);

	if (!text || !token_label_ok(text))
		return -EBADMSG;

	token->label = strdup(text);
	return token->label ? 0 : -ENOMEM;
}

static int read_version(const json_t *version, const struct log *log)
{
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return -EBADMSG;
	if (json_integer_value(version) > TOKEN_VERSION)
		return log_err(log, -EOPNOTSUPP,
			       "the token was written by a newer version of cotter");
	return 0;
}

static int read_deadline(const json_t *deadline, struct token *token)
{
	json_int_t seconds = json_integer_value(deadline);

	if (!json_is_integer(deadline))
		return -EBADMSG;

	token->deadline = seconds < 1                    ? 1
			  : seconds > TOKEN_DEADLINE_MAX ? TOKEN_DEADLINE_MAX
							 : (unsigned)seconds;
	return 0;
}

/* What is not part of the cryptography; all of it optional, so that image builders need no more
 * than a JWE. */
static int read_extras(const json_t *cotter, const struct log *log, struct token *token)
{
	const json_t *label = json_object_get(cotter, "label");
	const json_t *version = json_object_get(cotter, "version");
	const json_t *deadline = json_object_get(cotter, "deadline");
	int r = 0;

	if (!json_is_object(cotter))
		return log_err(log, -EBADMSG, "the token's \"cotter\" member is not an object");

	if (version)
		r = read_version(version, log);
	if (r == -EBADMSG)
		return log_err(log, r, "the token's version is malformed");
	if (r == 0 && label)
		r = read_label(label, token);
	if (r == -EBADMSG)
		return log_err(log, r, "the token's label is malformed");
	if (r == 0 && deadline)
		r = read_deadline(deadline, token);
	if (r == -EBADMSG)
		return log_err(log, r, "the token's deadline is malformed");
	return r;
}

static int read_jwe(const json_t *value, const struct log *log, struct token *token)
{
	const struct pin *pin;
	int r;

	r = jwe_from_json(value, &token->jwe);
	if (r == -EOPNOTSUPP)
		return log_err(log, r,
			       "the token's JWE uses an algorithm or extension that is not "
			       "supported");
	if (r < 0)
		return log_err(log, r, "the token's JWE is missing or malformed");

	r = pin_check(pins, token->jwe.hdr, log, &pin);
	if (r < 0)
		return r;
	if (!token->pin)
		token->pin = pin;
	if (pin != token->pin)
		return log_err(log, -EBADMSG,
			       "the token's type names the pin \"%s\", its JWE \"%s\"",
			       token->pin->name, pin->name);
	return 0;
}

int token_parse(struct ref text, const struct log *log, struct token *ret)
{
	CLEANUP(token_done) struct token token = {.deadline = TOKEN_DEADLINE_DEFAULT};
	CLEANUP_JSON json_t *json = NULL;
	const json_t *extras;
	const char *type;
	int r;

	r = js_load(text, &json);
	if (r < 0)
		return log_err(log, r, "the token is not JSON, or too large");

	type = js_str(json, "type");
	token.pin = type ? token_type_pin(type) : NULL;
	if (!token.pin && !(type && strcmp(type, TOKEN_TYPE_CLEVIS) == 0))
		return log_err(log, -EOPNOTSUPP, "the token's type is not supported here");
	if (read_keyslots(json_object_get(json, "keyslots"), &token) < 0)
		return log_err(log, -EBADMSG,
			       "the token's list of keyslots is missing or malformed");

	extras = json_object_get(json, "cotter");
	r = extras ? read_extras(extras, log, &token) : 0;
	if (r == 0)
		r = read_jwe(json_object_get(json, "jwe"), log, &token);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(token);
	return 0;
}

bool token_label_ok(const char *label)
{
	size_t n = strlen(label);

	for (size_t i = 0; i < n; i++)
		if ((uint8_t)label[i] < 0x20 || label[i] == 0x7f)
			return false;
	return n > 0 && n <= TOKEN_LABEL_MAX;
}

static int keyslots_to_json(const struct token *token, json_t **ret)
{
	CLEANUP_JSON json_t *array = json_array();

	for (size_t i = 0; i < token->n_keyslots; i++)
		if (json_array_append_new(array, json_sprintf("%u", token->keyslots[i])) != 0)
			return -ENOMEM;
	if (!array)
		return -ENOMEM;

	*ret = TAKE_PTR(array);
	return 0;
}

static int extras_to_json(const struct token *token, json_t **ret)
{
	CLEANUP_JSON json_t *extras =
		json_pack("{s:i, s:s*}", "version", TOKEN_VERSION, "label", token->label);

	if (!extras)
		return -ENOMEM;
	if (token->deadline != TOKEN_DEADLINE_DEFAULT &&
	    json_object_set_new(extras, "deadline", json_integer(token->deadline)) != 0)
		return -ENOMEM;

	*ret = TAKE_PTR(extras);
	return 0;
}

int token_format(const struct token *token, char **ret)
{
	CLEANUP_JSON json_t *json = json_object();
	json_t *keyslots = NULL, *extras = NULL;
	int r;

	r = keyslots_to_json(token, &keyslots);
	if (r == 0 && json_object_set_new(json, "keyslots", keyslots) != 0)
		r = -ENOMEM;
	if (r == 0)
		r = extras_to_json(token, &extras);
	if (r == 0 && json_object_set_new(json, "cotter", extras) != 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	if (json_object_set_new(json, "type",
				json_sprintf(TOKEN_TYPE_PREFIX "%s", token->pin->name)) != 0 ||
	    json_object_set_new(json, "jwe", jwe_to_json(&token->jwe)) != 0)
		return -ENOMEM;

	return js_dump(json, ret);
}

int token_describe(const struct token *token, json_t **ret)
{
	CLEANUP_JSON json_t *facts = json_object();
	int r;

	if (token->label && json_object_set_new(facts, "label", json_string(token->label)) != 0)
		return -ENOMEM;
	r = token->pin->describe(pins, token->jwe.hdr, facts);
	if (r < 0)
		return r;
	if (token->deadline != TOKEN_DEADLINE_DEFAULT &&
	    json_object_set_new(facts, "deadline", json_integer(token->deadline)) != 0)
		return -ENOMEM;

	*ret = TAKE_PTR(facts);
	return 0;
}

int token_new_secret(struct buf *ret)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	r = buf_random(&bytes, TOKEN_SECRET_SIZE);
	if (r == 0)
		r = buf_init(&text, b64_encoded_len(TOKEN_SECRET_SIZE));
	if (r == 0)
		r = b64_encode(buf_ref(&bytes), &text);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(text);
	return 0;
}

int token_recover_job(struct cot *cot, const struct token *token, uint64_t max_us, struct job *job,
		      struct buf *ret)
{
	uint64_t limit_us = (uint64_t)token->deadline * USEC_PER_SEC;
	int r;

	if (max_us != 0 && max_us < limit_us)
		limit_us = max_us;
	cot->deadline_us = now_us() + limit_us;

	r = job_init(job, cot, &token->jwe);
	if (r == 0)
		r = pin_recover(cot, job, ret);
	/* That a PIN is wanted is no failure; that it was wrong is. */
	if (r < 0 && (r != -ENOANO || cot->user_pin.p))
		report_failure(cot->log, job);
	return r;
}

int token_recover(struct cot *cot, const struct token *token, uint64_t max_us, struct buf *ret)
{
	CLEANUP(job_done) struct job job = {0};

	return token_recover_job(cot, token, max_us, &job, ret);
}

bool token_uses_network(const struct token *token)
{
	if (token->pin->uses_network)
		return token->pin->uses_network(pins, token->jwe.hdr);
	return token->pin->flags & PIN_NET;
}
