/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of cotter-tang-keys. */
#include "tang/server/tool-options.h"

#include <errno.h>
#include <getopt.h>

enum { DAYS_DEFAULT = 30, DAYS_MAX = 100000 };

static const char default_folder[] = "/var/lib/cotter-tangd";

const char tool_help[] =
	"cotter-tang-keys VERB [OPTIONS] [JWKDIR]\n"
	"\n"
	"Makes, rotates, shows and removes the keys of a Tang server: those in the folder JWKDIR,\n"
	"by default /var/lib/cotter-tangd. A server that runs takes each change up by itself.\n"
	"\n"
	"Verbs:\n"
	"  generate               make a signing and an exchange key, where none is advertised\n"
	"    --add                also where there are some\n"
	"  rotate                 make new ones, then hide those that were advertised: a hidden\n"
	"                         key serves those who are bound to it, and nobody else\n"
	"    --curve=P-521        of new keys: P-256, P-384 or P-521 (the default)\n"
	"  list                   show each key: its file, use, curve and age, whether it is\n"
	"                         advertised or hidden, and what it recovered, as far as recorded\n"
	"    --json               as JSON\n"
	"  show                   print the thumbprints by which clients know this server\n"
	"  prune                  remove the hidden keys that recovered nothing for so long;\n"
	"                         others stay, each is named with the reason, and 1 is returned\n"
	"    --unused-for=DAYS    for how long (default: 30)\n"
	"    --force              remove all hidden keys: whoever is still bound to one of them\n"
	"                         cannot recover any more\n"
	"\n"
	"For list and prune:\n"
	"  --usage=FILE           the record that a server keeps where it is run with this option;\n"
	"                         once for each server that has these keys (default:\n"
	"                         JWKDIR/usage.json, where there is one)\n"
	"\n"
	"  -h, --help             print this text\n"
	"  -V, --version          print the version\n"
	"\n"
	"Returns 0, 1 where something failed or was refused, 2 where the command line is wrong.\n";

enum tool_option { ADD = 256, CURVE, JSON, UNUSED_FOR, FORCE, USAGE };

static const struct option long_options[] = {
	{"add", no_argument, NULL, ADD},
	{"curve", required_argument, NULL, CURVE},
	{"json", no_argument, NULL, JSON},
	{"unused-for", required_argument, NULL, UNUSED_FOR},
	{"force", no_argument, NULL, FORCE},
	{"usage", required_argument, NULL, USAGE},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static const char *const verb_names[TOOL_N_VERBS] = {
	[TOOL_GENERATE] = "generate", [TOOL_ROTATE] = "rotate", [TOOL_LIST] = "list",
	[TOOL_SHOW] = "show",         [TOOL_PRUNE] = "prune",
};

/* Which verbs take an option. */
static const unsigned takers[] = {
	[ADD - ADD] = 1U << TOOL_GENERATE, [CURVE - ADD] = 1U << TOOL_GENERATE | 1U << TOOL_ROTATE,
	[JSON - ADD] = 1U << TOOL_LIST,    [UNUSED_FOR - ADD] = 1U << TOOL_PRUNE,
	[FORCE - ADD] = 1U << TOOL_PRUNE,  [USAGE - ADD] = 1U << TOOL_LIST | 1U << TOOL_PRUNE,
};

/* What is being read: which options were given, as bits. */
struct parser {
	const struct log *log;
	struct tool_options options;
	const char **usage;
	unsigned given;
};

static int parse_days(const char *text, unsigned *ret)
{
	char *end;
	unsigned long days;

	errno = 0;
	days = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || days > DAYS_MAX)
		return -EINVAL;

	*ret = (unsigned)days;
	return 0;
}

static int take_value(struct parser *parser, int option)
{
	struct tool_options *options = &parser->options;

	switch (option) {
	case CURVE:
		options->curve = curve_by_name(optarg);
		if (options->curve)
			return 0;
		return log_err(parser->log, -EINVAL,
			       "--curve=%s is none of P-256, P-384 and P-521.", optarg);
	case UNUSED_FOR:
		if (parse_days(optarg, &options->days) == 0)
			return 0;
		return log_err(parser->log, -EINVAL, "--unused-for=%s is no number of days.",
			       optarg);
	case USAGE:
		parser->usage[options->n_usage++] = optarg;
		return 0;
	default:
		return -EINVAL; /* getopt_long() has said why */
	}
}

static int take_option(struct parser *parser, int option)
{
	if (option >= ADD)
		parser->given |= 1U << (option - ADD);

	switch (option) {
	case 'h':
		parser->options.verb = TOOL_HELP;
		return 0;
	case 'V':
		parser->options.verb = TOOL_VERSION;
		return 0;
	case ADD:
		parser->options.add = true;
		return 0;
	case JSON:
		parser->options.json = true;
		return 0;
	case FORCE:
		parser->options.force = true;
		return 0;
	default:
		return take_value(parser, option);
	}
}

static int take_verb(struct parser *parser, const char *word)
{
	for (unsigned verb = 0; verb < TOOL_N_VERBS; verb++)
		if (verb_names[verb] && strcmp(verb_names[verb], word) == 0) {
			parser->options.verb = verb;
			return 0;
		}
	return log_err(parser->log, -EINVAL,
		       "%s is none of generate, rotate, list, show and prune.", word);
}

/* Options that the verb has no use for are mistakes. */
static int check_given(const struct parser *parser)
{
	for (size_t i = 0; i < ARRAY_SIZE(takers); i++)
		if (parser->given & 1U << i && !(takers[i] & 1U << parser->options.verb))
			return log_err(parser->log, -EINVAL, "--%s is not for %s.",
				       long_options[i].name, verb_names[parser->options.verb]);
	return 0;
}

static int parse_words(struct parser *parser, int n, char **words)
{
	int r;

	if (n == 0)
		return log_err(parser->log, -EINVAL,
			       "Say what to do: generate, rotate, list, show or prune; "
			       "--help tells more.");
	if (n > 2)
		return log_err(parser->log, -EINVAL, "%s is one argument too many.", words[2]);

	r = take_verb(parser, words[0]);
	if (r == 0)
		r = check_given(parser);
	if (r == 0 && n == 2)
		parser->options.folder = words[1];
	return r;
}

void tool_options_done(struct tool_options *options)
{
	free((void *)(uintptr_t)options->usage);
	*options = (struct tool_options){0};
}

int tool_options_parse(int argc, char **argv, const struct log *log, struct tool_options *ret)
{
	struct parser parser = {
		.log = log,
		.options = {.verb = TOOL_N_VERBS,
			    .folder = default_folder,
			    .curve = curve_by_name("P-521"),
			    .days = DAYS_DEFAULT},
	};
	int option, r = 0;

	parser.usage = calloc((size_t)argc + 1, sizeof(*parser.usage));
	if (!parser.usage)
		return -ENOMEM;

	optind = 0; /* getopt_long() begins anew */
	while (r == 0 && (option = getopt_long(argc, argv, "hV", long_options, NULL)) != -1)
		r = take_option(&parser, option);
	if (r == 0 && parser.options.verb == TOOL_N_VERBS)
		r = parse_words(&parser, argc - optind, argv + optind);
	if (r < 0) {
		free((void *)parser.usage);
		return r;
	}

	*ret = parser.options;
	ret->usage = parser.usage;
	return 0;
}
