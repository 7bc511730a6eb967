/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cotter-pcr15: extends PCR 15, which is all zeros when the machine starts, so that no volume whose policy
 * wants it so can be opened after the initramfs.
 */
#include "crypto/process.h"
#include "tpm/tpm2.h"
#include "units/journal.h"

#include <errno.h>
#include <stdlib.h>

enum { WAIT_US = 10 * USEC_PER_SEC, PAUSE_US = 100 * USEC_PER_MSEC };

/* Whether there is none, rather than one that does not do what it should. */
static bool has_no_tpm(void)
{
	CLEANUP_JSON json_t *devices = NULL;

	return tpm2_devices(&devices) == 0 && json_array_size(devices) == 0;
}

/* A driver may come up only now: a policy may have been met by a passphrase before. */
static int measure(const struct log *log)
{
	uint64_t end_us = now_us() + WAIT_US;
	int r;

	while ((r = tpm2_measure(NULL, TPM2_PCR_EARLY, "cotter: end of the initramfs", log)) ==
	       -EAGAIN)
		if (now_us() > end_us || cot_poll(NULL, 0, now_us() + PAUSE_US) < 0)
			return log_err(log, -ENODEV, "the TPM is not ready");
	return r;
}

int main(void)
{
	const struct log log = journal_log();
	int r;

	if (process_begin() < 0)
		return EXIT_FAILURE;
	r = measure(&log);
	if (r == -ENODEV && has_no_tpm())
		return EXIT_SUCCESS; /* it opens nothing then, either */
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
