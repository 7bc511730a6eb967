/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our token types as libcryptsetup sees them. */
#include "token/handler.h"

#include <errno.h>
#include <stdlib.h>

int token_errno(int r)
{
	if (r == 0 || r == -ENOANO)
		return r;
	/* Any other value would keep libcryptsetup from the next token. */
	return r == -EAGAIN || pin_may_pass(r) ? -EAGAIN : -ENOENT;
}

/* Where a token's log lines go, and the token they are about. */
struct origin {
	struct crypt_device *cd;
	const char *type;
	int token;
};

static void crypt_sink(void *to, enum log_level level, const char *line)
{
	const struct origin *o = to;
	int crypt_level = level == LOG_LEVEL_ERROR ? CRYPT_LOG_ERROR : CRYPT_LOG_DEBUG;

	crypt_logf(o->cd, crypt_level, "Token %d (%s): %s", o->token, o->type, line);
}

bool handler_null_cipher(struct crypt_device *cd, int keyslot)
{
	size_t size;
	const char *cipher = keyslot == CRYPT_ANY_SLOT
				     ? crypt_get_cipher(cd)
				     : crypt_keyslot_get_encryption(cd, keyslot, &size);

	return cipher && strstr(cipher, "null");
}

int handler_refuse_null_cipher(struct crypt_device *cd, const struct token *token,
			       const struct log *log)
{
	if (handler_null_cipher(cd, CRYPT_ANY_SLOT))
		return log_err(log, -EKEYREJECTED,
			       "the volume is not encrypted at all (null cipher); its "
			       "header was tampered with");
	for (size_t i = 0; i < token->n_keyslots; i++)
		if (handler_null_cipher(cd, (int)token->keyslots[i]))
			return log_err(log, -EKEYREJECTED,
				       "keyslot %u is not encrypted at all (null "
				       "cipher); its header was tampered with",
				       token->keyslots[i]);
	return 0;
}

/* How a recovery is to be tried. */
struct attempt {
	uint64_t max_us;
	struct ref user_pin; /* p NULL: none was typed */
};

static int refuse_pin(const struct token *token, struct ref user_pin, const struct log *log)
{
	if (!user_pin.p)
		return 0;
	if (!token->pin->wants_pin || !token->pin->wants_pin(pins, token->jwe.hdr))
		return log_dbg(log, -ENOENT, "the token takes no PIN");
	if (user_pin.n == 0)
		return log_err(log, -ENOENT, "the PIN is empty, so nothing was tried");
	return 0;
}

static int open_token(struct crypt_device *cd, int number, const struct log *log,
		      const struct attempt *attempt, struct buf *ret)
{
	CLEANUP(token_done) struct token token = {0};
	CLEANUP(cot_done)
	struct cot cot = {.pins = pins, .log = log, .user_pin = attempt->user_pin};
	const char *json;
	int r;

	if (crypt_token_json_get(cd, number, &json) < 0 || !json)
		return log_err(log, -ENOENT, "the token cannot be read");

	r = token_parse(ref_str(json), log, &token);
	if (r == 0)
		r = refuse_pin(&token, attempt->user_pin, log);
	if (r == 0)
		r = handler_refuse_null_cipher(cd, &token, log);
	if (r < 0)
		return r;

	return token_recover(&cot, &token, attempt->max_us, ret);
}

static int hand_out(struct crypt_device *cd, int token, const struct attempt *attempt, char **ret,
		    size_t *ret_len)
{
	struct origin origin = {.cd = cd, .token = token};
	struct log log = {.sink = crypt_sink, .to = &origin, .debug = true};
	CLEANUP(buf_done) struct buf secret = {0};
	char *copy;
	int r;

	if (crypt_token_status(cd, token, &origin.type) < CRYPT_TOKEN_INTERNAL || !origin.type)
		origin.type = "unknown type";

	r = open_token(cd, token, &log, attempt, &secret);
	if (r < 0)
		return token_errno(r);

	/* libcryptsetup frees it through us, so a plain block of just this size will do. */
	copy = malloc(secret.n ? secret.n : 1);
	if (!copy)
		return token_errno(-ENOMEM);
	memcpy(copy, secret.p, secret.n);
	*ret = copy;
	*ret_len = secret.n;
	return 0;
}

int handler_open(struct crypt_device *cd, int token, uint64_t max_us, char **ret, size_t *ret_len)
{
	const struct attempt attempt = {.max_us = max_us};

	return hand_out(cd, token, &attempt, ret, ret_len);
}

int handler_open_pin(struct crypt_device *cd, int token, struct ref pin, char **ret,
		     size_t *ret_len)
{
	static const uint8_t none;
	const struct attempt attempt = {.user_pin = {pin.p ? pin.p : &none, pin.p ? pin.n : 0}};

	return hand_out(cd, token, &attempt, ret, ret_len);
}

void handler_buffer_free(void *buffer, size_t len)
{
	if (!buffer)
		return;
	explicit_bzero(buffer, len);
	free(buffer);
}

static void debug_sink(void *to, enum log_level level, const char *line)
{
	(void)level;
	crypt_logf(to, CRYPT_LOG_DEBUG, "%s", line);
}

int handler_validate(struct crypt_device *cd, const char *json)
{
	struct log log = {.sink = debug_sink, .to = cd, .debug = true};
	CLEANUP(token_done) struct token token = {0};

	return token_parse(ref_str(json), &log, &token) < 0 ? -EINVAL : 0;
}

bool handler_uses_network(struct crypt_device *cd, int number)
{
	CLEANUP(token_done) struct token token = {0};
	const char *json;

	return crypt_token_json_get(cd, number, &json) >= 0 && json &&
	       token_parse(ref_str(json), NULL, &token) == 0 && token_uses_network(&token);
}

/* Two more spaces for each level of a policy. */
static void dump_value(struct crypt_device *cd, int depth, const char *name, const json_t *value)
{
	if (json_is_string(value))
		crypt_logf(cd, CRYPT_LOG_NORMAL, "\t%*s%s:\t%s\n", 2 * depth, "", name,
			   json_string_value(value));
	else if (json_is_integer(value))
		crypt_logf(cd, CRYPT_LOG_NORMAL, "\t%*s%s:\t%" JSON_INTEGER_FORMAT "\n", 2 * depth,
			   "", name, json_integer_value(value));
}

static void dump_facts(struct crypt_device *cd, int depth, const json_t *facts)
{
	const json_t *value, *item;
	const char *name;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)facts, name, value) {
		if (!json_is_array(value))
			dump_value(cd, depth, name, value);
		json_array_foreach(value, i, item) {
			if (!json_is_object(item)) {
				dump_value(cd, depth, name, item);
				continue;
			}
			crypt_logf(cd, CRYPT_LOG_NORMAL, "\t%*sshare %zu of %zu:\n", 2 * depth, "",
				   i + 1, json_array_size(value));
			dump_facts(cd, depth + 1, item);
		}
	}
}

void handler_dump(struct crypt_device *cd, const char *json)
{
	CLEANUP(token_done) struct token token = {0};
	CLEANUP_JSON json_t *facts = NULL;

	if (token_parse(ref_str(json), NULL, &token) < 0 || token_describe(&token, &facts) < 0)
		crypt_log(cd, CRYPT_LOG_NORMAL, "\t(malformed, cannot unlock)\n");
	else
		dump_facts(cd, 0, facts);
}
