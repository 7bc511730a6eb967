/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A LUKS2 volume in a temporary file, made and opened by the real libcryptsetup, unprivileged. */
#pragma once

#include "token/handler.h"

#include "tests/unit/lines.h"

#include <endian.h>
#include <fcntl.h>
#include <unistd.h>

#include <libcryptsetup.h>
#include <openssl/evp.h>

enum { VOLUME_SIZE = 20 * 1024 * 1024, VOLUME_KEY_SIZE = 64 };

struct volume {
	char path[32];
	struct crypt_device *cd;

	/* what libcryptsetup and the handler wrote */
	char errors[4096], normal[8192];
	size_t n_errors, n_token_debug;
};

static inline void volume_log(int level, const char *line, void *arg)
{
	struct volume *v = arg;
	size_t used = strlen(v->normal);

	if (level == CRYPT_LOG_ERROR) {
		lines_keep(v->errors, sizeof(v->errors), line);
		v->n_errors++;
	}
	if (level == CRYPT_LOG_NORMAL)
		(void)snprintf(v->normal + used, sizeof(v->normal) - used, "%s", line);
	if (level == CRYPT_LOG_DEBUG && strstr(line, "cotter-"))
		v->n_token_debug++;
}

static inline void volume_forget_lines(struct volume *v)
{
	v->errors[0] = v->normal[0] = '\0';
	v->n_errors = v->n_token_debug = 0;
}

/* Opens the header anew, as another process would. Returns what crypt_load() does. */
static inline int volume_load(struct volume *v)
{
	crypt_free(v->cd);
	v->cd = NULL;
	assert_int_equal(crypt_init(&v->cd, v->path), 0);
	crypt_set_log_callback(v->cd, volume_log, v);
	return crypt_load(v->cd, CRYPT_LUKS2, NULL);
}

/* Of a struct that stays in place; `secret` opens keyslot number `slot`. */
static inline void volume_make(struct volume *v, int slot, const char *secret)
{
	static const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = 1000,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = {.pbkdf = &pbkdf, .sector_size = 512};
	int fd;

	*v = (struct volume){.path = "/tmp/cotter-volume-XXXXXX"};
	fd = mkstemp(v->path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, VOLUME_SIZE), 0);
	close(fd);
	assert_int_equal(crypt_init(&v->cd, v->path), 0);
	crypt_set_log_callback(v->cd, volume_log, v);
	assert_int_equal(crypt_format(v->cd, CRYPT_LUKS2, "aes", "xts-plain64", NULL, NULL,
				      VOLUME_KEY_SIZE, &params),
			 0);
	assert_int_equal(
		crypt_keyslot_add_by_volume_key(v->cd, slot, NULL, 0, secret, strlen(secret)),
		slot);
	volume_forget_lines(v);
}

static inline void volume_done(struct volume *v)
{
	crypt_free(v->cd);
	(void)unlink(v->path);
	*v = (struct volume){0};
}

/* Takes the token's text over; the header has it under number `id`. */
static inline void volume_add_token(struct volume *v, int id, char *text)
{
	assert_int_equal(crypt_token_json_set(v->cd, id, text), id);
	free(text);
	volume_forget_lines(v);
}

/* The LUKS2 binary header, as far as it is needed here. */
enum {
	LUKS2_SIZE_AT = 8,
	LUKS2_CHECKSUM_AT = 448,
	LUKS2_CHECKSUM_MAX = 64,
	LUKS2_JSON_AT = 4096,
};

/*
 * Does what only an attacker would: in both copies of the header, behind the JSON member `section`,
 * writes `to` in place of the first `from`, and corrects the checksum.
 */
static inline void volume_forge(struct volume *v, const char *section, const char *from,
				const char *to)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	int fd = open(v->path, O_RDWR | O_CLOEXEC);
	uint64_t stored;
	size_t size, len;

	assert_int_equal(pread(fd, &stored, sizeof(stored), LUKS2_SIZE_AT), sizeof(stored));
	size = (size_t)be64toh(stored);
	for (uint64_t at = 0; at <= size; at += size) {
		uint8_t *copy = calloc(1, size + 1);
		char *found;

		assert_non_null(copy);
		assert_int_equal(pread(fd, copy, size, (off_t)at), size);
		found = strstr((char *)copy + LUKS2_JSON_AT, section);
		assert_non_null(found);
		found = strstr(found, from);
		assert_non_null(found);
		memmove(found + strlen(to), found + strlen(from), strlen(found + strlen(from)) + 1);
		memcpy(found, to, strlen(to));

		memset(copy + LUKS2_CHECKSUM_AT, 0, LUKS2_CHECKSUM_MAX);
		assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, copy, size, digest, &len), 1);
		memcpy(copy + LUKS2_CHECKSUM_AT, digest, len);
		assert_int_equal(pwrite(fd, copy, size, (off_t)at), size);
		free(copy);
	}
	close(fd);
}
