/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds signatures of PCR policies. */
#include "tpm/signature.h"

#include "crypto/b64.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "tpm2-pcr-signature.json"

static const char *const places[] = {
	"/etc/systemd/" FILE_NAME,
	"/run/systemd/" FILE_NAME,
	"/usr/local/lib/systemd/" FILE_NAME,
	"/usr/lib/systemd/" FILE_NAME,
};

enum { HEX_MAX = 2 * PCR_DIGEST_MAX + 1 };

static void to_hex(const uint8_t *bytes, size_t n, char ret[HEX_MAX])
{
	ret[0] = '\0';
	for (size_t i = 0; i < n; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

/* What a signature must be about. */
struct wanted {
	const struct sealed *sealed;
	char policy[HEX_MAX];
	char key[HEX_MAX];
};

static int read_file(int fd, struct buf *ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	struct stat st;
	int r;

	/* The path may be anyone's writing; a pipe or a device would keep us. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADMSG;
	r = buf_init(&text, JS_TEXT_MAX + 1);
	if (r < 0)
		return r;
	if (buf_read(&text, fd) < 0)
		return -EBADMSG;
	*ret = TAKE_STRUCT(text);
	return 0;
}

static int load_file(const char *path, json_t **ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), r;

	if (fd < 0)
		return -ENOENT;
	r = read_file(fd, &text);
	(void)close(fd);
	return r < 0 ? r : js_load(buf_ref(&text), ret);
}

static bool same_pcrs(const json_t *pcrs, const struct pcr_set *set)
{
	struct pcr_set named;

	return json_is_array(pcrs) && pcr_parse_ids(pcrs, set->pcrs[0].bank, NULL, &named) == 0 &&
	       pcr_same(&named, set);
}

/* The usual base64, whose alphabet and padding are not those of JOSE. */
static int decode_signature(const char *text, TPM2B_PUBLIC_KEY_RSA *ret)
{
	CLEANUP(buf_done) struct buf url = {0};
	CLEANUP(buf_done) struct buf bytes = {0};
	int r;

	r = text ? buf_copy(&url, ref_str(text)) : -EBADMSG;
	for (size_t i = 0; i < url.n; i++)
		url.p[i] = url.p[i] == '+' ? '-' : url.p[i] == '/' ? '_' : url.p[i];
	while (url.n > 0 && url.p[url.n - 1] == '=')
		url.n--;
	if (r == 0)
		r = b64_decode(buf_ref(&url), &bytes);
	if (r == 0 && (bytes.n == 0 || bytes.n > sizeof(ret->buffer)))
		r = -EBADMSG;
	if (r < 0)
		return r;

	ret->size = (UINT16)bytes.n;
	memcpy(ret->buffer, bytes.p, bytes.n);
	return 0;
}

static bool says(const json_t *entry, const char *name, const char *value)
{
	const char *text = js_str(entry, name);

	return text && strcasecmp(text, value) == 0;
}

/* -ENOENT: the file has no such signature. */
static int search(const json_t *file, const struct wanted *wanted, TPMT_SIGNATURE *ret)
{
	const struct pcr_set *pcrs = &wanted->sealed->pubkey_pcrs;
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(file, pcrs->pcrs[0].bank->name), i, entry) {
		TPMT_SIGNATURE signature = {
			.sigAlg = TPM2_ALG_RSASSA,
			.signature.rsassa.hash = TPM2_ALG_SHA256,
		};

		if (!says(entry, "pol", wanted->policy) || !says(entry, "pkfp", wanted->key) ||
		    !same_pcrs(json_object_get(entry, "pcrs"), pcrs) ||
		    decode_signature(js_str(entry, "sig"), &signature.signature.rsassa.sig) < 0)
			continue;
		*ret = signature;
		return 0;
	}
	return -ENOENT;
}

static int search_file(const char *path, const struct wanted *wanted, const struct log *log,
		       TPMT_SIGNATURE *ret)
{
	CLEANUP_JSON json_t *file = NULL;
	int r;

	r = load_file(path, &file);
	if (r == -ENOENT || r == -ENOMEM)
		return r;
	if (r < 0)
		return log_dbg(log, -ENOENT, "tpm2: %.200s is not a file of signatures", path);
	r = search(file, wanted, ret);
	return log_dbg(log, r, "tpm2: %.200s has %s signature for now", path, r < 0 ? "no" : "a");
}

int signature_find(const struct sealed *sealed, const TPM2B_DIGEST *policy, const struct log *log,
		   TPMT_SIGNATURE *ret)
{
	struct wanted wanted = {.sealed = sealed};
	char pcrs[PCR_TEXT_MAX];
	int r;

	to_hex(sealed->pubkey.fingerprint, RSA_FINGERPRINT_SIZE, wanted.key);
	to_hex(policy->buffer, policy->size, wanted.policy);

	r = sealed->signature[0] ? search_file(sealed->signature, &wanted, log, ret) : -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(places) && r == -ENOENT; i++)
		r = search_file(places[i], &wanted, log, ret);
	if (r != -ENOENT)
		return r;

	pcr_format(&sealed->pubkey_pcrs, pcrs);
	return log_err(
		log, -EKEYREJECTED,
		"the policy key has signed nothing for the PCRs %s as they are now: there is "
		"no such signature in %s%s" FILE_NAME " in /etc/systemd, /run/systemd or "
		"/usr/lib/systemd",
		pcrs, sealed->signature, sealed->signature[0] ? ", nor in " : "");
}
