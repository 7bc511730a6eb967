/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot of a Tang server's keys. */
#include "tang/server/keys.h"

#include "crypto/ecmr-key.h"
#include "tang/server/advert.h"
#include "tang/server/request.h"

#include <errno.h>

struct name {
	const char *thumbprint;
	size_t file;
};

struct keys {
	unsigned refs;
	struct keys_file *files;
	size_t n;
	struct name *names; /* all thumbprints of all files, sorted */
	struct advert *advert;
};

static void file_done(struct keys_file *file)
{
	free(file->name);
	if (file->key)
		key_unref(file->key);
	*file = (struct keys_file){0};
}

void keys_files_free(struct keys_file *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		file_done(&files[i]);
	free(files);
}

static int compare_files(const void *a, const void *b)
{
	const struct keys_file *x = a, *y = b;

	return x->hidden != y->hidden ? x->hidden - y->hidden : strcmp(x->name, y->name);
}

static int compare_keys(const void *a, const void *b)
{
	const struct keys_file *x = a, *y = b;
	int order = strcmp(key_name(x->key), key_name(y->key));

	return order ? order : compare_files(a, b);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->thumbprint, ((const struct name *)b)->thumbprint);
}

/* Of two files with one key the first one counts. */
static void remove_twins(struct keys *keys)
{
	size_t n = 0;

	qsort(keys->files, keys->n, sizeof(*keys->files), compare_keys);
	for (size_t i = 0; i < keys->n; i++)
		if (n > 0 &&
		    strcmp(key_name(keys->files[n - 1].key), key_name(keys->files[i].key)) == 0)
			file_done(&keys->files[i]);
		else
			keys->files[n++] = keys->files[i];
	keys->n = n;
}

static void name_all(struct keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		for (size_t k = 0; k < KEY_N_THUMBPRINTS; k++)
			keys->names[i * KEY_N_THUMBPRINTS + k] =
				(struct name){keys->files[i].key->thumbprints[k], i};
	qsort(keys->names, keys->n * KEY_N_THUMBPRINTS, sizeof(*keys->names), compare_names);
}

int keys_new(struct keys_file *files, size_t n, struct keys **ret)
{
	CLEANUP(keys_unrefp) struct keys *keys = calloc(1, sizeof(*keys));
	int r;

	if (!keys) {
		keys_files_free(files, n);
		return -ENOMEM;
	}
	*keys = (struct keys){.refs = 1, .files = files, .n = n};

	if (n > 0) {
		remove_twins(keys);
		qsort(keys->files, keys->n, sizeof(*keys->files), compare_files);
	}
	keys->names = calloc(n * KEY_N_THUMBPRINTS + 1, sizeof(*keys->names));
	if (!keys->names)
		return -ENOMEM;
	name_all(keys);

	r = advert_new(keys->files, keys->n, &keys->advert);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(keys);
	return 0;
}

struct keys *keys_ref(struct keys *keys)
{
	(void)__atomic_fetch_add(&keys->refs, 1, __ATOMIC_RELAXED);
	return keys;
}

void keys_unref(struct keys *keys)
{
	if (__atomic_sub_fetch(&keys->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (keys->advert)
		advert_free(keys->advert);
	keys_files_free(keys->files, keys->n);
	free(keys->names);
	free(keys);
}

const struct keys_file *keys_files(const struct keys *keys, size_t *ret_n)
{
	*ret_n = keys->n;
	return keys->files;
}

struct key *keys_exchange_key(const struct keys *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		if (!keys->files[i].hidden && keys->files[i].key->exchange)
			return keys->files[i].key;
	return NULL;
}

bool keys_usable(const struct keys *keys)
{
	struct ref text;

	return keys_exchange_key(keys) && advert_default(keys->advert, &text) == 0;
}

static const struct name *find_name(const struct keys *keys, const char *thumbprint)
{
	struct name wanted = {.thumbprint = thumbprint};

	return bsearch(&wanted, keys->names, keys->n * KEY_N_THUMBPRINTS, sizeof(*keys->names),
		       compare_names);
}

struct key *keys_find(const struct keys *keys, const char *thumbprint)
{
	const struct name *name = find_name(keys, thumbprint);

	return name ? keys->files[name->file].key : NULL;
}

int keys_advertisement(struct keys *keys, const char *thumbprint, struct ref *ret)
{
	const struct name *name;

	if (!thumbprint)
		return advert_default(keys->advert, ret);

	name = find_name(keys, thumbprint);
	if (!name || !keys->files[name->file].key->signs)
		return keys->n > 0 ? -ENOENT : -ENOKEY;
	return advert_for(keys->advert, name->file, ret);
}

int keys_recover(const struct keys *keys, const char *thumbprint, struct ref request,
		 struct buf *ret, struct key **ret_key)
{
	struct jwk point, product = {0};
	struct key *key;
	int r;

	r = request_parse(request, &point);
	if (r < 0)
		return r;

	key = keys_find(keys, thumbprint);
	if (!key)
		return keys->n > 0 ? -ENOENT : -ENOKEY;
	if (!key->exchange)
		return -EKEYREJECTED;

	r = ecmr_key_mul(key->exchange, &point, &product);
	if (r == 0)
		r = request_reply(&product, ret);
	if (r < 0)
		return r;

	*ret_key = key;
	return 0;
}
