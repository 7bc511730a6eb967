/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Joins crypttab and the kernel command line as systemd-cryptsetup-generator does. */
#include "units/listed.h"

#include <errno.h>
#include <stdlib.h>

struct join {
	struct listed out; /* with room for all */
	const struct cmdline *cmdline;
	const struct log *log;
	bool *made; /* of each volume of the command line: crypttab has it */
};

void listed_done(struct listed *listed)
{
	for (size_t i = 0; i < listed->n; i++)
		free(listed->volumes[i].name);
	free(listed->volumes);
	*listed = (struct listed){0};
}

static void join_done(struct join *join)
{
	listed_done(&join->out);
	free(join->made);
}

static struct ref after(struct ref text, const char *prefix)
{
	size_t n = strlen(prefix);

	if (!ref_begins(text, prefix))
		return (struct ref){0};
	return (struct ref){text.p + n, text.n - n};
}

/* The UUID that a line of crypttab says; empty where it says none. */
static struct ref uuid_of(const struct crypttab_entry *entry)
{
	struct ref uuid = after(entry->device, "UUID=");

	if (uuid.n == 0)
		uuid = after(entry->device, "/dev/disk/by-uuid/");
	if (uuid.n == 0)
		uuid = after(entry->name, "luks-");
	return uuid;
}

static bool has_name(const struct listed *listed, const char *name)
{
	for (size_t i = 0; i < listed->n; i++)
		if (strcmp(listed->volumes[i].name, name) == 0)
			return true;
	return false;
}

/* Takes the name over. */
static int add(struct join *join, char *name, struct ref key, struct ref options)
{
	struct listed *out = &join->out;

	if (!name)
		return -ENOMEM;
	if (has_name(out, name)) {
		(void)log_err(join->log, 0, "there are two volumes %s: the second is ignored",
			      name);
		free(name);
		return 0;
	}
	out->volumes[out->n++] = (struct listed_volume){name, key, options};
	return 0;
}

static char *copy(const char *prefix, struct ref text)
{
	size_t n = strlen(prefix);
	char *name = calloc(n + text.n + 1, 1);

	if (name) {
		memcpy(name, prefix, n);
		memcpy(name + n, text.p, text.n);
	}
	return name;
}

static int add_entry(struct join *join, const struct crypttab_entry *entry)
{
	const struct cmdline *cmdline = join->cmdline;
	struct ref uuid = uuid_of(entry), options = entry->options;
	const struct cmdline_volume *said = uuid.n > 0 ? cmdline_find(cmdline, uuid) : NULL;

	if (!said && cmdline->selective)
		return log_dbg(join->log, 0,
			       "volume %.*s is not among those of the kernel command line",
			       (int)entry->name.n, entry->name.p);
	if (said) {
		join->made[said - cmdline->volumes] = true;
		if (said->options.n > 0)
			options = said->options;
	}
	return add(join, copy("", entry->name), entry->key, options);
}

static int add_crypttab(struct join *join, struct ref crypttab)
{
	struct crypttab_reader reader = {.rest = crypttab};
	struct crypttab_entry entry;
	int r;

	while ((r = crypttab_next(&reader, &entry)) != 0) {
		if (r < 0)
			(void)log_err(join->log, r, "line %zu of crypttab names no device",
				      reader.number);
		else
			r = add_entry(join, &entry);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

static int add_cmdline(struct join *join)
{
	const struct cmdline *cmdline = join->cmdline;

	for (size_t i = 0; i < cmdline->n; i++) {
		const struct cmdline_volume *said = &cmdline->volumes[i];
		int r;

		if (!said->create || join->made[i])
			continue;
		r = add(join, said->name.n > 0 ? copy("", said->name) : copy("luks-", said->uuid),
			said->key.n > 0 ? said->key : cmdline->key,
			said->options.n > 0 ? said->options : cmdline->options);
		if (r < 0)
			return r;
	}
	return 0;
}

static size_t count_entries(struct ref crypttab)
{
	struct crypttab_reader reader = {.rest = crypttab};
	struct crypttab_entry entry;
	size_t n = 0;
	int r;

	while ((r = crypttab_next(&reader, &entry)) != 0)
		n += r > 0;
	return n;
}

int listed_read(struct ref crypttab, const struct cmdline *cmdline, const struct log *log,
		struct listed *ret)
{
	CLEANUP(join_done) struct join join = {.cmdline = cmdline, .log = log};
	int r = 0;

	join.made = calloc(cmdline->n + 1, sizeof(*join.made));
	join.out.volumes =
		calloc(count_entries(crypttab) + cmdline->n + 1, sizeof(*join.out.volumes));
	if (!join.made || !join.out.volumes)
		return -ENOMEM;

	if (!cmdline->disabled && !cmdline->no_crypttab)
		r = add_crypttab(&join, crypttab);
	if (r == 0 && !cmdline->disabled)
		r = add_cmdline(&join);
	if (r == 0)
		*ret = TAKE_STRUCT(join.out);
	return r;
}
