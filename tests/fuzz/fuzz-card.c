/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Protected headers of pkcs11 JWEs, and the URIs of cards; the input is either. */
#include "pkcs11/header.h"

#include "pkcs11/pkcs11.h"
#include "tests/fuzz/fuzz.h"

static void check_same(const struct uri *a, const struct uri *b)
{
	CHECK(strcmp(a->token, b->token) == 0 && strcmp(a->manufacturer, b->manufacturer) == 0);
	CHECK(strcmp(a->serial, b->serial) == 0 && strcmp(a->model, b->model) == 0);
	CHECK(strcmp(a->object, b->object) == 0 && strcmp(a->type, b->type) == 0);
	CHECK(a->id_len == b->id_len && memcmp(a->id, b->id, a->id_len) == 0);
	CHECK(a->has_slot == b->has_slot && a->slot == b->slot);
	CHECK(strcmp(a->module_path, b->module_path) == 0);
	CHECK(strcmp(a->pin_source, b->pin_source) == 0);
	CHECK(ref_equal(buf_ref(&a->pin_value), buf_ref(&b->pin_value)));
}

static void write_again(const struct uri *uri)
{
	CLEANUP(uri_done) struct uri again = {0};
	CLEANUP(buf_done) struct buf text = {0};
	int r = uri_write(uri, &text);

	CHECK_RESULT(r, -E2BIG);
	if (r < 0)
		return;
	CHECK(text.p[text.n - 1] == '\0' && strlen((const char *)text.p) == text.n - 1);
	CHECK(uri_read((const char *)text.p, &fuzz_log, &again) == 0);
	check_same(uri, &again);
}

/* What is shown of it has no PIN. */
static void conceal(const char *text, const struct uri *uri)
{
	CLEANUP(free_text) char *shown = uri_conceal(text);
	CLEANUP(uri_done) struct uri again = {0};

	CHECK(shown && strlen(shown) <= strlen(text));
	if (!uri->pin_value.p)
		return;
	CHECK(uri_read(shown, &fuzz_log, &again) == 0);
	CHECK(again.pin_value.p && again.pin_value.n == 0);
}

static void read_uri(const char *text)
{
	struct uri uri;
	int r;

	FUZZ_MARK(uri);
	r = uri_read(text, &fuzz_log, &uri);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	CHECK(pkcs11_check_uri(text, &fuzz_log) == r);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(uri));
		return;
	}
	CHECK(uri.pin_source[0] == '\0' || uri.pin_source[0] == '/');
	CHECK(uri.module_path[0] == '\0' || uri.module_path[0] == '/');
	(void)(uri_has_pin(&uri) || uri_names_token(&uri) || uri_names_key(&uri));
	write_again(&uri);
	conceal(text, &uri);
	uri_done(&uri);
}

/* With the URI as it was written there. */
static void write_header(const struct card_header *header, const json_t *hdr)
{
	const json_t *pkcs11 = json_object_get(json_object_get(hdr, "clevis"), "pkcs11");
	CLEANUP(card_header_done) struct card_header again = {0};
	CLEANUP_JSON json_t *written = json_pack("{s:{s:s}}", "clevis", "pin", "pkcs11");

	CHECK(card_header_write(header, js_str(pkcs11, "uri"), NULL, written) == 0);
	if (header->agrees)
		return; /* the rest is jwe_agree()'s */
	CHECK(card_header_read(written, &fuzz_log, &again) == 0);
	CHECK(!again.agrees && again.padding == header->padding);
	CHECK(ref_equal(buf_ref(&again.key), buf_ref(&header->key)));
	check_same(&header->uri, &again.uri);
}

static void read_header(const json_t *hdr)
{
	CLEANUP_JSON json_t *facts = json_object();
	struct card_header header;
	int r;

	FUZZ_MARK(header);
	r = card_header_read(hdr, &fuzz_log, &header);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	CHECK(pin_pkcs11.check(NULL, hdr, &fuzz_log) == r);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(header));
		return;
	}
	CHECK(header.agrees ? header.epk.curve != NULL : header.key.n > 0);
	(void)pin_pkcs11.wants_pin(NULL, hdr);
	CHECK(pin_pkcs11.describe(NULL, hdr, facts) == 0 && json_object_size(facts) > 0);
	write_header(&header, hdr);
	card_header_done(&header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_json_or_text((struct ref){data, n}, read_header, read_uri);
	return 0;
}
