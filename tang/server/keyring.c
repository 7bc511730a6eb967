/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing a folder of keys. */
#include "tang/server/keyring.h"

#include "crypto/b64.h"
#include "crypto/ecmr-key.h"
#include "tang/server/put.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>

enum { TEXT_MAX = 512, NAMES_MAX = 100 };

DEFINE_CLEANUP(DIR *, closedir)

static int compare_files(const void *a, const void *b)
{
	const struct keys_file *x = a, *y = b;

	return x->hidden != y->hidden ? x->hidden - y->hidden : strcmp(x->name, y->name);
}

static bool is_leftover(const char *name)
{
	static const char suffix[] = ".jwk" PUT_SUFFIX;
	size_t n = strlen(name);

	return n > strlen(suffix) && strcmp(name + n - strlen(suffix), suffix) == 0;
}

/* Nobody else is writing one, as the folder is locked. */
static int remove_leftovers(const struct keyring *ring)
{
	CLEANUP(closedirp) DIR *dir = opendir(ring->path);
	const struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (is_leftover(entry->d_name) && unlinkat(ring->folder, entry->d_name, 0) < 0 &&
		    errno != ENOENT)
			return -errno;
	return 0;
}

static int lock(const struct keyring *ring)
{
	int r;

	do
		r = flock(ring->folder, LOCK_EX);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : remove_leftovers(ring);
}

int keyring_open(const char *path, enum keyring_access access, const struct log *log,
		 struct keyring *ret)
{
	CLEANUP(complaints_done) struct complaints complaints = {0};
	CLEANUP(keyring_done) struct keyring ring = {.path = path, .folder = -1};
	int r;

	ring.folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = ring.folder < 0 ? -errno : 0;
	if (r == 0 && access == KEYRING_CHANGE)
		r = lock(&ring);
	if (r == 0)
		r = folder_read(path, NULL, &complaints, log, &ring.files, &ring.n);
	if (r < 0)
		return log_err(log, r, "%s: %s.", path, strerror(-r));

	if (ring.n > 0)
		qsort(ring.files, ring.n, sizeof(*ring.files), compare_files);
	*ret = TAKE_VALUE(ring, ((struct keyring){.folder = -1}));
	return 0;
}

void keyring_done(struct keyring *ring)
{
	keys_files_free(ring->files, ring->n);
	close_fd(&ring->folder);
	*ring = (struct keyring){.folder = -1};
}

bool keyring_advertises(const struct keyring *ring, enum keyring_use use)
{
	for (size_t i = 0; i < ring->n && !ring->files[i].hidden; i++)
		if (use == KEYRING_SIGNING ? ring->files[i].key->signs
					   : ring->files[i].key->exchange != NULL)
			return true;
	return false;
}

static int append_member(struct buf *text, const char *before, struct ref bytes)
{
	int r;

	r = buf_append_str(text, before);
	return r < 0 ? r : b64_encode(bytes, text);
}

int keyring_text(const struct jwk *key, enum keyring_use use, struct buf *ret)
{
	const char *alg = use == KEYRING_SIGNING ? key->curve->jws_alg : "ECMR";
	const char *ops = use == KEYRING_SIGNING ? "\"sign\",\"verify\"" : "\"deriveKey\"";
	CLEANUP(buf_done) struct buf text = {0};
	size_t size = key->curve->size;
	const char *const public[] = {"{\"alg\":\"", alg, "\",\"crv\":\"", key->curve->name, "\""};
	int r;

	r = buf_init(&text, TEXT_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(public) && r == 0; i++)
		r = buf_append_str(&text, public[i]);
	if (r == 0)
		r = append_member(&text, ",\"d\":\"", (struct ref){key->d, size});
	if (r == 0)
		r = buf_append_str(&text, "\",\"key_ops\":[");
	if (r == 0)
		r = buf_append_str(&text, ops);
	if (r == 0)
		r = append_member(&text, "],\"kty\":\"EC\",\"x\":\"", (struct ref){key->x, size});
	if (r == 0)
		r = append_member(&text, "\",\"y\":\"", (struct ref){key->y, size});
	if (r == 0)
		r = buf_append_str(&text, "\"}\n");
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(text);
	return 0;
}

int keyring_add(const struct keyring *ring, const struct curve *curve, enum keyring_use use,
		char ret_name[JWK_THUMBPRINT_MAX + 1])
{
	CLEANUP(jwk_done) struct jwk key = {0};
	CLEANUP(buf_done) struct buf text = {0};
	char thumbprint[JWK_THUMBPRINT_MAX + 1], name[sizeof(thumbprint) + 8];
	struct stat owner;
	int r;

	if (fstat(ring->folder, &owner) < 0)
		return -errno;

	r = jwk_generate(curve, &key);
	if (r == 0)
		r = jwk_thumbprint(&key, "S256", thumbprint);
	if (r == 0)
		r = keyring_text(&key, use, &text);
	if (r < 0)
		return r;

	(void)snprintf(name, sizeof(name), "%s.jwk", thumbprint);
	r = put_file(ring->folder, name, buf_ref(&text), S_IRUSR | S_IRGRP, &owner);
	if (r < 0)
		return r;

	memcpy(ret_name, thumbprint, sizeof(thumbprint));
	return 0;
}

/* Not all file systems know how to refuse by themselves; the folder is locked against another run of ours. */
static int rename_to_new(int folder, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (fstatat(folder, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(folder, from, folder, to) < 0 ? -errno : 0;
}

int keyring_hide(const struct keyring *ring, const struct keys_file *file)
{
	char name[NAME_MAX + 1];
	int n, r = -EEXIST;

	n = snprintf(name, sizeof(name), ".%s", file->name);
	if (n > 0 && (size_t)n < sizeof(name))
		r = rename_to_new(ring->folder, file->name, name);
	for (int i = 1; i < NAMES_MAX && r == -EEXIST; i++) {
		(void)snprintf(name, sizeof(name), ".%s.%d.jwk", key_name(file->key), i);
		r = rename_to_new(ring->folder, file->name, name);
	}
	return r;
}

int keyring_remove(const struct keyring *ring, const struct keys_file *file)
{
	return unlinkat(ring->folder, file->name, 0) < 0 ? -errno : 0;
}

int keyring_sync(const struct keyring *ring)
{
	return fsync(ring->folder) < 0 ? -errno : 0;
}
