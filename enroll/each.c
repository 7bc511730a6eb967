/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gives each volume its turn. */
#include "enroll/each.h"

#include "enroll/volumes.h"

#include <errno.h>

/* From nothing to be done on; a code that is not here is worse than all. */
static size_t rank_of(enum exit_code code)
{
	static const int order[] = {
		EXIT_CODE_OK,           EXIT_CODE_DUE,    EXIT_CODE_FAILING, EXIT_CODE_AWAY,
		EXIT_CODE_POLICY_FAILS, EXIT_CODE_BROKEN, EXIT_CODE_FAILED,
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(order) && order[i] != (int)code)
		i++;
	return i;
}

enum exit_code each_worse(enum exit_code a, enum exit_code b)
{
	return rank_of(a) >= rank_of(b) ? a : b;
}

/* Text that a verb would change belongs to its turn alone. */
static int copy_config(const struct options *options, json_t **ret)
{
	*ret = options->config ? json_deep_copy(options->config) : NULL;
	return options->config && !*ret ? -ENOMEM : 0;
}

static enum exit_code run_one(const struct options *options, const char *device, const char *header,
			      verb_fn *verb, struct output *out)
{
	CLEANUP_JSON json_t *config = NULL;
	struct options one = *options;
	enum exit_code code;

	if (output_begin(out, device) < 0 || copy_config(options, &config) < 0) {
		output_explain(out);
		return EXIT_CODE_FAILED;
	}
	one.device = device;
	one.header = header;
	one.config = config;

	code = verb(&one, out);
	if (code == EXIT_CODE_FAILED)
		output_explain(out);
	if (output_result(out, &one, code == EXIT_CODE_OK) < 0)
		return EXIT_CODE_FAILED;
	return code;
}

/* Whether a volume that was found has its turn; says why not, where one may wonder. */
static bool is_wanted(const struct found *found, const struct options *options,
		      const struct output *out)
{
	switch (found->state) {
	case FOUND_BOUND:
		return true;
	case FOUND_BARE:
		if (options->verb == VERB_LIST || options->verb == VERB_IMPORT)
			return true;
		output_say(out, "%s (%s) has no cotter token and is passed over", found->name,
			   found->place.device);
		return false;
	case FOUND_AWAY:
		output_say(out, "%s is passed over: %s is not there", found->name,
			   found->place.device);
		return false;
	case FOUND_HEADLESS:
		output_say(out,
			   "%s (%s) is passed over: where its header is, crypttab does not say; "
			   "run it with --header=",
			   found->name, found->place.device);
		return false;
	case FOUND_OTHER:
		break;
	}
	return false;
}

static enum exit_code run_found(const char *root, const struct options *options, verb_fn *verb,
				struct output *out)
{
	CLEANUP(volumes_done) struct volumes volumes = {0};
	enum exit_code worst = EXIT_CODE_OK;
	size_t n = 0;

	if (volumes_find(root, &out->log, &volumes) < 0)
		return EXIT_CODE_FAILED;
	for (size_t i = 0; i < volumes.n; i++)
		if (is_wanted(&volumes.found[i], options, out))
			n++;
		else
			volumes.found[i].state = FOUND_OTHER;
	if (n == 0)
		output_say(out, "neither crypttab nor what is open has a LUKS2 volume for this");

	for (size_t i = 0; i < volumes.n; i++) {
		const struct found *found = &volumes.found[i];

		if (found->state == FOUND_OTHER)
			continue;
		worst = each_worse(worst, run_one(options, found->place.device, found->place.header,
						  verb, out));
	}
	return output_end(out, options) < 0 ? EXIT_CODE_FAILED : worst;
}

enum exit_code each_run(const char *root, const struct options *options, verb_fn *verb,
			struct output *out)
{
	enum exit_code worst = EXIT_CODE_OK;

	if (options->all)
		return run_found(root, options, verb, out);
	for (size_t i = 0; i < options->n_devices; i++)
		worst = each_worse(
			worst, run_one(options, options->devices[i], options->header, verb, out));
	return output_end(out, options) < 0 ? EXIT_CODE_FAILED : worst;
}
