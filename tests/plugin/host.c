/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host program like systemd-cryptsetup since 261: libcryptsetup is not linked but loaded with
 * RTLD_LOCAL, so that a plugin which relies on its host for crypt_*() dies here.
 *
 *	host [--alarm MS] [--mlockall] [--replace-json FILE] IMAGE TOKEN…
 *
 * Opens each TOKEN (a number, or "any") in turn with one crypt_device, or with a fresh one where
 * TOKEN is "fresh:NUMBER"; "TOKEN=PIN" is opened with this PIN. Prints a line for each message of
 * libcryptsetup at a level above DEBUG ("ERROR text") and, for each token, "result R ms T threads N".
 * With --alarm a signal without SA_RESTART arrives after MS milliseconds of the first one. FILE's JSON
 * replaces token 0 before the last TOKEN is opened.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include <libcryptsetup.h>

/* The functions that are used, without their prefix. */
#define SYMBOLS(M)           \
	M(init)              \
	M(load)              \
	M(free)              \
	M(set_log_callback)  \
	M(set_debug_level)   \
	M(token_json_set)    \
	M(activate_by_token) \
	M(activate_by_token_pin)

static struct {
#define MEMBER(name) __typeof__(crypt_##name) *(name);
	SYMBOLS(MEMBER)
#undef MEMBER
} lib;

static void load_symbol(void *handle, const char *name, void *ret)
{
	void *p = dlsym(handle, name);

	if (!p) {
		fprintf(stderr, "%s\n", dlerror());
		exit(125);
	}
	memcpy(ret, &p, sizeof(p));
}

static void load_library(void)
{
	void *handle = dlopen("libcryptsetup.so.12", RTLD_LAZY | RTLD_LOCAL);

	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		exit(125);
	}
#define LOAD(name) load_symbol(handle, "crypt_" #name, &lib.name);
	SYMBOLS(LOAD)
#undef LOAD
}

static void print_message(int level, const char *msg, void *usrptr)
{
	(void)usrptr;
	if (level == CRYPT_LOG_DEBUG || level == CRYPT_LOG_DEBUG_JSON) {
		fprintf(stderr, "%s", msg);
		return;
	}
	printf("%s %s", level == CRYPT_LOG_ERROR ? "ERROR" : "NORMAL", msg);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void set_alarm(long ms)
{
	struct sigaction sa = {.sa_handler = on_alarm};
	struct itimerval timer = {.it_value = {ms / 1000, ms % 1000 * 1000}};

	(void)sigaction(SIGALRM, &sa, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static unsigned count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		(void)closedir(dir);
	return n - 2; /* . and .. */
}

static struct crypt_device *open_device(const char *image)
{
	struct crypt_device *cd = NULL;

	if (lib.init(&cd, image) < 0 || lib.load(cd, CRYPT_LUKS2, NULL) < 0) {
		fprintf(stderr, "%s cannot be loaded\n", image);
		exit(125);
	}
	return cd;
}

static void replace_json(struct crypt_device *cd, const char *file)
{
	static char text[16384];
	FILE *f = fopen(file, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	if (!f || fclose(f) != 0 || lib.token_json_set(cd, 0, text) < 0) {
		fprintf(stderr, "the token of %s cannot be set\n", file);
		exit(125);
	}
}

static void open_token(struct crypt_device *cd, const char *token)
{
	struct timespec from, to;
	int r, number = strncmp(token, "any", 3) == 0 ? CRYPT_ANY_TOKEN : atoi(token);
	const char *pin = strchr(token, '=');

	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	r = pin ? lib.activate_by_token_pin(cd, NULL, NULL, number, pin + 1, strlen(pin + 1), NULL,
					    0)
		: lib.activate_by_token(cd, NULL, number, NULL, 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	printf("result %d ms %ld threads %u\n", r,
	       (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000,
	       count_threads());
	(void)fflush(stdout);
}

int main(int argc, char *argv[])
{
	const char *replacement = NULL, *image;
	struct crypt_device *cd;
	int i = 1;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--alarm") == 0)
			set_alarm(atol(argv[++i]));
		else if (strcmp(argv[i], "--replace-json") == 0)
			replacement = argv[++i];
		else if (strcmp(argv[i], "--mlockall") != 0 || mlockall(MCL_FUTURE) != 0)
			return 125;
	}

	load_library();
	lib.set_debug_level(CRYPT_DEBUG_ALL);
	lib.set_log_callback(NULL, print_message, NULL);
	image = argv[i++];
	cd = open_device(image);

	for (; i < argc; i++) {
		if (replacement && i == argc - 1)
			replace_json(cd, replacement);
		if (strncmp(argv[i], "fresh:", 6) == 0) {
			struct crypt_device *fresh = open_device(image);

			open_token(fresh, argv[i] + 6);
			lib.free(fresh);
		} else {
			open_token(cd, argv[i]);
		}
	}
	lib.free(cd);
	return 0;
}
