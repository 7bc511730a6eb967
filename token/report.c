/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of a recovery, for people and for programs. */
#include "token/report.h"

#include <errno.h>
#include <stdio.h>

/* A job in its tree. */
struct path {
	const struct path *above; /* NULL at the root */
	const struct job *job;
	size_t number, of; /* it is that share of the one above, counted from 1 */
};

static const char *pin_name(const struct job *job)
{
	return job->pin ? job->pin->name : "unknown";
}

/* The text after "WORD: ", or after "WORD " where `loose`; all of it where it does not begin so. */
static const char *skip(const char *text, const char *word, bool loose)
{
	size_t n = strlen(word);

	if (n == 0 || strncmp(text, word, n) != 0)
		return text;
	if (strncmp(text + n, ": ", 2) == 0)
		return text + n + 2;
	return loose && text[n] == ' ' ? text + n + 1 : text;
}

/* Without the name of the pin and whom it asks, which pins begin their lines with. */
static const char *words(const struct job *job, const char *line)
{
	return skip(skip(line, pin_name(job), false), job->where, true);
}

static const char *cause(const struct job *job)
{
	return job->why[0] ? words(job, job->why) : strerror(job->result < 0 ? -job->result : 0);
}

static const char *state(const struct job *job)
{
	switch (job->result) {
	case 0:
		return "recovered";
	case -EINPROGRESS:
		return "not needed";
	case -ENOANO:
		return "wants a PIN";
	default:
		return "failed";
	}
}

/* "share 2 of 3, share 1 of 2: " */
static void path_name(const struct path *path, char *ret, size_t size)
{
	size_t n;

	ret[0] = '\0';
	if (!path->above)
		return;
	path_name(path->above, ret, size);
	n = strlen(ret);
	(void)snprintf(ret + n, size - n, "%sshare %zu of %zu", n > 0 ? ", " : "", path->number,
		       path->of);
}

static void report_leaf(const struct log *log, const struct path *path)
{
	const struct job *job = path->job;
	bool failed = job->result < 0 && job->result != -EINPROGRESS;
	char name[LOG_LINE_MAX / 2];

	path_name(path, name, sizeof(name));
	(void)log_err(log, 0, "%s: %s%s%s: %s", name, pin_name(job), job->where[0] ? " " : "",
		      job->where, failed ? cause(job) : state(job));
}

static void report_leaves(const struct log *log, const struct path *path)
{
	const struct job *job = path->job;

	if (job->n_children == 0)
		report_leaf(log, path);
	for (size_t i = 0; i < job->n_children; i++) {
		const struct path child = {path, &job->children[i], i + 1, job->n_children};

		report_leaves(log, &child);
	}
	/* A node whose parts suffice, but do not fit together, has failed by itself. */
	if (path->above && job->n_children > 0 && job->result == -EBADMSG)
		report_leaf(log, path);
}

void report_failure(const struct log *log, const struct job *root)
{
	const struct path path = {.job = root};

	if (root->n_children > 0)
		report_leaves(log, &path);
	if (root->why[0])
		(void)log_err(log, 0, "%s", root->why);
	else
		(void)log_err(log, 0, "%s: %s", pin_name(root), cause(root));
}

static int shares_json(const struct job *job, json_t **ret)
{
	CLEANUP_JSON json_t *shares = json_array();

	for (size_t i = 0; i < job->n_children; i++) {
		json_t *share = NULL;
		int r;

		r = token_report(&job->children[i], &share);
		if (r < 0)
			return r;
		if (json_array_append_new(shares, share) != 0)
			return -ENOMEM;
	}
	if (!shares)
		return -ENOMEM;
	*ret = TAKE_PTR(shares);
	return 0;
}

static const char *advertisement(const struct survey *survey)
{
	static const char *const names[] = {
		[SURVEY_CURRENT] = "current",
		[SURVEY_CHANGED] = "changed",
		[SURVEY_UNTRUSTED] = "untrusted",
		[SURVEY_UNREACHABLE] = "unreachable",
	};

	return survey ? names[survey->state] : NULL;
}

int token_report(const struct job *root, json_t **ret)
{
	bool told = root->result < 0 && root->result != -EINPROGRESS;
	uint64_t took_us = root->ended_us - root->began_us;
	CLEANUP_JSON json_t *shares = NULL;
	CLEANUP_JSON json_t *report = json_pack(
		"{s:s, s:s*, s:s, s:I, s:s*, s:s*, s:s*}", "pin", pin_name(root), "where",
		root->where[0] ? root->where : NULL, "state", state(root), "ms",
		(json_int_t)(took_us / USEC_PER_MSEC), "cause", told ? cause(root) : NULL,
		"advertisement", advertisement(root->survey), "advertisement_cause",
		root->survey && root->survey->why[0] ? words(root, root->survey->why) : NULL);
	int r;

	if (!report)
		return -ENOMEM;
	if (root->n_children > 0) {
		r = shares_json(root, &shares);
		if (r < 0)
			return r;
		if (json_object_set_new(report, "threshold", json_integer(root->threshold)) != 0 ||
		    json_object_set(report, "shares", shares) != 0)
			return -ENOMEM;
	}

	*ret = TAKE_PTR(report);
	return 0;
}
