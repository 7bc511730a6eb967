/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done for a TPM and with one, while memory runs out, in our code, OpenSSL, jansson or tpm2-tss. */
#include "tests/unit/scarce.h"
#include "tests/unit/swtpm.h"
#include "tpm/auth.h"
#include "tpm/config.h"
#include "tpm/seal.h"
#include "tpm/signature.h"
#include "tpm/unseal.h"

#include <dlfcn.h>

#define POLICY "4141414141414141414141414141414141414141414141414141414141414141"

static struct swtpm tpm;
static json_t *full_header, *plain_config;
static struct sealed *full, *held; /* of another TPM; of this one */
static char signatures[] = "/tmp/test-scarce-tpm.XXXXXX";

FOR_BUF(try_pcr_write, pcr_write(&full->pcrs, &ret))
FOR_JSON(try_tpm2_config,
	 tpm2_config(full_header, &(struct tpm2_again){.reseal = true}, &quiet, &ret))
FOR_JSON(try_tpm2_devices, tpm2_devices(&ret))

static int try_auth(void)
{
	TPM2B_AUTH auth = {0};
	int r = auth_from_pin(ref_str("1234"), full->salt, &auth);

	assert_true(r == 0 || auth.size == 0);
	return r;
}

static int try_config_read(void)
{
	CLEANUP(config_done) struct config config = {0};
	int r = config_read(plain_config, &quiet, &config);

	assert_true(r == 0 || !config.sealed);
	return r;
}

static int try_key_name(void)
{
	TPM2B_NAME name = {0};
	int r = policy_key_name(&full->pubkey, &name);

	assert_true(r == 0 || name.size == 0);
	return r;
}

static int try_seal_digest(void)
{
	TPM2B_DIGEST digest = {0};
	int r = seal_digest(full, &digest);

	assert_true(r == 0 || digest.size == 0);
	return r;
}

static int try_sealed_read(void)
{
	CLEANUP(sealed_freep) struct sealed *sealed = NULL;
	int r = sealed_read(full_header, &quiet, &sealed);

	assert_true(r == 0 || !sealed);
	return r;
}

static int try_sealed_write(void)
{
	CLEANUP_JSON json_t *hdr = json_object();

	if (!hdr || json_object_set_new(hdr, "clevis", json_object()) != 0)
		return -ENOMEM;
	return sealed_write(full, hdr);
}

static int try_signature_find(void)
{
	TPM2B_DIGEST policy = {.size = 32};
	TPMT_SIGNATURE signature = {0};
	int r;

	memset(policy.buffer, 0x41, policy.size);
	r = signature_find(full, &policy, &quiet, &signature);
	assert_true(r == 0 || signature.sigAlg == 0);
	return r;
}

static int try_tss_open(void)
{
	CLEANUP(tss_closep) struct tss *opened = NULL;
	int r = tss_open(NULL, &quiet, &opened);

	assert_true(r == 0 || !opened);
	return r;
}

/* After which a conversation with the TPM is over. */
static int try_unseal(void)
{
	CLEANUP(tss_closep) struct tss *tss = NULL;
	CLEANUP(buf_done) struct buf secret = {0};
	int r;

	unlimited = true;
	assert_int_equal(tss_open_now(NULL, &quiet, &tss), 0);
	unlimited = false;
	r = unseal(tss, held, ref_str("1234"), &secret);
	assert_true(r == 0 || !secret.p);
	return r;
}

static const struct scarce functions[] = {
	{"auth_from_pin", try_auth, false, false},
	{"config_read", try_config_read, true, true},
	{"pcr_write", try_pcr_write, false, false},
	{"policy_key_name", try_key_name, false, false},
	{"seal_digest policy_authorize policy_pcr policy_auth_value", try_seal_digest, false,
	 false},
	{"sealed_read", try_sealed_read, false, true},
	{"sealed_write", try_sealed_write, false, false},
	{"signature_find", try_signature_find, false, true},
	{"tpm2_config", try_tpm2_config, false, true},
	{"tpm2_devices", try_tpm2_devices, false, false},
	{"tss_open", try_tss_open, false, true},
	{"unseal", try_unseal, false, true},
};

#ifndef __SANITIZE_ADDRESS__
/* tpm2-tss has many words for it, and dlopen() those for a library that is not there. */
static bool is_refusal(int r)
{
	return r == -EBADMSG || r == -EKEYREJECTED || r == -ENODEV || r == -EOPNOTSUPP ||
	       r == -EIO || r == -EPROTO;
}

/* A TPM is asked often, and slow. */
static void test_without_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		assert_without_memory(&functions[i], 100, is_refusal);
}
#endif

static void test_without_randomness(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (functions[i].randomness)
			assert_without_randomness(&functions[i]);
}

/* Of the policy key, for PCR 11 as no machine has it. */
static void write_signatures(void)
{
	int fd = mkstemp(signatures);

	assert_true(fd >= 0);
	assert_true(dprintf(fd,
			    "{\"sha256\":[{\"pcrs\":[11],\"pkfp\":\"%s\",\"pol\":\"%s\","
			    "\"sig\":\"+/8=\"}]}",
			    RSA_FINGERPRINT, POLICY) > 0);
	assert_int_equal(close(fd), 0);
}

static int set_up(void **state)
{
	CLEANUP_JSON json_t *config = json_of("{\"pin\":true,\"pcrs\":\"7\"}");
	CLEANUP(jwe_done) struct jwe jwe = {0};

	(void)state;
	/* What dlopen() has no memory for, glibc may never load again. */
	assert_non_null(dlopen("libtss2-tcti-swtpm.so.0", RTLD_NOW | RTLD_NODELETE));
	full_header = json_of(FULL_HEADER);
	assert_int_equal(sealed_read(full_header, NULL, &full), 0);
	write_signatures();
	(void)snprintf(full->signature, sizeof(full->signature), "%s", signatures);
	plain_config = json_of("{\"pin\":true,\"pcrs\":\"7+11:sha384\",\"pubkey\":\"\"}");
	assert_int_equal(json_object_set_new(plain_config, "pubkey", json_string(RSA_PEM)), 0);

	swtpm_seal("held", config, &jwe);
	assert_int_equal(sealed_read(jwe.hdr, NULL, &held), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sealed_free(held);
	sealed_free(full);
	json_decref(plain_config);
	json_decref(full_header);
	(void)unlink(signatures);
	swtpm_stop(&tpm);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#ifndef __SANITIZE_ADDRESS__ /* which has an allocator of its own */
		cmocka_unit_test(test_without_memory),
#endif
		cmocka_unit_test(test_without_randomness),
	};

	swtpm_start(&tpm);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
