/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of PCRs as headers hold them and as people read them. */
#include "tpm/pcr.h"

#include <errno.h>
#include <stdio.h>

/* Clevis's tools take a PCR named twice as named once. */
static int add_id(struct pcr_set *set, struct ref text, const struct hash_alg *bank)
{
	struct pcr pcr = {.bank = bank};
	int r;

	while (text.n > 0 && text.p[0] == ' ')
		text = (struct ref){text.p + 1, text.n - 1};
	while (text.n > 0 && text.p[text.n - 1] == ' ')
		text.n--;
	pcr.index = pcr_index(text);
	if (pcr.index == PCR_COUNT)
		return -EBADMSG;

	r = pcr_add(set, &pcr);
	return r == -EEXIST ? 0 : r;
}

static int add_ids(struct pcr_set *set, const json_t *id, const struct hash_alg *bank)
{
	struct ref left;
	int r = 0;

	if (json_is_integer(id)) {
		char text[24];

		(void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(id));
		return add_id(set, ref_str(text), bank);
	}
	if (!json_is_string(id))
		return -EBADMSG;

	left = ref_str(json_string_value(id));
	if (ref_is(left, "all")) {
		for (unsigned i = 0; i < PCR_COUNT && r == 0; i++)
			r = pcr_add(set, &(struct pcr){.bank = bank, .index = i});
		return r;
	}
	do {
		r = add_id(set, pcr_token(&left, ","), bank);
	} while (r == 0 && pcr_skip(&left, ','));
	return r;
}

int pcr_parse_ids(const json_t *ids, const struct hash_alg *bank, const struct log *log,
		  struct pcr_set *ret)
{
	struct pcr_set set = {0};
	const json_t *id;
	size_t i;
	int r = json_is_array(ids) && json_array_size(ids) == 0 ? -EBADMSG : 0;

	if (!json_is_array(ids))
		r = add_ids(&set, ids, bank);
	json_array_foreach(ids, i, id) {
		if (r == 0)
			r = add_ids(&set, id, bank);
	}
	if (r < 0)
		return log_err(log, -EBADMSG,
			       "tpm2: \"pcr_ids\" is not a list of PCRs, numbers 0 to 23");

	*ret = set;
	return 0;
}

json_t *pcr_to_values(const struct pcr_set *set)
{
	CLEANUP_JSON json_t *values = json_object();

	for (size_t i = 0; i < set->n; i++) {
		const struct pcr *pcr = &set->pcrs[i];
		char key[16];

		(void)snprintf(key, sizeof(key), "%s:%u", pcr->bank->name, pcr->index);
		if (json_object_set_new(values, key,
					js_from_b64((struct ref){pcr->value, pcr->bank->size})) !=
		    0)
			return NULL;
	}
	return TAKE_PTR(values);
}

static int read_pair(const json_t *values, const char *key, struct pcr *ret)
{
	CLEANUP(buf_done) struct buf value = {0};
	struct ref name = ref_str(key);
	struct pcr pcr = {.has_value = true};
	int r;

	pcr.bank = hash_alg_by_name(pcr_token(&name, ":"));
	pcr.index = pcr_skip(&name, ':') ? pcr_index(name) : PCR_COUNT;
	if (!pcr.bank || pcr.index == PCR_COUNT)
		return -EBADMSG;
	r = js_b64(values, key, &value);
	if (r < 0)
		return r;
	if (value.n != pcr.bank->size)
		return -EBADMSG;

	memcpy(pcr.value, value.p, value.n);
	*ret = pcr;
	return 0;
}

int pcr_from_values(const json_t *values, const struct log *log, struct pcr_set *ret)
{
	struct pcr_set set = {0};
	const char *key;
	const json_t *value;
	struct pcr pcr;
	int r = json_object_size(values) > 0 ? 0 : -EBADMSG;

	json_object_foreach((json_t *)(uintptr_t)values, key, value) {
		if (r == 0)
			r = read_pair(values, key, &pcr);
		if (r == 0)
			r = pcr_add(&set, &pcr);
	}
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return log_err(log, -EBADMSG,
			       "tpm2: \"pcr_values\" does not hold PCRs and their values");

	*ret = set;
	return 0;
}

static void format(const struct pcr_set *set, bool banks, char ret[PCR_TEXT_MAX])
{
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < set->n; i++) {
		const struct pcr *pcr = &set->pcrs[i];
		bool first = i == 0 || pcr->bank != set->pcrs[i - 1].bank;
		const char *before = i == 0 ? "" : banks && first ? "+" : ",";

		n += (size_t)snprintf(ret + n, PCR_TEXT_MAX - n, "%s%s%s%u", before,
				      banks && first ? pcr->bank->name : "",
				      banks && first ? ":" : "", pcr->index);
	}
}

void pcr_format(const struct pcr_set *set, char ret[PCR_TEXT_MAX])
{
	format(set, true, ret);
}

void pcr_format_ids(const struct pcr_set *set, char ret[PCR_TEXT_MAX])
{
	format(set, false, ret);
}

enum { PCR_WRITTEN_MAX = sizeof("+23:sha256=") + 2 * PCR_DIGEST_MAX };

static int write_one(const struct pcr *pcr, struct buf *text)
{
	char start[PCR_WRITTEN_MAX], digits[3];
	int r;

	(void)snprintf(start, sizeof(start), "%s%u%s%s%s", text->n > 0 ? "+" : "", pcr->index,
		       pcr->bank ? ":" : "", pcr->bank ? pcr->bank->name : "",
		       pcr->has_value ? "=" : "");
	r = buf_append_str(text, start);
	for (size_t i = 0; pcr->has_value && i < pcr->bank->size && r == 0; i++) {
		(void)snprintf(digits, sizeof(digits), "%02x", pcr->value[i]);
		r = buf_append_str(text, digits);
	}
	return r;
}

int pcr_write(const struct pcr_set *set, struct buf *ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	r = buf_init(&text, set->n * PCR_WRITTEN_MAX);
	for (size_t i = 0; i < set->n && r == 0; i++)
		r = write_one(&set->pcrs[i], &text);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(text);
	return 0;
}

void pcr_describe(const struct pcr *pcr, char ret[PCR_TEXT_MAX])
{
	const char *name = pcr_name(pcr->index);

	(void)snprintf(ret, PCR_TEXT_MAX, "%u (%s%s%s)", pcr->index, pcr->bank->name,
		       name ? ", " : "", name ? name : "");
}
