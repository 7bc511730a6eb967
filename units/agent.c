/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recovers what is asked for, again and again while it may yet succeed. */
#include "units/agent.h"

#include "units/crypttab.h"
#include "units/place.h"
#include "units/text-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A question, and what is done about it. */
struct ask {
	struct ask *next;
	char file[NAME_MAX + 1];
	struct question question;
	struct attempt attempt; /* over from the start where the question is not ours */
	bool seen;              /* in the folder by the last look */
};

static void ask_free(struct ask *ask)
{
	attempt_done(&ask->attempt);
	free(ask);
}

void agent_done(struct agent *agent)
{
	while (agent->asks) {
		struct ask *ask = agent->asks;

		agent->asks = ask->next;
		ask_free(ask);
	}
	round_done(&agent->round);
}

bool agent_running(const struct agent *agent)
{
	for (const struct ask *ask = agent->asks; ask; ask = ask->next)
		if (attempt_running(&ask->attempt))
			return true;
	return false;
}

uint64_t agent_next_us(const struct agent *agent)
{
	uint64_t next = UINT64_MAX;

	for (const struct ask *ask = agent->asks; ask; ask = ask->next)
		if (attempt_next_us(&ask->attempt) < next && question_open(&ask->question))
			next = ask->attempt.next_us;
	return next;
}

static struct ask *find(const struct agent *agent, const char *file)
{
	struct ask *ask = agent->asks;

	while (ask && strcmp(ask->file, file) != 0)
		ask = ask->next;
	return ask;
}

/* Opens the volume that a question is about, wherever crypttab says that its header is. */
static int open_volume(const struct agent *agent, const char *device, struct volume **ret)
{
	CLEANUP(place_done) struct place place = {0};
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	/* What the kernel command line asks for is in none. */
	(void)!text_file_read("/etc/crypttab", CRYPTTAB_SIZE_MAX, &text);
	r = place_of_device(buf_ref(&text), device, &place);
	return r < 0 ? r : volume_open(place.device, place.header, agent->round.log, ret);
}

/* A question that is not for us is kept, too, so that it is looked at once. */
static void add(struct agent *agent, const char *file)
{
	struct ask *ask = calloc(1, sizeof(*ask));
	int r;

	if (!ask)
		return;
	(void)snprintf(ask->file, sizeof(ask->file), "%s", file);
	ask->seen = true;
	r = question_read(agent->folder, file, &ask->question);
	if (r == 0)
		r = open_volume(agent, ask->question.device, &ask->attempt.volume);
	ask->attempt.over = r < 0;
	ask->next = agent->asks;
	agent->asks = ask;
}

/* Frees the questions that are gone. One whose asker died stays: who starts us again would not stop. */
static void drop(struct agent *agent)
{
	struct ask **at = &agent->asks;

	agent->n_questions = 0;
	while (*at) {
		struct ask *ask = *at;

		if (ask->seen) {
			agent->n_questions++;
			at = &ask->next;
			continue;
		}
		*at = ask->next;
		ask_free(ask);
	}
}

void agent_scan(struct agent *agent)
{
	int fd = openat(agent->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	for (struct ask *ask = agent->asks; ask; ask = ask->next)
		ask->seen = false;
	while (dir && (entry = readdir(dir))) {
		struct ask *known;

		if (!question_name(entry->d_name))
			continue;
		known = find(agent, entry->d_name);
		if (known)
			known->seen = true;
		else
			add(agent, entry->d_name);
	}
	if (dir)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
	drop(agent);
}

void agent_network_changed(struct agent *agent)
{
	for (struct ask *ask = agent->asks; ask; ask = ask->next)
		ask->attempt.next_us = 0;
}

/* Gives the answer where a try has come to it. */
static void step_ask(struct agent *agent, struct ask *ask, bool begin)
{
	CLEANUP(buf_done) struct buf secret = {0};
	int r, id = 0;

	r = begin ? attempt_begin(&agent->round, &ask->attempt, &secret, &id)
		  : attempt_step(&agent->round, &ask->attempt, &secret, &id);
	if (r == 0 && question_answer(&ask->question, buf_ref(&secret)) == 0)
		agent->on_answer(ask->question.device, id);
}

static void begin_due(struct agent *agent)
{
	uint64_t now = now_us();

	for (struct ask *ask = agent->asks; ask; ask = ask->next)
		if (attempt_next_us(&ask->attempt) <= now && question_open(&ask->question))
			step_ask(agent, ask, true);
}

void agent_step(struct agent *agent)
{
	begin_due(agent);
	round_go_on(&agent->round);
	for (struct ask *ask = agent->asks; ask; ask = ask->next)
		if (attempt_running(&ask->attempt))
			step_ask(agent, ask, false);
	if (!agent_running(agent))
		round_end(&agent->round);
}

int agent_wait(struct agent *agent, int fd)
{
	return round_wait(&agent->round, fd);
}
