/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of a binding to a TPM 2.0, and what is said of it. */
#include "enroll/options-pin.h"

#include "tpm/tpm2.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { DEVICE, PCRS, WITH_PIN, PUBLIC_KEY, PUBLIC_KEY_PCRS, SIGNATURE, HANDLE, OPTIONS };

enum { PEM_MAX = 16 * 1024 };

/* What the firmware measures about Secure Boot: which keys may sign what is started. */
#define DEFAULT_PCRS "7"

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

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
	ssize_t n;
	int r;

	r = buf_init(&text, PEM_MAX);
	if (r < 0)
		return r;
	n = fd < 0 ? -1 : read(fd, text.p, text.cap);
	if (n < 0)
		return log_err(log, -EINVAL, "the policy key %s cannot be read: %s", path,
			       strerror(errno));

	*ret = (size_t)n == text.cap ? NULL : json_stringn((const char *)text.p, (size_t)n);
	return *ret ? 0 : log_err(log, -EINVAL, "%s is not a public key in PEM form", path);
}

static int set(json_t *config, const char *name, json_t *value, const struct log *log)
{
	return json_object_set_new(config, name, value) == 0
		       ? 0
		       : log_err(log, -EINVAL, "the --tpm2 options are not UTF-8 text");
}

static int read_signed(const char *const *texts, const struct log *log, json_t *config)
{
	const char *pcrs = texts[PUBLIC_KEY_PCRS], *signature = texts[SIGNATURE];
	json_t *pem = NULL;
	int r;

	if (!texts[PUBLIC_KEY])
		return pcrs || signature
			       ? log_err(log, -EINVAL,
					 "--tpm2-%s is about a signed policy, so it needs "
					 "--tpm2-public-key=FILE",
					 pcrs ? "public-key-pcrs" : "signature")
			       : 0;

	r = read_pem(texts[PUBLIC_KEY], log, &pem);
	if (r == 0)
		r = set(config, "pubkey", pem, log);
	if (r == 0 && pcrs)
		r = set(config, "pubkey_pcrs", json_string(pcrs), log);
	if (r == 0 && signature)
		r = set(config, "signature", options_absolute_path(signature), log);
	return r;
}

static int read_tpm2(const char *const *texts, const struct log *log, struct options *options)
{
	const char *device = texts[DEVICE], *pcrs = texts[PCRS] ? texts[PCRS] : DEFAULT_PCRS;
	json_t *config = options->config = json_object();
	int r;

	r = config ? read_yes(texts[WITH_PIN], log, &options->user_pin) : -ENOMEM;
	if (r == 0 && strcmp(device, "auto") != 0)
		r = set(config, "tcti", json_string(device), log);
	if (r == 0 && *pcrs)
		r = set(config, "pcrs", json_string(pcrs), log);
	if (r == 0 && options->user_pin)
		r = set(config, "pin", json_true(), log);
	if (r == 0 && texts[HANDLE])
		r = set(config, "parent", json_string(texts[HANDLE]), log);
	if (r == 0)
		r = read_signed(texts, log, config);

	/* Values of another boot, or a key that has not signed yet. */
	options->later = texts[PUBLIC_KEY] || strchr(pcrs, '=');
	return r;
}

static int announce(const struct options *options, struct output *out)
{
	const json_t *config = options->config;
	bool makes_parent = false;
	int r;

	r = tpm2_makes_parent(config, &out->log, &makes_parent);
	if (r < 0)
		return r;

	if (makes_parent)
		output_say(out, "the TPM has no storage root key yet, so one is made there and "
				"stays, at the handle 0x81000001");
	if (!json_object_get(config, "pcrs") && !json_object_get(config, "pubkey"))
		output_warn("warning: without PCRs the TPM gives the key to whatever this machine "
			    "starts, another system's medium too%s",
			    options->user_pin ? "; the PIN alone stands against that" : "");
	return 0;
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
	.read = read_tpm2,
	.announce = announce,
	.look = look,
	.list = tpm2_devices,
};
