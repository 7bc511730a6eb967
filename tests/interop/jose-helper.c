/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lets jose.sh hand our JOSE code what the jose program made, and the other way round. Keys are read
 * from files, data from standard input. For tests alone: it also prints private keys.
 */
#include "crypto/b64.h"
#include "crypto/ecmr.h"
#include "crypto/jwe.h"
#include "crypto/jws.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { INPUT_MAX = 256 * 1024 };

static int read_stream(FILE *stream, struct buf *ret)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int r;

	if (!stream)
		return -errno;

	r = buf_init(&bytes, INPUT_MAX);
	if (r < 0)
		return r;
	bytes.n = fread(bytes.p, 1, bytes.cap, stream);
	if (ferror(stream) || !feof(stream))
		return -EIO;

	*ret = TAKE_STRUCT(bytes);
	return 0;
}

static int read_key(const char *path, struct jwk *ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	FILE *file = fopen(path, "re");
	int r;

	r = read_stream(file, &text);
	if (file)
		(void)fclose(file);
	return r < 0 ? r : jwk_read(buf_ref(&text), ret);
}

static int print(const void *p, size_t n)
{
	return fwrite(p, 1, n, stdout) == n && fflush(stdout) == 0 ? 0 : -EIO;
}

static int print_json(const json_t *json)
{
	char *text = NULL;
	int r;

	if (!json)
		return -ENOMEM;

	r = js_dump(json, &text);
	if (r == 0)
		r = print(text, strlen(text));
	free(text);
	return r;
}

/* public KEY: its public members */
static int do_public(char **args)
{
	CLEANUP(jwk_done) struct jwk key = {0};
	CLEANUP_JSON json_t *json = NULL;
	int r;

	r = read_key(args[0], &key);
	if (r < 0)
		return r;

	json = jwk_to_json(&key);
	return print_json(json);
}

/* thumbprint ALG KEY */
static int do_thumbprint(char **args)
{
	CLEANUP(jwk_done) struct jwk key = {0};
	char text[JWK_THUMBPRINT_MAX + 1];
	int r;

	r = read_key(args[1], &key);
	if (r == 0)
		r = jwk_thumbprint(&key, args[0], text);
	return r < 0 ? r : print(text, strlen(text));
}

/* generate CURVE: a private key */
static int do_generate(char **args)
{
	const struct curve *curve = curve_by_name(args[0]);
	CLEANUP(jwk_done) struct jwk key = {0};
	CLEANUP_JSON json_t *json = NULL;
	int r;

	if (!curve)
		return -EINVAL;
	r = jwk_generate(curve, &key);
	if (r < 0)
		return r;

	json = jwk_to_json(&key);
	if (json_object_set_new(json, "d", js_from_b64((struct ref){key.d, curve->size})) != 0)
		return -ENOMEM;
	return print_json(json);
}

/* oct: standard input as a symmetric key */
static int do_oct(char **args)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	(void)args;
	r = read_stream(stdin, &bytes);
	if (r == 0)
		r = jwk_write_oct(buf_ref(&bytes), &text);
	return r < 0 ? r : print(text.p, text.n);
}

/* ecmr OPERATION KEY KEY: a point */
static int do_ecmr(char **args)
{
	CLEANUP(jwk_done) struct jwk a = {0};
	CLEANUP(jwk_done) struct jwk b = {0};
	CLEANUP(jwk_done) struct jwk point = {0};
	CLEANUP_JSON json_t *json = NULL;
	int r;

	r = read_key(args[1], &a);
	if (r == 0)
		r = read_key(args[2], &b);
	if (r < 0)
		return r;

	if (strcmp(args[0], "add") == 0)
		r = ecmr_add(&a, &b, &point);
	else if (strcmp(args[0], "sub") == 0)
		r = ecmr_sub(&a, &b, &point);
	else
		r = ecmr_mul(&a, &b, &point);
	if (r < 0)
		return r;

	json = jwk_to_json(&point);
	return print_json(json);
}

