/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A PKCS #11 module for tests: SoftHSM, and what that cannot do. The file that COTTER_TEST_CARD names has words,
 * which may change while a program runs:
 *
 *	final-try, locked, pad			what each token says of its PIN
 *	oaep256					it decrypts OAEP with SHA-256 as well
 *	gone					no slot has a token
 *	slow					a reader needs a second to be found
 *
 * Each login adds a line to the file that COTTER_TEST_CARD_LOGINS names: "pin" or "pad".
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <p11-kit/pkcs11.h>

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

static CK_FUNCTION_LIST own;
static CK_FUNCTION_LIST *real;
static bool unpads; /* the decryption that began is of OAEP with SHA-256 */
static struct timespec began;

static bool says(const char *word)
{
	const char *path = getenv("COTTER_TEST_CARD");
	FILE *file = path ? fopen(path, "re") : NULL;
	bool found = false;
	char line[64];

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		found = found || strcmp(line, word) == 0;
	}
	if (file)
		(void)fclose(file);
	return found;
}

static bool is_there(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (began.tv_sec == 0)
		began = now;
	return !says("gone") && (!says("slow") || now.tv_sec > began.tv_sec + 1);
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR n)
{
	if (is_there())
		return real->C_GetSlotList(present, slots, n);
	*n = 0;
	return CKR_OK;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
	CK_RV rv = real->C_GetTokenInfo(slot, info);

	if (rv != CKR_OK)
		return rv;
	if (says("final-try"))
		info->flags |= CKF_USER_PIN_FINAL_TRY;
	if (says("locked"))
		info->flags |= CKF_USER_PIN_LOCKED;
	if (says("pad"))
		info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
	return CKR_OK;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG n)
{
	static CK_UTF8CHAR typed[] = "7391";
	const char *path = getenv("COTTER_TEST_CARD_LOGINS");
	FILE *file = path ? fopen(path, "ae") : NULL;

	if (file) {
		(void)fprintf(file, "%s\n", pin ? "pin" : "pad");
		(void)fclose(file);
	}
	return pin ? real->C_Login(session, user, pin, n)
		   : real->C_Login(session, user, typed, sizeof(typed) - 1);
}

static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
			  CK_OBJECT_HANDLE key)
{
	CK_MECHANISM raw = {CKM_RSA_X_509, NULL, 0};
	const CK_RSA_PKCS_OAEP_PARAMS *oaep = mechanism->pParameter;

	unpads = mechanism->mechanism == CKM_RSA_PKCS_OAEP && oaep->hashAlg == CKM_SHA256 &&
		 oaep->mgf == CKG_MGF1_SHA256 && says("oaep256");
	return real->C_DecryptInit(session, unpads ? &raw : mechanism, key);
}

static CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE_PTR text, CK_ULONG n, CK_BYTE_PTR out,
		     CK_ULONG_PTR out_n)
{
	uint8_t padded[1024];
	CK_ULONG padded_n = sizeof(padded);
	CK_RV rv;
	int len;

	if (!unpads)
		return real->C_Decrypt(session, text, n, out, out_n);
	rv = real->C_Decrypt(session, text, n, padded, &padded_n);
	if (rv != CKR_OK)
		return rv;
	len = RSA_padding_check_PKCS1_OAEP_mgf1(out, (int)*out_n, padded, (int)padded_n,
						(int)padded_n, NULL, 0, EVP_sha256(), EVP_sha256());
	if (len < 0)
		return CKR_ENCRYPTED_DATA_INVALID;
	*out_n = (CK_ULONG)len;
	return CKR_OK;
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ret)
{
	void *library = dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL);
	void *symbol = library ? dlsym(library, "C_GetFunctionList") : NULL;
	CK_C_GetFunctionList get;

	memcpy(&get, &symbol, sizeof(symbol));
	if (!get || get(&real) != CKR_OK)
		return CKR_GENERAL_ERROR;
	own = *real;
	own.C_GetFunctionList = C_GetFunctionList;
	own.C_GetSlotList = get_slot_list;
	own.C_GetTokenInfo = get_token_info;
	own.C_Login = login;
	own.C_DecryptInit = decrypt_init;
	own.C_Decrypt = decrypt;
	*ret = &own;
	return CKR_OK;
}
