/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-tang-keys generate and rotate. */
#include "tang/server/keyring.h"
#include "tang/server/tool.h"

#include <errno.h>
#include <stdio.h>

static const char *const use_words[] = {
	[KEYRING_SIGNING] = "signing",
	[KEYRING_EXCHANGE] = "exchange",
};

static int make(const struct keyring *ring, const struct tool_options *options,
		enum keyring_use use, const struct log *log)
{
	char name[JWK_THUMBPRINT_MAX + 1];
	int r;

	r = keyring_add(ring, options->curve, use, name);
	if (r < 0)
		return log_err(log, r, "No new %s key could be put in %s: %s.", use_words[use],
			       ring->path, strerror(-r));

	(void)printf("%s.jwk: a new %s key of %s\n", name, use_words[use], options->curve->name);
	return 0;
}

static int make_missing(const struct keyring *ring, const struct tool_options *options,
			const struct log *log)
{
	/* With a signing key alone a server would advertise what nobody can bind to, so that comes last. */
	static const enum keyring_use uses[] = {KEYRING_EXCHANGE, KEYRING_SIGNING};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
		if (!options->add && keyring_advertises(ring, uses[i]))
			continue;
		r = make(ring, options, uses[i], log);
		if (r < 0)
			return r;
	}
	return 0;
}

enum tool_exit tool_generate(const struct tool_options *options, const struct log *log)
{
	CLEANUP(keyring_done) struct keyring ring = {.folder = -1};

	if (keyring_open(options->folder, KEYRING_CHANGE, log, &ring) < 0)
		return TOOL_FAILED;

	if (!options->add && keyring_advertises(&ring, KEYRING_SIGNING) &&
	    keyring_advertises(&ring, KEYRING_EXCHANGE)) {
		(void)printf("%s advertises a pair of keys already; --add makes another.\n",
			     ring.path);
		return TOOL_OK;
	}
	return make_missing(&ring, options, log) < 0 ? TOOL_FAILED : TOOL_OK;
}

static int hide_all(const struct keyring *ring, const struct log *log)
{
	int r;

	for (size_t i = 0; i < ring->n && !ring->files[i].hidden; i++) {
		r = keyring_hide(ring, &ring->files[i]);
		if (r < 0)
			return log_err(log, r,
				       "%s/%s could not be hidden: %s. It is advertised beside "
				       "the new keys; \"rotate\" can be done again.",
				       ring->path, ring->files[i].name, strerror(-r));
		(void)printf("%s: rotated out, and still recovers\n", ring->files[i].name);
	}
	r = keyring_sync(ring);
	return r < 0 ? log_err(log, r, "%s: %s.", ring->path, strerror(-r)) : 0;
}

enum tool_exit tool_rotate(const struct tool_options *options, const struct log *log)
{
	CLEANUP(keyring_done) struct keyring ring = {.folder = -1};

	if (keyring_open(options->folder, KEYRING_CHANGE, log, &ring) < 0)
		return TOOL_FAILED;

	if (make(&ring, options, KEYRING_EXCHANGE, log) < 0 ||
	    make(&ring, options, KEYRING_SIGNING, log) < 0 || hide_all(&ring, log) < 0)
		return TOOL_FAILED;
	return TOOL_OK;
}
