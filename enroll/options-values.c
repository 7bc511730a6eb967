/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Converts the values of options. */
#include "enroll/options-values.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int options_small_number(const char *text, size_t len, int limit)
{
	int n = 0;

	if (len == 0 || len > 3)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		n = n * 10 + (text[i] - '0');
	}
	return n < limit ? n : -1;
}

static int read_number(const struct given *given, enum option_id id, const struct log *log,
		       int *ret)
{
	const char *text = given->text[id];
	int n = OPTIONS_ANY;

	if (text && *text) {
		n = options_small_number(text, strlen(text), TOKEN_KEYSLOTS_MAX);
		if (n < 0)
			return log_err(log, -EINVAL, "--%s is a number from 0 to %d, not \"%s\"",
				       given_name(id), TOKEN_KEYSLOTS_MAX - 1, text);
	}

	*ret = n;
	return 0;
}

/* The index of `text` in `words`, which end with NULL; -1 where it is none of them. */
static int which_word(const char *text, size_t len, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0)
			return i;
	return -1;
}

static bool select_pin(const char *text, size_t len, struct selection *selection)
{
	for (unsigned i = 0; pins[i]; i++)
		if (strlen(pins[i]->name) == len && memcmp(pins[i]->name, text, len) == 0) {
			selection->pins |= UINT32_C(1) << i;
			return true;
		}
	return false;
}

static int read_selection(const char *text, const struct log *log, struct selection *ret)
{
	static const char *const words[] = {"orphaned", "all", NULL};
	static const char label[] = "label=";
	struct selection selection = {0};

	for (;;) {
		size_t len = strcspn(text, ",");
		int keyslot = options_small_number(text, len, TOKEN_KEYSLOTS_MAX);
		int word = which_word(text, len, words);

		/* A label may hold commas, so it ends the list. */
		if (strncmp(text, label, strlen(label)) == 0 && text[strlen(label)]) {
			selection.label = text + strlen(label);
			break;
		}
		selection.orphaned |= word == 0;
		selection.all |= word == 1;
		if (keyslot >= 0)
			selection.keyslots |= UINT32_C(1) << keyslot;
		else if (word < 0 && !select_pin(text, len, &selection))
			return log_err(log, -EINVAL,
				       "--wipe-slot takes keyslot numbers from 0 to %d, a pin as "
				       "\"tang\", \"orphaned\", \"all\" or label=TEXT, not "
				       "\"%.*s\"",
				       TOKEN_KEYSLOTS_MAX - 1, (int)len, text);
		if (text[len] == '\0')
			break;
		text += len + 1;
	}

	*ret = selection;
	return 0;
}

static int read_form(const char *text, const struct log *log, enum output_form *ret)
{
	static const char *const forms[] = {
		[OUTPUT_TEXT] = "off",
		[OUTPUT_JSON_SHORT] = "short",
		[OUTPUT_JSON_PRETTY] = "pretty",
		NULL,
	};
	int form = text ? which_word(text, strlen(text), forms) : OUTPUT_TEXT;

	if (form < 0)
		return log_err(log, -EINVAL, "--json is off, short or pretty, not \"%s\"", text);

	*ret = (enum output_form)form;
	return 0;
}

static int check_pbkdf(const char *text, const struct log *log)
{
	static const char *const names[] = {"pbkdf2", "argon2i", "argon2id", NULL};

	if (text && which_word(text, strlen(text), names) < 0)
		return log_err(log, -EINVAL, "--pbkdf is pbkdf2, argon2i or argon2id, not \"%s\"",
			       text);
	return 0;
}

static int check_label(const char *text, const struct log *log)
{
	CLEANUP_JSON json_t *string = text ? json_string(text) : NULL;

	if (text && (!string || !token_label_ok(text)))
		return log_err(log, -EINVAL,
			       "--label is 1 to %d bytes of UTF-8 text without control characters",
			       TOKEN_LABEL_MAX);
	return 0;
}

json_t *options_absolute_path(const char *path)
{
	json_t *absolute;
	char *cwd;

	if (path[0] == '/')
		return json_string(path);

	cwd = getcwd(NULL, 0);
	absolute = cwd ? json_sprintf("%s/%s", cwd, path) : NULL;
	free(cwd);
	return absolute;
}

int options_read_values(const struct given *given, const struct log *log, struct options *options)
{
	int r;

	r = read_number(given, OPT_KEY_SLOT, log, &options->keyslot);
	if (r == 0)
		r = read_number(given, OPT_TOKEN_ID, log, &options->token);
	if (r == 0)
		r = read_number(given, OPT_REPLACE, log, &options->replaced);
	if (r == 0 && given->text[OPT_RENEW])
		r = read_number(given, OPT_RENEW, log, &options->token);
	if (r == 0 && given->text[OPT_IMPORT])
		r = read_number(given, OPT_IMPORT, log, &options->token);
	if (r == 0)
		r = read_form(given->text[OPT_JSON], log, &options->form);
	if (r == 0)
		r = check_pbkdf(options->pbkdf, log);
	if (r == 0)
		r = check_label(options->label, log);
	if (r == 0 && options->wipe)
		r = read_selection(given->text[OPT_WIPE_SLOT], log, &options->selection);
	return r;
}
