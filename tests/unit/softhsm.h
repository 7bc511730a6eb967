/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens of SoftHSM in a folder of a unit test's own, which our code then uses by module-path. */
#pragma once

#include "crypto/util.h"
#include "pkcs11/pkcs11.h"
#include "tests/unit/lines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOFTHSM_PIN "1234"

struct softhsm {
	char dir[32];
	char module[96];
};

static struct softhsm *softhsm_started; /* what a group's end stops */

static inline int softhsm_run(const char *command)
{
	char line[1024];

	(void)snprintf(line, sizeof(line), "%s >/dev/null 2>&1", command);
	return system(line);
}

/* A new token; its PIN is SOFTHSM_PIN. */
static inline void softhsm_token(const char *label)
{
	char command[256];

	(void)snprintf(command, sizeof(command),
		       "softhsm2-util --init-token --free --label '%s' --pin " SOFTHSM_PIN
		       " --so-pin 12345678",
		       label);
	expect(command, softhsm_run(command), 0);
}

/* A new key pair on it: "rsa:2048", "EC:prime256v1"; id in hexadecimal. */
static inline void softhsm_key(const struct softhsm *hsm, const char *token, const char *type,
			       const char *id, const char *label)
{
	char command[512];

	(void)snprintf(command, sizeof(command),
		       "pkcs11-tool --module %s --token-label '%s' --login --pin " SOFTHSM_PIN
		       " --keypairgen --key-type %s --id %s --label '%s' %s",
		       hsm->module, token, type, id, label,
		       type[0] == 'E' ? "--usage-derive" : "--usage-decrypt");
	expect(command, softhsm_run(command), 0);
}

/* Before cmocka says how many tests there are: where there is no SoftHSM, all are skipped. */
static inline void softhsm_start(struct softhsm *hsm)
{
	static const char *const modules[] = {
		"/usr/lib/softhsm/libsofthsm2.so",
		"/usr/lib64/pkcs11/libsofthsm2.so",
	};
	char path[64];
	int fd;

	hsm->module[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		if (access(modules[i], R_OK) == 0)
			(void)snprintf(hsm->module, sizeof(hsm->module), "%s", modules[i]);
	if (!hsm->module[0] || softhsm_run("softhsm2-util --version") != 0 ||
	    softhsm_run("command -v pkcs11-tool") != 0) {
		(void)printf("1..0 # SKIP SoftHSM or pkcs11-tool is missing\n");
		exit(0);
	}
	(void)snprintf(hsm->dir, sizeof(hsm->dir), "/tmp/cotter-softhsm-XXXXXX");
	assert_non_null(mkdtemp(hsm->dir));
	(void)snprintf(path, sizeof(path), "%s/conf", hsm->dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_true(dprintf(fd, "directories.tokendir = %s\nlog.level = ERROR\n", hsm->dir) > 0);
	(void)close(fd);
	assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
	softhsm_started = hsm;
}

static inline void softhsm_stop(struct softhsm *hsm)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -r %s", hsm->dir);
	assert_int_equal(softhsm_run(command), 0);
	*hsm = (struct softhsm){0};
}

/* For cmocka: what softhsm_start() made goes with the group of tests. */
static inline int softhsm_group_end(void **state)
{
	(void)state;
	softhsm_stop(softhsm_started);
	return 0;
}

/* A URI of this module. */
static inline const char *softhsm_uri(const struct softhsm *hsm, const char *path,
				      const char *query)
{
	static char texts[2][512];
	static unsigned next;
	char *text = texts[next++ % 2];

	(void)snprintf(text, sizeof(texts[0]), "pkcs11:%s?module-path=%s%s", path, hsm->module,
		       query);
	return text;
}
