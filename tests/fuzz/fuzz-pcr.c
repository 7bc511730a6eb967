/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets of PCRs: as people write them, as Clevis has them, and as headers keep their values. */
#include "tpm/pcr.h"

#include "tests/fuzz/fuzz.h"

static void check_same(const struct pcr_set *a, const struct pcr_set *b)
{
	CHECK(a->n == b->n && a->n <= PCR_SET_MAX);
	for (size_t i = 0; i < a->n; i++) {
		const struct pcr *p = &a->pcrs[i], *q = &b->pcrs[i];

		CHECK(p->bank == q->bank && p->index == q->index && p->index < PCR_COUNT);
		CHECK(p->has_value == q->has_value && (p->bank || !p->has_value));
		if (p->has_value)
			CHECK(memcmp(p->value, q->value, p->bank->size) == 0);
	}
}

static void check_texts(const struct pcr_set *set)
{
	char text[PCR_TEXT_MAX];
	TPML_PCR_SELECTION selection;

	pcr_format_ids(set, text);
	CHECK(strlen(text) < sizeof(text));
	for (size_t i = 0; i < set->n; i++) {
		if (!set->pcrs[i].bank)
			return;
		pcr_describe(&set->pcrs[i], text);
		CHECK(strlen(text) < sizeof(text));
	}
	pcr_format(set, text);
	CHECK(strlen(text) < sizeof(text));
	pcr_selection(set, &selection);
	CHECK(selection.count <= HASH_ALGS);
}

static void parse(const char *text)
{
	CLEANUP(buf_done) struct buf written = {0};
	CLEANUP(free_text) char *copy = NULL;
	struct pcr_set set, again;
	int r;

	FUZZ_MARK(set);
	r = pcr_parse(text, &fuzz_log, &set);
	CHECK_RESULT(r, -EINVAL);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(set));
		return;
	}
	check_texts(&set);
	CHECK(pcr_write(&set, &written) == 0);
	if (set.n == 0)
		return;
	copy = fuzz_text(buf_ref(&written));
	CHECK(pcr_parse(copy, &fuzz_log, &again) == 0 && pcr_same(&set, &again));
	check_same(&set, &again);
}

static void parse_ids(const json_t *ids)
{
	struct pcr_set set, again;
	char text[PCR_TEXT_MAX];
	CLEANUP_JSON json_t *written = NULL;
	int r;

	FUZZ_MARK(set);
	r = pcr_parse_ids(ids, &hash_algs[0], &fuzz_log, &set);
	CHECK_RESULT(r, -EBADMSG);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(set));
		return;
	}
	check_texts(&set);
	pcr_format_ids(&set, text);
	written = json_string(text);
	if (set.n == 0)
		return;
	CHECK(pcr_parse_ids(written, &hash_algs[0], &fuzz_log, &again) == 0);
	check_same(&set, &again);
}

static void parse_values(const json_t *values)
{
	CLEANUP_JSON json_t *written = NULL;
	struct pcr_set set, again;
	int r;

	FUZZ_MARK(set);
	r = pcr_from_values(values, &fuzz_log, &set);
	CHECK_RESULT(r, -EBADMSG);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(set));
		return;
	}
	check_texts(&set);
	written = pcr_to_values(&set);
	CHECK(written && pcr_from_values(written, &fuzz_log, &again) == 0);
	check_same(&set, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP(free_text) char *text = fuzz_text((struct ref){data, n});
	CLEANUP_JSON json_t *json = NULL;
	CLEANUP_JSON json_t *string = json_string(text);

	if (js_load((struct ref){data, n}, &json) == 0) {
		parse_values(json);
		if (json_object_get(json, "ids"))
			parse_ids(json_object_get(json, "ids"));
		return 0;
	}
	parse(text);
	if (string)
		parse_ids(string);
	return 0;
}