/* seal FORM HEADER KEY: standard input as a JWE, by agreement with an EC key or under an oct key */
static int do_seal(char **args)
{
	CLEANUP(jwk_done) struct jwk key = {0};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(buf_done) struct buf plain = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	CLEANUP_JSON json_t *hdr = NULL, *json = NULL;
	char *compact = NULL;
	int r;

	r = js_load(ref_str(args[1]), &hdr);
	if (r == 0)
		r = read_key(args[2], &key);
	if (r == 0)
		r = read_stream(stdin, &plain);
	if (r == 0)
		r = key.curve ? jwe_agree(hdr, &key, &cek) : buf_copy(&cek, buf_ref(&key.k));
	if (r == 0)
		r = jwe_seal(hdr, buf_ref(&cek), buf_ref(&plain), &jwe);
	if (r < 0)
		return r;

	if (strcmp(args[0], "compact") == 0) {
		r = jwe_to_compact(&jwe, &compact);
		if (r == 0)
			r = print(compact, strlen(compact));
		free(compact);
		return r;
	}
	json = jwe_to_json(&jwe);
	return print_json(json);
}

static int receive_cek(const json_t *hdr, const struct jwk *key, struct buf *ret)
{
	CLEANUP(jwk_done) struct jwk epk = {0};
	CLEANUP(jwk_done) struct jwk z = {0};
	int r;

	if (!key->curve)
		return buf_copy(ret, buf_ref(&key->k));

	r = jwk_from_json(json_object_get(hdr, "epk"), &epk);
	if (r == 0)
		r = ecmr_mul(&epk, key, &z);
	return r < 0 ? r : jwe_derive_cek(hdr, (struct ref){z.x, z.curve->size}, ret);
}

/* open KEY: the plaintext of standard input, an object or a compact text */
static int do_open(char **args)
{
	CLEANUP(jwk_done) struct jwk key = {0};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(buf_done) struct buf plain = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	CLEANUP_JSON json_t *json = NULL;
	int r;

	r = read_key(args[0], &key);
	if (r == 0)
		r = read_stream(stdin, &text);
	if (r < 0)
		return r;

	if (text.n > 0 && text.p[0] == '{') {
		r = js_load(buf_ref(&text), &json);
		if (r == 0)
			r = jwe_from_json(json, &jwe);
	} else {
		r = jwe_from_compact(buf_ref(&text), &jwe);
	}
	if (r == 0)
		r = receive_cek(jwe.hdr, &key, &cek);
	if (r == 0)
		r = jwe_open(&jwe, buf_ref(&cek), &plain);
	return r < 0 ? r : print(plain.p, plain.n);
}

/* verify KEY: the payload of standard input, a JWS signed by this key */
static int do_verify(char **args)
{
	CLEANUP(jwk_done) struct jwk key = {0};
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(buf_done) struct buf payload = {0};
	CLEANUP_JSON json_t *json = NULL;
	int r;

	r = read_key(args[0], &key);
	if (r == 0)
		r = read_stream(stdin, &text);
	if (r == 0)
		r = js_load(buf_ref(&text), &json);
	if (r == 0)
		r = jws_verify(json, &key);
	if (r == 0)
		r = jws_payload(json, &payload);
	return r < 0 ? r : print(payload.p, payload.n);
}

static const struct {
	const char *name;
	int n_args;
	int (*run)(char **args);
} verbs[] = {
	{"public", 1, do_public},     {"thumbprint", 2, do_thumbprint},
	{"generate", 1, do_generate}, {"oct", 0, do_oct},
	{"ecmr", 3, do_ecmr},         {"seal", 3, do_seal},
	{"open", 1, do_open},         {"verify", 1, do_verify},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		int r;

		if (argc < 2 || strcmp(argv[1], verbs[i].name) != 0 || argc - 2 != verbs[i].n_args)
			continue;
		r = verbs[i].run(argv + 2);
		if (r < 0)
			(void)fprintf(stderr, "%s: %s\n", argv[1], strerrorname_np(-r));
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	(void)fprintf(stderr, "jose-helper: no such verb, or not its number of arguments\n");
	return 2;
}
