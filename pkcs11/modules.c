/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads modules and looks into their slots. */
#include "pkcs11/modules.h"

#include "pkcs11/pkcs11.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { SLOTS_MAX = 64 };

char *pkcs11_settle_path(const char *path)
{
	char *real = realpath(path, NULL), *left = real ? strdup(real) : NULL;
	bool ours = left != NULL;
	struct stat st;

	while (ours && left[0]) {
		ours = stat(left, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
		       /* in a sticky folder others cannot replace what is ours */
		       ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
			(S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX));
		*strrchr(left, '/') = '\0';
	}
	free(left);
	if (!ours) {
		free(real);
		real = NULL;
	}
	return real;
}

static int load_one(const char *path, const struct log *log, struct modules *modules)
{
	const struct libp11 *lib = &modules->lib;
	char *real CLEANUP(free_text) = NULL;
	CK_RV rv;

	if (access(path, F_OK) != 0)
		return log_err(log, -ENODEV, "pkcs11: the module %s is not there", path);
	real = pkcs11_settle_path(path);
	if (!real)
		return log_err(log, -EKEYREJECTED,
			       "pkcs11: the module %s, or a folder above it, can be written to by "
			       "others than root",
			       path);
	modules->one = lib->p11_kit_module_load(real, 0);
	if (!modules->one)
		return log_err(log, -ENODEV, "pkcs11: %s is no PKCS #11 module that can be loaded",
			       path);
	rv = lib->p11_kit_module_initialize(modules->one);
	if (rv == CKR_OK)
		return 0;
	lib->p11_kit_module_release(modules->one);
	modules->one = NULL;
	return log_err(log, -ENODEV, "pkcs11: the module %s does not start: %s", path,
		       lib->p11_kit_strerror(rv));
}

int modules_open(const struct uri *uri, const struct log *log, struct modules *ret)
{
	struct modules modules = {0};
	int r;

	r = libp11_open(log, &modules.lib);
	if (r < 0)
		return r;
	if (uri->module_path[0]) {
		r = load_one(uri->module_path, log, &modules);
	} else {
		modules.all = modules.lib.p11_kit_modules_load_and_initialize(0);
		if (!modules.all)
			r = log_err(log, -ENODEV, "pkcs11: no PKCS #11 module can be used");
	}
	if (r < 0) {
		modules_close(&modules);
		return r;
	}
	*ret = modules;
	return 0;
}

void modules_close(struct modules *modules)
{
	if (modules->all)
		modules->lib.p11_kit_modules_finalize_and_release(modules->all);
	if (modules->one) {
		(void)modules->lib.p11_kit_module_finalize(modules->one);
		modules->lib.p11_kit_module_release(modules->one);
	}
	libp11_close(&modules->lib);
	*modules = (struct modules){0};
}

void place_text(const CK_UTF8CHAR *field, size_t size, char *ret)
{
	while (size > 0 && (field[size - 1] == ' ' || field[size - 1] == '\0'))
		size--;
	memcpy(ret, field, size);
	ret[size] = '\0';
}

void place_name(const struct place *place, char ret[PLACE_NAME_MAX])
{
	const CK_TOKEN_INFO *info = &place->info;
	char label[URI_LABEL_MAX], serial[URI_SERIAL_MAX];

	place_text(info->label, sizeof(info->label), label);
	place_text(info->serialNumber, sizeof(info->serialNumber), serial);
	(void)snprintf(ret, PLACE_NAME_MAX, "\"%s\" (serial number %s)", label, serial);
}

static bool field_is(const CK_UTF8CHAR *field, size_t size, const char *wanted)
{
	char text[URI_LABEL_MAX];

	if (!wanted[0])
		return true;
	place_text(field, size, text);
	return strcmp(text, wanted) == 0;
}

static bool place_matches(const struct place *place, const struct uri *uri)
{
	const CK_TOKEN_INFO *info = &place->info;

	return info->flags & CKF_TOKEN_INITIALIZED &&
	       (uri_names_token(uri) || uri->module_path[0] || info->flags & CKF_LOGIN_REQUIRED) &&
	       field_is(info->label, sizeof(info->label), uri->token) &&
	       field_is(info->manufacturerID, sizeof(info->manufacturerID), uri->manufacturer) &&
	       field_is(info->serialNumber, sizeof(info->serialNumber), uri->serial) &&
	       field_is(info->model, sizeof(info->model), uri->model);
}

/* Adds those of one module that match, whatever their slots are. */
static size_t find_in(CK_FUNCTION_LIST *module, const struct uri *uri, struct place *ret, size_t n)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG n_slots = SLOTS_MAX;

	/* Only without a place for the list does a module look for new readers (PKCS #11, C_GetSlotList). */
	if (module->C_GetSlotList(CK_TRUE, NULL, &n_slots) != CKR_OK)
		return n;
	n_slots = SLOTS_MAX;
	if (module->C_GetSlotList(CK_TRUE, slots, &n_slots) != CKR_OK)
		return n;
	for (size_t i = 0; i < n_slots && n < PLACES_MAX; i++) {
		struct place place = {.module = module, .slot = slots[i], .index = i};

		if (module->C_GetTokenInfo(slots[i], &place.info) == CKR_OK &&
		    place_matches(&place, uri))
			ret[n++] = place;
	}
	return n;
}

/* Leaves those in the slot that is meant. */
static size_t keep_slot(struct place *places, size_t n, unsigned long slot)
{
	bool by_id = false;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		by_id = by_id || places[i].slot == slot;
	for (size_t i = 0; i < n; i++)
		if (by_id ? places[i].slot == slot : places[i].index == slot)
			places[kept++] = places[i];
	return kept;
}

size_t modules_find(const struct modules *modules, const struct uri *uri,
		    struct place ret[PLACES_MAX])
{
	size_t n = 0;

	if (modules->one)
		n = find_in(modules->one, uri, ret, n);
	for (size_t i = 0; modules->all && modules->all[i]; i++)
		n = find_in(modules->all[i], uri, ret, n);
	return uri->has_slot ? keep_slot(ret, n, uri->slot) : n;
}
