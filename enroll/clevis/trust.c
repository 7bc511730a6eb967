/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks whether a server is to be trusted, as Clevis does. */
#include "enroll/clevis/trust.h"

#include "enroll/ask.h"

#include <errno.h>
#include <stdio.h>

int trust_all(void *arg, const struct trust_question *question)
{
	(void)arg;
	(void)question;
	return 0;
}

/* The caller frees it; NULL out of memory. */
static char *question_text(const struct trust_question *question)
{
	const json_t *thumbprint;
	char *text = NULL;
	size_t size, i;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	(void)fputs("The advertisement contains the following signing keys:\n\n", f);
	json_array_foreach(question->thumbprints, i, thumbprint)
		(void)fprintf(f, "%s\n", json_string_value(thumbprint));
	(void)fputs("\nDo you wish to trust these keys? [ynYN] ", f);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

int trust_ask(void *arg, const struct trust_question *question)
{
	const struct log *log = arg;
	CLEANUP(free_text) char *text = NULL;
	int r;

	if (!ask_possible())
		return log_err(
			log, -EKEYREJECTED,
			"there is no terminal to ask whether the keys of %.200s are to be "
			"trusted; give \"thp\" in the configuration, which tang-show-keys prints on the "
			"server",
			question->url);
	text = question_text(question);
	r = text ? ask_yes(text) : -ENOMEM;
	return r < 0 ? log_err(log, -EKEYREJECTED, "the keys of %.200s are not trusted",
			       question->url)
		     : 0;
}
