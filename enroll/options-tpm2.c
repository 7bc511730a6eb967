/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a binding to a TPM 2.0, and what is said of it. */
#include "enroll/options-pin.h"

#include "tpm/tpm2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { DEVICE, PCRS, WITH_PIN, PUBLIC_KEY, PUBLIC_KEY_PCRS, SIGNATURE, HANDLE, OPTIONS };

enum { PEM_MAX = 16 * 1024 };

/* What the firmware measures about Secure Boot: which keys may sign what is started. */
#define DEFAULT_PCRS "7"

#define AUTO "auto"

static int read_yes(const char *text, const struct log *log, bool *ret)
{
	if (text && strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		return log_err(log, -EINVAL, "--tpm2-with-pin is yes or no, not \"%.64s\"", text);

	*ret = text && strcmp(text, "yes") == 0;
	return 0;
}

/* The text of the file as a JSON string; what it means is the pin's to judge. */
static int read_pem(const char *path, const struct log *log, json_t **ret)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	CLEANUP(buf_done) struct buf text = {0};
	int r = fd < 0 ? -errno : 0;

	if (r == 0)
		r = buf_init(&text, PEM_MAX);
	if (r == 0)
		r = buf_read(&text, fd);
	if (r < 0)
		return log_err(log, -EINVAL, "the policy key %s cannot be read: %s", path,
			       strerror(-r));

	*ret = text.n == text.cap ? NULL : json_stringn((const char *)text.p, text.n);
	return *ret ? 0 : log_err(log, -EINVAL, "%s is not a public key in PEM form", path);
}

static int set(json_t *config, const char *name, json_t *value, const struct log *log)
{
	return json_object_set_new(config, name, value) == 0
		       ? 0
		       : log_err(log, -EINVAL, "the --tpm2 options are not UTF-8 text");
}

/* Policies may name the file of a key, whose text Clevis's configuration would hold. */
static int complete(json_t *config, const struct log *log)
{
	const char *pubkey = js_str(config, "pubkey"), *signature = js_str(config, "signature");
	const char *tcti = js_str(config, "tcti");
	json_t *pem = NULL;
	int r = 0;

	if (tcti && strcmp(tcti, AUTO) == 0)
		(void)json_object_del(config, "tcti");
	if (pubkey && strncmp(pubkey, "-----BEGIN", 10) != 0) {
		r = read_pem(pubkey, log, &pem);
		if (r == 0)
			r = set(config, "pubkey", pem, log);
	}
	if (r == 0 && signature)
		r = set(config, "signature", options_absolute_path(signature), log);
	return r;
}

static int read_signed(const char *const *texts, const struct log *log, json_t *config)
{
	const char *pcrs = texts[PUBLIC_KEY_PCRS], *signature = texts[SIGNATURE];
	int r;

	if (!texts[PUBLIC_KEY])
		return pcrs || signature
			       ? log_err(log, -EINVAL,
					 "--tpm2-%s is about a signed policy, so it needs "
					 "--tpm2-public-key=FILE",
					 pcrs ? "public-key-pcrs" : "signature")
			       : 0;

	r = set(config, "pubkey", json_string(texts[PUBLIC_KEY]), log);
	if (r == 0 && pcrs)
		r = set(config, "pubkey_pcrs", json_string(pcrs), log);
	if (r == 0 && signature)
		r = set(config, "signature", json_string(signature), log);
	return r;
}

static int read_tpm2(const char *const *texts, const struct log *log, json_t **ret)
{
	const char *pcrs = texts[PCRS] ? texts[PCRS] : DEFAULT_PCRS;
	CLEANUP_JSON json_t *config = json_object();
	bool user_pin = false;
	int r;

	r = config ? read_yes(texts[WITH_PIN], log, &user_pin) : -ENOMEM;
	if (r == 0)
		r = set(config, "tcti", json_string(texts[DEVICE]), log);
	if (r == 0 && *pcrs)
		r = set(config, "pcrs", json_string(pcrs), log);
	if (r == 0 && user_pin)
		r = set(config, "pin", json_true(), log);
	if (r == 0 && texts[HANDLE])
		r = set(config, "parent", json_string(texts[HANDLE]), log);
	if (r == 0)
		r = read_signed(texts, log, config);
	if (r == 0)
		r = complete(config, log);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(config);
	return 0;
}

