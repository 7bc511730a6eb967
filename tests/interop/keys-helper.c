/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a Tang server's keys answer, without a server:
 *
 *	keys-helper FOLDER adv [THUMBPRINT]       the advertisement, or the errno
 *	keys-helper FOLDER rec THUMBPRINT         the answer to the request on stdin, or the errno
 *	keys-helper FOLDER check                  whether the server would work
 *	keys-helper FOLDER speed SECONDS          recoveries a second with the advertised exchange key
 *	keys-helper FOLDER watch                  the folder's advertised keys, a line each time they change
 */
#include "tang/server/check.h"
#include "tang/server/request.h"
#include "tang/server/store.h"

#include <errno.h>
#include <stdio.h>

static void to_stderr(void *to, enum log_level level, const char *line)
{
	(void)to;
	(void)level;
	(void)fprintf(stderr, "%s\n", line);
}

static int answer(int r, struct ref text)
{
	if (r < 0) {
		(void)printf("%s\n", strerrorname_np(-r));
		return 1;
	}
	(void)printf("%.*s", (int)text.n, (const char *)text.p);
	return 0;
}

static int recover(const struct keys *keys, const char *thumbprint)
{
	CLEANUP(buf_done) struct buf request = {0}, reply = {0};
	struct key *key;
	int r;

	r = buf_init(&request, JWK_TEXT_MAX + 1);
	if (r == 0)
		r = buf_read(&request, STDIN_FILENO);
	if (r == 0)
		r = keys_recover(keys, thumbprint, buf_ref(&request), &reply, &key);
	return answer(r, buf_ref(&reply));
}

/* As "openssl speed" has it, so that the two compare where others work beside them. */
static double cpu_seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int measure(const struct keys *keys, long seconds)
{
	CLEANUP(jwk_done) struct jwk client = {0};
	CLEANUP(buf_done) struct buf request = {0};
	struct key *key = keys_exchange_key(keys);
	double begin, now;
	long n = 0;

	if (!key || jwk_generate(key->jwk.curve, &client) < 0 ||
	    request_reply(&client, &request) < 0)
		return 1;

	begin = now = cpu_seconds();
	for (; now - begin < (double)seconds; now = cpu_seconds(), n++) {
		CLEANUP(buf_done) struct buf reply = {0};

		if (keys_recover(keys, key_name(key), buf_ref(&request), &reply, &key) < 0)
			return 1;
	}
	(void)printf("%.1f us, %.0f/s\n", 1e6 * (now - begin) / (double)n,
		     (double)n / (now - begin));
	return 0;
}

static int watch(struct store *store)
{
	struct keys *last = store_keys(store);

	if (store_watch(store) < 0)
		return 1;
	for (;;) {
		CLEANUP(keys_unrefp) struct keys *keys = store_keys(store);
		const struct keys_file *files;
		size_t n;

		if (keys == last) {
			(void)usleep(1000);
			continue;
		}
		keys_unref(last);
		last = keys_ref(keys);
		files = keys_files(keys, &n);
		for (size_t i = 0; i < n; i++)
			(void)printf("%s%s", i ? " " : "", files[i].name);
		(void)printf("\n");
		(void)fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	static const struct log log = {.sink = to_stderr};
	CLEANUP(store_closep) struct store *store = NULL;
	CLEANUP(keys_unrefp) struct keys *keys = NULL;
	struct ref text = {0};
	int r;

	if (argc < 3 || store_open(argv[1], &log, &store) < 0)
		return 2;
	keys = store_keys(store);

	if (strcmp(argv[2], "adv") == 0) {
		r = keys_advertisement(keys, argc > 3 ? argv[3] : NULL, &text);
		return answer(r, text);
	}
	if (strcmp(argv[2], "check") == 0)
		return answer(check_keys(keys), text);
	if (strcmp(argv[2], "watch") == 0)
		return watch(store);
	if (argc < 4)
		return 2;
	if (strcmp(argv[2], "rec") == 0)
		return recover(keys, argv[3]);
	return measure(keys, strtol(argv[3], NULL, 10));
}
