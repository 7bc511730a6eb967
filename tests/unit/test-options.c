/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command lines: what each option becomes, and the one sentence for what is wrong. */
#include "enroll/options.h"

#include "tests/unit/lines.h"

#include <getopt.h>
#include <limits.h>
#include <unistd.h>

#define THUMBPRINT "0aK-9_cCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA"
#define PUBKEY     "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct lines lines;

static int parse_words(char **argv, struct options *ret)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	optind = 0; /* getopt begins anew */
	return options_parse(argc, argv, lines_begin(&lines), ret);
}

/* Of words with a space between. */
static int parse(const char *line, struct options *ret)
{
	static char text[1024];
	static char program[] = "cotter-enroll";
	static char *argv[24]; /* the options borrow it */
	char *save = NULL;
	size_t n = 1;

	memset(argv, 0, sizeof(argv));
	argv[0] = program;

	(void)snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[n++] = word;
	assert_true(n < ARRAY_SIZE(argv));
	return parse_words(argv, ret);
}

static struct options parsed(const char *line)
{
	struct options options = {0};

	expect(line, parse(line, &options), 0);
	assert_told(line, &lines, NULL);
	return options;
}

static void test_verbs(void **state)
{
	static const struct {
		const char *line;
		enum verb verb;
	} cases[] = {
		{"disk", VERB_LIST},
		{"--list disk", VERB_LIST},
		{"--test disk", VERB_TEST},
		{"--test --token-id=3 disk", VERB_TEST},
		{"--report disk", VERB_REPORT},
		{"--report --token-id=3 --quiet disk", VERB_REPORT},
		{"--wipe-slot=all disk", VERB_WIPE},
		{"--tang=http://h disk", VERB_ENROLL},
		{"disk --tang http://h", VERB_ENROLL},
		{"--tang=h --reencrypt-first --keep-key-file=a --keep-key-file=- --force disk",
		 VERB_ENROLL},
		{"--tang=http://h --wipe-slot=tang disk", VERB_ENROLL},
		{"--tpm2-device=auto disk", VERB_ENROLL},
		{"--tpm2-device=list", VERB_DEVICES},
		{"--tpm2-device=list --json=short --quiet", VERB_DEVICES},
		{"--policy=tang(h) disk", VERB_ENROLL},
		{"--policy=tang(h) --wipe-slot=sss disk", VERB_ENROLL},
		{"--explain disk", VERB_EXPLAIN},
		{"--doctor", VERB_DOCTOR},
		{"--doctor --initrd=i --json=short --quiet", VERB_DOCTOR},
		{"--crypttab disk", VERB_CRYPTTAB},
		{"--import disk", VERB_IMPORT},
		{"--import=3 --label=x disk", VERB_IMPORT},
		{"--to-luks2 disk", VERB_IMPORT},
		{"--to-luks2 --import=1 --label=x disk", VERB_IMPORT},
		{"--import --key-slot=2 --header=h --json=short --quiet disk", VERB_IMPORT},
		{"--reorder disk", VERB_REORDER},
		{"--tang=h --reorder --crypttab --wipe-slot=all disk", VERB_ENROLL},
		{"--crypttab=data disk", VERB_CRYPTTAB},
		{"--tang=h --crypttab disk", VERB_ENROLL},
		{"--tang=h --crypttab=data --wipe-slot=all disk", VERB_ENROLL},
		{"--tang=h --crypttab --explain disk", VERB_EXPLAIN},
		{"--explain --tang=h", VERB_EXPLAIN},
		{"--explain --policy=tang(h) --unlock-token --wipe-slot=all --label=x disk",
		 VERB_EXPLAIN},
		{"--help", VERB_HELP},
		{"--version", VERB_VERSION},
		{"--version --help", VERB_HELP},
		{"--help --list --test --tang=h a-device", VERB_HELP},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct options options = parsed(cases[i].line);

		expect(cases[i].line, (int)options.verb, (int)cases[i].verb);
		options_done(&options);
	}
}

