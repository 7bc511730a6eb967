/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Converts volumes, with what Clevis keeps in them. */
#include "enroll/to-luks2.h"

#include "enroll/busy.h"
#include "enroll/clevis-token.h"
#include "enroll/luks1-convert.h"
#include "enroll/luks1-meta.h"
#include "enroll/luks2-area.h"
#include "enroll/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* A larger gap than luksmeta fills by itself belongs to nobody. */
enum { META_SIZE_MAX = 16 * 1024 * 1024 };

static int refuse_busy(const char *path, const struct log *log)
{
	int r = path ? busy_look("", path) : 0;

	if (r == -EBUSY)
		return log_err(log, r, "%s is in use, and can be converted only while it is not",
			       path);
	if (r < 0)
		return log_err(log, r, "whether %s is in use cannot be found out: %s", path,
			       strerror(-r));
	return 0;
}

/* Keeps others from opening the volume meanwhile; -1 where it is a file, for which there is no such thing. */
static int hold_device(const struct luks *luks, int *ret)
{
	struct stat st;
	int fd;

	if (fstat(luks->fd, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	fd = open(luks->name, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return log_err(luks->log, -EBUSY,
			       "%s is in use, and can be converted only while it is not",
			       luks->name);
	*ret = fd;
	return 0;
}

/* What was wrong, as the end of a sentence about the volume. */
static void keep_why(void *to, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(to, LOG_LINE_MAX, "%s", line);
}

static int read_meta(const struct luks *luks, const struct luks1_map *map, struct buf *bytes,
		     struct luks1_meta *ret)
{
	uint64_t size = map->data - map->keyslots_end;
	char why[LOG_LINE_MAX] = "";
	const struct log log = {.sink = keep_why, .to = why};
	int r;

	if (size > META_SIZE_MAX)
		size = META_SIZE_MAX;
	if (size == 0)
		return 0;
	r = area_read(luks->fd, map->keyslots_end, (size_t)size, bytes);
	if (r == 0)
		r = luks1_meta_read(buf_ref(bytes), &log, ret);
	if (r < 0)
		return log_err(
			luks->log, r,
			"%s is not converted: %s; where nothing in it is wanted, remove all of "
			"it with luksmeta nuke",
			luks->name, why[0] ? why : strerror(-r));
	return 0;
}

/* What luksmeta has for one keyslot, as a token. */
static int take_slot(const struct luks *luks, const struct luks1_map *map,
		     const struct luks1_meta *meta, unsigned i, json_t *tokens)
{
	const struct luks1_meta_slot *slot = &meta->slots[i];
	char id[16];
	json_t *token;
	int r;

	if (!slot->data.p)
		return 0;
	if (!luks1_meta_is_clevis(slot))
		return log_err(
			luks->log, -EPERM,
			"%s is not converted: luksmeta has something of another program's than "
			"Clevis for keyslot %u, for which LUKS2 has no place; remove it with "
			"luksmeta wipe",
			luks->name, i);
	if (!map->slots[i].active) {
		output_warn(
			"what luksmeta has for keyslot %u of %s is left out, as there is no such "
			"keyslot",
			i, luks->name);
		return 0;
	}
	r = clevis_token_from_compact(slot->data, i, &token);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return log_err(
			luks->log, r,
			"%s is not converted: what luksmeta has of Clevis's for keyslot %u is "
			"no JWE",
			luks->name, i);
	(void)snprintf(id, sizeof(id), "%zu", json_object_size(tokens));
	return json_object_set_new(tokens, id, token) == 0 ? 0 : -ENOMEM;
}

static int take_all(const struct luks *luks, const struct luks1_map *map, json_t *tokens)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	struct luks1_meta meta = {0};
	int r;

	r = read_meta(luks, map, &bytes, &meta);
	for (unsigned i = 0; r == 0 && i < LUKS1_META_SLOTS; i++)
		r = take_slot(luks, map, &meta, i, tokens);
	return r;
}

static int write_held(struct luks *luks, const struct luks1_map *map,
		      const struct luks1_conversion *conversion)
{
	struct signals held;
	int r;

	/* Once begun it is brought to its end, which is near. */
	signals_hold(&held, false);
	r = signals_came(&held) ? log_err(luks->log, -EINTR, "interrupted; nothing was changed")
				: luks1_convert_write(luks, map, conversion);
	signals_release(&held);
	return r;
}

static void say(const struct output *out, const char *name, size_t n)
{
	if (n == 0)
		output_say(out, "converted %s to LUKS2", name);
	else
		output_say(out, "converted %s to LUKS2, with %zu binding%s of Clevis's as token%s",
			   name, n, n == 1 ? "" : "s", n == 1 ? "" : "s");
}

/* What is known of the volume, before and after. */
struct work {
	struct luks1_map map;
	struct luks1_conversion conversion;
};

static void work_freep(struct work **work)
{
	if (*work)
		luks1_conversion_done(&(*work)->conversion);
	free(*work);
}

static int convert(struct luks *luks, json_t *tokens)
{
	CLEANUP(work_freep) struct work *work = calloc(1, sizeof(*work));
	CLEANUP(close_fd) int held = -1;
	int r;

	r = work && tokens ? hold_device(luks, &held) : -ENOMEM;
	if (r == 0)
		r = luks1_read_map(luks, &work->map);
	if (r == 0)
		r = take_all(luks, &work->map, tokens);
	if (r == 0)
		r = luks1_convert_prepare(luks, &work->map, tokens, &work->conversion);
	return r < 0 ? r : write_held(luks, &work->map, &work->conversion);
}

int to_luks2(const struct options *options, struct output *out)
{
	CLEANUP_JSON json_t *tokens = json_object();
	CLEANUP(luks_freep) struct luks *luks = NULL;
	int r;

	r = luks_open_luks1(options->device, options->header, &out->log, &luks);
	if (r == -EMEDIUMTYPE)
		return json_object_set_new(out->json, "converted", json_false()) == 0 ? 0 : -ENOMEM;
	if (r == 0)
		r = refuse_busy(options->device, &out->log);
	if (r == 0)
		r = refuse_busy(options->header, &out->log);
	if (r == 0)
		r = convert(luks, tokens);
	if (r < 0)
		return r;

	say(out, luks->name, json_object_size(tokens));
	return json_object_set_new(out->json, "converted", json_true()) == 0 ? 0 : -ENOMEM;
}
