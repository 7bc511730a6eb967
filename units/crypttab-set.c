/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Adds or completes a volume's line of crypttab, and leaves every other byte as it is. */
#include "units/crypttab.h"

#include <errno.h>
#include <strings.h>

/* "none" and a line's end, and a blank or comma before each field or list. */
enum { WORDS_ROOM = 16 };

/* Bytes that take the place of `old`, which points into the text. */
struct change {
	struct ref old;
	struct buf new;
};

static void change_done(struct change *change)
{
	buf_done(&change->new);
}

static bool is_word(const char *s)
{
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return *s != '\0';
}

/*
 * At least one; the first could look like a remark, and a backslash at the end would keep the next comma from ending
 * one.
 */
static bool are_options(const char *text)
{
	struct ref rest = ref_str(text), first;

	return is_word(text) && text[strlen(text) - 1] != '\\' &&
	       crypttab_option_next(&rest, &first) && first.p[0] != '#';
}

static int check_edit(const struct crypttab_edit *edit, const struct log *log)
{
	if (!is_word(edit->name) || *edit->name == '#')
		return log_err(log, -EINVAL, "\"%s\" cannot be the name of a volume in crypttab",
			       edit->name);
	if (!is_word(edit->device))
		return log_err(log, -EINVAL, "\"%s\" cannot name a device in crypttab",
			       edit->device);
	if (!are_options(edit->options))
		return log_err(log, -EINVAL, "\"%s\" cannot be options in crypttab", edit->options);
	return 0;
}

/* Whether both name a device by the same kind of tag, and not the same device. */
static bool contradict(struct ref a, struct ref b)
{
	static const char *const tags[] = {"UUID=", "PARTUUID="};

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		if (ref_begins(a, tags[i]) && ref_begins(b, tags[i]))
			return a.n != b.n ||
			       strncasecmp((const char *)a.p, (const char *)b.p, a.n) != 0;
	}
	return false;
}

/* The volume's line: returns 1, or 0 where it has none. */
static int find(struct ref text, const struct crypttab_edit *edit, const struct log *log,
		struct crypttab_entry *ret)
{
	struct crypttab_reader reader = {.rest = text};
	struct ref name = ref_str(edit->name), device = ref_str(edit->device);
	struct crypttab_entry entry, found = {0};
	int r;

	while ((r = crypttab_next(&reader, &entry)) != 0) {
		if (r < 0) /* a line that systemd passes over too */
			continue;
		if (!ref_equal(entry.name, name)) {
			if (ref_equal(entry.device, device))
				return log_err(
					log, -EEXIST,
					"%s is in crypttab already, as volume %.*s, on line %zu",
					edit->device, (int)entry.name.n, entry.name.p,
					entry.number);
			continue;
		}
		if (found.number > 0)
			return log_err(
				log, -ENOTUNIQ,
				"crypttab has two lines of volume %s, %zu and %zu: remove one",
				edit->name, found.number, entry.number);
		found = entry;
	}
	if (found.number == 0)
		return 0;

	*ret = found;
	return 1;
}

static int check_entry(const struct crypttab_entry *entry, const struct crypttab_edit *edit,
		       const struct log *log)
{
	const struct ref *options = &entry->options;

	if (contradict(entry->device, ref_str(edit->device)))
		return log_err(log, -EEXIST, "crypttab has %s on line %zu, on %.*s, not on %s",
			       edit->name, entry->number, (int)entry->device.n, entry->device.p,
			       edit->device);
	if ((entry->key.n > 0 && entry->key.p[0] == '#') ||
	    (options->n > 0 && options->p[0] == '#'))
		return log_err(log, -EBADMSG,
			       "line %zu of crypttab ends in a remark, which systemd takes for "
			       "fields: put it on a line of its own",
			       entry->number);
	if (!crypttab_none(entry->key))
		return log_err(log, -EBUSY,
			       "crypttab names the key file %.*s for %s, so tokens are not tried: "
			       "put \"none\" in its place on line %zu",
			       (int)entry->key.n, entry->key.p, edit->name, entry->number);
	if (options->n > 0 && options->p[options->n - 1] == '\\')
		return log_err(log, -EBADMSG,
			       "the options on line %zu of crypttab end in a backslash: remove it",
			       entry->number);
	return 0;
}

static bool has(struct ref options, struct ref wanted)
{
	struct ref option;

	while (crypttab_option_next(&options, &option))
		if (ref_equal(option, wanted))
			return true;
	return false;
}

static int append(struct buf *b, struct ref bytes)
{
	return bytes.n > 0 ? buf_append(b, bytes.p, bytes.n) : 0;
}