static void test_devices(void **state)
{
	static const struct {
		const char *line;
		enum verb verb;
		size_t n; /* the devices a, b, c */
		bool all;
	} cases[] = {
		{"a", VERB_LIST, 1, false},
		{"a b", VERB_LIST, 2, false},
		{"a --test b --json=short c", VERB_TEST, 3, false},
		{"--wipe-slot=1,tang -- a b", VERB_WIPE, 2, false},
		{"--tang=h --unlock-key-file=k a b", VERB_ENROLL, 2, false},
		{"--crypttab --tang=h a b", VERB_ENROLL, 2, false},
		{"--explain --tang=h a b", VERB_EXPLAIN, 2, false},
		{"--header=h a", VERB_LIST, 1, false},
		{"--all", VERB_LIST, 0, true},
		{"--all --explain", VERB_EXPLAIN, 0, true},
		{"--reorder --all", VERB_REORDER, 0, true},
		{"--crypttab --all", VERB_CRYPTTAB, 0, true},
		{"--wipe-slot=orphaned,tang --all", VERB_WIPE, 0, true},
		{"--test --token-id=1 --all", VERB_TEST, 0, true},
		{"--report a b", VERB_REPORT, 2, false},
		{"--report --all", VERB_REPORT, 0, true},
		{"--renew a b", VERB_RENEW, 2, false},
		{"--import a b", VERB_IMPORT, 2, false},
		{"--import --all", VERB_IMPORT, 0, true},
		{"--renew --all --json=short --quiet", VERB_RENEW, 0, true},
	};
	static const char *const names[] = {"a", "b", "c"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct options options = parsed(cases[i].line);

		expect(cases[i].line, (int)options.verb, (int)cases[i].verb);
		assert_int_equal(options.n_devices, cases[i].n);
		assert_int_equal(options.all, cases[i].all);
		for (size_t d = 0; d < cases[i].n; d++)
			assert_string_equal(options.devices[d], names[d]);
		if (cases[i].n > 0)
			assert_ptr_equal(options.device, options.devices[0]);
		options_done(&options);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *line, *words;
	} cases[] = {
		{"", "no device or image is named"},
		{"--list", "no device or image is named"},
		{"--tang=h", "no device or image is named"},
		{"--all disk", "--all is about every volume of this machine, so it excludes disk"},
		{"--all --header=h", "--header is of one volume, so name one device"},
		{"--header=h a b", "--header is of one volume, so name one device"},
		{"--all --all", "--all is given twice"},
		{"--renew --all disk", "so it excludes disk"},
		{"--renew --header=h a b", "--header is of one volume"},
		{"--all --tang=h", "--all makes no new bindings: name the devices that --tang is"},
		{"--all --policy=tang(h)", "name the devices that --policy is for"},
		{"--explain --tang=h --all", "--all makes no new bindings"},
		{"--all --wipe-slot=all,3", "--wipe-slot takes no keyslot numbers with --all"},
		{"--all --crypttab=data", "--crypttab=data names one volume, so name one device"},
		{"--crypttab=data a b", "--crypttab=data names one volume, so name one device"},
		{"--tang=h --unlock-key-file=- a b", "standard input has the key of one volume"},
		{"--tpm2-device=list --all",
		 "--tpm2-device=list lists devices, so it excludes --all"},
		{"--wrong disk", "the option --wrong is not known"},
		{"disk --wrong=3", "the option --wrong=3 is not known"},
		{"--t disk", "the option --t is not known"},
		{"-x disk", "the option -x is not known"},
		{"-lx disk", "the option -l is not known"},
		{"--list=yes disk", "--list takes no value"},
		{"--help=me", "--help takes no value"},
		{"disk --tang", "--tang needs a value"},
		{"--tang= disk", "--tang needs a value"},
		{"--label= --tang=h disk", "--label needs a value"},
		{"--header= disk", "--header needs a value"},
		{"--quiet --quiet disk", "--quiet is given twice"},
		{"--tang=a --tang-ca=b --tang-ca=c disk",
		 "--tang-ca is given twice for one --tang"},
		{"--tang-ca=b --tang=a --tang-ca=c disk",
		 "--tang-ca is given twice for one --tang"},
		{"--tang-ca=b --tang-ca=c --tang=a disk",
		 "--tang-ca is given twice for one --tang"},
		{"--tang-ca=b --tang=a --tang=c disk",
		 "--tang-ca stands before the --tang that it belongs to"},

		{"--tang=a --tang=b disk",
		 "--threshold=T is missing: it says how many of the 2 must hold"},
		{"--tang=a --tpm2-device=auto --tang=b disk", "how many of the 3 must hold"},
		{"--tang=a --tang=b --threshold=0 disk",
		 "--threshold is a number from 1 to 2, as many as there are pins, not \"0\""},
		{"--tang=a --tang=b --threshold=3 disk", "not \"3\""},
		{"--tang=a --tang=b --threshold=-1 disk", "not \"-1\""},
		{"--tang=a --tang=b --threshold=2x disk", "not \"2x\""},
		{"--tang=a --threshold=2 disk", "--threshold is a number from 1 to 1"},
		{"--threshold=1 disk", "--threshold belongs to a new binding"},
		{"--policy=tang(h) --tang=a disk",
		 "--policy and --tang exclude each other: the policy names all pins"},
		{"--policy=tang(h) --threshold=1 disk",
		 "--policy and --threshold exclude each other"},
		{"--policy=tang(h)", "no device or image is named"},
		{"--policy=tang(h", "no device or image is named"},
		{"--policy=tang(h disk", "the policy is wrong at character 7: a ) is missing"},
		{"--list --explain disk", "--list and --explain exclude each other"},
		{"--doctor disk",
		 "--doctor is about every volume of crypttab, and takes no device"},
		{"--doctor --all", "--doctor and --all exclude each other"},
		{"--doctor --test", "--test and --doctor exclude each other"},
		{"--doctor --tang=h", "--doctor changes nothing, so it excludes --tang"},
		{"--doctor --label=x", "--doctor and --label exclude each other"},
		{"--initrd=i --list disk", "--initrd goes with --doctor"},
		{"--test --explain --tang=h disk", "--test and --explain exclude each other"},
		{"--explain --wipe-slot=1 disk",
		 "--explain changes nothing, so it excludes --wipe-slot"},
		{"--explain", "--explain needs a new binding (--tang=URL, --tpm2-device=auto, "
			      "--pkcs11-token-uri=URI or "
			      "--policy=POLICY), or a volume whose tokens are explained"},
		{"--explain --label=x disk", "--label belongs to a new binding"},
		{"--explain --token-id=1 disk",
		 "--token-id goes with a new binding, --test or --report"},
		{"--list --policy=tang(h) disk", "--list changes nothing, so it excludes --policy"},
		{"--tpm2-device=list --tang=h",
		 "--tpm2-device=list lists devices, so it excludes --tang"},
		{"--tpm2-device=list --tpm2-device=auto", "so it excludes --tpm2-device"},
		{"--reencrypt-first disk", "--reencrypt-first belongs to a new binding"},
		{"--tang=h --keep-key-file=a disk", "--keep-key-file goes with --reencrypt-first"},
		{"--tang=h --reencrypt-first --wipe-slot=tang disk",
		 "--wipe-slot is for a command of its own"},
		{"--tang=h --reencrypt-first --unlock-key-file=- --keep-key-file=- disk",
		 "standard input holds one key"},
		{"--tang=h --reencrypt-first --keep-key-file= disk",
		 "--keep-key-file needs a value"},
		{"--wipe-slot=1 --wipe-slot=2 disk", "--wipe-slot is given twice"},

		{"--crypttab", "no device or image is named"},
		{"--crypttab= disk", "--crypttab needs a value"},
		{"--crypttab --wipe-slot=1 disk",
		 "--wipe-slot and --crypttab go together with a new binding alone"},
		{"--reorder --crypttab disk", "--reorder and --crypttab go together"},
		{"--reorder=1 disk", "--reorder takes no value"},
		{"--import", "no device or image is named"},
		{"--import= disk", "--import needs a value"},
		{"--import=x disk", "--import is a number from 0 to 31, not \"x\""},
		{"--import=32 disk", "--import is a number from 0 to 31, not \"32\""},
		{"--import=1 --key-slot=1 disk",
		 "--import=TOKEN and --key-slot exclude each other"},
		{"--to-luks2", "no device or image is named"},
		{"--to-luks2 --label=x disk", "so it excludes --label"},
		{"--to-luks2 --key-slot=1 disk", "so it excludes --key-slot"},
		{"--to-luks2 --reorder disk", "--reorder and --to-luks2 go together with a new"},
		{"--to-luks2 --tang=h disk", "so it excludes --tang"},
		{"--to-luks2 --import --all", "name the devices"},
		{"--to-luks2 --test disk", "--test changes nothing, so it excludes --to-luks2"},
		{"--import --unlock-token disk", "so it excludes --unlock-token"},
		{"--import --force disk", "so it excludes --force"},
		{"--import --tang=h disk", "so it excludes --tang"},
		{"--import --list disk", "--list changes nothing, so it excludes --import"},
		{"--import --reorder disk",
		 "--reorder and --import go together with a new binding"},
		{"--import --wipe-slot=1 disk", "--wipe-slot and --import go together with a new"},
		{"--reorder --list disk", "--list changes nothing, so it excludes --reorder"},
		{"--test --crypttab disk", "--test changes nothing, so it excludes --crypttab"},
		{"--crypttab --label=x disk", "--label belongs to a new binding"},
		{"--list --test disk", "--list and --test exclude each other"},
		{"--list --wipe-slot=1 disk", "--list changes nothing, so it excludes --wipe-slot"},
		{"--test --tang=h disk", "--test changes nothing, so it excludes --tang"},
		{"--tang=h --unlock-token --unlock-key-file=k disk", "exclude each other"},

		{"--tang-thumbprint=" THUMBPRINT " disk", "--tang-thumbprint belongs to a new"},
		{"--tang-advertisement=f disk", "--tang-advertisement belongs to a new binding"},
		{"--tang-ca=f --test disk", "--tang-ca belongs to a new binding"},
		{"--tang-pubkey=" PUBKEY " disk", "--tang-pubkey belongs to a new binding"},
		{"--unlock-key-file=- --wipe-slot=1 disk", "--unlock-key-file belongs to a new"},
		{"--unlock-token --test disk", "--unlock-token belongs to a new binding"},
		{"--label=x --list disk", "--label belongs to a new binding"},
		{"--pbkdf=pbkdf2 disk", "--pbkdf belongs to a new binding"},
		{"--key-slot=1 --test disk", "--key-slot belongs to a new binding"},
		{"--token-id=1 disk", "--token-id goes with a new binding, --test or --report"},
		{"--token-id=1 --wipe-slot=2 disk", "--token-id goes with"},

		{"--tang=h --key-slot=32 disk", "--key-slot is a number from 0 to 31, not \"32\""},
		{"--tang=h --key-slot=-1 disk", "--key-slot is a number from 0 to 31, not \"-1\""},
		{"--tang=h --key-slot=+1 disk", "--key-slot is a number"},
		{"--tang=h --key-slot=1x disk", "--key-slot is a number"},
		{"--tang=h --key-slot=0x1 disk", "--key-slot is a number"},
		{"--tang=h --key-slot=4294967296 disk", "--key-slot is a number"},
		{"--test --token-id=99 disk", "--token-id is a number from 0 to 31, not \"99\""},
		{"--json=yes disk", "--json is off, short or pretty, not \"yes\""},
		{"--json=shor disk", "--json is off, short or pretty, not \"shor\""},
		{"--tang=h --pbkdf=scrypt disk", "--pbkdf is pbkdf2, argon2i or argon2id"},
		{"--tang=h --pbkdf=PBKDF2 disk", "not \"PBKDF2\""},
		{"--tang=h --label=a\tb disk", "--label is 1 to 64 bytes"},
		{"--tang=h --label=a\x7f disk", "--label is 1 to 64 bytes"},
		{"--tang=h --label=\xff disk", "--label is 1 to 64 bytes of UTF-8 text"},
		{"--tang=h --label=1234567890123456789012345678901234567890123456789012345678901234x d",
		 "--label is 1 to 64 bytes"},

		{"--wipe-slot=32 disk", "not \"32\""},
		{"--wipe-slot=tpm disk",
		 "\"tang\", \"orphaned\", \"all\" or label=TEXT, not \"tpm\""},
		{"--wipe-slot=label= disk", "not \"label=\""},
		{"--wipe-slot=label disk", "not \"label\""},
		{"--force disk",
		 "--force goes with a new binding, --renew, --replace, --wipe-slot"},
		{"--force --test disk", "--force goes with a new binding, --renew,"},
		{"--wipe-slot=1,,2 disk", "not \"\""},
		{"--wipe-slot=,1 disk", "not \"\""},
		{"--wipe-slot=1, disk", "not \"\""},
		{"--wipe-slot=1;2 disk", "not \"1;2\""},
		{"--wipe-slot=all,none disk", "not \"none\""},
		{"--wipe-slot=ALL disk", "not \"ALL\""},
		{"--wipe-slot=empty disk", "not \"empty\""},

		{"--tang=http://h --tang-ca=/dev/null disk",
		 "--tang-ca needs a URL that begins with"},
		{"--tang=h --tang-pubkey=" PUBKEY " disk", "--tang-pubkey needs a URL that"},

		{"--tpm2-device= disk", "--tpm2-device needs a value"},
		{"--tang=h --tpm2-pcrs=7 disk",
		 "--tpm2-pcrs belongs to a new binding, so it needs --tpm2-device=auto"},
		{"--tpm2-device=auto --tang-ca=f disk",
		 "--tang-ca belongs to a new binding, so it needs --tang=URL"},
		{"--tpm2-with-pin=yes --test disk", "--tpm2-with-pin belongs to a new binding"},
		{"--label=x disk",
		 "so it needs --tang=URL, --tpm2-device=auto, --pkcs11-token-uri=URI or "
		 "--policy=POLICY"},
		{"--tpm2-device=auto", "no device or image is named"},
		{"--list --tpm2-device=auto disk",
		 "--list changes nothing, so it excludes --tpm2-d"},
		{"--tpm2-device=auto --tpm2-with-pin=maybe disk",
		 "--tpm2-with-pin is yes or no, not \"maybe\""},
		{"--tpm2-device=auto --tpm2-with-pin= disk", "--tpm2-with-pin needs a value"},
		{"--tpm2-device=auto --tpm2-signature=f disk",
		 "so it needs --tpm2-public-key=FILE"},
		{"--tpm2-device=auto --tpm2-public-key-pcrs=11 disk",
		 "--tpm2-public-key-pcrs is about"},
		{"--tpm2-device=auto --tpm2-public-key=/nonexistent disk",
		 "the policy key /nonexistent cannot be read: No such file"},
		{"--tpm2-device=auto --tpm2-public-key=/dev/zero disk",
		 "/dev/zero is not a public key in PEM form"},
		{"--tpm2-device=\xff disk", "the --tpm2 options are not UTF-8 text"},
		{"--pkcs11-token-uri=card disk", "a URI begins with \"pkcs11:\""},
		{"--pkcs11-token-uri=pkcs11:x=1 disk", "\"x\" in a URI is not supported"},
		{"--pkcs11-token-uri=auto --tpm2-device=auto --tpm2-with-pin=yes --threshold=2 disk",
		 "a policy takes one PIN"},
		{"--renew --pkcs11-token-uri=auto disk", "--renew binds to the same card"},
		{"--pkcs11-token-uri=list --tang=h",
		 "--pkcs11-token-uri=list lists devices, so it excludes --tang"},
		{"--tpm2-device=list disk",
		 "--tpm2-device=list lists devices, and takes no volume"},
		{"--tpm2-device=list --tpm2-pcrs=7", "lists devices, so it excludes --tpm2-pcrs"},
		{"--tpm2-device=list --wipe-slot=all", "lists devices, so it excludes --wipe-slot"},
		{"--proof disk", "--proof goes with --test"},
		{"--proof --tang=h disk", "--proof goes with --test"},

		{"--tang=https://h --tang-pubkey=/dev/null disk",
		 "--tang-pubkey is sha256// and 44"},
		{"--tang=https://h --tang-pubkey=sha256//AAAA disk", "--tang-pubkey is sha256//"},
		{"--tang=https://h --tang-ca=/nonexistent disk",
		 "the CA file /nonexistent cannot be read: No such file"},
		{"--tang=h --tang-thumbprint=" THUMBPRINT "x disk", "--tang-thumbprint is the"},
		{"--tang=h --tang-thumbprint=short disk", "not \"short\""},
		{"--tang=http://\xff disk", "the --tang options are not UTF-8 text"},
		{"--tang=h --tang-advertisement=\xff disk",
		 "the --tang options are not UTF-8 text"},
	};
	struct options options;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&options, UNTOUCHED, sizeof(options));
		expect(cases[i].line, parse(cases[i].line, &options), -EINVAL);
		assert_told(cases[i].line, &lines, cases[i].words);
		assert_untouched(cases[i].line, &options, sizeof(options));
	}
}

