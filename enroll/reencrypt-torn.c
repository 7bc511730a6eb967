/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mends a header whose two copies differ. */
#include "enroll/reencrypt-torn.h"

#include "crypto/js.h"
#include "enroll/luks2-area.h"
#include "enroll/reencrypt-keep.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Whether a segment is being re-encrypted. */
static bool is_within(const json_t *header)
{
	const json_t *segment, *flag;
	const char *name;
	size_t i;

	json_object_foreach((json_t *)json_object_get(header, "segments"), name, segment)
		json_array_foreach(json_object_get(segment, "flags"), i, flag)
			if (json_is_string(flag) &&
			    strcmp(json_string_value(flag), "in-reencryption") == 0)
				return true;
	return false;
}

static bool is_noted(const json_t *header)
{
	const json_t *token;
	const char *name;

	json_object_foreach((json_t *)json_object_get(header, "tokens"), name, token) {
		const char *type = js_str(token, "type");

		if (type && strcmp(type, keep_note_type) == 0)
			return true;
	}
	return false;
}

bool torn_is(const json_t *first, const json_t *second)
{
	return is_noted(first) && is_noted(second) && is_within(first) && !is_within(second);
}

/* Both copies are good, and the first is one ahead. */
static int look(int fd, size_t size, bool *ret)
{
	CLEANUP(buf_done) struct buf first = {0};
	CLEANUP(buf_done) struct buf second = {0};
	CLEANUP_JSON json_t *first_json = NULL, *second_json = NULL;
	int r;

	*ret = false;
	r = area_read(fd, 0, size, &first);
	if (r == 0)
		r = area_read(fd, size, size, &second);
	if (r < 0)
		return r;
	if (!area_ok(&first) || !area_ok(&second) ||
	    area_number(&first) != area_number(&second) + 1 || area_json(&first, &first_json) < 0 ||
	    area_json(&second, &second_json) < 0)
		return 0;
	*ret = torn_is(first_json, second_json);
	return 0;
}

int torn_mend(const char *path, const struct log *log)
{
	CLEANUP(close_fd) int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t size = fd < 0 ? 0 : area_size(fd);
	bool torn = false;
	int r;

	if (size == 0)
		return 0;
	r = look(fd, size, &torn);
	if (r == 0 && torn)
		r = area_void_first(fd);
	if (r < 0)
		return log_err(log, r, "the header of %s could not be read or mended: %s", path,
			       strerror(-r));
	return 0;
}
