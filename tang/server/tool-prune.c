/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-tang-keys prune. */
#include "tang/server/prune.h"
#include "tang/server/tool.h"

#include <errno.h>
#include <stdio.h>

enum { SECONDS_A_DAY = 24 * 60 * 60 };

static const char *const reasons[] = {
	[PRUNE_NO_RECORD] = "there is no record of what the server recovered "
			    "(cotter-tangd --usage=FILE keeps one)",
	[PRUNE_SHORT_RECORD] = "the record does not reach back so far",
	[PRUNE_USED] = "it has recovered within this time",
	[PRUNE_VOUCHES] = "those who use an exchange key of its time may know this server by it",
};

int tool_read_usage(const struct tool_options *options, const struct log *log, struct usage *usage)
{
	CLEANUP(free_text) char *own = NULL;
	const char *const *paths = options->usage;
	size_t n = options->n_usage;
	const char *own_path;
	int r;

	if (n == 0) {
		if (asprintf(&own, "%s/usage.json", options->folder) < 0) {
			own = NULL;
			return -ENOMEM;
		}
		own_path = own;
		paths = &own_path;
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		r = prune_add_record(paths[i], usage);
		if (r == -ENOENT && own)
			return 0;
		if (r < 0)
			return log_err(log, r, "%s is not a record of recoveries: %s.", paths[i],
				       r == -EBADMSG ? "it is not one of cotter-tangd's"
						     : strerror(-r));
	}
	return 0;
}

static int remove_key(const struct keyring *ring, size_t i, const struct log *log)
{
	int r = keyring_remove(ring, &ring->files[i]);

	if (r < 0)
		return log_err(log, r, "%s/%s could not be removed: %s.", ring->path,
			       ring->files[i].name, strerror(-r));

	(void)printf("%s: removed\n", ring->files[i].name);
	return 0;
}

static enum tool_exit prune(const struct keyring *ring, const struct tool_options *options,
			    const enum prune_verdict *verdicts, const struct log *log)
{
	enum tool_exit code = TOOL_OK;

	for (size_t i = 0; i < ring->n; i++) {
		if (verdicts[i] == PRUNE_ADVERTISED)
			continue;
		if (verdicts[i] == PRUNE_UNUSED || options->force) {
			if (remove_key(ring, i, log) < 0)
				return TOOL_FAILED;
			continue;
		}
		(void)log_err(log, 0, "%s/%s stays: %s.", ring->path, ring->files[i].name,
			      reasons[verdicts[i]]);
		code = TOOL_FAILED;
	}

	if (keyring_sync(ring) < 0)
		return TOOL_FAILED;
	return code;
}

enum tool_exit tool_prune(const struct tool_options *options, const struct log *log)
{
	CLEANUP(keyring_done) struct keyring ring = {.folder = -1};
	CLEANUP(usage_done) struct usage usage = {0};
	uint64_t now = (uint64_t)time(NULL);
	enum prune_verdict *verdicts;
	enum tool_exit code;

	if (keyring_open(options->folder, KEYRING_CHANGE, log, &ring) < 0 ||
	    tool_read_usage(options, log, &usage) < 0)
		return TOOL_FAILED;

	verdicts = calloc(ring.n + 1, sizeof(*verdicts));
	if (!verdicts)
		return TOOL_FAILED;
	prune_decide(&ring, usage.keys ? &usage : NULL,
		     now - (uint64_t)options->days * SECONDS_A_DAY, now, verdicts);
	code = prune(&ring, options, verdicts, log);
	free(verdicts);
	return code;
}