static void test_nothing_given(void **state)
{
	struct options options = parsed("disk");

	(void)state;
	assert_string_equal(options.device, "disk");
	assert_null(options.header);
	assert_int_equal(options.form, OUTPUT_TEXT);
	assert_false(options.quiet || options.wipe || options.unlock_token || options.saved);
	assert_null(options.pin);
	assert_null(options.config);
	assert_null(options.label);
	assert_null(options.pbkdf);
	assert_null(options.unlock_key_file);
	assert_int_equal(options.keyslot, OPTIONS_ANY);
	assert_int_equal(options.token, OPTIONS_ANY);
	options_done(&options);
	options_done(&options);
}

static void test_all_given(void **state)
{
	struct options options = parsed(
		"--tang=http://h/ --tang-thumbprint=" THUMBPRINT " --tang-advertisement=adv.json "
		"--unlock-key-file=- --header=head --key-slot=31 --token-id=0 --label=Büro "
		"--pbkdf=argon2id --json=pretty --quiet --wipe-slot=3 -- --disk");

	(void)state;
	assert_int_equal(options.verb, VERB_ENROLL);
	assert_string_equal(options.device, "--disk");
	assert_string_equal(options.header, "head");
	assert_int_equal(options.form, OUTPUT_JSON_PRETTY);
	assert_true(options.quiet && options.saved && options.wipe);
	assert_string_equal(options.pin, "tang");
	assert_string_equal(options.label, "Büro");
	assert_string_equal(options.pbkdf, "argon2id");
	assert_int_equal(options.keyslot, 31);
	assert_int_equal(options.token, 0);
	assert_string_equal(options.unlock_key_file, "-");
	assert_false(options.unlock_token);
	assert_int_equal(options.selection.keyslots, 1 << 3);
	options_done(&options);
	assert_null(options.config);

	options = parsed("--tang=h --unlock-token --json=short disk");
	assert_true(options.unlock_token);
	assert_null(options.unlock_key_file);
	assert_int_equal(options.form, OUTPUT_JSON_SHORT);
	options_done(&options);
}

