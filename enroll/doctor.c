/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --doctor: whether each volume of crypttab would unlock at the next boot, and what is in the way. */
#include "enroll/doctor.h"

#include "enroll/early.h"
#include "enroll/stack.h"
#include "enroll/trial.h"
#include "enroll/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static const struct finding_kind no_header = {
	"header", FINDING_ERROR, "have the device there, or correct the volume's line of crypttab"};
static const struct finding_kind no_permission = {"header", FINDING_ERROR,
						  "run cotter-enroll as root"};
static const struct finding_kind no_token = {
	"token", FINDING_ERROR, "bind the volume, or take token-type= from its line of crypttab"};
static const struct finding_kind orphan = {"keyslot", FINDING_ERROR,
					   "bind anew, and remove it by --wipe-slot=orphaned"};
static const struct finding_kind away = {"unreachable", FINDING_AWAY,
					 "see that what is out of reach is there at the next boot"};
static const struct finding_kind broken = {
	"policy", FINDING_ERROR,
	"bind anew by --replace, or --renew with --reseal where PCRs changed"};
static const struct finding_kind wants_pin = {
	"pin", FINDING_WARNING, "have somebody at the console, or bind without a PIN"};

/* What opening a header says. */
static void line_sink(void *to, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_ERROR)
		(void)snprintf(to, LOG_LINE_MAX, "%s", line);
}

static void try_token(const struct patient *patient, const struct item *item,
		      struct findings *findings)
{
	CLEANUP(trial_done) struct trial trial = {0};
	CLEANUP_JSON json_t *facts = NULL;

	trial_run(patient->luks, item, (struct ref){0}, &trial);
	if (trial.result == TRIAL_OPENS)
		return;
	facts = inventory_facts(item);
	if (patient->early && trial.asked && early(facts, &trial.job))
		return;
	if (trial.wants_pin)
		finding_add(findings, &wants_pin, "it asks for a PIN, and nobody may be there");
	else if (trial.result == TRIAL_AWAY)
		finding_add(findings, &away, "%s", trial.why);
	else
		finding_add(findings, &broken, "%s", trial.why);
}

/* Whether some server of the policy has a certificate that has a date. */
static bool has_certificate(const json_t *facts)
{
	const char *url = js_str(facts, "url");
	const json_t *share;
	size_t i;

	if (url && strncmp(url, "https:", strlen("https:")) == 0 && !js_str(facts, "pubkey"))
		return true;
	json_array_foreach(json_object_get(facts, "shares"), i, share)
		if (has_certificate(share))
			return true;
	return false;
}

static int look_at_token(const struct machine *machine, const struct patient *patient,
			 const struct item *item, struct findings *findings)
{
	CLEANUP_JSON json_t *facts = NULL;
	int r;

	if (!item->valid) {
		finding_add(findings, &broken, "%s", item->why);
		return 0;
	}
	if (item->keyslots == 0) {
		finding_add(findings, &orphan, "no keyslot belongs to it");
		return 0;
	}
	if (token_describe(&item->token, &facts) < 0)
		return -ENOMEM;

	try_token(patient, item, findings);
	if (has_certificate(facts))
		doctor_clock(machine, findings);
	r = patient->early && !machine->image_path ? 0
						   : doctor_needs(machine, patient, item, findings);
	return r;
}

static const char *const verdicts[] = {
	[FINDING_WARNING] = "unlocks",
	[FINDING_AWAY] = "unreachable",
	[FINDING_ERROR] = "fails",
};

/* Of all tokens of ours; the best of them decides, where nothing is in the way of all. */
static int look_at_tokens(const struct machine *machine, const struct patient *patient,
			  struct findings *findings, json_t *tokens, enum finding_weight *ret)
{
	enum finding_weight best = FINDING_ERROR;

	for (size_t i = 0; i < patient->inventory.n; i++) {
		const struct item *item = &patient->inventory.items[i];
		int r;

		if (!item->ours)
			continue;
		findings_of(findings, (int)item->id);
		r = look_at_token(machine, patient, item, findings);
		if (r == 0 &&
		    json_array_append_new(tokens, json_pack("{s:i, s:s, s:s}", "token", item->id,
							    "type", item->type, "verdict",
							    verdicts[findings->worst])) < 0)
			r = -ENOMEM;
		if (r < 0)
			return r;
		if (findings->worst < best)
			best = findings->worst;
	}
	*ret = best;
	return 0;
}

/* What /usr and the root file system are on was opened there whatever crypttab says. */
static bool is_early(const struct machine *machine, const struct crypttab_entry *entry,
		     const char *device)
{
	CLEANUP(stack_done) struct stack stack = {0};
	struct stat st;

	if (crypttab_option(entry->options, "x-initrd.attach", NULL) ||
	    crypttab_option(entry->options, "initramfs", NULL) || ref_is(entry->name, "root") ||
	    ref_is(entry->name, "usr"))
		return true;
	return stat(device, &st) == 0 && S_ISBLK(st.st_mode) &&
	       stack_look(machine->root, st.st_rdev, &stack) == 0 && stack.system;
}

static bool has_ours(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n; i++)
		if (inventory->items[i].ours)
			return true;
	return false;
}

/* Whether a boot does without the volume. */
static bool is_optional(struct ref options)
{
	return crypttab_switch(options, "noauto", "auto") ||
	       crypttab_switch(options, "nofail", "fail");
}

