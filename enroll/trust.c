/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks whether a server is to be trusted. */
#include "enroll/trust.h"

#include "enroll/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The caller frees it; NULL out of memory. */
static char *trust_text(const struct trust_question *question)
{
	const json_t *thumbprint;
	char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	(void)fprintf(f, "The Tang server at %s signs with the keys\n", question->url);
	json_array_foreach(question->thumbprints, i, thumbprint)
		(void)fprintf(f, "    %s\n", json_string_value(thumbprint));
	(void)fputs("Are these the keys that tang-show-keys prints there? [y/N] ", f);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

int trust_confirm(void *arg, const struct trust_question *question)
{
	const struct log *log = arg;
	char *text;
	int r;

	if (!ask_possible())
		return log_err(log, -EKEYREJECTED,
			       "there is no terminal to ask whether %.200s is to be trusted; give "
			       "--tang-thumbprint=THP (thp=THP in a policy), which tang-show-keys "
			       "prints on the server, or "
			       "--tang-advertisement=FILE",
			       question->url);

	text = trust_text(question);
	r = text ? ask_yes(text) : -ENOMEM;
	free(text);
	if (r < 0)
		return log_err(log, -EKEYREJECTED,
			       "the keys of %.200s are not trusted; nothing was changed",
			       question->url);
	return 0;
}
