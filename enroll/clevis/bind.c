/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clevis luks bind. */
#include "enroll/clevis/arguments.h"
#include "enroll/clevis/credential.h"
#include "enroll/clevis/external.h"
#include "enroll/clevis/line.h"
#include "enroll/clevis/pin-config.h"
#include "enroll/clevis/prove.h"
#include "enroll/clevis/secret.h"
#include "enroll/signals.h"
#include "token/token.h"

#include <errno.h>
#include <stdio.h>

static const char *const usage[] = {
	"\nUsage: clevis luks bind [-y] [-f] [-s SLT] [-k KEY] [-t TOKEN_ID] [-e EXISTING_TOKEN_ID] -d DEV PIN CFG\n\n",
	"Binds a LUKS device using the specified policy:\n\n",
	"  -f           Do not prompt for LUKSMeta initialization\n\n",
	"  -d DEV       The LUKS device on which to perform binding\n\n",
	"  -y           Automatically answer yes for all questions\n\n",
	"  -s SLT       The LUKS slot to use\n\n",
	"  -t TKN_ID    The LUKS token ID to use; only available for LUKS2\n\n",
	"  -k KEY       Non-interactively read LUKS password from KEY file\n",
	"  -k -         Non-interactively read LUKS password from standard input\n\n",
	"  -e E_TKN_ID  Existing LUKS token ID for existing passphrase; only available for LUKS2\n\n",
	NULL,
};

/* The whole command line. */
struct request {
	const char *device;
	const char *pin;
	json_t *config;
	const char *slot, *token; /* NULL: none */
	struct credential credential;
	bool yes, initialize;
};

static void request_done(struct request *request)
{
	json_decref(request->config);
}

static bool is_pin(const char *name)
{
	CLEANUP(free_text) char *program = NULL, *command = NULL;

	if (pin_by_name(pins, name))
		return true;
	if (asprintf(&command, "encrypt-%s", name) < 0)
		command = NULL;
	program = command ? external_find(command) : NULL;
	return program;
}

static int number(const char *text, int limit, int *ret)
{
	int value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (*text - '0');
		if (value >= limit)
			return -EINVAL;
	}
	*ret = value;
	return 0;
}

static int wrong(const struct context *context, const char *sentence)
{
	(void)log_err(&context->log, 0, "%s", sentence);
	return command_usage(usage, CLEVIS_USAGE);
}

/* Returns an exit code, CLEVIS_OK where all can go on. */
static int read_policy(const struct context *context, int argc, char **argv, int at,
		       struct request *request)
{
	const char *config = at + 1 < argc ? argv[at + 1] : "";

	request->pin = at < argc ? argv[at] : "";
	if (!*request->pin)
		return wrong(context, "Did not specify a pin!");
	if (!is_pin(request->pin)) {
		(void)log_err(&context->log, 0, "'%.64s' is not a valid pin!", request->pin);
		return command_usage(usage, CLEVIS_USAGE);
	}
	if (!*config)
		return wrong(context, "Did not specify a pin config!");
	return pin_config_read(request->pin, config, &context->log, &request->config) < 0
		       ? CLEVIS_FAILED
		       : CLEVIS_OK;
}

static int read_credential(const struct context *context, const char *key, const char *token,
			   struct credential *ret)
{
	*ret = (struct credential){.token = VOLUME_ANY};
	if (key && *key && strcmp(key, "-") != 0)
		ret->key_file = key;
	ret->silent = key && strcmp(key, "-") == 0;
	if (ret->key_file && access(key, R_OK) < 0)
		return log_err(&context->log, -EACCES, "the key file %s cannot be read", key);
	if (!token || !*token)
		return 0;
	if (ret->key_file)
		return log_err(&context->log, -EINVAL,
			       "-e and a key file cannot go together; give one of them");
	if (number(token, LUKS_TOKENS, &ret->token) < 0)
		return log_err(&context->log, -EINVAL, "\"%s\" is no token id; they are 0 to %d",
			       token, LUKS_TOKENS - 1);
	return 0;
}

static int ask_initialize(const struct volume *volume)
{
	CLEANUP(free_text) char *question = NULL;

	if (asprintf(
		    &question,
		    "The header of %s has a gap in which Clevis keeps its bindings; whatever another "
		    "program keeps there is lost.\nDo you wish to initialize %s? [ynYN] ",
		    volume->luks->name, volume->luks->name) < 0)
		return -ENOMEM;
	return line_yes(question);
}

