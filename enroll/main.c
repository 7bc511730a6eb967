/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-enroll: the table of what it does. */
#include "crypto/process.h"
#include "enroll/each.h"
#include "enroll/help.h"
#include "enroll/luks.h"
#include "enroll/verbs.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>

static verb_fn *const verbs[] = {
	[VERB_LIST] = verb_list,         [VERB_TEST] = verb_test,
	[VERB_WIPE] = verb_wipe,         [VERB_ENROLL] = verb_enroll,
	[VERB_DEVICES] = verb_devices,   [VERB_EXPLAIN] = verb_explain,
	[VERB_CRYPTTAB] = verb_crypttab, [VERB_REORDER] = verb_reorder,
	[VERB_REPORT] = verb_report,     [VERB_RENEW] = verb_renew,
	[VERB_IMPORT] = verb_import,     [VERB_DOCTOR] = verb_doctor,
};

static enum exit_code fail(const struct output *out)
{
	output_explain(out);
	return EXIT_CODE_FAILED;
}

static enum exit_code run(const struct options *options, struct output *out)
{
	enum exit_code code;

	if (luks_setup(options->unlock_token, &out->log) < 0)
		return fail(out);

	if (options->all || options->n_devices > 1)
		return each_run("", options, verbs[options->verb], out);
	code = verbs[options->verb](options, out);
	if (code == EXIT_CODE_FAILED)
		output_explain(out);
	if (output_result(out, options, code == EXIT_CODE_OK) < 0)
		return EXIT_CODE_FAILED;
	return code;
}

static enum exit_code print(const char *const texts[])
{
	for (size_t i = 0; texts[i]; i++)
		if (fputs(texts[i], stdout) < 0)
			return EXIT_CODE_FAILED;
	return fflush(stdout) == EOF ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

int main(int argc, char **argv)
{
	static const char *const version[] = {"cotter-enroll " COTTER_VERSION "\n", NULL};
	CLEANUP(output_done) struct output out = {0};
	CLEANUP(options_done) struct options options = {0};

	if (process_begin() < 0)
		return EXIT_CODE_FAILED;
	(void)setlocale(LC_CTYPE, "");
	/* A reader of our messages that goes away must not stop us halfway. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* A parent that ignores it would have the kernel reap our children before we can ask for them. */
	(void)signal(SIGCHLD, SIG_DFL);

	if (output_init(&out) < 0)
		return (int)fail(&out);
	if (options_parse(argc, argv, &out.log, &options) < 0) {
		output_explain(&out);
		return EXIT_CODE_USAGE;
	}
	out.quiet = options.quiet;

	switch (options.verb) {
	case VERB_HELP:
		return (int)print(help_texts);
	case VERB_VERSION:
		return (int)print(version);
	default:
		return (int)run(&options, &out);
	}
}