/* Whether they end in a comma that ends an option, which one behind a backslash does not. */
static bool ends_in_comma(struct ref options)
{
	bool comma = false;

	for (size_t i = 0; i < options.n; i++) {
		comma = options.p[i] == ',';
		i += options.p[i] == '\\';
	}
	return comma;
}

/* Adds the wanted options that `options` has not, with commas between and before. */
static int append_missing(struct buf *b, struct ref wanted, struct ref options)
{
	struct ref option;
	bool comma = options.n > 0 && !ends_in_comma(options);
	int r;

	while (crypttab_option_next(&wanted, &option)) {
		if (has(options, option))
			continue;
		r = comma ? buf_append_str(b, ",") : 0;
		if (r == 0)
			r = append(b, option);
		if (r < 0)
			return r;
		comma = true;
	}
	return 0;
}

static struct ref between(struct ref a, struct ref b)
{
	return (struct ref){a.p + a.n, (size_t)(b.p - (a.p + a.n))};
}

/* The fields that a line has not, with the blanks that the line has between its last two. */
static int append_fields(struct buf *b, const struct crypttab_entry *entry)
{
	bool has_key = entry->key.n > 0;
	struct ref gap =
		has_key ? between(entry->device, entry->key) : between(entry->name, entry->device);
	int r = append(b, gap);

	if (r < 0 || has_key)
		return r;

	r = buf_append_str(b, "none");
	return r < 0 ? r : append(b, gap);
}

static int complete(const struct crypttab_entry *entry, struct ref wanted, struct change *change)
{
	struct ref options = entry->options, last = entry->key.n > 0 ? entry->key : entry->device;
	struct buf *new = &change->new;
	int r;

	if (options.n == 0) {
		change->old = (struct ref){last.p + last.n, 0};
		r = append_fields(new, entry);
		return r < 0 ? r : append_missing(new, wanted, options);
	}
	if (crypttab_none(options)) {
		change->old = options;
		return append_missing(new, wanted, (struct ref){0});
	}
	change->old = (struct ref){options.p + options.n, 0};
	return append_missing(new, wanted, options);
}

static int add(struct ref text, const struct crypttab_edit *edit, struct change *change)
{
	const char *const fields[] = {edit->name, edit->device, "none", edit->options};
	bool in_line = text.n > 0 && text.p[text.n - 1] != '\n';
	struct buf *new = &change->new;
	int r = in_line ? buf_append_str(new, "\n") : 0;

	change->old = (struct ref){text.p + text.n, 0};
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(fields); i++) {
		r = i > 0 ? buf_append_str(new, " ") : 0;
		if (r == 0)
			r = buf_append_str(new, fields[i]);
	}
	return r < 0 ? r : buf_append_str(new, "\n");
}

/* Each option that is wanted comes with a comma before it; blanks may be those of the line, twice. */
static size_t room_for(const struct crypttab_edit *edit, const struct crypttab_entry *entry)
{
	return strlen(edit->name) + strlen(edit->device) + strlen(edit->options) +
	       2 * entry->line.n + WORDS_ROOM;
}

static int apply(struct ref text, const struct change *change, struct buf *ret)
{
	CLEANUP(buf_done) struct buf out = {0};
	size_t head = (size_t)(change->old.p - text.p);
	struct ref before = {text.p, head};
	struct ref after = {change->old.p + change->old.n, text.n - head - change->old.n};
	size_t size = before.n + change->new.n + after.n;
	int r = size > CRYPTTAB_SIZE_MAX ? -E2BIG : buf_init(&out, size);

	if (r == 0)
		r = append(&out, before);
	if (r == 0)
		r = append(&out, buf_ref(&change->new));
	if (r == 0)
		r = append(&out, after);
	if (r == 0)
		*ret = TAKE_STRUCT(out);
	return r;
}

int crypttab_set(struct ref text, const struct crypttab_edit *edit, const struct log *log,
		 struct buf *ret)
{
	CLEANUP(change_done) struct change change = {0};
	struct crypttab_entry entry = {0};
	int r = check_edit(edit, log), there;

	if (r < 0)
		return r;
	there = find(text, edit, log, &entry);
	if (there < 0)
		return there;
	r = there ? check_entry(&entry, edit, log) : 0;
	if (r < 0)
		return r;

	r = buf_init(&change.new, room_for(edit, &entry));
	if (r == 0)
		r = there ? complete(&entry, ref_str(edit->options), &change)
			  : add(text, edit, &change);
	if (r == 0)
		r = apply(text, &change, ret);
	if (r == -E2BIG)
		return log_err(log, r, "crypttab would become too large");
	return r;
}
