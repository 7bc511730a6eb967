/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the kernel command line word by word. */
#include "units/cmdline.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

static const char blanks[] = " \t\n\r";
static const char uuid_chars[] = "0123456789abcdefABCDEF-";

struct parser {
	struct cmdline *line;
	const struct log *log;
};

void cmdline_done(struct cmdline *cmdline)
{
	free(cmdline->volumes);
	free(cmdline->words);
	*cmdline = (struct cmdline){0};
}

static struct ref no_ref(void)
{
	return (struct ref){(const uint8_t *)"", 0};
}

int cmdline_bool(struct ref word)
{
	static const char *const words[][2] = {{"1", "0"},        {"yes", "no"}, {"y", "n"},
					       {"true", "false"}, {"t", "f"},    {"on", "off"}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (int no = 0; no <= 1; no++)
			if (word.n == strlen(words[i][no]) &&
			    strncasecmp((const char *)word.p, words[i][no], word.n) == 0)
				return !no;
	return -EINVAL;
}

static struct cmdline_volume *find(const struct cmdline *line, struct ref uuid)
{
	for (size_t i = 0; i < line->n; i++)
		if (line->volumes[i].uuid.n == uuid.n &&
		    memcmp(line->volumes[i].uuid.p, uuid.p, uuid.n) == 0)
			return &line->volumes[i];
	return NULL;
}

const struct cmdline_volume *cmdline_find(const struct cmdline *cmdline, struct ref uuid)
{
	return find(cmdline, uuid);
}

/* The volume of this UUID, a new one where there is none. There is room for one for each word. */
static struct cmdline_volume *volume(struct cmdline *line, struct ref uuid)
{
	struct cmdline_volume *found = find(line, uuid);

	if (!found) {
		found = &line->volumes[line->n++];
		*found = (struct cmdline_volume){.uuid = uuid};
	}
	return found;
}

/* The form that systemd takes: 32 digits, or 36 characters with dashes at the usual places. */
static bool is_uuid(struct ref text)
{
	if (text.n != 32 && text.n != 36)
		return false;

	for (size_t i = 0; i < text.n; i++) {
		bool dash = text.n == 36 && (i == 8 || i == 13 || i == 18 || i == 23);

		if ((text.p[i] == '-') != dash || !strchr(uuid_chars, text.p[i]))
			return false;
	}
	return true;
}

/* The text up to a blank, as systemd cuts the value after a UUID. */
static struct ref up_to_blank(const char *s)
{
	return (struct ref){(const uint8_t *)s, strcspn(s, blanks)};
}

/* UUID=VALUE, though the UUID may be none. */
static bool split_value(const char *value, struct ref *ret_uuid, struct ref *ret_value)
{
	size_t n = strspn(value, uuid_chars);

	if (n == 0 || value[n] != '=' || up_to_blank(value + n + 1).n == 0)
		return false;

	*ret_uuid = (struct ref){(const uint8_t *)value, n};
	*ret_value = up_to_blank(value + n + 1);
	return true;
}

static void wrong(const struct parser *p, const char *key, const char *value, const char *form)
{
	(void)log_err(p->log, 0, "%s=%s on the kernel command line is not %s, and is ignored", key,
		      value, form);
}

static void take_switch(const struct parser *p, const char *key, const char *value, bool *off)
{
	int on = value ? cmdline_bool(ref_str(value)) : 1;

	if (on < 0)
		wrong(p, key, value, "yes or no");
	else
		*off = !on;
}

static void take_luks(struct parser *p, const char *key, const char *value)
{
	take_switch(p, key, value, &p->line->disabled);
}

static void take_crypttab(struct parser *p, const char *key, const char *value)
{
	take_switch(p, key, value, &p->line->no_crypttab);
}

static void take_uuid(struct parser *p, const char *key, const char *value)
{
	static const char prefix[] = "luks-";

	(void)key;
	if (strncmp(value, prefix, strlen(prefix)) == 0)
		value += strlen(prefix);
	volume(p->line, ref_str(value))->create = true;
	p->line->selective = true;
}

static void take_name(struct parser *p, const char *key, const char *value)
{
	struct cmdline_volume *of;
	struct ref uuid, name;

	if (!split_value(value, &uuid, &name)) {
		wrong(p, key, value, "UUID=NAME");
		return;
	}
	of = volume(p->line, uuid);
	of->name = name;
	of->create = true;
	p->line->selective = true;
}

static void take_data(struct parser *p, const char *key, const char *value)
{
	struct ref uuid, device;

	if (split_value(value, &uuid, &device) && is_uuid(uuid))
		volume(p->line, uuid)->device = device;
	else
		wrong(p, key, value, "UUID=DEVICE");
}

/* What is for the volume of a UUID or, without one, for all. */
static void take_key(struct parser *p, const char *key, const char *value)
{
	struct ref uuid, file;

	if (!split_value(value, &uuid, &file))
		p->line->key = ref_str(value);
	else if (is_uuid(uuid))
		volume(p->line, uuid)->key = file;
	else
		wrong(p, key, value, "UUID=FILE");
}

static void take_options(struct parser *p, const char *key, const char *value)
{
	struct ref uuid, options;

	if (!split_value(value, &uuid, &options))
		p->line->options = ref_str(value);
	else if (is_uuid(uuid))
		volume(p->line, uuid)->options = options;
	else
		wrong(p, key, value, "UUID=OPTIONS");
}

static void take_debug(struct parser *p, const char *key, const char *value)
{
	(void)key;
	if (!value)
		p->line->debug = true;
}

static void take_log_level(struct parser *p, const char *key, const char *value)
{
	(void)key;
	if (strcmp(value, "debug") == 0 || strcmp(value, "7") == 0)
		p->line->debug = true;
}

static const struct {
	const char *key;
	void (*take)(struct parser *p, const char *key, const char *value);
	bool alone; /* it may stand without a value, which is NULL then */
} keys[] = {
	{"luks", take_luks, true},
	{"luks.crypttab", take_crypttab, true},
	{"luks.uuid", take_uuid, false},
	{"luks.name", take_name, false},
	{"luks.data", take_data, false},
	{"luks.key", take_key, false},
	{"luks.options", take_options, false},
	{"debug", take_debug, true},
	{"systemd.log_level", take_log_level, false},
};

static void take_word(struct parser *p, char *word)
{
	const char *value = strchr(word, '=');

	if (value)
		word[value++ - word] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(word, keys[i].key) != 0)
			continue;
		if ((value && *value) || keys[i].alone)
			keys[i].take(p, word, value);
		else
			(void)log_err(p->log, 0, "%s on the kernel command line has no value",
				      word);
	}
}

