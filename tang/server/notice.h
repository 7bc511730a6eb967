/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the server tells its administrator: in the journal, with fields to search by, where standard
 * error is connected to it, or to the client; else as lines on standard error.
 */
#pragma once

#include "crypto/log.h"
#include "tang/server/settings.h"

struct notice {
	enum settings_log wanted;
	bool journal;
	_Atomic bool failed; /* an error was told of, wanted or not */
};

/* `wanted` says what is told at all. */
void notice_init(struct notice *notice, enum settings_log wanted);

/* For errors, and for details where SYSTEMD_LOG_LEVEL=debug; it borrows `notice`. */
struct log notice_log(struct notice *notice);

/* One request for a recovery; `subject` names the client's certificate, NULL where there is none. */
struct notice_recovery {
	const char *peer;
	const char *key;
	const char *subject;
	unsigned status;
};

void notice_recovery(const struct notice *notice, const struct notice_recovery *recovery);

/* A line that was asked for. */
void notice_line(const struct notice *notice, const char *line);