static void test_label_with_spaces(void **state)
{
	char *argv[] = {(char *)"cotter-enroll", (char *)"--tang", (char *)"h", (char *)"--label",
			(char *)"first floor",   (char *)"a disk", NULL};
	struct options options;

	(void)state;
	assert_int_equal(parse_words(argv, &options), 0);
	assert_string_equal(options.label, "first floor");
	assert_string_equal(options.device, "a disk");
	options_done(&options);
}

static void test_selection(void **state)
{
	static const struct {
		const char *list;
		struct selection want;
	} cases[] = {
		{"0", {.keyslots = 1}},
		{"31", {.keyslots = UINT32_C(1) << 31}},
		{"1,4,1", {.keyslots = 1 << 1 | 1 << 4}},
		{"007", {.keyslots = 1 << 7}},
		{"tang", {.pins = 1}},
		{"tpm2", {.pins = 2}},
		{"tang,tpm2", {.pins = 3}},
		{"pkcs11", {.pins = 4}},
		{"sss", {.pins = 8}},
		{"orphaned", {.orphaned = true}},
		{"all", {.all = true}},
		{"label=spare", {.label = "spare"}},
		{"3,label=tang,1,", {.keyslots = 1 << 3, .label = "tang,1,"}},
		{"2,orphaned,tang,all",
		 {.keyslots = 1 << 2, .pins = 1, .orphaned = true, .all = true}},
	};

	(void)state;
	assert_string_equal(pins[0]->name, "tang");
	assert_string_equal(pins[1]->name, "tpm2");
	assert_string_equal(pins[2]->name, "pkcs11");
	assert_string_equal(pins[3]->name, "sss");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct selection *want = &cases[i].want;
		struct options options;
		char line[128];

		(void)snprintf(line, sizeof(line), "--wipe-slot=%s disk", cases[i].list);
		options = parsed(line);
		assert_true(options.wipe);
		if (options.selection.keyslots != want->keyslots ||
		    options.selection.pins != want->pins ||
		    options.selection.orphaned != want->orphaned ||
		    options.selection.all != want->all ||
		    !options.selection.label != !want->label ||
		    (want->label && strcmp(options.selection.label, want->label) != 0))
			fail_msg("--wipe-slot=%s selects something else", cases[i].list);
		options_done(&options);
	}
}

