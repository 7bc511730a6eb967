/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks whether a server is to be trusted, as Clevis does. */
#include "enroll/clevis/trust.h"

#include "enroll/ask.h"
#include "enroll/trust.h"

#include <errno.h>

int trust_all(void *arg, const struct trust_question *question)
{
	(void)arg;
	(void)question;
	return 0;
}

int trust_ask(void *arg, const struct trust_question *question)
{
	const struct log *log = arg;
	int r;

	if (!ask_possible())
		return log_err(
			log, -EKEYREJECTED,
			"there is no terminal to ask whether the keys of %.200s are to be "
			"trusted; give \"thp\" in the configuration, which tang-show-keys prints on the "
			"server",
			question->url);
	r = trust_ask_yes("The advertisement contains the following signing keys:\n\n", "",
			  question->thumbprints, "\nDo you wish to trust these keys? [ynYN] ");
	return r < 0 ? log_err(log, -EKEYREJECTED, "the keys of %.200s are not trusted",
			       question->url)
		     : 0;
}
