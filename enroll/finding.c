/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collects findings as JSON. */
#include "enroll/finding.h"

#include "crypto/log.h"

#include <stdarg.h>
#include <stdio.h>

void findings_of(struct findings *findings, int token)
{
	findings->token = token;
	findings->worst = FINDING_WARNING;
	findings->any = false;
}

/* What a header or an image named may be anything. */
static void make_printable(char *line)
{
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
}

void finding_add(struct findings *findings, const struct finding_kind *kind, const char *fmt, ...)
{
	static const char *const weights[] = {
		[FINDING_WARNING] = "warning",
		[FINDING_AWAY] = "unreachable",
		[FINDING_ERROR] = "error",
	};
	char cause[2 * LOG_LINE_MAX];
	json_t *finding;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(cause, sizeof(cause), fmt, ap);
	va_end(ap);
	make_printable(cause);

	finding = json_pack("{s:s, s:s, s:s, s:s}", "finding", kind->name, "weight",
			    weights[kind->weight], "cause", cause, "remedy", kind->remedy);
	if (finding && findings->token != FINDING_OF_VOLUME &&
	    json_object_set_new(finding, "token", json_integer(findings->token)) < 0)
		findings->failed = true;
	if (!finding || json_array_append_new(findings->list, finding) < 0)
		findings->failed = true;

	findings->any = true;
	if (kind->weight > findings->worst)
		findings->worst = kind->weight;
}