/* Later: values of another boot, or a key that has not signed yet. */
static unsigned traits(const json_t *config)
{
	const char *pcrs = js_str(config, "pcrs");
	bool later = json_object_get(config, "pubkey") || json_object_get(config, "pcr_digest") ||
		     (pcrs && strchr(pcrs, '='));

	return (json_is_true(json_object_get(config, "pin")) ? PIN_TRAIT_USER_PIN : 0) |
	       (later ? PIN_TRAIT_LATER : 0);
}

static int announce(const json_t *config, struct output *out)
{
	bool makes_parent = false;
	int r;

	r = tpm2_makes_parent(config, &out->log, &makes_parent);
	if (r < 0)
		return r;

	if (makes_parent)
		output_say(out, "the TPM has no storage root key yet, so one is made there and "
				"stays, at the handle 0x81000001");
	if (!json_object_get(config, "pcrs") && !json_object_get(config, "pcr_ids") &&
	    !json_object_get(config, "pubkey"))
		output_warn("warning: without PCRs the TPM gives the key to whatever this machine "
			    "starts, another system's medium too%s",
			    json_is_true(json_object_get(config, "pin"))
				    ? "; the PIN alone stands against that"
				    : "");
	return 0;
}

/* One of Clevis's, which may be a number or a string. */
static json_t *pcr_text(const json_t *id)
{
	return json_is_integer(id) ? json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(id))
				   : json_string(json_is_string(id) ? json_string_value(id) : "?");
}

static json_t *pcrs_of(const json_t *config)
{
	json_t *pcrs = json_object_get(config, "pcrs"), *ids = json_object_get(config, "pcr_ids");
	const json_t *id;
	json_t *text = NULL;
	size_t i;

	if (!json_is_array(ids))
		return pcrs || ids ? pcr_text(pcrs ? pcrs : ids) : json_string("none");

	json_array_foreach(ids, i, id) {
		CLEANUP_JSON json_t *before = text, *next = pcr_text(id);

		text = json_sprintf("%s%s%s", before ? json_string_value(before) : "",
				    before ? "," : "", next ? json_string_value(next) : "?");
	}
	return text ? text : json_string("none");
}

static int describe(const json_t *config, json_t *facts)
{
	bool user_pin = json_is_true(json_object_get(config, "pin"));
	const char *signed_pcrs = js_str(config, "pubkey_pcrs");

	if (json_object_set_new(facts, "pcrs", pcrs_of(config)) != 0 ||
	    json_object_set_new(facts, "user_pin", json_string(user_pin ? "yes" : "no")) != 0 ||
	    (tpm2_is_early(config) &&
	     json_object_set_new(facts, "holds", json_string("only before switch-root")) != 0))
		return -ENOMEM;
	if (!json_object_get(config, "pubkey"))
		return 0;
	return json_object_set_new(facts, "signed_pcrs",
				   json_string(signed_pcrs ? signed_pcrs : "11")) == 0
		       ? 0
		       : -ENOMEM;
}

static bool is(const json_t *facts, const char *name, const char *value)
{
	const char *text = js_str(facts, name);

	return text && strcmp(text, value) == 0;
}

static void words(const json_t *facts, char ret[PIN_WORDS_MAX])
{
	const char *pcrs = js_str(facts, "pcrs"), *signed_pcrs = js_str(facts, "signed_pcrs");
	size_t n;

	n = (size_t)snprintf(ret, PIN_WORDS_MAX, "this machine's TPM");
	if (!is(facts, "pcrs", "none"))
		n += (size_t)snprintf(ret + n, PIN_WORDS_MAX - n,
				      " while PCRs %.128s are as enrolled", pcrs ? pcrs : "?");
	if (signed_pcrs)
		n += (size_t)snprintf(ret + n, PIN_WORDS_MAX - n,
				      " while PCRs %.128s are as signed", signed_pcrs);
	if (is(facts, "user_pin", "yes"))
		(void)snprintf(ret + n, PIN_WORDS_MAX - n, " with a PIN");
}