/*
 * Takes the next word out of *s, without its quotes, which may stand anywhere in it; a backslash
 * means itself. NULL at the end.
 */
static char *next_word(char **s)
{
	char *from = *s + strspn(*s, blanks), *word = from, *to = from;
	char quote = '\0';

	if (!*from)
		return NULL;

	for (; *from && (quote || !strchr(blanks, *from)); from++) {
		if (quote ? *from == quote : *from == '"' || *from == '\'')
			quote = quote ? '\0' : *from;
		else
			*to++ = *from;
	}
	*s = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

/* At least as many words as a line has. */
static size_t most_words(struct ref line)
{
	return line.n / 2 + 1;
}

int cmdline_parse(struct ref line, bool initrd, const struct log *log, struct cmdline *ret)
{
	static const char rd[] = "rd.";
	CLEANUP(cmdline_done) struct cmdline out = {.key = no_ref(), .options = no_ref()};
	struct parser p = {.line = &out, .log = log};
	char *rest, *word;

	if (line.n > CMDLINE_SIZE_MAX)
		return -E2BIG;
	out.words = strndup((const char *)line.p, line.n);
	out.volumes = calloc(most_words(line), sizeof(*out.volumes));
	if (!out.words || !out.volumes)
		return -ENOMEM;

	rest = out.words;
	while ((word = next_word(&rest))) {
		if (strncmp(word, rd, strlen(rd)) != 0)
			take_word(&p, word);
		else if (initrd)
			take_word(&p, word + strlen(rd));
	}

	*ret = TAKE_STRUCT(out);
	return 0;
}