/* The place for bindings is made where that is allowed or somebody agrees. */
static int initialize(const struct context *context, struct volume *volume,
		      const struct request *request)
{
	int r = volume->format->check(volume);

	if (r != -ENOENT)
		return r;
	if (!request->initialize && request->credential.silent)
		return log_err(&context->log, -ENOTTY,
			       "%s is not initialized for Clevis, which with -k - needs -f or -y",
			       volume->luks->name);
	r = request->initialize ? 0 : ask_initialize(volume);
	if (r < 0)
		return log_err(&context->log, r, "%s is not initialized; nothing was changed",
			       volume->luks->name);
	return volume->format->init(volume);
}

static int check_numbers(const struct context *context, const struct volume *volume,
			 const struct request *request, struct volume_binding *binding)
{
	unsigned slot = 0;

	binding->slot = VOLUME_ANY;
	binding->token = VOLUME_ANY;
	if (request->slot && *request->slot) {
		if (volume_slot(volume, request->slot, &slot) < 0)
			return log_err(&context->log, -EINVAL,
				       "\"%s\" is no keyslot of %s; they are 0 to %u",
				       request->slot, volume->luks->name,
				       volume->format->slots - 1);
		binding->slot = (int)slot;
	}
	if (!request->token || !*request->token)
		return 0;
	if (luks_is_luks1(volume->luks))
		return log_err(&context->log, -EOPNOTSUPP,
			       "%s is a LUKS1 device; -t is only supported in LUKS2",
			       volume->luks->name);
	if (number(request->token, LUKS_TOKENS, &binding->token) < 0)
		return log_err(&context->log, -EINVAL, "\"%s\" is no token id; they are 0 to %d",
			       request->token, LUKS_TOKENS - 1);
	return 0;
}

static int add(struct volume *volume, const struct secret *secret, struct volume_binding *binding)
{
	struct signals held;
	unsigned slot;
	int r;

	binding->jwe = secret->jwe;
	binding->secret = buf_ref(&secret->plain);
	binding->prove = prove_in_header;
	binding->arg = (void *)(uintptr_t)secret;
	signals_hold(&held, false);
	r = volume->format->add(volume, binding, &slot);
	signals_release(&held);
	return r;
}

static int bind_volume(struct context *context, struct volume *volume,
		       const struct request *request)
{
	const struct sealing wish = {
		.pin = request->pin, .config = request->config, .yes = request->yes};
	CLEANUP(buf_done) struct buf volume_key = {0};
	CLEANUP(secret_done) struct secret secret = {0};
	struct volume_binding binding = {0};
	int r;

	r = check_numbers(context, volume, request, &binding);
	if (r == 0)
		r = credential_unlock(&request->credential, volume, &volume_key);
	if (r == 0)
		r = initialize(context, volume, request);
	if (r == 0)
		r = secret_make(&wish, &context->log, &secret);
	if (r < 0)
		return r;

	binding.volume_key = buf_ref(&volume_key);
	return add(volume, &secret, &binding);
}

int command_luks_bind(struct context *context, int argc, char **argv)
{
	struct arguments arguments;
	CLEANUP(request_done) struct request request = {0};
	CLEANUP(volume_done) struct volume volume = {0};
	int code, r;

	if (arguments_read(argc, argv, "+:hfyd:s:k:t:e:", &arguments) < 0 || arguments.values['h'])
		return command_usage(usage, CLEVIS_USAGE);
	if (!arguments.values['d'])
		return wrong(context, "Did not specify a device!");
	request.slot = arguments.values['s'];
	request.token = arguments.values['t'];
	request.yes = arguments.values['y'];
	request.initialize = request.yes || arguments.values['f'];

	r = arguments_open(context, &arguments, true, &volume, NULL);
	if (r < 0)
		return CLEVIS_FAILED;
	code = read_policy(context, argc, argv, arguments.next, &request);
	if (code != CLEVIS_OK)
		return code;
	r = read_credential(context, arguments.values['k'], arguments.values['e'],
			    &request.credential);
	if (r == 0)
		r = bind_volume(context, &volume, &request);
	if (r == -ENOTTY)
		return CLEVIS_USAGE; /* as Clevis has it where it may not ask */
	return r < 0 ? CLEVIS_FAILED : CLEVIS_OK;
}
