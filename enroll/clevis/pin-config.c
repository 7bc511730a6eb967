/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From Clevis's configurations to ours. */
#include "enroll/clevis/pin-config.h"

#ifdef PIN_PKCS11
#include "pkcs11/pkcs11.h"
#endif
#include "sss/config.h"
#ifdef PIN_TPM2
#include "tpm/tpm2.h"
#endif

#include <errno.h>
#include <fcntl.h>

enum { MEMBERS_MAX = 8 };

struct known {
	const char *pin;
	const char *members[MEMBERS_MAX]; /* NULL-terminated */
	int (*complete)(json_t *config, const struct log *log);
};

/* What another program writes around a number is no part of it. */
static void strip_spaces(json_t *string)
{
	CLEANUP(free_text) char *text = strdup(json_string_value(string));
	size_t n = 0;

	if (!text)
		return;
	for (const char *c = text; *c; c++)
		if (!strchr(" \t\r\n", *c))
			text[n++] = *c;
	text[n] = '\0';
	(void)json_string_set(string, text);
}

static void tidy_ids(json_t *ids)
{
	json_t *id;
	size_t i;

	if (json_is_string(ids))
		strip_spaces(ids);
	json_array_foreach(ids, i, id)
		if (json_is_string(id))
			strip_spaces(id);
}

static int set_bank(json_t *config, const struct log *log)
{
	const char *bank = "sha1";
	int r = 0;

#ifdef PIN_TPM2
	r = tpm2_first_bank(NULL, log, &bank);
#else
	(void)log;
#endif
	if (r < 0)
		return r;
	return json_object_set_new(config, "pcr_bank", json_string(bank)) == 0 ? 0 : -ENOMEM;
}

/* Without PCRs, what is said of them says nothing to Clevis; but a digest was meant as a condition. */
static int complete_tpm2(json_t *config, const struct log *log)
{
	json_t *ids = json_object_get(config, "pcr_ids");

	if (ids && !json_is_string(ids) && !json_is_array(ids))
		return log_err(log, -EINVAL,
			       "tpm2: \"pcr_ids\" is neither a string nor an array of PCRs");
	tidy_ids(ids);
	if (ids && (json_is_array(ids) || json_string_length(ids) > 0))
		return json_object_get(config, "pcr_bank") ? 0 : set_bank(config, log);

	(void)json_object_del(config, "pcr_ids");
	(void)json_object_del(config, "pcr_bank");
	if (json_object_get(config, "pcr_digest")) {
		(void)log_err(log, 0, "warning: \"pcr_digest\" means nothing without \"pcr_ids\"");
		(void)json_object_del(config, "pcr_digest");
	}
	return 0;
}

#ifdef PIN_PKCS11
/* In Clevis's form, as far as nothing else is asked for. */
static int complete_pkcs11(json_t *config, const struct log *log)
{
	CLEANUP_JSON json_t *defaults = json_pack("{s:s, s:s}", "uri", "pkcs11:", "mechanism", "");

	if (!defaults || json_object_update_missing(config, defaults) != 0)
		return -ENOMEM;
	if (pkcs11_holds_pin(config))
		(void)log_err(log, 0,
			      "warning: the PIN in the URI is kept in what is encrypted, for "
			      "everybody to read");
	return 0;
}
#endif

static int complete_policy(json_t *config, const struct log *log);

static const struct known known_pins[] = {
	{"tang", {"url", "thp", "adv", "ca", "pubkey"}, NULL},
	{"tpm2", {"hash", "key", "pcr_bank", "pcr_ids", "pcr_digest"}, complete_tpm2},
#ifdef PIN_PKCS11
	{"pkcs11", {"uri", "mechanism", "hash"}, complete_pkcs11},
#endif
	{"sss", {"t", "pins"}, complete_policy},
	{"null", {"fail"}, NULL},
};

static bool is_member(const struct known *pin, const char *name)
{
	for (size_t i = 0; pin->members[i]; i++)
		if (strcmp(pin->members[i], name) == 0)
			return true;
	return false;
}

static void drop_unknown(const struct known *pin, json_t *config, const struct log *log)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(config, next, name, value)
	{
		if (is_member(pin, name))
			continue;
		(void)log_err(
			log, 0,
			"warning: %s: \"%.64s\" in the configuration is not known, and ignored",
			pin->pin, name);
		(void)json_object_del(config, name);
	}
}

static int complete(const char *pin, json_t *config, const struct log *log)
{
	for (size_t i = 0; i < ARRAY_SIZE(known_pins); i++) {
		const struct known *known = &known_pins[i];

		if (strcmp(known->pin, pin) != 0 || !json_is_object(config))
			continue;
		drop_unknown(known, config, log);
		return known->complete ? known->complete(config, log) : 0;
	}
	return 0;
}

/* An empty list of parts is none to Clevis. */
static void drop_empty(json_t *pins)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(pins, next, name, value) if (json_is_array(value) &&
							      json_array_size(value) == 0)(void)
		json_object_del(pins, name);
}

/* How deep it may be is limited by the parser. */
static int complete_policy(json_t *config, const struct log *log)
{
	CLEANUP_JSON json_t *parts = NULL;
	const json_t *part;
	size_t i;
	int r = 0;

	drop_empty(json_object_get(config, "pins"));
	parts = sss_parts(config);
	if (!parts)
		return -ENOMEM;
	json_array_foreach(parts, i, part)
		if (r == 0)
			r = complete(sss_part_pin(part), sss_part_config(part), log);
	return r;
}

/* A configuration that is no JSON may be the name of a file that is. */
static int load_file(const char *name, json_t **ret)
{
	CLEANUP(close_fd) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	if (fd < 0)
		return -errno;
	r = buf_init(&text, JS_TEXT_MAX + 1);
	if (r == 0)
		r = buf_read(&text, fd);
	return r < 0 ? r : js_load(buf_ref(&text), ret);
}

int pin_config_read(const char *pin, const char *text, const struct log *log, json_t **ret)
{
	CLEANUP_JSON json_t *config = NULL;
	int r;

	r = js_load(ref_str(text), &config);
	if (r < 0 && r != -ENOMEM && load_file(text, &config) == 0)
		r = 0;
	if (r < 0)
		return log_err(log, -EINVAL,
			       "the configuration is not a JSON object, nor a file that holds one");
	r = complete(pin, config, log);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(config);
	return 0;
}