/* What the pin is told, as Clevis's configuration; a CA by its absolute path. */
static void test_config(void **state)
{
	static const struct {
		const char *line, *config;
	} cases[] = {
		{"--tang=h", "{\"url\":\"h\"}"},
		{"--tang=http://h:1/p/ --tang-thumbprint=" THUMBPRINT,
		 "{\"url\":\"http://h:1/p/\",\"thp\":\"" THUMBPRINT "\"}"},
		{"--tang=h --tang-advertisement=a.json", "{\"url\":\"h\",\"adv\":\"a.json\"}"},
		{"--tang=HTTPS://h --tang-pubkey=" PUBKEY,
		 "{\"url\":\"HTTPS://h\",\"pubkey\":\"" PUBKEY "\"}"},
		{"--tang=https://h --tang-ca=/dev/null",
		 "{\"url\":\"https://h\",\"ca\":\"/dev/null\"}"},
		{"--tang=https://h --tang-ca=null", "{\"url\":\"https://h\",\"ca\":\"/dev/null\"}"},
	};
	char before[PATH_MAX];

	(void)state;
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir("/dev"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *want = json_of(cases[i].config);
		struct options options;
		char line[256];

		(void)snprintf(line, sizeof(line), "%s disk", cases[i].line);
		options = parsed(line);
		if (!json_equal(options.config, want))
			fail_msg("%s: another configuration", line);
		assert_int_equal(options.saved, strstr(line, "advertisement") != NULL);
		options_done(&options);
	}
	assert_int_equal(chdir(before), 0);
}

