/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Escapes the names of volumes for systemd. */
#include "units/unit-name.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT_NAME_MAX = 255, ESCAPED_MAX = 4 };

static bool is_plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == ':' || c == '_' || c == '.';
}

/* Writes at most ESCAPED_MAX bytes and returns their end. */
static char *escape(unsigned char c, bool first, char *to)
{
	static const char digits[] = "0123456789abcdef";

	if (c == '/') {
		*to++ = '-';
	} else if (is_plain(c) && !(first && c == '.')) {
		*to++ = (char)c;
	} else {
		*to++ = '\\';
		*to++ = 'x';
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
	return to;
}

int unit_name_of(const char *prefix, const char *volume, const char *suffix, char **ret)
{
	size_t n = strlen(volume);
	char *name, *end;

	if (n == 0 || n > UNIT_NAME_MAX)
		return -EINVAL;
	name = malloc(strlen(prefix) + n * ESCAPED_MAX + strlen(suffix) + 1);
	if (!name)
		return -ENOMEM;

	memcpy(name, prefix, strlen(prefix));
	end = name + strlen(prefix);
	for (size_t i = 0; i < n; i++)
		end = escape((unsigned char)volume[i], i == 0, end);
	memcpy(end, suffix, strlen(suffix) + 1);

	if (strlen(name) > UNIT_NAME_MAX) {
		free(name);
		return -EINVAL;
	}
	*ret = name;
	return 0;
}

int unit_name_of_volume(const char *volume, char **ret)
{
	return unit_name_of("systemd-cryptsetup@", volume, ".service", ret);
}
