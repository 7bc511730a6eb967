/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A volume that is opened as cotter-enroll opens it, with tokens of the local pin. */
#pragma once

#include "enroll/luks.h"
#include "tests/unit/local.h"
#include "tests/unit/volume.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define PASSPHRASE "a person's passphrase"

const struct pin *const pins[] = {&pin_local, NULL};

static const struct crypt_pbkdf_type opened_pbkdf = {
	.type = CRYPT_KDF_PBKDF2,
	.hash = "sha256",
	.iterations = 1000,
	.flags = CRYPT_PBKDF_NO_BENCHMARK,
};

struct opened {
	struct volume volume;
	struct lines lines; /* what was logged */
	struct luks *luks;
};

/* As another process finds it. Keyslots that are added then are quickly made, as they are at first. */
static inline void opened_again(struct opened *o)
{
	o->luks = luks_free(o->luks);
	assert_int_equal(luks_open(o->volume.path, NULL, true, lines_begin(&o->lines), &o->luks),
			 0);
	assert_int_equal(crypt_set_pbkdf_type(o->luks->cd, &opened_pbkdf), 0);
}

/* Of a struct that stays in place; PASSPHRASE opens keyslot 0. */
static inline void opened_begin(struct opened *o)
{
	volume_make(&o->volume, 0, PASSPHRASE);
	crypt_free(o->volume.cd);
	o->volume.cd = NULL;
	o->luks = NULL;
	opened_again(o);
}

static inline void opened_end(struct opened *o)
{
	o->luks = luks_free(o->luks);
	volume_done(&o->volume);
}

static inline void opened_forget_lines(struct opened *o)
{
	(void)lines_begin(&o->lines);
}

static inline void add_keyslot(const struct luks *luks, int keyslot, const char *secret)
{
	assert_int_equal(crypt_keyslot_add_by_passphrase(luks->cd, keyslot, PASSPHRASE,
							 strlen(PASSPHRASE), secret,
							 strlen(secret)),
			 keyslot);
}

static inline void add_unbound_keyslot(const struct luks *luks, int keyslot, const char *secret)
{
	assert_int_equal(crypt_keyslot_add_by_key(luks->cd, keyslot, NULL, 32, secret,
						  strlen(secret), CRYPT_VOLUME_KEY_NO_SEGMENT),
			 keyslot);
}

static inline void add_token(const struct luks *luks, int id, const char *text)
{
	assert_int_equal(crypt_token_json_set(luks->cd, id, text), id);
}

/* This token, which is freed, for these keyslots, a bit each. */
static inline void add_local_text(const struct luks *luks, int id, char *text, uint32_t keyslots)
{
	CLEANUP_JSON json_t *json = json_of(text), *array = json_array();

	free(text);
	for (int i = 0; i < LUKS_KEYSLOTS; i++)
		if (keyslots & UINT32_C(1) << i)
			(void)json_array_append_new(array, json_sprintf("%d", i));
	assert_int_equal(json_object_set(json, "keyslots", array), 0);
	assert_int_equal(js_dump(json, &text), 0);
	add_token(luks, id, text);
	free(text);
}

/* A token of the local pin that hands out `secret`. */
static inline void add_local(const struct luks *luks, int id, const char *config, uint32_t keyslots,
			     const char *secret)
{
	add_local_text(luks, id, local_token(config, 0, secret), keyslots);
}

static inline void add_labelled(const struct luks *luks, int id, const char *label,
				uint32_t keyslots, const char *secret)
{
	add_local_text(luks, id, local_token_labelled("{}", 0, secret, label), keyslots);
}

/* A fingerprint of every byte of a file. */
struct print {
	uint8_t digest[EVP_MAX_MD_SIZE];
};

static inline struct print print_of(const char *path)
{
	struct print print = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;
	size_t len;

	assert_int_equal(fstat(fd, &st), 0);
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(bytes != MAP_FAILED);
	assert_int_equal(
		EVP_Q_digest(NULL, "SHA256", NULL, bytes, (size_t)st.st_size, print.digest, &len),
		1);
	(void)munmap(bytes, (size_t)st.st_size);
	(void)close(fd);
	return print;
}

static inline void assert_same_print(const struct print *a, const struct print *b)
{
	assert_memory_equal(a->digest, b->digest, sizeof(a->digest));
}
