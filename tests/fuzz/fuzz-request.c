/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clients send to a Tang server: the JWK of a recovery, and paths; the input is either. */
#include "tang/server/request.h"

#include "tang/server/keys.h"
#include "tang/server/route.h"
#include "tests/fuzz/keys.h"

#define EXCHANGE_FILE                                                 \
	"{" EC_MEMBERS("P-256", C_BOB_X, C_BOB_Y) ",\"d\":\"" C_BOB_D \
						  "\",\"key_ops\":[\"deriveKey\"]}"

static struct keys *keys;
static struct key *server;

static void begin(void)
{
	struct keys_file *files = calloc(1, sizeof(*files));
	const char *why;

	CHECK(files && key_parse(ref_str(EXCHANGE_FILE), &server, &why) == 0);
	files[0] = (struct keys_file){.name = strdup("a.jwk"), .key = server};
	CHECK(keys_new(files, 1, &keys) == 0);
}

static void recover(struct ref text)
{
	CLEANUP(buf_done) struct buf reply = {0};
	CLEANUP(jwk_done) struct jwk point = {0};
	CLEANUP_JSON json_t *json = NULL;
	struct key *key = NULL;
	struct jwk request;
	int r, r_parse;

	FUZZ_MARK(request);
	r_parse = request_parse(text, &request);
	CHECK_RESULT(r_parse, -EBADMSG, -EKEYREJECTED, -E2BIG);
	CHECK(r_parse == 0 ? !request.has_private : FUZZ_IS_MARK(request));

	r = keys_recover(keys, server->thumbprints[KEY_S256], text, &reply, &key);
	CHECK_RESULT(r, -EBADMSG, -EKEYREJECTED, -E2BIG);
	CHECK((r == 0) == (reply.p != NULL) && (r_parse == 0 || r == r_parse));
	if (r < 0)
		return;
	/* What goes out is a point of the key's curve, and nothing else. */
	CHECK(key == server && js_load(buf_ref(&reply), &json) == 0);
	CHECK(jwk_from_json(json, &point) == 0 && point.curve == server->jwk.curve);
	CHECK(!json_object_get(json, "d"));
}

static void find_route(const char *path, const char *endpoint)
{
	struct route route = route_find(path, endpoint);

	CHECK(route.kind < ROUTE_KINDS && route_name(route.kind));
	CHECK((route_methods(route.kind) == NULL) == (route.kind == ROUTE_OTHER));
	CHECK(route.kind != ROUTE_REC || route.thumbprint);
	if (!route.thumbprint)
		return;
	CHECK(route.kind == ROUTE_ADV || route.kind == ROUTE_REC);
	CHECK(route.thumbprint > path && route.thumbprint < path + strlen(path));
	CHECK(route.thumbprint[-1] == '/' && !strchr(route.thumbprint, '/'));
	CHECK_RESULT(keys_recover(keys, route.thumbprint, ref_str("{}"), &(struct buf){0},
				  &(struct key *){NULL}),
		     -EBADMSG, -ENOENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP(free_text) char *text = fuzz_text((struct ref){data, n});

	if (!keys)
		begin();
	if (n > 0 && data[0] == '/') {
		find_route(text, NULL);
		find_route(text, "tang");
	} else {
		recover((struct ref){data, n});
	}
	return 0;
}
