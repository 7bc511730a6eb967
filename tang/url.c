/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict reading of server URLs (RFC 3986, the parts that Tang needs). */
#include "tang/url.h"

#include "tang/fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HOST_MAX = 253 };

#define DIGITS       "0123456789"
#define HEX_DIGITS   DIGITS "abcdefABCDEF"
#define LETTERS      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HOST_CHARS   LETTERS DIGITS "-._"
#define PREFIX_CHARS LETTERS DIGITS "-._~!$&'()*+,;=:@/%"

/* Each of these gives the length of what it read at the beginning of `s`, 0 where it is not there. */

static size_t read_scheme(const char *s, bool *ret_https)
{
	static const char http[] = "http://", https[] = "https://";

	*ret_https = strncasecmp(s, https, strlen(https)) == 0;
	if (*ret_https)
		return strlen(https);
	return strncasecmp(s, http, strlen(http)) == 0 ? strlen(http) : 0;
}

static size_t read_ipv6(const char *s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t n = strspn(s + 1, HEX_DIGITS ":.");

	if (n >= sizeof(text) || s[1 + n] != ']')
		return 0;
	memcpy(text, s + 1, n);
	text[n] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1 ? n + 2 : 0;
}

static size_t read_host(const char *s)
{
	size_t n = strspn(s, HOST_CHARS);

	if (*s == '[')
		return read_ipv6(s);
	if (n > HOST_MAX || *s == '.')
		return 0;
	for (size_t i = 1; i < n; i++)
		if (s[i] == '.' && s[i - 1] == '.')
			return 0;
	return n;
}

static size_t read_port(const char *s)
{
	size_t n = strspn(s + 1, DIGITS);
	unsigned port = 0;

	if (n > 5)
		return 0;
	for (size_t i = 1; i <= n; i++)
		port = port * 10 + (unsigned)(s[i] - '0');
	return port >= 1 && port <= UINT16_MAX ? n + 1 : 0;
}

static size_t read_prefix(const char *s)
{
	size_t n = strspn(s, PREFIX_CHARS);

	for (size_t i = 0; i < n; i++)
		if (s[i] == '%' && strspn(s + i + 1, HEX_DIGITS) < 2)
			return 0;
	return n;
}

int url_parse(const char *text, struct url *ret)
{
	struct url url;
	size_t at, n;

	if (strnlen(text, FETCH_URL_MAX + 1) > FETCH_URL_MAX)
		return -E2BIG;

	at = read_scheme(text, &url.https);
	url.begin = at;

	n = read_host(text + at);
	if (n == 0)
		return -EBADMSG;
	at += n;
	if (text[at] == ':') {
		n = read_port(text + at);
		if (n == 0)
			return -EBADMSG;
		at += n;
	}
	if (text[at] == '/')
		at += read_prefix(text + at);
	if (text[at] != '\0')
		return -EBADMSG;
	while (text[at - 1] == '/')
		at--;
	url.end = at;

	*ret = url;
	return 0;
}

int url_join(const char *base, const char *path, char **ret)
{
	struct url url;
	char *joined;
	int r;

	r = url_parse(base, &url);
	if (r < 0)
		return r;

	if (asprintf(&joined, "%s://%.*s/%s", url.https ? "https" : "http",
		     (int)(url.end - url.begin), base + url.begin, path) < 0)
		return -ENOMEM;

	*ret = joined;
	return 0;
}
