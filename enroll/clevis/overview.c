/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists commands: ours by the table, others' by asking them. */
#include "enroll/clevis/overview.h"

#include "crypto/js.h"
#include "enroll/clevis/command.h"
#include "enroll/clevis/environment.h"
#include "enroll/clevis/external.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { SUMMARY_MAX = 4096, PATIENCE_US = 2 * USEC_PER_SEC };

#define PREFIX "clevis-"

static int add(json_t *rows, const char *name, struct ref summary)
{
	while (summary.n > 0 && summary.p[summary.n - 1] == '\n')
		summary.n--;
	return json_object_set_new(rows, name, json_stringn((const char *)summary.p, summary.n));
}

static int finish(struct external *external)
{
	uint64_t end = now_us() + PATIENCE_US;
	int r;

	while ((r = external_step(external)) == -EINPROGRESS && now_us() < end)
		if (external_wait(external, end) < 0)
			return -EINTR;
	return r;
}

/* What has no summary, or takes long to say it, is no command for people. */
static void ask(json_t *rows, const char *name)
{
	CLEANUP(external_done) struct external external = {0};
	CLEANUP(free_text) char *path = external_find(name);
	char option[] = "--summary";
	char *argv[] = {path, option, NULL};

	if (path && external_start(path, argv, (struct ref){0}, SUMMARY_MAX, &external) == 0 &&
	    finish(&external) == 0 && external.output.n > 0)
		(void)add(rows, name, buf_ref(&external.output));
}

static void ask_all_in(const char *folder, json_t *rows)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name + strlen(PREFIX);

		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 && !command_find(name) &&
		    !json_object_get(rows, name))
			ask(rows, name);
	}
	if (dir)
		(void)closedir(dir);
}

static void ask_all(json_t *rows)
{
	const char *path = environment_path();

	for (size_t n; *path; path += n + strspn(path + n, ":")) {
		CLEANUP(free_text) char *folder = NULL;

		n = strcspn(path, ":");
		folder = strndup(path, n);
		if (folder)
			ask_all_in(folder, rows);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_row(const char *name, int width, const char *summary)
{
	(void)fputs("  clevis ", stderr);
	for (const char *c = name; *c; c++)
		(void)fputc(*c == '-' ? ' ' : *c, stderr);
	(void)fprintf(stderr, "%*s %s\n", width - (int)strlen(name), "", summary);
}

static void print(json_t *rows)
{
	size_t n = json_object_size(rows), i = 0;
	const char **names = calloc(n + 1, sizeof(*names)), *name;
	const json_t *summary;
	int width = 0;

	if (!names)
		return;
	json_object_foreach(rows, name, summary) {
		names[i++] = name;
		width = (int)strlen(name) > width ? (int)strlen(name) : width;
	}
	qsort(names, n, sizeof(*names), compare);
	for (i = 0; i < n; i++)
		print_row(names[i], width, js_str(rows, names[i]));
	free(names);
}

int overview(int argc, char **argv)
{
	CLEANUP_JSON json_t *rows = json_object();

	for (const struct command *c = commands; c->name; c++)
		if (c->summary)
			(void)add(rows, c->name, ref_str(c->summary));
	ask_all(rows);

	if (argc > 1 && argv[1][0] != '-') {
		(void)fputs("\nCommand 'clevis", stderr);
		for (int i = 1; i < argc; i++)
			(void)fprintf(stderr, " %s", argv[i]);
		(void)fputs("' is invalid\n", stderr);
	}
	(void)fputs("\nUsage: clevis COMMAND [OPTIONS]\n\n", stderr);
	print(rows);
	(void)fputs("\n", stderr);
	return CLEVIS_USAGE;
}
