/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Protected headers of tang JWEs, and the URLs of servers; the input is either. */
#include "tang/header.h"

#include "tang/adv.h"
#include "tang/tang.h"
#include "tang/url.h"
#include "tests/fuzz/fuzz.h"

static void read_url(const char *text)
{
	CLEANUP(free_text) char *joined = NULL;
	struct url url;
	int r;

	FUZZ_MARK(url);
	r = url_parse(text, &url);
	CHECK_RESULT(r, -EBADMSG, -E2BIG);
	if (r < 0) {
		CHECK(url_join(text, "adv", &joined) < 0 && !joined);
		return;
	}
	CHECK(url.begin < url.end && url.end <= strlen(text));
	r = url_join(text, "adv", &joined);
	CHECK_RESULT(r, -E2BIG);
	if (r == 0)
		CHECK(strncmp(joined, url.https ? "https://" : "http://", url.https ? 8 : 7) == 0 &&
		      strcmp(joined + strlen(joined) - 4, "/adv") == 0 &&
		      url_parse(joined, &url) == 0);
}

static void read_header(const json_t *hdr)
{
	CLEANUP_JSON json_t *facts = json_object();
	struct binding binding;
	struct url url;
	int r, r_check = pin_tang.check(NULL, hdr, &fuzz_log);

	FUZZ_MARK(binding);
	r = binding_read(hdr, &fuzz_log, &binding);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP, -E2BIG);
	CHECK(r == r_check);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(binding));
		return;
	}
	CHECK(binding.epk.curve && binding.epk.curve == binding.exchange_key.curve);
	CHECK(jwk_is_thumbprint(binding.kid));
	CHECK(jwk_has_thumbprint(&binding.exchange_key, binding.kid));
	CHECK(url_parse(binding.server.url, &url) == 0);
	CHECK(pin_tang.describe(NULL, hdr, facts) == 0 && json_object_size(facts) > 0);
	binding_done(&binding);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_json_or_text((struct ref){data, n}, read_header, read_url);
	return 0;
}
