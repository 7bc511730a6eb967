/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pkcs11 pin: a key that a smart card or HSM decrypts or agrees on. */
#include "pkcs11/pkcs11.h"

#include "pkcs11/card-seal.h"
#include "pkcs11/recover.h"

#include <errno.h>
#include <stdio.h>

enum { CARD_WAIT_US = 3 * USEC_PER_SEC, LOOK_AGAIN_US = 250 * USEC_PER_MSEC };

/* From one step to the next: modules take long to load. */
struct state {
	struct modules modules;
	bool open;
	uint64_t until_us;
};

static int pkcs11_check(const struct pin *const *all, const json_t *hdr, const struct log *log)
{
	CLEANUP(card_header_done) struct card_header header = {0};

	(void)all;
	return card_header_read(hdr, log, &header);
}

/* -EINPROGRESS while a token may still be put in, or its reader found. */
static int open_or_wait(struct cot *cot, struct job *job, const struct card_header *header,
			struct card *ret)
{
	struct state *state = job->state;
	uint64_t now = now_us();
	int r = 0;

	if (!state->open) {
		r = modules_open(&header->uri, &job->log, &state->modules);
		if (r < 0)
			return r;
		state->open = true;
		state->until_us = now + CARD_WAIT_US;
	}
	r = card_open(&state->modules, &header->uri, &job->log, ret);
	if (r != -EAGAIN)
		return r;
	if (now >= state->until_us || now >= cot->deadline_us)
		return card_absent(&header->uri, &job->log);
	cot_wake_at(cot, now + LOOK_AGAIN_US);
	return log_dbg(&job->log, -EINPROGRESS, "pkcs11: the token is not here yet");
}

static int pkcs11_decrypt(struct cot *cot, struct job *job, struct buf *ret_cek)
{
	CLEANUP(card_header_done) struct card_header header = {0};
	CLEANUP(card_close) struct card card = {0};
	int r;

	r = card_header_read(job->jwe->hdr, &job->log, &header);
	if (r < 0)
		return r;
	if (!uri_has_pin(&header.uri) && cot->user_pin.p && cot->user_pin.n == 0)
		return log_err(&job->log, -EKEYREJECTED,
			       "pkcs11: the PIN was empty, and the token was not asked");
	r = open_or_wait(cot, job, &header, &card);
	return r < 0 ? r : recover(cot, &card, &header, job->jwe->hdr, ret_cek);
}

static int add(json_t *facts, const char *name, const char *value)
{
	if (!value[0])
		return 0;
	return json_object_set_new(facts, name, json_string(value)) == 0 ? 0 : -ENOMEM;
}

static int describe_key(const struct card_header *header, json_t *facts)
{
	const struct uri *uri = &header->uri;
	char id[2 * URI_ID_MAX + 1] = "";
	char name[32];
	int r;

	for (size_t i = 0; i < uri->id_len; i++)
		(void)snprintf(id + 2 * i, 3, "%02x", uri->id[i]);
	(void)snprintf(name, sizeof(name), "%s%s", card_header_name(header),
		       header->padding == RSA_PADDING_OAEP_SHA1 ? " (sha1)" : "");
	r = add(facts, "key_id", id);
	if (r == 0)
		r = add(facts, "key_label", uri->object);
	return r < 0 ? r : add(facts, "mechanism", name);
}

static int pkcs11_describe(const struct pin *const *all, const json_t *hdr, json_t *facts)
{
	CLEANUP(card_header_done) struct card_header header = {0};
	const struct uri *uri = &header.uri;
	int r;

	(void)all;
	r = card_header_read(hdr, NULL, &header);
	if (r == 0)
		r = add(facts, "token", uri->token);
	if (r == 0)
		r = add(facts, "serial", uri->serial);
	if (r == 0)
		r = add(facts, "module", uri->module_path);
	if (r == 0)
		r = describe_key(&header, facts);
	if (r == 0)
		r = add(facts, "pin", uri_has_pin(uri) ? "no" : "yes");
	if (r == 0)
		r = add(facts, "pin_source", uri->pin_value.p ? "the token" : uri->pin_source);
	if (r < 0)
		return r;
	return add(facts, "clevis_reads_it",
		   !header.agrees && header.padding != RSA_PADDING_OAEP_SHA1 ? "yes" : "no");
}

static bool pkcs11_wants_pin(const struct pin *const *all, const json_t *hdr)
{
	const char *text = js_str(json_object_get(json_object_get(hdr, "clevis"), "pkcs11"), "uri");
	CLEANUP(uri_done) struct uri uri = {0};

	(void)all;
	return text && uri_read(text, NULL, &uri) == 0 && !uri_has_pin(&uri);
}

static void pkcs11_release(struct job *job)
{
	struct state *state = job->state;

	modules_close(&state->modules);
	state->open = false;
}

const struct pin pin_pkcs11 = {
	.name = "pkcs11",
	.flags = PIN_LOCAL | PIN_USER_PIN,
	.state_size = sizeof(struct state),
	.check = pkcs11_check,
	.encrypt = card_seal,
	.decrypt = pkcs11_decrypt,
	.describe = pkcs11_describe,
	.wants_pin = pkcs11_wants_pin,
	.release = pkcs11_release,
};
