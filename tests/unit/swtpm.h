/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A software TPM of a unit test's own, which our code then uses. */
#pragma once

#include "crypto/util.h"
#include "tests/unit/vectors/tpm.h"
#include "tpm/tpm2.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct swtpm {
	char dir[32]; /* "" while there is none */
	pid_t pid;
};

static inline void swtpm_exec(const char *dir)
{
	char state[64], server[96], control[96];

	(void)snprintf(state, sizeof(state), "dir=%s", dir);
	(void)snprintf(server, sizeof(server), "type=unixio,path=%s/tpm", dir);
	(void)snprintf(control, sizeof(control), "type=unixio,path=%s/tpm.ctrl", dir);
	/* It tells of every connection that ends. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && freopen("/dev/null", "w", stderr))
		(void)execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server",
			     server, "--ctrl", control, "--flags", "not-need-init,startup-clear",
			     (char *)NULL);
	_exit(127);
}

static inline void swtpm_use(const struct swtpm *tpm)
{
	char tcti[64];

	(void)snprintf(tcti, sizeof(tcti), "swtpm:path=%s/tpm", tpm->dir);
	assert_int_equal(setenv("COTTER_TPM2_TCTI", tcti, 1), 0);
	assert_int_equal(setenv("TSS2_LOG", "all+none", 1), 0);
}

static inline bool swtpm_answers(void)
{
	const char *bank;

	return tpm2_best_bank(NULL, "7", NULL, &bank) == 0;
}

/* A new one, before cmocka says how many tests there are: where it does not start, all are skipped. */
static inline void swtpm_start(struct swtpm *tpm)
{
	(void)snprintf(tpm->dir, sizeof(tpm->dir), "/tmp/cotter-swtpm-XXXXXX");
	assert_non_null(mkdtemp(tpm->dir));
	tpm->pid = fork();
	assert_true(tpm->pid >= 0);
	if (tpm->pid == 0)
		swtpm_exec(tpm->dir);
	swtpm_use(tpm);
	while (!swtpm_answers()) {
		if (waitpid(tpm->pid, NULL, WNOHANG) != 0) {
			(void)rmdir(tpm->dir);
			(void)printf("1..0 # SKIP swtpm does not start\n");
			exit(0);
		}
		(void)usleep(10 * 1000);
	}
}

static inline void swtpm_stop(struct swtpm *tpm)
{
	char command[64];

	(void)kill(tpm->pid, SIGKILL);
	(void)waitpid(tpm->pid, NULL, 0);
	(void)snprintf(command, sizeof(command), "rm -r %s", tpm->dir);
	assert_int_equal(system(command), 0);
	*tpm = (struct swtpm){0};
}

/* A PCR, in all banks, is not what it was. */
static inline void swtpm_extend(unsigned pcr)
{
	assert_int_equal(tpm2_measure(NULL, pcr, "an event", NULL), 0);
}

static const struct pin *const swtpm_pins[] = {&pin_tpm2, NULL};

/* A secret sealed under this configuration, with the PIN 1234 where that wants one. */
static inline void swtpm_seal(const char *what, const json_t *config, struct jwe *ret)
{
	struct lines lines;
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = swtpm_pins,
		.log = lines_begin(&lines),
		.deadline_us = now_us() + 30 * USEC_PER_SEC,
		.user_pin = ref_str("1234"),
	};

	expect(what, pin_seal(&cot, "tpm2", config, ref_str("a secret"), ret), 0);
	assert_told(what, &lines, NULL);
}

/* What Clevis writes of it: neither the parent's Name nor the values. */
static inline void swtpm_make_clevis(json_t *hdr)
{
	change(hdr, "clevis.tpm2.name", NULL);
	if (json_object_get(json_object_get(json_object_get(hdr, "clevis"), "tpm2"), "pcr_values"))
		change(hdr, "clevis.tpm2.pcr_values", NULL);
}
