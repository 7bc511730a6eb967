/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes PKCS #11 URIs. */
#include "pkcs11/uri.h"

#include <errno.h>
#include <stdio.h>

#define SCHEME "pkcs11:"

enum { PIN_MAX = 255 };

enum part { IN_PATH, IN_QUERY, IN_EITHER };

/* The attributes that are text. */
#define MEMBER(name) offsetof(struct uri, name), sizeof(((struct uri *)NULL)->name)
static const struct attribute {
	const char *name;
	enum part part;
	size_t offset, size;
} attributes[] = {
	{"model", IN_PATH, MEMBER(model)},
	{"manufacturer", IN_PATH, MEMBER(manufacturer)},
	{"serial", IN_PATH, MEMBER(serial)},
	{"token", IN_PATH, MEMBER(token)},
	{"object", IN_PATH, MEMBER(object)},
	{"type", IN_PATH, MEMBER(type)},
	{"module-path", IN_EITHER, MEMBER(module_path)},
	{"pin-source", IN_EITHER, MEMBER(pin_source)},
};

void uri_done(struct uri *uri)
{
	buf_done(&uri->pin_value);
	*uri = (struct uri){0};
}

bool uri_has_pin(const struct uri *uri)
{
	return uri->pin_value.p || uri->pin_source[0];
}

/* How much of the text is the value of an attribute: a query's may have what ends one of the path. */
static size_t value_len(const char *text, bool in_query)
{
	return strcspn(text, in_query ? "&" : ";?");
}

char *uri_conceal(const char *text)
{
	static const char name[] = "pin-value=";
	const char *query = strchr(text, '?');
	size_t n = 0, len = strlen(name);
	char *copy = malloc(strlen(text) + 1);

	while (copy && *text) {
		bool starts = n == 0 || strchr(":;?&", copy[n - 1]);

		if (!starts || strncmp(text, name, len) != 0) {
			copy[n++] = *text++;
			continue;
		}
		memcpy(copy + n, text, len);
		n += len;
		text += len;
		text += value_len(text, query && text > query);
	}
	if (copy)
		copy[n] = '\0';
	return copy;
}

bool uri_names_token(const struct uri *uri)
{
	return uri->token[0] || uri->manufacturer[0] || uri->serial[0] || uri->model[0] ||
	       uri->has_slot;
}

bool uri_names_key(const struct uri *uri)
{
	return uri->id_len > 0 || uri->object[0];
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes percent-encoding, into at most `size` bytes. */
static int decode(struct ref text, uint8_t *ret, size_t size, size_t *ret_len)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '%') {
			int high = text.n - i > 2 ? hex_digit(text.p[i + 1]) : -1;
			int low = text.n - i > 2 ? hex_digit(text.p[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EBADMSG;
			c = (uint8_t)(high << 4 | low);
			i += 2;
		}
		if (n == size)
			return -E2BIG;
		ret[n++] = c;
	}
	*ret_len = n;
	return 0;
}

/* As text: without NUL, and with one behind it. */
static int decode_text(struct ref text, char *ret, size_t size)
{
	size_t n;
	int r;

	if (ret[0])
		return -EBADMSG; /* it was named already */
	r = decode(text, (uint8_t *)ret, size - 1, &n);
	if (r < 0)
		return r;
	ret[n] = '\0';
	return strlen(ret) == n ? 0 : -EBADMSG;
}

static int read_pin(struct ref text, struct uri *uri)
{
	CLEANUP(buf_done) struct buf pin = {0};
	int r;

	if (uri->pin_value.p)
		return -EBADMSG;
	r = buf_init(&pin, PIN_MAX);
	if (r == 0)
		r = decode(text, pin.p, pin.cap, &pin.n);
	if (r < 0)
		return r;
	uri->pin_value = TAKE_STRUCT(pin);
	return 0;
}

static int read_slot(struct ref text, struct uri *uri)
{
	unsigned long slot = 0;

	if (uri->has_slot || text.n == 0 || text.n > 10)
		return -EBADMSG;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -EBADMSG;
		slot = slot * 10 + (unsigned long)(text.p[i] - '0');
	}
	uri->slot = slot;
	uri->has_slot = true;
	return 0;
}

static int read_id(struct ref text, struct uri *uri)
{
	return uri->id_len > 0 ? -EBADMSG : decode(text, uri->id, sizeof(uri->id), &uri->id_len);
}

static int read_attribute(struct ref name, struct ref value, enum part part, struct uri *uri)
{
	if (ref_is(name, "pin-value"))
		return read_pin(value, uri);
	if (part == IN_PATH && ref_is(name, "id"))
		return read_id(value, uri);
	if (part == IN_PATH && ref_is(name, "slot-id"))
		return read_slot(value, uri);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		const struct attribute *a = &attributes[i];

		if ((a->part == part || a->part == IN_EITHER) && ref_is(name, a->name))
			return decode_text(value, (char *)uri + a->offset, a->size);
	}
	/* What a query may say besides narrows nothing (RFC 7512 section 2.4), but for the module. */
	return part == IN_QUERY && !ref_is(name, "module-name") ? 0 : -EOPNOTSUPP;
}

