/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON of tokens, through what the plugins export: validate, dump, open with and without a PIN. There
 * is no volume, no network, no card and no TPM: libcryptsetup's functions are these, the TPM's name is too long.
 */
#include "token/handler.h"

#include "pkcs11/p11-dl.h"
#include "tests/fuzz/fetch-stub.h"

static const char *json;
static size_t printed;

int crypt_token_json_get(struct crypt_device *cd, int token, const char **ret)
{
	(void)cd;
	*ret = json;
	return token;
}

crypt_token_info crypt_token_status(struct crypt_device *cd, int token, const char **ret)
{
	(void)cd;
	(void)token;
	*ret = "cotter-tang";
	return CRYPT_TOKEN_EXTERNAL;
}

const char *crypt_get_cipher(struct crypt_device *cd)
{
	(void)cd;
	return "aes";
}

const char *crypt_keyslot_get_encryption(struct crypt_device *cd, int keyslot, size_t *ret)
{
	(void)cd;
	(void)keyslot;
	*ret = 64;
	return "aes-xts-plain64";
}

void crypt_log(struct crypt_device *cd, int level, const char *line)
{
	(void)cd;
	printed += level == CRYPT_LOG_NORMAL ? strlen(line) : 0;
}

PRINTF_LIKE(3, 4) void crypt_logf(struct crypt_device *cd, int level, const char *fmt, ...)
{
	char line[8192];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	crypt_log(cd, level, line);
}

int libp11_open(const struct log *log, struct libp11 *ret)
{
	(void)ret;
	return log_err(log, -EOPNOTSUPP, "there is no p11-kit");
}

void libp11_close(struct libp11 *lib)
{
	(void)lib;
}

static void open_token(bool valid, const char *pin)
{
	char *secret = NULL;
	size_t len = 0;
	int r;

	r = pin ? handler_open_pin(NULL, 0, ref_str(pin), &secret, &len)
		: handler_open(NULL, 0, 1, &secret, &len);
	CHECK_RESULT(r, -ENOENT, -EAGAIN, -ENOANO);
	CHECK((r == 0) == (secret != NULL));
	CHECK(valid || r == -ENOENT);
	handler_buffer_free(secret, len);
}

/* What is written is the same token. */
static void write_again(const struct token *token)
{
	CLEANUP(token_done) struct token again = {0};
	CLEANUP(free_text) char *text = NULL;
	CLEANUP(free_text) char *text_again = NULL;

	CHECK(token_format(token, &text) == 0);
	CHECK(token_parse(ref_str(text), &fuzz_log, &again) == 0);
	CHECK(again.n_keyslots == token->n_keyslots && again.deadline == token->deadline);
	CHECK(memcmp(again.keyslots, token->keyslots, sizeof(again.keyslots)) == 0);
	CHECK(token_format(&again, &text_again) == 0 && strcmp(text, text_again) == 0);
}

static bool parse(struct ref text)
{
	struct token token;
	int r;

	FUZZ_MARK(token);
	r = token_parse(text, &fuzz_log, &token);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(token));
		return false;
	}
	CHECK(token.pin && token.n_keyslots <= TOKEN_KEYSLOTS_MAX);
	CHECK(token.deadline >= 1 && token.deadline <= TOKEN_DEADLINE_MAX);
	CHECK(!token.label || token_label_ok(token.label));
	(void)token_uses_network(&token);
	write_again(&token);
	token_done(&token);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char no_tpm[2048];
	CLEANUP(free_text) char *text = fuzz_text((struct ref){data, n});
	bool valid;

	if (!no_tpm[0]) {
		memset(no_tpm, 'x', sizeof(no_tpm) - 1);
		CHECK(setenv("COTTER_TPM2_TCTI", no_tpm, 1) == 0);
		stub.result = -ECONNREFUSED;
	}
	json = text;
	valid = parse(ref_str(text));
	CHECK(handler_validate(NULL, text) == (valid ? 0 : -EINVAL));
	CHECK(valid || !handler_uses_network(NULL, 0));
	printed = 0;
	handler_dump(NULL, text);
	CHECK(printed > 0);
	open_token(valid, NULL);
	open_token(valid, "1234");
	open_token(valid, "");
	return 0;
}
