/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends a re-encryption in its metadata. */
#include "enroll/reencrypt-finished.h"

#include "crypto/js.h"

#include <errno.h>

static const char requirement[] = "online-reencrypt";

/* Whether an array of strings holds this one. */
static bool lists(const json_t *array, const char *name)
{
	const json_t *member;
	size_t i;

	json_array_foreach(array, i, member)
		if (json_is_string(member) && strcmp(json_string_value(member), name) == 0)
			return true;
	return false;
}

static void unlist(json_t *array, const char *name)
{
	for (size_t i = json_array_size(array); i > 0; i--) {
		const char *text = json_string_value(json_array_get(array, i - 1));

		if (text && strcmp(text, name) == 0)
			(void)json_array_remove(array, i - 1);
	}
}

static bool is_required(const json_t *array)
{
	const json_t *member;
	size_t i;

	json_array_foreach(array, i, member)
		if (json_is_string(member) &&
		    strncmp(json_string_value(member), requirement, strlen(requirement)) == 0)
			return true;
	return false;
}

static const json_t *mandatory(const json_t *header)
{
	return json_object_get(json_object_get(json_object_get(header, "config"), "requirements"),
			       "mandatory");
}

/* The name of the one segment with this flag, or, where that is NULL, without flags; NULL unless there is just one. */
static const char *find_segment(const json_t *header, const char *flag)
{
	const char *name, *found = NULL;
	json_t *segment;

	json_object_foreach(json_object_get(header, "segments"), name, segment) {
		const json_t *flags = json_object_get(segment, "flags");

		if (flag ? !lists(flags, flag) : flags != NULL)
			continue;
		if (found)
			return NULL;
		found = name;
	}
	return found;
}

/* The name of the digest of this segment; NULL unless there is just one. */
static const char *find_digest(const json_t *header, const char *segment)
{
	const char *name, *found = NULL;
	json_t *digest;

	json_object_foreach(json_object_get(header, "digests"), name, digest) {
		if (!lists(json_object_get(digest, "segments"), segment))
			continue;
		if (found)
			return NULL;
		found = name;
	}
	return found;
}

/* Whether a segment is what the backup of the final one says. */
static bool is_final(const json_t *header, const char *name, const char *backup)
{
	const json_t *segments = json_object_get(header, "segments");
	CLEANUP_JSON json_t *copy = json_deep_copy(json_object_get(segments, backup));

	(void)json_object_del(copy, "flags");
	return copy && json_equal(copy, json_object_get(segments, name));
}

bool finished_is(const json_t *header)
{
	const char *data = find_segment(header, NULL);
	const char *before = find_segment(header, "backup-previous");
	const char *final = find_segment(header, "backup-final");
	const char *old, *new;

	if (!data || !before || !final || !is_required(mandatory(header)) ||
	    json_object_size(json_object_get(header, "segments")) != 3)
		return false;
	old = find_digest(header, before);
	new = find_digest(header, final);
	return old && new &&strcmp(old, new) != 0 &&
	       lists(json_object_get(json_object_get(json_object_get(header, "digests"), new),
				     "segments"),
		     data) &&
	       is_final(header, data, final);
}

static void unlist_everywhere(json_t *objects, const char *member, const char *name)
{
	json_t *object;
	const char *key;

	json_object_foreach(objects, key, object)
		unlist(json_object_get(object, member), name);
}

static void drop_keyslot(json_t *header, const char *name)
{
	unlist_everywhere(json_object_get(header, "digests"), "keyslots", name);
	unlist_everywhere(json_object_get(header, "tokens"), "keyslots", name);
	(void)json_object_del(json_object_get(header, "keyslots"), name);
}

/* Those of the old key, and the one in which libcryptsetup keeps what it needs. */
static void drop_keyslots(json_t *header, const json_t *old_keyslots)
{
	json_t *keyslots = json_object_get(header, "keyslots"), *keyslot;
	const char *name;
	void *next;

	json_object_foreach_safe(keyslots, next, name, keyslot)
	{
		const char *type = js_str(keyslot, "type");

		if (lists(old_keyslots, name) || (type && strcmp(type, "reencrypt") == 0))
			drop_keyslot(header, name);
	}
}

static void drop_backups(json_t *header)
{
	static const char *const flags[] = {"backup-previous", "backup-final"};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		const char *name = find_segment(header, flags[i]);

		unlist_everywhere(json_object_get(header, "digests"), "segments", name);
		(void)json_object_del(json_object_get(header, "segments"), name);
	}
}

/* Those of keys that nothing in the header has any more. */
static void drop_digests(json_t *header)
{
	json_t *digests = json_object_get(header, "digests"), *digest;
	const char *name;
	void *next;

	json_object_foreach_safe(
		digests, next, name,
		digest) if (json_array_size(json_object_get(digest, "keyslots")) == 0 &&
			    json_array_size(json_object_get(digest, "segments")) == 0)(void)
		json_object_del(digests, name);
}

static void drop_requirement(json_t *header)
{
	json_t *config = json_object_get(header, "config");
	json_t *array = json_object_get(json_object_get(config, "requirements"), "mandatory");

	for (size_t i = json_array_size(array); i > 0; i--) {
		const char *text = json_string_value(json_array_get(array, i - 1));

		if (text && strncmp(text, requirement, strlen(requirement)) == 0)
			(void)json_array_remove(array, i - 1);
	}
	if (json_array_size(array) == 0)
		(void)json_object_del(config, "requirements");
}

int finished_make(json_t *header)
{
	CLEANUP_JSON json_t *old_keyslots = NULL;
	const char *old;

	if (!finished_is(header))
		return -EBADMSG;
	old = find_digest(header, find_segment(header, "backup-previous"));
	old_keyslots = json_deep_copy(json_object_get(
		json_object_get(json_object_get(header, "digests"), old), "keyslots"));
	if (!old_keyslots)
		return -ENOMEM;

	drop_keyslots(header, old_keyslots);
	drop_backups(header);
	drop_digests(header);
	drop_requirement(header);
	return 0;
}
