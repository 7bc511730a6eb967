/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an initramfs must hold for a Tang server. */
#include "tang/url.h"
#include "units/needs-pin.h"

#include <arpa/inet.h>
#include <errno.h>

enum { HOST_MAX = 256 };

/* The host of a URL where it is a name; empty where it is an address. */
static void host_name(const char *text, const struct url *url, char ret[HOST_MAX])
{
	const char *host = text + url->begin;
	size_t n = strcspn(host, "[:/");
	struct in_addr address;

	ret[0] = '\0';
	if (n >= HOST_MAX)
		return;
	memcpy(ret, host, n);
	ret[n] = '\0';
	if (inet_pton(AF_INET, ret, &address) == 1)
		ret[0] = '\0';
}

int needs_tang(const struct needs *needs, const json_t *facts)
{
	const char *text = js_str(facts, "url"), *ca = js_str(facts, "ca");
	char name[HOST_MAX];
	struct url url;
	int r;

	r = text ? url_parse(text, &url) : -EBADMSG;
	if (r == 0)
		r = needs_line(needs, "network", text);
	if (r < 0)
		return r;

	host_name(text, &url, name);
	if (name[0])
		r = needs_line(needs, "name", name);
	if (r == 0 && ca)
		r = needs_file(needs, ca);
	else if (r == 0 && url.https && !js_str(facts, "pubkey"))
		r = needs_line(needs, "bundle", text);
	return r;
}

int needs_any_tang(const struct needs *needs)
{
	int r = needs_line(needs, "network", "any Tang server");

	return r < 0 ? r : needs_line(needs, "bundle", "any Tang server");
}
