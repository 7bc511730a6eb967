/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measures an event of ours. */
#include "tpm/tpm2.h"

#include "tpm/pcr.h"
#include "tpm/tss.h"

#include <errno.h>
#include <stdio.h>

int tpm2_measure(const char *tcti, unsigned pcr, const char *event, const struct log *log)
{
	CLEANUP(tss_closep) struct tss *tss = NULL;
	TPM2B_EVENT data = {.size = (UINT16)strlen(event)};
	TPML_DIGEST_VALUES *digests = NULL;
	TSS2_RC rc;
	int r;

	if (pcr >= PCR_COUNT || strlen(event) > sizeof(data.buffer))
		return log_err(log, -EINVAL, "this cannot be measured into PCR %u", pcr);
	memcpy(data.buffer, event, data.size);

	r = tss_open(tcti, log, &tss);
	if (r < 0)
		return r;
	rc = ESYS(tss, PCR_Event,
		  (tss->esys, ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
		   &data),
		  (tss->esys, &digests));
	if (rc != TSS2_RC_SUCCESS) {
		char what[64];

		(void)snprintf(what, sizeof(what), "PCR %u cannot be extended", pcr);
		return tss_fail(tss, rc, what);
	}
	tss->lib.Esys_Free(digests);
	return 0;
}
