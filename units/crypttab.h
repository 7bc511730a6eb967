/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /etc/crypttab as systemd-cryptsetup-generator reads it: fields between blanks, and no quotes;
 * options between commas, where a backslash keeps a comma from ending one. Nothing is copied: what
 * is read points into the text, so that a writer can keep all other bytes.
 */
#pragma once

#include "crypto/buf.h"
#include "crypto/log.h"

/* Fields that a line has not are empty. */
struct crypttab_entry {
	struct ref name, device, key, options;
	struct ref line; /* whole, without its end */
	size_t number;   /* of the line, from 1 */
};

/* A reader begins as {.rest = text}. */
struct crypttab_reader {
	struct ref rest;
	size_t newlines; /* before rest */
	size_t number;   /* of the line that was read last, from 1 */
};

/*
 * Reads on to the next line that is not empty or a comment. Returns 1 for an entry and 0 at the
 * end. Errors: -EBADMSG (the line reader->number has a single field; the reader can go on).
 */
MUST int crypttab_next(struct crypttab_reader *reader, struct crypttab_entry *ret);

/* Takes the next option that is not empty out of *rest. */
bool crypttab_option_next(struct ref *rest, struct ref *ret);

/*
 * Whether there is an option of this name. The value of the last one goes to *ret_value, where
 * that is not NULL: as it is written, empty where it has none.
 */
bool crypttab_option(struct ref options, const char *name, struct ref *ret_value);

/* Which of two contrary options is said last; false where neither is. */
bool crypttab_switch(struct ref options, const char *yes, const char *no);

/* Whether a field has no meaning: it is missing, "-" or "none". */
bool crypttab_none(struct ref field);

/* What a volume's line is to become. Strings are borrowed. */
struct crypttab_edit {
	const char *name;    /* the volume's */
	const char *device;  /* as a new line names it, such as UUID=... */
	const char *options; /* those that it must have, between commas */
};

enum { CRYPTTAB_SIZE_MAX = 1024 * 1024 };

/*
 * Makes the text in which the line of edit->name has these options and names no key file. A line
 * that is there keeps its device and the options that it has, and gets those that it has not to
 * the byte; all else stays as it is. The caller has made sure that the line's device is the
 * volume. The cause goes to `log`, as one sentence. Errors: -EINVAL (a word cannot stand in
 * crypttab), -EBUSY (the line has a key file), -EEXIST (the volume is there under another name, or
 * the name for another volume), -ENOTUNIQ (two lines), -EBADMSG (a remark is in the way of
 * options), -E2BIG, -ENOMEM.
 */
MUST int crypttab_set(struct ref text, const struct crypttab_edit *edit, const struct log *log,
		      struct buf *ret);
