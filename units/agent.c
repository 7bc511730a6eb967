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
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum {
	ROUND_US = TOKEN_DEADLINE_DEFAULT * USEC_PER_SEC,
	PAUSE_MIN_US = 1 * USEC_PER_SEC,
	PAUSE_MAX_US = 32 * USEC_PER_SEC,
};

/* A question, and what is done about it. */
struct ask {
	struct ask *next;
	char file[NAME_MAX + 1];
	struct question question;
	struct volume *volume;    /* NULL: not ours */
	struct recovery recovery; /* the try that is on its way */

	bool seen; /* in the folder by the last look */
	bool over; /* answered, or no further try would help */
	unsigned tries;
	uint64_t next_us; /* of the next try */
};

static void ask_free(struct ask *ask)
{
	recovery_done(&ask->recovery);
	volume_free(ask->volume);
	free(ask);
}

void agent_done(struct agent *agent)
{
	while (agent->asks) {
		struct ask *ask = agent->asks;

		agent->asks = ask->next;
		ask_free(ask);
	}
	cot_done(&agent->cot);
}

bool agent_running(const struct agent *agent)
{
	for (const struct ask *ask = agent->asks; ask; ask = ask->next)
		if (ask->recovery.n > 0)
			return true;
	return false;
}

uint64_t agent_next_us(const struct agent *agent)
{
	uint64_t next = UINT64_MAX;

	for (const struct ask *ask = agent->asks; ask; ask = ask->next)
		if (!ask->over && ask->recovery.n == 0 && ask->next_us < next &&
		    question_open(&ask->question))
			next = ask->next_us;
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
	return r < 0 ? r : volume_open(place.device, place.header, agent->log, ret);
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
		r = open_volume(agent, ask->question.device, &ask->volume);
	ask->over = r < 0;
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
		ask->next_us = 0;
}

/* Up to half of it off, so that many machines do not come at the same moment. */
static uint64_t with_jitter(uint64_t us)
{
	uint32_t random = 0;

	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	return us - us / 2 * random / UINT32_MAX;
}

static void pause_ask(struct ask *ask)
{
	uint64_t us = PAUSE_MIN_US;

	for (unsigned i = 1; i < ask->tries && us < PAUSE_MAX_US; i++)
		us *= 2;
	ask->next_us = now_us() + with_jitter(us);
}

/* Goes on with a try, and gives the answer or says why there is none. */
static void step_ask(const struct agent *agent, struct ask *ask)
{
	CLEANUP(buf_done) struct buf secret = {0};
	int r, id = 0;

	r = recovery_step(&ask->recovery, &secret, &id);
	if (r == -EINPROGRESS)
		return;

	if (r == 0 && question_answer(&ask->question, buf_ref(&secret)) == 0)
		agent->on_answer(ask->question.device, id);
	if (r < 0 && (ask->tries == 1 || r != -EAGAIN))
		recovery_report(&ask->recovery, agent->log);
	recovery_done(&ask->recovery);
	ask->over = r != -EAGAIN;
	pause_ask(ask);
}

static void begin(struct agent *agent, struct ask *ask)
{
	if (!agent->in_round)
		agent->cot = (struct cot){.pins = pins, .log = agent->log};
	agent->in_round = true;
	agent->cot.network = false;
	agent->cot.deadline_us = now_us() + ROUND_US;
	ask->tries++;
	recovery_begin(&ask->recovery, &agent->cot, ask->volume);
	step_ask(agent, ask);
}

/* Local parts of what has just begun come first: they may make the network needless. */
static void begin_due(struct agent *agent)
{
	uint64_t now = now_us();

	for (struct ask *ask = agent->asks; ask; ask = ask->next)
		if (!ask->over && ask->recovery.n == 0 && ask->next_us <= now &&
		    question_open(&ask->question))
			begin(agent, ask);
}

void agent_step(struct agent *agent)
{
	begin_due(agent);
	agent->cot.network = true;
	for (struct ask *ask = agent->asks; ask; ask = ask->next)
		if (ask->recovery.n > 0)
			step_ask(agent, ask);

	/* Nothing of a network that was is kept for the next round. */
	if (agent->in_round && !agent_running(agent)) {
		cot_done(&agent->cot);
		agent->in_round = false;
	}
}

int agent_wait(struct agent *agent, int fd)
{
	struct pollfd alarm = {.fd = fd, .events = POLLIN};
	int r;

	agent->cot.alarm = &alarm;
	r = cot_wait(&agent->cot);
	agent->cot.alarm = NULL;
	return r;
}
