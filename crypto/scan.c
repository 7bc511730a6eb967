/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks JSON in place. */
#include "crypto/scan.h"

#include <errno.h>

struct cursor {
	const uint8_t *p, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
		c->p++;
}

static bool take(struct cursor *c, char want)
{
	skip_space(c);
	if (c->p == c->end || *c->p != (uint8_t)want)
		return false;
	c->p++;
	return true;
}

static int skip_string(struct cursor *c)
{
	for (c->p++; c->p < c->end; c->p++) {
		if (*c->p == '"') {
			c->p++;
			return 0;
		}
		if (*c->p < 0x20)
			return -EBADMSG;
		if (*c->p == '\\' && ++c->p == c->end)
			return -EBADMSG;
	}
	return -EBADMSG;
}

static bool is_scalar(uint8_t ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') || ch == 'E' || ch == '+' ||
	       ch == '-' || ch == '.';
}

/* Brackets are matched by count, and by kind for the outermost pair: inside nobody looks. */
static int skip_nested(struct cursor *c)
{
	uint8_t end = *c->p == '{' ? '}' : ']';
	size_t depth = 0;
	int r;

	while (c->p < c->end) {
		uint8_t ch = *c->p;

		if (ch == '"') {
			r = skip_string(c);
			if (r < 0)
				return r;
			continue;
		}
		c->p++;
		if (ch == '{' || ch == '[')
			depth++;
		else if ((ch == '}' || ch == ']') && --depth == 0)
			return ch == end ? 0 : -EBADMSG;
	}
	return -EBADMSG;
}

static int take_value(struct cursor *c, struct ref *ret)
{
	const uint8_t *begin;
	int r = 0;

	skip_space(c);
	if (c->p == c->end)
		return -EBADMSG;

	begin = c->p;
	if (*c->p == '"')
		r = skip_string(c);
	else if (*c->p == '{' || *c->p == '[')
		r = skip_nested(c);
	else
		while (c->p < c->end && is_scalar(*c->p))
			c->p++;
	if (r < 0 || c->p == begin)
		return -EBADMSG;

	*ret = (struct ref){begin, (size_t)(c->p - begin)};
	return 0;
}

static int take_name(struct cursor *c, struct ref *ret)
{
	struct ref value;
	int r;

	r = take_value(c, &value);
	if (r == 0)
		r = scan_string(value, ret);
	if (r < 0)
		return r;

	return take(c, ':') ? 0 : -EBADMSG;
}

static int walk(struct ref text, const char brackets[2], scan_fn fn, void *arg)
{
	struct cursor c = {text.p, text.p + text.n};
	struct ref name = {0}, value;
	bool named = brackets[0] == '{';
	int r;

	if (!take(&c, brackets[0]))
		return -EBADMSG;

	if (!take(&c, brackets[1])) {
		do {
			r = named ? take_name(&c, &name) : 0;
			if (r == 0)
				r = take_value(&c, &value);
			if (r == 0)
				r = fn(arg, name, value);
			if (r < 0)
				return r;
		} while (take(&c, ','));
		if (!take(&c, brackets[1]))
			return -EBADMSG;
	}

	skip_space(&c);
	return c.p == c.end ? 0 : -EBADMSG;
}

int scan_object(struct ref text, scan_fn fn, void *arg)
{
	return walk(text, "{}", fn, arg);
}

int scan_array(struct ref text, scan_fn fn, void *arg)
{
	return walk(text, "[]", fn, arg);
}

int scan_string(struct ref value, struct ref *ret)
{
	if (value.n < 2 || value.p[0] != '"' || memchr(value.p, '\\', value.n))
		return -EBADMSG;

	*ret = (struct ref){value.p + 1, value.n - 2};
	return 0;
}
