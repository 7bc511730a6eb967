/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths and methods. */
#include "tang/server/route.h"

static const struct {
	const char *name;
	const char *methods;
	bool posted; /* else read by GET or HEAD */
} routes[] = {
	[ROUTE_OTHER] = {"other", NULL, false},
	[ROUTE_ADV] = {"adv", "GET, HEAD", false},
	[ROUTE_REC] = {"rec", "POST", true},
	[ROUTE_HEALTH] = {"healthz", "GET, HEAD", false},
	[ROUTE_METRICS] = {"metrics", "GET, HEAD", false},
};

/* Steps over slashes, of which there must be one, and over `word`; NULL where they are not there. */
static const char *step(const char *path, const char *word)
{
	size_t slashes = strspn(path, "/"), n = strlen(word);

	if (slashes == 0 || strncmp(path + slashes, word, n) != 0)
		return NULL;
	path += slashes + n;
	return *path == '/' || !*path ? path : NULL;
}

static bool is_thumbprint(const char *text)
{
	static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					"0123456789-_";

	return *text && strspn(text, base64url) == strlen(text);
}

struct route route_find(const char *path, const char *endpoint)
{
	static const struct route none = {ROUTE_OTHER, NULL};
	const char *rest = endpoint ? step(path, endpoint) : path, *after, *thumbprint;

	if (strcmp(path, "/healthz") == 0)
		return (struct route){ROUTE_HEALTH, NULL};
	if (strcmp(path, "/metrics") == 0)
		return (struct route){ROUTE_METRICS, NULL};
	if (!rest)
		return none;

	after = step(rest, "adv");
	if (after) {
		thumbprint = after + strspn(after, "/");
		if (!*thumbprint)
			return (struct route){ROUTE_ADV, NULL};
		return is_thumbprint(thumbprint) ? (struct route){ROUTE_ADV, thumbprint} : none;
	}
	after = step(rest, "rec");
	if (!after)
		return none;
	thumbprint = after + strspn(after, "/");
	return is_thumbprint(thumbprint) ? (struct route){ROUTE_REC, thumbprint} : none;
}

const char *route_methods(enum route_kind kind)
{
	return routes[kind].methods;
}

bool route_allows(enum route_kind kind, const char *method)
{
	if (routes[kind].posted)
		return strcmp(method, "POST") == 0;
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

const char *route_name(enum route_kind kind)
{
	return routes[kind].name;
}
