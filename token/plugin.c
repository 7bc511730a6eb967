/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What libcryptsetup calls in a token module, and the one thing that a module remembers: which
 * tokens failed a moment ago. libcryptsetup opens a failing token twice where its keyslot is
 * preferred, and ten dead servers must not keep a person from the prompt for minutes.
 */
#include "token/handler.h"

#include <errno.h>
#include <pthread.h>

enum {
	FAILURES_MAX = 32,
	FAILURE_LIFE_US = 30 * USEC_PER_SEC,
	LATER_NETWORK_US = 3 * USEC_PER_SEC,
	WRONG_PINS_MAX = 3,
};

/* A token as it is written now. */
struct which {
	struct crypt_device *cd;
	uint64_t json_hash;
	int token;
};

struct failure {
	struct which which;
	uint64_t until_us;
	int result;
	bool network; /* whether the token may use the network */
};

/* A host may unlock several devices in threads of its own. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct failure failures[FAILURES_MAX];

#define EXPORT __attribute__((visibility("default")))

EXPORT const char *cryptsetup_token_version(void);
EXPORT int cryptsetup_token_open(struct crypt_device *cd, int token, char **buffer,
				 size_t *buffer_len, void *usrptr);
EXPORT void cryptsetup_token_buffer_free(void *buffer, size_t buffer_len);
EXPORT int cryptsetup_token_validate(struct crypt_device *cd, const char *json);
EXPORT void cryptsetup_token_dump(struct crypt_device *cd, const char *json);

/* FNV-1a: it need only tell a changed token from the one that failed. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3;
	return h;
}

static bool identify(struct crypt_device *cd, int token, struct which *ret)
{
	const char *json;

	if (crypt_token_json_get(cd, token, &json) < 0 || !json)
		return false;
	*ret = (struct which){.cd = cd, .token = token, .json_hash = hash(json)};
	return true;
}

static bool same(const struct which *a, const struct which *b)
{
	return a->cd == b->cd && a->token == b->token && a->json_hash == b->json_hash;
}

/*
 * 0, or what this token's attempt ended with a moment ago. *ret_max_us: how long an attempt may
 * take; once one that may use the network has failed, the next such ones only as long as it takes to ask
 * a living server.
 */
static int recall(const struct which *wanted, uint64_t *ret_max_us)
{
	uint64_t now = now_us();
	bool network = false;
	int result = 0;

	(void)pthread_mutex_lock(&lock);
	for (size_t i = 0; i < FAILURES_MAX; i++) {
		if (failures[i].until_us <= now)
			continue;
		network |= failures[i].network;
		if (same(&failures[i].which, wanted))
			result = failures[i].result;
	}
	(void)pthread_mutex_unlock(&lock);

	network = network && handler_uses_network(wanted->cd, wanted->token);
	*ret_max_us = network ? LATER_NETWORK_US : 0;
	return result;
}

/* The oldest entry gives way. */
static void remember(const struct which *which, int result)
{
	bool network = handler_uses_network(which->cd, which->token);
	size_t oldest = 0;

	(void)pthread_mutex_lock(&lock);
	for (size_t i = 1; i < FAILURES_MAX; i++)
		if (failures[i].until_us < failures[oldest].until_us)
			oldest = i;
	failures[oldest] = (struct failure){*which, now_us() + FAILURE_LIFE_US, result, network};
	(void)pthread_mutex_unlock(&lock);
}

const char *cryptsetup_token_version(void)
{
	return COTTER_VERSION;
}

int cryptsetup_token_open(struct crypt_device *cd, int token, char **buffer, size_t *buffer_len,
			  void *usrptr)
{
	struct which this;
	uint64_t max_us;
	int r;

	(void)usrptr; /* NULL on the generic path: all settings are in the token */
	if (!identify(cd, token, &this))
		return -ENOENT;

	r = recall(&this, &max_us);
	if (r < 0) {
		crypt_logf(cd, CRYPT_LOG_DEBUG,
			   "Token %d failed a moment ago and is not tried again.", token);
		return r;
	}

	r = handler_open(cd, token, max_us, buffer, buffer_len);
	if (r == -ENOENT || r == -EAGAIN)
		remember(&this, r);
	return r;
}

#ifdef TOKEN_TAKES_PIN
EXPORT int cryptsetup_token_open_pin(struct crypt_device *cd, int token, const char *pin,
				     size_t pin_size, char **buffer, size_t *buffer_len,
				     void *usrptr);

/* Of PINs nothing is remembered but how many were wrong. */
struct tries {
	struct which which;
	unsigned wrong;
};

static struct tries all_tries[FAILURES_MAX];

/* How many PINs for this token were wrong in this process, after `more` of them. */
static unsigned count_wrong(const struct which *which, unsigned more)
{
	unsigned wrong = more;

	(void)pthread_mutex_lock(&lock);
	for (size_t i = 0; i < FAILURES_MAX; i++) {
		struct tries *t = &all_tries[i];

		if (t->which.cd && !same(&t->which, which))
			continue;
		t->which = *which;
		wrong = t->wrong += more;
		break;
	}
	(void)pthread_mutex_unlock(&lock);
	return wrong;
}

/* systemd-cryptsetup asks for a PIN without end, so the end is made here. */
static int no_more_pins(struct crypt_device *cd, int token)
{
	crypt_logf(
		cd, CRYPT_LOG_ERROR,
		"Token %d: %d wrong PINs were given, so no further one is tried; use the passphrase.",
		token, WRONG_PINS_MAX);
	return -ENOENT;
}

int cryptsetup_token_open_pin(struct crypt_device *cd, int token, const char *pin, size_t pin_size,
			      char **buffer, size_t *buffer_len, void *usrptr)
{
	struct ref typed = {(const uint8_t *)pin, pin_size};
	struct which this;
	int r;

	(void)usrptr;
	if (!identify(cd, token, &this))
		return -ENOENT;
	if (count_wrong(&this, 0) >= WRONG_PINS_MAX)
		return no_more_pins(cd, token);

	r = handler_open_pin(cd, token, typed, buffer, buffer_len);
	if (r == -ENOANO && count_wrong(&this, 1) >= WRONG_PINS_MAX)
		return no_more_pins(cd, token);
	return r;
}
#endif

void cryptsetup_token_buffer_free(void *buffer, size_t buffer_len)
{
	handler_buffer_free(buffer, buffer_len);
}

int cryptsetup_token_validate(struct crypt_device *cd, const char *json)
{
	return handler_validate(cd, json);
}

void cryptsetup_token_dump(struct crypt_device *cd, const char *json)
{
	handler_dump(cd, json);
}
