/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rotated keys can go. */
#include "tang/server/prune.h"

#include <errno.h>
#include <sys/stat.h>

/* Within which both keys of a pair are made. */
enum { PAIR_SECONDS = 60 };

int prune_add_record(const char *path, struct usage *usage)
{
	CLEANUP(usage_done) struct usage more = {0};
	int r;

	r = usage_load(path, &more);
	if (r < 0)
		return r;
	if (!usage->keys) {
		*usage = TAKE_STRUCT(more);
		return 0;
	}

	for (size_t i = 0; i < more.n && r == 0; i++)
		r = usage_add(usage, &more.keys[i]);
	if (usage->since < more.since)
		usage->since = more.since;
	if (usage->started < more.started)
		usage->started = more.started;
	return r;
}

static enum prune_verdict decide_exchange(const struct key *key, const struct usage *usage,
					  uint64_t before, uint64_t now)
{
	const struct usage_key *used;

	if (!usage)
		return PRUNE_NO_RECORD;
	used = usage_find(usage, key_name(key));
	if (used && used->last >= before)
		return PRUNE_USED;
	/* A record from the future was written by a clock that cannot be compared with ours. */
	return usage->since > before || usage->since > now ? PRUNE_SHORT_RECORD : PRUNE_UNUSED;
}

static time_t made(const struct keyring *ring, size_t i)
{
	struct stat st;

	/* Where that cannot be known, it is taken for as old as it can be, and is kept longer. */
	return fstatat(ring->folder, ring->files[i].name, &st, 0) < 0 ? 0 : st.st_mtim.tv_sec;
}

/*
 * Clients know a server by the signing keys that were advertised with the exchange key they are bound
 * to, and ask for what is advertised now by one of them.
 */
static bool vouches(const struct keyring *ring, size_t signing, const enum prune_verdict *verdicts)
{
	for (size_t i = 0; i < ring->n; i++)
		if (i != signing && ring->files[i].key->exchange && verdicts[i] != PRUNE_UNUSED &&
		    made(ring, i) <= made(ring, signing) + PAIR_SECONDS)
			return true;
	return false;
}

void prune_decide(const struct keyring *ring, const struct usage *usage, uint64_t before,
		  uint64_t now, enum prune_verdict *ret)
{
	for (size_t i = 0; i < ring->n; i++) {
		const struct keys_file *file = &ring->files[i];

		if (!file->hidden)
			ret[i] = PRUNE_ADVERTISED;
		else if (file->key->exchange)
			ret[i] = decide_exchange(file->key, usage, before, now);
		else
			ret[i] = PRUNE_VOUCHES;
	}

	for (size_t i = 0; i < ring->n; i++)
		if (ret[i] == PRUNE_VOUCHES && !vouches(ring, i, ret))
			ret[i] = PRUNE_UNUSED;
}
