/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journal and standard error. */
#include "tang/server/notice.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

/* Of recoveries: journalctl MESSAGE_ID=… finds them. */
#define MESSAGE_ID_RECOVERY "3c6b4966bad34dd194524ff8209a3afb"

/* Whether standard error is the stream that JOURNAL_STREAM names (systemd.exec(5)). */
static bool is_journal(void)
{
	const char *said = secure_getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (!said || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(said, own) == 0;
}

/* As inetd has it: what is written there goes to the client. */
static bool is_input(void)
{
	struct stat in, err;

	return fstat(STDIN_FILENO, &in) == 0 && fstat(STDERR_FILENO, &err) == 0 &&
	       S_ISSOCK(err.st_mode) && in.st_dev == err.st_dev && in.st_ino == err.st_ino;
}

void notice_init(struct notice *notice, enum settings_log wanted)
{
	*notice = (struct notice){.wanted = wanted, .journal = is_journal() || is_input()};
}

static void tell(const struct notice *notice, int priority, const char *line)
{
	if (notice->journal)
		(void)sd_journal_send("MESSAGE=%s", line, "PRIORITY=%i", priority, NULL);
	else
		(void)fprintf(stderr, "cotter-tangd: %s\n", line);
}

static void sink(void *to, enum log_level level, const char *line)
{
	struct notice *notice = to;

	if (level == LOG_LEVEL_ERROR)
		notice->failed = true;
	if (notice->wanted != SETTINGS_LOG_NONE)
		tell(notice, level == LOG_LEVEL_ERROR ? LOG_ERR : LOG_DEBUG, line);
}

struct log notice_log(struct notice *notice)
{
	const char *level = secure_getenv("SYSTEMD_LOG_LEVEL");

	return (struct log){
		.sink = sink,
		.to = notice,
		.debug = level && strcmp(level, "debug") == 0,
	};
}

/* Names in certificates may hold anything. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

void notice_recovery(const struct notice *notice, const struct notice_recovery *recovery)
{
	bool good = recovery->status == 200;
	char subject[256], line[LOG_LINE_MAX];

	if (notice->wanted != SETTINGS_LOG_RECOVERY)
		return;
	(void)snprintf(subject, sizeof(subject), "%s", recovery->subject ? recovery->subject : "");
	make_printable(subject);
	(void)snprintf(line, sizeof(line), "%s by key %s for %s%s%s%s: HTTP %u",
		       good ? "recovery" : "no recovery", recovery->key, recovery->peer,
		       subject[0] ? " (" : "", subject, subject[0] ? ")" : "", recovery->status);
	if (!notice->journal) {
		tell(notice, LOG_INFO, line);
		return;
	}
	(void)sd_journal_send("MESSAGE=%s", line, "MESSAGE_ID=" MESSAGE_ID_RECOVERY, "PRIORITY=%i",
			      good ? LOG_INFO : LOG_NOTICE, "PEER=%s", recovery->peer, "KEY=%s",
			      recovery->key, "STATUS=%u", recovery->status,
			      subject[0] ? "SUBJECT=%s" : NULL, subject, NULL);
}

void notice_line(const struct notice *notice, const char *line)
{
	tell(notice, LOG_INFO, line);
}