/* Opens the header; returns false where it is not bound, or there is nothing to look at. */
static bool open_patient(struct patient *patient, const struct place *place,
			 struct findings *findings, const char **ret_verdict)
{
	char said[LOG_LINE_MAX] = "";
	const struct log log = {.sink = line_sink, .to = said};
	struct ref type;
	bool expected = crypttab_option(patient->entry->options, "token-type", &type) &&
			ref_begins(type, "cotter-");
	int r = luks_open(place->device, place->header, false, &log, &patient->luks);

	*ret_verdict = expected ? verdicts[FINDING_ERROR] : "not bound";
	if (r == -EMEDIUMTYPE && !expected)
		return false; /* of another kind, which is none of ours */
	if (r == -ENOENT && is_optional(patient->entry->options)) {
		*ret_verdict = "absent";
		return false;
	}
	if (r < 0) {
		*ret_verdict = verdicts[FINDING_ERROR];
		finding_add(findings, r == -EACCES && geteuid() != 0 ? &no_permission : &no_header,
			    "%s", said);
		return false;
	}
	if (inventory_read(patient->luks, &patient->inventory) < 0 ||
	    marks_of(&patient->inventory, 0, &patient->marks) < 0) {
		findings->failed = true;
		return false;
	}
	if (!has_ours(&patient->inventory)) {
		if (expected)
			finding_add(findings, &no_token,
				    "crypttab says token-type=%.*s, and the header has no cotter "
				    "token",
				    (int)type.n, (const char *)type.p);
		return false;
	}
	return true;
}

static int examine(const struct machine *machine, struct patient *patient,
		   struct findings *findings, json_t *tokens, const char **ret_verdict)
{
	enum finding_weight verdict = FINDING_ERROR, own;
	int r = doctor_order(machine, patient, findings);

	if (r == 0 && patient->early)
		doctor_image(machine, patient, findings);
	own = findings->worst;
	if (r == 0)
		r = look_at_tokens(machine, patient, findings, tokens, &verdict);
	*ret_verdict = verdicts[own > verdict ? own : verdict];
	return r;
}

static void patient_done(struct patient *patient)
{
	inventory_done(&patient->inventory);
	luks_freep(&patient->luks);
}

static int look_at_entry(const struct machine *machine, const struct crypttab_entry *entry,
			 const struct place *place, json_t *volumes)
{
	CLEANUP(free_text) char *name = strndup((const char *)entry->name.p, entry->name.n);
	CLEANUP(patient_done) struct patient patient = {.entry = entry, .name = name};
	CLEANUP_JSON json_t *list = json_array(), *tokens = json_array();
	struct findings findings = {.list = list};
	const char *verdict = NULL;
	int r = name && list && tokens ? 0 : -ENOMEM;

	if (r == 0) {
		patient.early = is_early(machine, entry, place->device);
		findings_of(&findings, FINDING_OF_VOLUME);
		if (open_patient(&patient, place, &findings, &verdict))
			r = examine(machine, &patient, &findings, tokens, &verdict);
	}
	if (r == 0 &&
	    json_array_append_new(
		    volumes, json_pack("{s:o, s:o, s:s, s:s, s:O, s:O}", "volume",
				       output_bytes(name), "device", output_bytes(place->device),
				       "opened_in", patient.early ? "initramfs" : "system",
				       "verdict", verdict, "tokens", tokens, "findings", list)) < 0)
		r = -ENOMEM;
	return findings.failed ? -ENOMEM : r;
}

static int look_at_crypttab(const struct machine *machine, json_t *volumes)
{
	struct crypttab_reader reader = {.rest = buf_ref(&machine->crypttab)};
	struct crypttab_entry entry;
	int r = 0;

	while (r == 0 && (r = crypttab_next(&reader, &entry)) != 0) {
		CLEANUP(place_done) struct place place = {0};

		if (r < 0) { /* as systemd does */
			output_warn("warning: line %zu of crypttab names no device, and is passed "
				    "over",
				    reader.number);
			r = 0;
			continue;
		}
		r = place_of_entry(&entry, &place);
		if (r == 0)
			r = look_at_entry(machine, &entry, &place, volumes);
	}
	return r;
}

static enum exit_code code_of(const json_t *volumes)
{
	enum exit_code code = EXIT_CODE_OK;
	const json_t *volume;
	size_t i;

	json_array_foreach(volumes, i, volume) {
		const char *verdict = js_str(volume, "verdict");

		if (strcmp(verdict, verdicts[FINDING_ERROR]) == 0)
			return EXIT_CODE_BROKEN;
		if (strcmp(verdict, verdicts[FINDING_AWAY]) == 0)
			code = EXIT_CODE_AWAY;
	}
	return code;
}

enum exit_code verb_doctor(const struct options *options, struct output *out)
{
	CLEANUP(machine_done) struct machine machine = {0};
	json_t *volumes = json_array();
	int r;

	if (json_object_set_new(out->json, "volumes", volumes) < 0)
		return EXIT_CODE_FAILED;
	r = machine_read("", &out->log, &machine);
	if (r == 0)
		r = machine_read_image(&machine, options->initrd, &out->log);
	if (r == 0 && machine.image_path)
		r = json_object_set_new(out->json, "initrd", output_bytes(machine.image_path)) < 0
			    ? -ENOMEM
			    : 0;
	if (r == 0)
		r = look_at_crypttab(&machine, volumes);
	if (r == -ENOMEM)
		(void)log_err(&out->log, r, "there is not enough memory");
	if (r < 0)
		return EXIT_CODE_FAILED;
	return code_of(volumes);
}
