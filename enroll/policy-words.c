/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a policy's text word by word, and says where something is wrong. */
#include "enroll/policy-words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* "at character 17", or with its line where there are several. */
static void place_name(const struct words *p, size_t at, char *ret, size_t size)
{
	size_t line = 1, character = 1;

	for (size_t i = 0; i < at; i++) {
		if (p->text.p[i] == '\n') {
			line++;
			character = 1;
		} else if ((p->text.p[i] & 0xc0) != 0x80) { /* the first byte of a character */
			character++;
		}
	}
	if (memchr(p->text.p, '\n', p->text.n))
		(void)snprintf(ret, size, "in line %zu, character %zu", line, character);
	else
		(void)snprintf(ret, size, "at character %zu", character);
}

int words_refuse(const struct words *p, size_t at, const char *fmt, ...)
{
	char place[64], what[LOG_LINE_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	place_name(p, at, place, sizeof(place));
	return log_err(p->log, -EINVAL, "the policy is wrong %s: %s", place, what);
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

uint8_t words_next(const struct words *p)
{
	return p->at < p->text.n ? p->text.p[p->at] : 0;
}

void words_space(struct words *p)
{
	while (is_space(words_next(p)))
		p->at++;
}

bool words_skip(struct words *p, char c)
{
	words_space(p);
	if (words_next(p) != (uint8_t)c)
		return false;
	p->at++;
	return true;
}

const char *words_found(const struct words *p, char ret[16])
{
	uint8_t c = words_next(p);

	(void)snprintf(ret, 16, p->at == p->text.n ? "the end" : "\"%c\"", c);
	return ret;
}

struct ref words_word(struct words *p)
{
	struct ref word = {p->text.p + p->at, 0};

	while (is_word(words_next(p))) {
		p->at++;
		word.n++;
	}
	return word;
}

bool word_is(struct ref word, const char *text)
{
	return text && ref_equal(word, ref_str(text));
}

/* In quotes, from the first to the last. */
static int read_quoted(struct words *p, struct buf *value)
{
	size_t began = p->at++;

	for (;;) {
		uint8_t c = words_next(p);
		int r;

		if (p->at == p->text.n)
			return words_refuse(p, began, "the quotes that open here are not closed");
		p->at++;
		if (c == '"')
			break;
		if (c == '\\') {
			c = words_next(p);
			if (c != '"' && c != '\\' && c != 'n')
				return words_refuse(p, p->at - 1,
						    "in quotes \\ stands before \", \\ or n alone");
			if (c == 'n')
				c = '\n';
			p->at++;
		}
		r = buf_append(value, &c, 1);
		if (r < 0)
			return r;
	}

	words_space(p);
	if (words_next(p) != ',' && words_next(p) != ')')
		return words_refuse(p, p->at, "behind a value in quotes there is a , or ) missing");
	return 0;
}

static int read_bare(struct words *p, struct buf *value)
{
	size_t began = p->at, end = began;

	for (; p->at < p->text.n && words_next(p) != ',' && words_next(p) != ')'; p->at++) {
		if (words_next(p) == '(' || words_next(p) == '"')
			return words_refuse(p, p->at,
					    "a value with %c in it is written in quotes, "
					    "with \\ before each \" and \\",
					    words_next(p));
		if (!is_space(words_next(p)))
			end = p->at + 1;
	}
	return buf_append(value, p->text.p + began, end - began);
}

int words_value(struct words *p, struct buf *ret)
{
	CLEANUP(buf_done) struct buf value = {0};
	int r;

	words_space(p);
	r = buf_init(&value, p->text.n - p->at);
	if (r == 0)
		r = words_next(p) == '"' ? read_quoted(p, &value) : read_bare(p, &value);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(value);
	return 0;
}
