/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks whether a server is to be trusted. */
#include "enroll/trust.h"

#include "enroll/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The caller frees it; NULL out of memory. */
static char *trust_text(const char *before, const char *indent, const json_t *thumbprints,
			const char *after)
{
	const json_t *thumbprint;
	char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	(void)fputs(before, f);
	json_array_foreach(thumbprints, i, thumbprint)
		(void)fprintf(f, "%s%s\n", indent, json_string_value(thumbprint));
	(void)fputs(after, f);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

int trust_ask_yes(const char *before, const char *indent, const json_t *thumbprints,
		  const char *after)
{
	CLEANUP(free_text) char *text = trust_text(before, indent, thumbprints, after);

	return text ? ask_yes(text) : -ENOMEM;
}

int trust_confirm(void *arg, const struct trust_question *question)
{
	const struct log *log = arg;
	char before[LOG_LINE_MAX];
	int r;

	if (!ask_possible())
		return log_err(log, -EKEYREJECTED,
			       "there is no terminal to ask whether %.200s is to be trusted; give "
			       "--tang-thumbprint=THP (thp=THP in a policy), which tang-show-keys "
			       "prints on the server, or "
			       "--tang-advertisement=FILE",
			       question->url);

	(void)snprintf(before, sizeof(before), "The Tang server at %.400s signs with the keys\n",
		       question->url);
	r = trust_ask_yes(before, "    ", question->thumbprints,
			  "Are these the keys that tang-show-keys prints there? [y/N] ");
	if (r < 0)
		return log_err(log, -EKEYREJECTED,
			       "the keys of %.200s are not trusted; nothing was changed",
			       question->url);
	return 0;
}