static const char *warning(const json_t *facts)
{
	if (is(facts, "user_pin", "yes"))
		return "somebody must type the PIN, so this machine does not start unattended "
		       "by it";
	if (is(facts, "pcrs", "none") && !js_str(facts, "signed_pcrs"))
		return "without PCRs and PIN it agrees to whatever this machine starts, another "
		       "system's medium too";
	return NULL;
}

/* Without a TPM in reach nothing is known, and nothing said. */
static int look(const json_t *hdr, json_t *facts)
{
	json_t *changed = NULL;
	int r;

	r = tpm2_changed_pcrs(hdr, NULL, NULL, &changed);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || json_array_size(changed) == 0) {
		json_decref(changed);
		return 0;
	}
	return json_object_set_new(facts, "changed_pcrs", changed) == 0 ? 0 : -ENOMEM;
}

static int check_again(const char *const *texts, const struct log *log)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (texts[i] && i != PCRS)
			return log_err(log, -EINVAL,
				       "--renew seals to PCRs alone anew (--tpm2-pcrs=LIST, "
				       "--reseal); for another policy use --replace");
	return 0;
}

static void keep_why(void *to, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(to, LOG_LINE_MAX, "%s", line);
}

/* What cannot be kept can be sealed to what is there now. */
static int config_again(const struct again *again, const struct tpm2_again *how,
			const struct log *log, json_t **ret)
{
	char why[LOG_LINE_MAX] = "";
	const struct log keep = {.sink = keep_why, .to = why};
	bool reseal = how->reseal || how->pcrs;
	int r;

	r = tpm2_config(again->hdr, how, &keep, ret);
	if (r == -EKEYREJECTED && !reseal)
		return log_err(log, r, "%s; --reseal seals to this TPM and its PCRs as they are",
			       why);
	return r < 0 && *why ? log_err(log, r, "%s", why) : r;
}

static int again(const struct again *again, const struct log *log, struct again_plan *ret)
{
	const struct tpm2_again how = {.reseal = again->reseal, .pcrs = again->texts[PCRS]};
	CLEANUP_JSON json_t *config = NULL;
	bool due = false;
	int r;

	r = config_again(again, &how, log, &config);
	if (r == 0)
		r = tpm2_differs(again->hdr, &how, log, &due);
	if (r < 0)
		return r;

	*ret = (struct again_plan){.config = TAKE_PTR(config), .due = due};
	return 0;
}

const struct pin_options pin_options_tpm2 = {
	.pin = "tpm2",
	.usage = "--tpm2-device=auto",
	.devices = "list",
	.options =
		{
			[DEVICE] = {"tpm2-device", false},
			[PCRS] = {"tpm2-pcrs", true},
			[WITH_PIN] = {"tpm2-with-pin", false},
			[PUBLIC_KEY] = {"tpm2-public-key", false},
			[PUBLIC_KEY_PCRS] = {"tpm2-public-key-pcrs", false},
			[SIGNATURE] = {"tpm2-signature", false},
			[HANDLE] = {"tpm2-seal-key-handle", false},
		},
	.n = OPTIONS,
	.members =
		{
			{.name = "pcrs", .implied = DEFAULT_PCRS, .instead = "pcr_ids"},
			{.name = "pcr_bank"},
			{.name = "pcr_ids"},
			{.name = "pcr_digest"},
			{.name = "hash"},
			{.name = "key"},
			{.name = "pin", .alias = "with-pin", .yes_no = true},
			{.name = "pubkey", .alias = "public-key"},
			{.name = "pubkey_pcrs", .alias = "public-key-pcrs"},
			{.name = "signature"},
			{.name = "parent", .alias = "seal-key-handle"},
			{.name = "tcti", .alias = "device"},
		},
	.n_members = 12,
	.each_time = {"jwk_pub", "jwk_priv", "salt"},
	.size_min = 750, /* with an ECC primary and no PCRs */
	.read = read_tpm2,
	.complete = complete,
	.traits = traits,
	.describe = describe,
	.words = words,
	.warning = warning,
	.announce = announce,
	.look = look,
	.check_again = check_again,
	.again = again,
	.list = tpm2_devices,
};