/* The bytes up to the separator, which is then skipped. */
static struct ref next_piece(struct ref *left, char separator)
{
	const uint8_t *end = left->n ? memchr(left->p, separator, left->n) : NULL;
	struct ref piece = {left->p, end ? (size_t)(end - left->p) : left->n};
	size_t skip = piece.n + (end ? 1 : 0);

	*left = (struct ref){left->p + skip, left->n - skip};
	return piece;
}

static int read_part(struct ref text, enum part part, const struct log *log, struct uri *uri)
{
	while (text.n > 0) {
		struct ref piece = next_piece(&text, part == IN_PATH ? ';' : '&'), value = piece;
		struct ref name = next_piece(&value, '=');
		int r;

		if (piece.n == 0)
			continue; /* Clevis's users leave a separator at the end */
		r = name.n == piece.n ? -EBADMSG : read_attribute(name, value, part, uri);
		if (r == -EOPNOTSUPP)
			return log_err(log, r, "pkcs11: \"%.*s\" in a URI is not supported here",
				       (int)(name.n < 32 ? name.n : 32), (const char *)name.p);
		if (r < 0)
			return log_err(log, r, "pkcs11: \"%.*s\" in the URI is not as it should be",
				       (int)(name.n < 32 ? name.n : 32), (const char *)name.p);
	}
	return 0;
}

/* "file:/path" and "file:///path" are paths as well (RFC 7512 section 2.4). */
static int settle_paths(struct uri *uri)
{
	static const char scheme[] = "file:";
	const char *path = uri->pin_source;

	if (strncmp(path, scheme, strlen(scheme)) == 0) {
		path += strlen(scheme);
		if (strncmp(path, "///", 3) == 0)
			path += 2;
		memmove(uri->pin_source, path, strlen(path) + 1);
	}
	if (uri->pin_source[0] && uri->pin_source[0] != '/')
		return -EOPNOTSUPP;
	return uri->module_path[0] && uri->module_path[0] != '/' ? -EOPNOTSUPP : 0;
}

int uri_read(const char *text, const struct log *log, struct uri *ret)
{
	CLEANUP(uri_done) struct uri uri = {0};
	struct ref query = ref_str(text), path;
	int r;

	if (query.n > URI_TEXT_MAX)
		return log_err(log, -E2BIG, "pkcs11: the URI is longer than %d bytes",
			       URI_TEXT_MAX);
	if (!ref_begins(query, SCHEME))
		return log_err(log, -EBADMSG, "pkcs11: a URI begins with \"" SCHEME "\"");
	query.p += strlen(SCHEME);
	query.n -= strlen(SCHEME);
	path = next_piece(&query, '?');

	r = read_part(path, IN_PATH, log, &uri);
	if (r == 0)
		r = read_part(query, IN_QUERY, log, &uri);
	if (r < 0)
		return r;
	r = settle_paths(&uri);
	if (r < 0)
		return log_err(log, r, "pkcs11: module-path and pin-source are absolute paths");

	*ret = TAKE_STRUCT(uri);
	return 0;
}

/* What needs no percent-encoding anywhere in such a URI (RFC 3986: unreserved). */
static bool is_plain(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

static int put_encoded(struct ref bytes, bool all, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < bytes.n && r == 0; i++) {
		static const char digits[] = "0123456789ABCDEF";
		uint8_t c = bytes.p[i];
		char code[3] = {'%', digits[c >> 4], digits[c & 15]};

		if (!all && (is_plain(c) || c == '/'))
			r = buf_append(ret, &c, 1);
		else
			r = buf_append(ret, code, sizeof(code));
	}
	return r;
}

/* `separator` becomes what is between this and the next. */
static int put(const char **separator, const char *name, struct ref value, bool all,
	       struct buf *ret)
{
	char between = (*separator)[0];
	int r;

	if (value.n == 0)
		return 0;
	r = between == ' ' ? 0 : buf_append(ret, &between, 1);
	*separator = between == '?' || between == '&' ? "&" : ";";
	if (r == 0)
		r = buf_append_str(ret, name);
	if (r == 0)
		r = buf_append_str(ret, "=");
	return r < 0 ? r : put_encoded(value, all, ret);
}

int uri_write(const struct uri *uri, struct buf *ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	const char *separator = " ";
	char slot[24] = "";
	int r;

	if (uri->has_slot)
		(void)snprintf(slot, sizeof(slot), "%lu", uri->slot);
	r = buf_init(&text, URI_TEXT_MAX + 1);
	if (r == 0)
		r = buf_append_str(&text, SCHEME);
	for (size_t i = 0; i < ARRAY_SIZE(attributes) && r == 0; i++)
		if (attributes[i].part == IN_PATH)
			r = put(&separator, attributes[i].name,
				ref_str((const char *)uri + attributes[i].offset), false, &text);
	if (r == 0)
		r = put(&separator, "id", (struct ref){uri->id, uri->id_len}, true, &text);
	if (r == 0)
		r = put(&separator, "slot-id", ref_str(slot), false, &text);
	separator = "?";
	if (r == 0)
		r = put(&separator, "module-path", ref_str(uri->module_path), false, &text);
	if (r == 0)
		r = put(&separator, "pin-source", ref_str(uri->pin_source), false, &text);
	if (r == 0)
		r = put(&separator, "pin-value", buf_ref(&uri->pin_value), false, &text);
	if (r == 0)
		r = buf_append(&text, "", 1);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(text);
	return 0;
}
