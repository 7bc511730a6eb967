/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recovers what is asked for, again and again while it may yet succeed. */
#include "units/agent.h"

#include "units/crypttab.h"
#include "units/pin-question.h"
#include "units/place.h"
#include "units/text-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { WRONG_PINS_MAX = 3, LOOK_AGAIN_US = 250 * USEC_PER_MSEC };

/* A question, and what is done about it. */
struct ask {
	struct ask *next;
	char file[NAME_MAX + 1];
	struct question question;
	struct attempt attempt; /* over from the start where the question is not ours */
	bool seen;              /* in the folder by the last look */

	struct pin_question pin_question;
	struct buf pin; /* that was typed; p NULL: none */
	unsigned wrong_pins;
	bool asks_no_more; /* for a PIN */

	struct buf secret; /* the answer, until it was taken */
	int id;            /* of its token */
};

static void ask_free(struct ask *ask)
{
	attempt_done(&ask->attempt);
	pin_question_done(&ask->pin_question);
	buf_done(&ask->pin);
	buf_done(&ask->secret);
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

	for (const struct ask *ask = agent->asks; ask; ask = ask->next) {
		uint64_t at = attempt_next_us(&ask->attempt);

		if (!ask->seen)
			at = now_us() + LOOK_AGAIN_US; /* whether its asker is there */
		if (at < next && question_open(&ask->question))
			next = at;
	}
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

static void give_answer(struct agent *agent, struct ask *ask)
{
	if (!ask->secret.p || question_answer(&ask->question, buf_ref(&ask->secret)) < 0)
		return;
	agent->on_answer(ask->question.device, ask->id);
	buf_done(&ask->secret);
}

static bool is_about_pin(const struct agent *agent, const struct ask *ask)
{
	return ask->pin_question.open || ask->pin.p || ask->secret.p || agent->turn == ask;
}

/* A question that takes the place of one about the same volume, which is no longer in the folder. */
static bool take_over(struct agent *agent, const char *file, const struct question *question)
{
	struct ask *ask = agent->asks;

	while (ask &&
	       (strcmp(ask->question.device, question->device) != 0 || !is_about_pin(agent, ask) ||
		faccessat(agent->folder, ask->file, F_OK, 0) == 0))
		ask = ask->next;
	if (!ask)
		return false;
	(void)snprintf(ask->file, sizeof(ask->file), "%s", file);
	ask->question = *question;
	ask->seen = true;
	give_answer(agent, ask);
	return true;
}

/* A question that is not for us is kept, too, so that it is looked at once. */
static void add(struct agent *agent, const char *file)
{
	struct question question = {0};
	struct ask *ask;
	int r;

	r = question_read(agent->folder, file, &question);
	if (r == 0 && take_over(agent, file, &question))
		return;
	ask = calloc(1, sizeof(*ask));
	if (!ask)
		return;
	(void)snprintf(ask->file, sizeof(ask->file), "%s", file);
	ask->question = question;
	ask->seen = true;
	if (r == 0)
		r = open_volume(agent, ask->question.device, &ask->attempt.volume);
	ask->attempt.over = r < 0;
	ask->attempt.waits_for_card = r == 0 && volume_waits_for_card(ask->attempt.volume);
	ask->next = agent->asks;
	agent->asks = ask;
}

/* Nothing else runs in this round. */
static void end_turn(struct agent *agent)
{
	attempt_stop(&agent->turn->attempt);
	buf_done(&agent->turn->pin);
	agent->turn = NULL;
	round_end(&agent->round);
}

/*
 * Consoles put one question at a time, so ours for a PIN comes after the one for the passphrase, which was
 * answered then: it waits until that was tried, and will be asked again where it was wrong.
 */
static bool lingers(const struct agent *agent, const struct ask *ask)
{
	return is_about_pin(agent, ask) && ask->question.pid > 0 && question_open(&ask->question);
}

/* Frees the questions that are gone. One whose asker died stays: who starts us again would not stop. */
static void drop(struct agent *agent)
{
	struct ask **at = &agent->asks;

	agent->n_questions = 0;
	while (*at) {
		struct ask *ask = *at;

		if (ask->seen || lingers(agent, ask)) {
			agent->n_questions++;
			at = &ask->next;
			continue;
		}
		*at = ask->next;
		if (agent->turn == ask)
			end_turn(agent);
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

		if (!question_name(entry->d_name) || pin_question_name(entry->d_name))
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

void agent_something_changed(struct agent *agent)
{
	for (struct ask *ask = agent->asks; ask; ask = ask->next)
		ask->attempt.next_us = 0;
}

/* For which token, in words; the label of a card is its own. */
static void describe(const struct ask *ask, char *ret, size_t size)
{
	const struct token *token = ask->attempt.wants_pin;
	CLEANUP_JSON json_t *facts = NULL;
	const char *card = NULL;

	if (token_describe(token, &facts) == 0)
		card = js_str(facts, "token");
	(void)snprintf(ret, size, "%sPlease enter the PIN of %s%s%s that unlocks %s:",
		       ask->wrong_pins > 0 ? "Wrong PIN. " : "",
		       card ? "the card \"" : "token type " TOKEN_TYPE_PREFIX,
		       card ? card : token->pin->name, card ? "\"" : "", ask->question.device);
}

static void ask_for_pin(struct agent *agent, struct ask *ask)
{
	struct epoll_event event = {.events = EPOLLIN};
	char text[QUESTION_DEVICE_MAX + 256];

	describe(ask, text, sizeof(text));
	if (pin_question_ask(&ask->pin_question, text) < 0) {
		(void)log_err(agent->round.log, 0, "%s: its PIN cannot be asked for",
			      ask->question.device);
		return;
	}
	(void)log_dbg(agent->round.log, 0, "%s: asks for its PIN", ask->question.device);
	(void)epoll_ctl(agent->typed, EPOLL_CTL_ADD, ask->pin_question.fd, &event);
}

/* A TPM was there from the start, so systemd-cryptsetup has asked for its PIN. */
static bool was_asked(const struct attempt *attempt)
{
	return attempt->tries == 1 && strcmp(attempt->wants_pin->pin->name, "tpm2") == 0;
}

/* After a try: a PIN is asked for while it would open the volume, and no longer. */
static void settle_pin(struct agent *agent, struct ask *ask)
{
	struct attempt *attempt = &ask->attempt;

	if (!attempt->wants_pin || ask->asks_no_more || was_asked(attempt)) {
		pin_question_done(&ask->pin_question);
		buf_done(&ask->pin);
		return;
	}
	attempt->over = false;
	if (!ask->pin_question.open)
		ask_for_pin(agent, ask);
}

/* Whoever typed three wrong ones, or for a card that takes none, is asked for the passphrase alone. */
static void after_turn(struct agent *agent, struct ask *ask, int r)
{
	ask->wrong_pins += r == -ENOANO;
	if (r == -ENOENT || ask->wrong_pins == WRONG_PINS_MAX)
		ask->asks_no_more = true;
	end_turn(agent);
	ask->attempt.over = r == 0;
}

/* Gives the answer where a try has come to it. */
static void after_step(struct agent *agent, struct ask *ask, int r)
{
	if (r == -EINPROGRESS)
		return;
	if (r == 0)
		give_answer(agent, ask);
	if (agent->turn == ask)
		after_turn(agent, ask, r);
	settle_pin(agent, ask);
}

static void step_ask(struct agent *agent, struct ask *ask, bool begin)
{
	int r = begin ? attempt_begin(&agent->round, &ask->attempt, &ask->secret, &ask->id)
		      : attempt_step(&agent->round, &ask->attempt, &ask->secret, &ask->id);

	after_step(agent, ask, r);
}

static void take_pin(struct agent *agent, struct ask *ask)
{
	int r = pin_question_take(&ask->pin_question, &ask->pin);

	if (r == -ECANCELED || (r == 0 && ask->pin.n == 0)) {
		ask->asks_no_more = true;
		(void)log_err(agent->round.log, 0,
			      "%s: no PIN was typed, and none is asked for again",
			      ask->question.device);
	}
	if (ask->pin.n == 0)
		buf_done(&ask->pin);
}

/* Tries a PIN that was typed. What is on its way has to wait: a PIN is for one token, the round for all. */
static void begin_turn(struct agent *agent)
{
	struct ask *ask = agent->asks;
	int r;

	while (ask && !(ask->pin.p && ask->attempt.wants_pin))
		ask = ask->next;
	if (!ask)
		return;
	for (struct ask *other = agent->asks; other; other = other->next)
		if (attempt_running(&other->attempt))
			attempt_stop(&other->attempt);
	round_end(&agent->round);

	agent->turn = ask;
	r = attempt_begin_pin(&agent->round, &ask->attempt, ask->attempt.wants_pin,
			      buf_ref(&ask->pin), &ask->secret, &ask->id);
	after_step(agent, ask, r);
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
	drop(agent);
	for (struct ask *ask = agent->asks; ask; ask = ask->next)
		take_pin(agent, ask);
	if (!agent->turn)
		begin_turn(agent);
	if (!agent->turn)
		begin_due(agent);
	round_go_on(&agent->round);
	for (struct ask *ask = agent->asks; ask; ask = ask->next)
		if (attempt_running(&ask->attempt))
			step_ask(agent, ask, false);
	if (!agent->turn)
		begin_turn(agent);
	if (!agent_running(agent))
		round_end(&agent->round);
}

int agent_wait(struct agent *agent, int fd)
{
	return round_wait(&agent->round, fd);
}