/* The same of --tpm2-…; what is not given is the pin's to choose, but for the PCR. */
static void test_tpm2_config(void **state)
{
	static const struct {
		const char *line, *config;
		bool user_pin, later;
	} cases[] = {
		{"--tpm2-device=auto", "{\"pcrs\":\"7\"}", false, false},
		{"--tpm2-device=/dev/tpmrm1", "{\"pcrs\":\"7\",\"tcti\":\"/dev/tpmrm1\"}", false,
		 false},
		{"--tpm2-device=swtpm:path=/x --tpm2-pcrs=7:sha1+11",
		 "{\"pcrs\":\"7:sha1+11\",\"tcti\":\"swtpm:path=/x\"}", false, false},
		{"--tpm2-device=auto --tpm2-pcrs=", "{}", false, false},
		{"--tpm2-device=auto --tpm2-pcrs=7=00", "{\"pcrs\":\"7=00\"}", false, true},
		{"--tpm2-device=auto --tpm2-with-pin=no", "{\"pcrs\":\"7\"}", false, false},
		{"--tpm2-device=auto --tpm2-with-pin=yes", "{\"pcrs\":\"7\",\"pin\":true}", true,
		 false},
		{"--tpm2-device=auto --tpm2-seal-key-handle=0x81000009",
		 "{\"pcrs\":\"7\",\"parent\":\"0x81000009\"}", false, false},
		{"--tpm2-device=auto --tpm2-public-key=null --tpm2-public-key-pcrs=12 "
		 "--tpm2-signature=f",
		 "{\"pcrs\":\"7\",\"pubkey\":\"\",\"pubkey_pcrs\":\"12\",\"signature\":\"/dev/f\"}",
		 false, true},
	};
	char before[PATH_MAX];

	(void)state;
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir("/dev"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *want = json_of(cases[i].config);
		struct options options;
		char line[256];

		(void)snprintf(line, sizeof(line), "%s disk", cases[i].line);
		options = parsed(line);
		assert_string_equal(options.pin, "tpm2");
		if (!json_equal(options.config, want))
			fail_msg("%s: another configuration", line);
		expect(line, options.user_pin, cases[i].user_pin);
		expect(line, options.later, cases[i].later);
		options_done(&options);
	}
	assert_int_equal(chdir(before), 0);
}

