/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tpm2-tss, loaded when a TPM is wanted: most machines' volumes are unlocked without it. */
#pragma once

#include "crypto/log.h"

#include <tss2/tss2_esys.h>
#include <tss2/tss2_sys.h>
#include <tss2/tss2_tctildr.h>

/* The commands that are used: each is two functions, Esys_NAME_Async() and Esys_NAME_Finish(). */
#define LIBTSS_COMMANDS(M)  \
	M(Create)           \
	M(CreatePrimary)    \
	M(EvictControl)     \
	M(GetCapability)    \
	M(Load)             \
	M(LoadExternal)     \
	M(PCR_Event)        \
	M(PCR_Read)         \
	M(PolicyAuthValue)  \
	M(PolicyAuthorize)  \
	M(PolicyGetDigest)  \
	M(PolicyPCR)        \
	M(StartAuthSession) \
	M(TR_FromTPMPublic) \
	M(Unseal)           \
	M(VerifySignature)

/* Other functions, by library: libtss2-sys comes with libtss2-esys. */
#define LIBTSS_ESYS(M)               \
	M(Esys_Finalize)             \
	M(Esys_Free)                 \
	M(Esys_GetSysContext)        \
	M(Esys_Initialize)           \
	M(Esys_TRSess_SetAttributes) \
	M(Esys_TR_GetName)           \
	M(Esys_TR_SetAuth)           \
	M(Tss2_Sys_GetContextSize)

#define LIBTSS_TCTILDR(M)        \
	M(Tss2_TctiLdr_Finalize) \
	M(Tss2_TctiLdr_Initialize)

/* The loaded libraries; a zeroed struct is none. */
struct libtss {
	void *esys_library;
	void *tctildr_library;
#define LIBTSS_COMMAND_MEMBERS(name)                     \
	__typeof__(Esys_##name##_Async) *(name##_Async); \
	__typeof__(Esys_##name##_Finish) *(name##_Finish);
	LIBTSS_COMMANDS(LIBTSS_COMMAND_MEMBERS)
#undef LIBTSS_COMMAND_MEMBERS
#define LIBTSS_MEMBER(name) __typeof__(name) *(name);
	LIBTSS_ESYS(LIBTSS_MEMBER)
	LIBTSS_TCTILDR(LIBTSS_MEMBER)
#undef LIBTSS_MEMBER
};

/*
 * Loads the libraries. The cause of a failure goes to `log` at ERROR. Errors: -EOPNOTSUPP (not
 * installed, or too old).
 */
MUST int libtss_open(const struct log *log, struct libtss *ret);

/* Gives back what libtss_open() took; the libraries stay mapped. Takes zeroed structs too. */
void libtss_close(struct libtss *tss);

/* What a response code means, in the words of libtss2-rc where that is installed. */
void libtss_describe(TSS2_RC rc, char *ret, size_t size);
