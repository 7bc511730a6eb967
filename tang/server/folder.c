/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a folder of keys. */
#include "tang/server/folder.h"

#include "crypto/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

static const char suffix[] = ".jwk";

struct complaint {
	char *name;
	const char *why;
	bool told;
};

/* Names of files. */
struct names {
	char **list;
	size_t n, room;
};

/* What one reading of the folder makes; the arrays have room for each file in it. */
struct reading {
	const char *path;
	const struct keys *known;
	const struct complaints *before;
	const struct log *log;
	struct keys_file *files;
	size_t n;
	struct complaints complaints;
};

DEFINE_CLEANUP(DIR *, closedir)

void complaints_done(struct complaints *complaints)
{
	for (size_t i = 0; i < complaints->n; i++)
		free(complaints->list[i].name);
	free(complaints->list);
	*complaints = (struct complaints){0};
}

bool folder_is_key(const char *name)
{
	size_t n = strlen(name);

	return n >= strlen(suffix) && strcmp(name + n - strlen(suffix), suffix) == 0;
}

static void names_done(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
}

static void reading_done(struct reading *reading)
{
	keys_files_free(reading->files, reading->n);
	complaints_done(&reading->complaints);
}

static const struct complaint *find_complaint(const struct complaints *complaints, const char *name,
					      const char *why)
{
	for (size_t i = 0; i < complaints->n; i++)
		if (strcmp(complaints->list[i].name, name) == 0 &&
		    strcmp(complaints->list[i].why, why) == 0)
			return &complaints->list[i];
	return NULL;
}

static int complain(struct reading *reading, const char *name, const char *why)
{
	const struct complaint *before = find_complaint(reading->before, name, why);
	bool told = before ? before->told : false;
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	if (!told && (before || !reading->before->patient)) {
		(void)log_err(reading->log, 0, "%s/%s is skipped: %s.", reading->path, name, why);
		told = true;
	}
	if (!told)
		reading->complaints.n_untold++;
	reading->complaints.list[reading->complaints.n++] = (struct complaint){copy, why, told};
	return 0;
}

static const char *why_unread(int err)
{
	switch (err) {
	case -EACCES:
		return "this user may not read it";
	case -ENOENT:
		return "it is a symbolic link to nothing";
	case -ELOOP:
		return "it is a symbolic link to itself";
	case -ENODATA:
		return "it is not a file";
	default:
		return "it cannot be read";
	}
}

/* Errors: those of open(2) and read(2), -ENODATA (a folder, device, pipe or socket), -ENOMEM. */
static int read_text(int folder, const char *name, struct buf *ret)
{
	/* Opening a pipe would wait for its writer. */
	CLEANUP(close_fd)
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ENXIO ? -ENODATA : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENODATA;

	/* One more than a key may have shows that it is too long. */
	r = buf_init(ret, JWK_TEXT_MAX + 1);
	return r < 0 ? r : buf_read(ret, fd);
}

static struct key *find_known(const struct keys *known, const uint8_t *digest)
{
	const struct keys_file *files;
	size_t n = 0;

	if (!known)
		return NULL;
	files = keys_files(known, &n);
	for (size_t i = 0; i < n; i++)
		if (memcmp(files[i].key->digest, digest, sizeof(files[i].key->digest)) == 0)
			return files[i].key;
	return NULL;
}

static int make_key(const struct reading *reading, struct ref text, struct key **ret,
		    const char **ret_why)
{
	uint8_t digest[HASH_SIZE_MAX];
	struct key *key = NULL;

	if (hash_digest("SHA256", &text, 1, digest) == 0)
		key = find_known(reading->known, digest);
	if (!key)
		return key_parse(text, ret, ret_why);

	*ret = key_ref(key);
	return 0;
}

static int add_file(struct reading *reading, const char *name, struct key *key)
{
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	reading->files[reading->n++] = (struct keys_file){
		.name = copy,
		.key = key_ref(key),
		.hidden = name[0] == '.',
	};
	return 0;
}

/* Errors: -ENOENT (there is no such name any more), -ENOMEM. */
static int read_file(struct reading *reading, int folder, const char *name)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(key_unrefp) struct key *key = NULL;
	const char *why = NULL;
	struct stat st;
	int r;

	r = read_text(folder, name, &text);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOENT && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return r;
	if (r < 0)
		return complain(reading, name, why_unread(r));

	r = make_key(reading, buf_ref(&text), &key, &why);
	if (r == -ENOMEM)
		return r;
	return r < 0 ? complain(reading, name, why) : add_file(reading, name, key);
}

/* What was moved away since it was listed is no fault; most likely it was rotated out. */
static int read_listed(struct reading *reading, int folder, const char *name)
{
	char hidden[NAME_MAX + 2];
	int r;

	r = read_file(reading, folder, name);
	if (r == -ENOENT && *name != '.') {
		(void)snprintf(hidden, sizeof(hidden), ".%s", name);
		r = read_file(reading, folder, hidden);
	}
	return r == -ENOENT ? 0 : r;
}

/* Arrays do not grow in place here, as everywhere: a larger one takes the old one's place. */
static int make_room(struct names *names)
{
	size_t room = names->room ? 2 * names->room : 16;
	char **list;

	if (names->n < names->room)
		return 0;

	list = calloc(room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	if (names->n > 0)
		memcpy(list, names->list, names->n * sizeof(*list));
	free(names->list);
	names->list = list;
	names->room = room;
	return 0;
}

static int add_name(struct names *names, const char *name)
{
	int r = make_room(names);

	if (r < 0)
		return r;
	names->list[names->n] = strdup(name);
	if (!names->list[names->n])
		return -ENOMEM;
	names->n++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	bool x_hidden = *x == '.', y_hidden = *y == '.';

	return x_hidden != y_hidden ? x_hidden - y_hidden : strcmp(x, y);
}

/*
 * All names before the first file, and those not hidden first: in a folder of many keys that is being
 * rotated, what is advertised would be hidden before its turn came.
 */
static int list_names(DIR *dir, struct names *ret)
{
	const struct dirent *entry;
	int r;

	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		r = folder_is_key(entry->d_name) ? add_name(ret, entry->d_name) : 0;
		if (r < 0)
			return r;
	}
	if (errno != 0)
		return -errno;
	if (ret->n > 0)
		qsort(ret->list, ret->n, sizeof(*ret->list), compare_names);
	return 0;
}

int folder_read(const char *path, const struct keys *known, struct complaints *complaints,
		const struct log *log, struct keys_file **ret, size_t *ret_n)
{
	CLEANUP(closedirp) DIR *dir = opendir(path);
	CLEANUP(names_done) struct names names = {0};
	CLEANUP(reading_done)
	struct reading reading = {.path = path, .known = known, .before = complaints, .log = log};
	int r;

	if (!dir)
		return -errno;

	r = list_names(dir, &names);
	if (r < 0)
		return r;
	reading.files = calloc(names.n + 1, sizeof(*reading.files));
	reading.complaints.list = calloc(names.n + 1, sizeof(*reading.complaints.list));
	if (!reading.files || !reading.complaints.list)
		return -ENOMEM;
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = read_listed(&reading, dirfd(dir), names.list[i]);
	if (r < 0)
		return r;

	reading.complaints.patient = complaints->patient;
	complaints_done(complaints);
	*complaints = TAKE_STRUCT(reading.complaints);
	*ret = TAKE_PTR(reading.files);
	*ret_n = TAKE_VALUE(reading.n, 0);
	return 0;
}
