/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Seals and opens JWEs by our pins alone, as "clevis encrypt PIN CONFIG" and "clevis decrypt" do: data
 * from standard input to standard output, compact form. The exit status is the errno, so that tests
 * can tell failures apart.
 */
#include "crypto/b64.h"
#include "token/token.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 256 * 1024 };

static unsigned deadline = 5, times = 1;
static const char *user_pin;
static bool debug;

static void print_line(void *to, enum log_level level, const char *line)
{
	(void)to;
	if (level == LOG_LEVEL_ERROR || debug)
		(void)fprintf(stderr, "%s\n", line);
}

static int read_stdin(struct buf *ret)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int r;

	r = buf_init(&bytes, INPUT_MAX);
	if (r < 0)
		return r;
	bytes.n = fread(bytes.p, 1, bytes.cap, stdin);
	if (ferror(stdin))
		return -EIO;

	*ret = TAKE_STRUCT(bytes);
	return 0;
}

static int print(const void *p, size_t n)
{
	return fwrite(p, 1, n, stdout) == n && fflush(stdout) == 0 ? 0 : -EIO;
}

static void begin(struct cot *cot, const struct log *log)
{
	*cot = (struct cot){
		.pins = pins,
		.log = log,
		.deadline_us = now_us() + (uint64_t)deadline * USEC_PER_SEC,
		.user_pin = user_pin ? ref_str(user_pin) : (struct ref){0},
	};
}

static int seal_once(const struct log *log, char *const *args, struct ref secret, char **ret)
{
	CLEANUP(cot_done) struct cot cot = {0};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP_JSON json_t *cfg = NULL;
	int r;

	r = js_load(ref_str(args[1]), &cfg);
	if (r < 0)
		return r;
	begin(&cot, log);
	r = pin_seal(&cot, args[0], cfg, secret, &jwe);
	return r < 0 ? r : jwe_to_compact(&jwe, ret);
}

static int seal(const struct log *log, char *const *args, struct ref input)
{
	int r = 0;

	for (unsigned i = 0; i < times && r == 0; i++) {
		char *text = NULL;

		r = seal_once(log, args, input, &text);
		if (r == 0 && i == times - 1)
			r = print(text, strlen(text));
		free(text);
	}
	return r;
}

static int open_once(const struct log *log, const struct jwe *jwe, struct buf *ret)
{
	CLEANUP(cot_done) struct cot cot = {0};
	CLEANUP(job_done) struct job job = {0};
	int r;

	begin(&cot, log);
	r = job_init(&job, &cot, jwe);
	if (r == 0)
		r = pin_recover(&cot, &job, ret);
	return r < 0 ? log_err(log, r, "%s", job.why) : r;
}

static int open_jwe(const struct log *log, char *const *args, struct ref input)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	int r;

	(void)args;
	r = jwe_from_compact(input, &jwe);
	if (r < 0)
		return log_err(log, r, "this is not a JWE");
	for (unsigned i = 0; i < times; i++) {
		CLEANUP(buf_done) struct buf secret = {0};

		r = open_once(log, &jwe, &secret);
		if (r == 0 && i == times - 1)
			r = print(secret.p, secret.n);
	}
	return r;
}

/* The content encryption key alone, as base64url: for those who look for it where it must not be. */
static int print_key(const struct log *log, char *const *args, struct ref input)
{
	CLEANUP(cot_done) struct cot cot = {0};
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP(job_done) struct job job = {0};
	CLEANUP(buf_done) struct buf cek = {0};
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	(void)args;
	begin(&cot, log);
	r = jwe_from_compact(input, &jwe);
	if (r == 0)
		r = job_init(&job, &cot, &jwe);
	cot.network = true;
	while (r == 0 && (r = job.pin->decrypt(&cot, &job, &cek)) == -EINPROGRESS)
		r = cot_wait(&cot);
	if (r == 0)
		r = buf_init(&text, b64_encoded_len(cek.n));
	if (r == 0)
		r = b64_encode(buf_ref(&cek), &text);
	return r < 0 ? log_err(log, r, "%s", job.why) : print(text.p, text.n);
}

static int describe(const struct log *log, char *const *args, struct ref input)
{
	CLEANUP(jwe_done) struct jwe jwe = {0};
	CLEANUP_JSON json_t *facts = json_object();
	const struct pin *pin;
	char *text = NULL;
	int r;

	(void)args;
	r = jwe_from_compact(input, &jwe);
	if (r == 0)
		r = pin_check(pins, jwe.hdr, log, &pin);
	if (r == 0)
		r = pin->describe(pins, jwe.hdr, facts);
	if (r == 0)
		r = js_dump(facts, &text);
	if (r == 0)
		r = print(text, strlen(text));
	free(text);
	return r;
}

static const struct {
	const char *name;
	int args;
	int (*run)(const struct log *log, char *const *args, struct ref input);
} verbs[] = {
	{"seal", 2, seal}, {"open", 0, open_jwe}, {"key", 0, print_key}, {"describe", 0, describe}};

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"pin", required_argument, NULL, 'p'},
		{"times", required_argument, NULL, 't'},
		{"deadline", required_argument, NULL, 'd'},
		{"debug", no_argument, NULL, 'v'},
		{0},
	};
	CLEANUP(buf_done) struct buf input = {0};
	struct log log;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p')
			user_pin = optarg;
		else if (c == 't')
			times = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'd')
			deadline = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'v')
			debug = true;
		else
			return EXIT_FAILURE;
	}
	log = (struct log){.sink = print_line, .debug = debug};
	r = read_stdin(&input);
	if (r < 0)
		return -r;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (optind < argc && strcmp(argv[optind], verbs[i].name) == 0 &&
		    argc - optind - 1 == verbs[i].args)
			return -verbs[i].run(&log, argv + optind + 1, buf_ref(&input));

	(void)fprintf(stderr, "Usage: pin-helper seal PIN CONFIG | open | key | describe\n");
	return EXIT_FAILURE;
}