/* Each option belongs to the last one of its pin before it. */
static void test_several(void **state)
{
	static const struct {
		const char *line, *pin, *config;
		bool user_pin, saved, later;
	} cases[] = {
		{"--tang=a --threshold=1", "tang", "{\"url\":\"a\"}", false, false, false},
		{"--tang-advertisement=f --tang=a", "tang", "{\"url\":\"a\",\"adv\":\"f\"}", false,
		 true, false},
		{"--tang=a --tang=b --threshold=2", "sss",
		 "{\"t\":2,\"pins\":{\"tang\":[{\"url\":\"a\"},{\"url\":\"b\"}]}}", false, false,
		 false},
		{"--threshold=1 --tang=a --tpm2-device=auto --tang-thumbprint=" THUMBPRINT
		 " --tang=b --tpm2-pcrs= --tang-advertisement=f",
		 "sss",
		 "{\"t\":1,\"pins\":{\"tang\":[{\"url\":\"a\",\"thp\":\"" THUMBPRINT
		 "\"},{\"url\":\"b\",\"adv\":\"f\"}],\"tpm2\":{}}}",
		 false, false, false},
		{"--tang=a --tang=b --tang=c --threshold=3", "sss",
		 "{\"t\":3,\"pins\":{\"tang\":[{\"url\":\"a\"},{\"url\":\"b\"},{\"url\":\"c\"}]}}",
		 false, false, false},
		{"--tpm2-with-pin=yes --tpm2-device=auto --tang=a --tang-advertisement=f "
		 "--threshold=2",
		 "sss",
		 "{\"t\":2,\"pins\":{\"tpm2\":{\"pcrs\":\"7\",\"pin\":true},\"tang\":{\"url\":\"a\","
		 "\"adv\":\"f\"}}}",
		 true, true, false},
		{"--tpm2-device=auto --tpm2-pcrs=7=00 --tpm2-device=auto --threshold=1", "sss",
		 "{\"t\":1,\"pins\":{\"tpm2\":[{\"pcrs\":\"7=00\"},{\"pcrs\":\"7\"}]}}", false,
		 false, true},
		{"--policy=2of(tang(a),tpm2(pin=yes),1of(tang(b,adv=f)))", "sss",
		 "{\"t\":2,\"pins\":{\"tang\":{\"url\":\"a\"},\"tpm2\":{\"pcrs\":\"7\",\"pin\":"
		 "true},\"sss\":{\"t\":1,\"pins\":{\"tang\":{\"url\":\"b\",\"adv\":\"f\"}}}}}",
		 true, false, false},
		{"--policy={\"pins\":{\"tpm2\":{\"pcr_ids\":\"7\",\"pcr_digest\":\"x\"}}}", "sss",
		 "{\"pins\":{\"tpm2\":{\"pcr_ids\":\"7\",\"pcr_digest\":\"x\"}}}", false, false,
		 true},
		{"--policy=tpm2", "tpm2", "{\"pcrs\":\"7\"}", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_JSON json_t *want = json_of(cases[i].config);
		struct options options;
		char line[512];

		(void)snprintf(line, sizeof(line), "%s disk", cases[i].line);
		options = parsed(line);
		assert_string_equal(options.pin, cases[i].pin);
		if (!json_equal(options.config, want))
			fail_msg("%s: another configuration", line);
		expect(line, options.user_pin, cases[i].user_pin);
		expect(line, options.saved, cases[i].saved);
		expect(line, options.later, cases[i].later);
		options_done(&options);
	}
}

/* One more than a policy can have. */
static void test_too_many(void **state)
{
	static char option[] = "--tang=h", program[] = "cotter-enroll";
	char *argv[67] = {program};
	struct options options;

	(void)state;
	for (size_t i = 1; i < 66; i++)
		argv[i] = option;
	assert_int_equal(parse_words(argv, &options), -EINVAL);
	assert_told("65 pins", &lines, "a binding has at most 64 pins");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verbs),       cmocka_unit_test(test_devices),
		cmocka_unit_test(test_refused),     cmocka_unit_test(test_nothing_given),
		cmocka_unit_test(test_all_given),   cmocka_unit_test(test_label_with_spaces),
		cmocka_unit_test(test_selection),   cmocka_unit_test(test_config),
		cmocka_unit_test(test_tpm2_config), cmocka_unit_test(test_several),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
