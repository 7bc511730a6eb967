/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parses policies as people write them. */
#include "enroll/policy-text.h"

#include "enroll/policy-words.h"

#include <errno.h>
#include <stdio.h>

struct part {
	const char *pin;
	json_t *config;
};

static void part_done(struct part *part)
{
	json_decref(part->config);
}

/* --- a leaf --- */

static const struct pin_member *find_member(const struct pin_options *of, struct ref name)
{
	for (size_t i = 0; i < of->n_members; i++)
		if (word_is(name, of->members[i].name) || word_is(name, of->members[i].alias))
			return &of->members[i];
	return NULL;
}

/* The name before =; without one it is the first member where that may be left out. */
static int read_name(struct words *p, const struct pin_options *of, const struct pin_member **ret)
{
	size_t began = p->at;
	struct ref name = words_word(p);

	if (name.n > 0 && words_skip(p, '=')) {
		*ret = find_member(of, name);
		return *ret ? 0
			    : words_refuse(p, began, "%s has no \"%.*s\"", of->pin,
					   (int)(name.n < 64 ? name.n : 64), (const char *)name.p);
	}

	p->at = began;
	if (!of->positional)
		return words_refuse(p, began, "what %s takes is written as NAME=VALUE", of->pin);
	*ret = &of->members[0];
	return 0;
}

/* NULL where the text does not fit the member. */
static json_t *value_json(const struct pin_member *member, struct ref value)
{
	json_t *object = NULL;

	if (member->yes_no)
		return word_is(value, "yes")  ? json_true()
		       : word_is(value, "no") ? json_false()
					      : NULL;
	/* An object stands for what a file would hold. */
	if (value.n > 0 && value.p[0] == '{')
		return js_load(value, &object) == 0 ? object : NULL;
	return json_stringn((const char *)value.p, value.n);
}

static int set_member(struct words *p, size_t at, const struct pin_member *member, struct ref value,
		      json_t *config)
{
	json_t *json;

	if (value.n == 0 && !member->implied)
		return words_refuse(p, at, "the value of %s is missing", member->name);
	if (json_object_get(config, member->name))
		return words_refuse(p, at, "%s is given twice", member->name);

	json = value_json(member, value);
	if (!json)
		return words_refuse(p, at, "the value of %s is not %s", member->name,
				    member->yes_no ? "yes or no" : "UTF-8 text or a JSON object");
	return json_object_set_new(config, member->name, json) == 0 ? 0 : -ENOMEM;
}

static int read_argument(struct words *p, const struct pin_options *of, json_t *config)
{
	CLEANUP(buf_done) struct buf value = {0};
	const struct pin_member *member;
	size_t at;
	int r;

	words_space(p);
	at = p->at;
	r = read_name(p, of, &member);
	if (r < 0)
		return r;

	r = words_value(p, &value);
	return r < 0 ? r : set_member(p, at, member, buf_ref(&value), config);
}

static int read_arguments(struct words *p, const struct pin_options *of, json_t *config)
{
	char what[16];

	if (words_skip(p, ')'))
		return 0;
	do {
		int r = read_argument(p, of, config);

		if (r < 0)
			return r;
	} while (words_skip(p, ','));
	return words_skip(p, ')')
		       ? 0
		       : words_refuse(p, p->at, "a ) is missing behind what %s takes, where %s is",
				      of->pin, words_found(p, what));
}

/* What is not written means what the options of the same pin mean without it. */
static int imply(const struct pin_options *of, json_t *config)
{
	for (size_t i = 0; i < of->n_members; i++) {
		const struct pin_member *member = &of->members[i];
		const char *text = js_str(config, member->name);

		if (!member->implied ||
		    (member->instead && json_object_get(config, member->instead)))
			continue;
		if (text && (!*text || strcmp(text, "none") == 0))
			(void)json_object_del(config, member->name);
		else if (!text && json_object_set_new(config, member->name,
						      json_string(member->implied)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int refuse_word(const struct words *p, size_t at, struct ref word)
{
	char names[LOG_LINE_MAX / 4] = "", what[16];
	size_t n = 0;

	for (size_t i = 0; all_pin_options[i] && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i > 0 ? ", " : "",
				      all_pin_options[i]->pin);
	if (word.n == 0)
		return words_refuse(p, at, "a pin (%s) or NUMBER of (...) is wanted, not %s", names,
				    words_found(p, what));
	if (word_is(word, TREE_PIN))
		return words_refuse(p, at, "a threshold is written as NUMBER of (...)");
	return words_refuse(p, at, "there is no pin \"%.*s\"; there are %s",
			    (int)(word.n < 64 ? word.n : 64), (const char *)word.p, names);
}

static const struct pin_options *find_pin(struct ref word)
{
	for (size_t i = 0; all_pin_options[i]; i++)
		if (word_is(word, all_pin_options[i]->pin))
			return all_pin_options[i];
	return NULL;
}

static int read_leaf(struct words *p, struct part *ret)
{
	size_t began = p->at;
	struct ref word = words_word(p);
	const struct pin_options *of = find_pin(word);
	CLEANUP(part_done) struct part part = {0};
	int r;

	if (!of)
		return refuse_word(p, began, word);
	part = (struct part){of->pin, json_object()};
	if (!part.config)
		return -ENOMEM;

	r = words_skip(p, '(') ? read_arguments(p, of, part.config) : 0;
	if (r == 0)
		r = imply(of, part.config);
	if (r == 0 && of->positional && !js_str(part.config, of->members[0].name))
		r = words_refuse(p, began, "%s needs its %s", of->pin, of->members[0].name);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(part);
	return 0;
}

/* --- a threshold --- */

static int read_part(struct words *p, struct part *ret);

static int read_parts(struct words *p, json_t *into, size_t *ret_n)
{
	size_t n = 0;
	char what[16];

	do {
		CLEANUP(part_done) struct part part = {0};
		int r;

		words_space(p);
		if (n++ == SSS_SHARES_MAX)
			return words_refuse(p, p->at, "a threshold has at most %d parts",
					    SSS_SHARES_MAX);
		r = read_part(p, &part);
		if (r == 0)
			r = tree_add(into, part.pin, part.config);
		if (r < 0)
			return r;
	} while (words_skip(p, ','));

	*ret_n = n;
	return words_skip(p, ')') ? 0
				  : words_refuse(p, p->at, "a , or ) is missing, where %s is",
						 words_found(p, what));
}

/* More than three digits are more than any threshold. */
static size_t read_number(struct words *p)
{
	size_t number = 0;

	for (; words_next(p) >= '0' && words_next(p) <= '9'; p->at++)
		if (number < 1000)
			number = number * 10 + (size_t)(words_next(p) - '0');
	return number;
}

static int read_node(struct words *p, struct part *ret)
{
	CLEANUP(part_done) struct part part = {TREE_PIN, json_pack("{s:i, s:{}}", "t", 1, "pins")};
	size_t began = p->at, t, n = 0, at;
	int r;

	if (!part.config)
		return -ENOMEM;
	t = read_number(p);
	words_space(p);
	at = p->at;
	if (!word_is(words_word(p), "of") || !words_skip(p, '('))
		return words_refuse(p, at, "behind a number comes of (...), as in 2 of (...)");
	if (++p->depth > SSS_DEPTH_MAX)
		return words_refuse(p, began, "thresholds are nested more than %d deep",
				    SSS_DEPTH_MAX);

	r = read_parts(p, json_object_get(part.config, "pins"), &n);
	p->depth--;
	if (r == 0 && (t < 1 || t > n))
		r = words_refuse(p, began,
				 "the number here is 1 to %zu, as many as there are parts", n);
	if (r == 0 && json_object_set_new(part.config, "t", json_integer((json_int_t)t)) != 0)
		r = -ENOMEM;
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(part);
	return 0;
}

static int read_part(struct words *p, struct part *ret)
{
	uint8_t c = words_next(p);

	return c >= '0' && c <= '9' ? read_node(p, ret) : read_leaf(p, ret);
}

int policy_text_parse(struct ref text, const struct log *log, const char **ret_pin,
		      json_t **ret_config)
{
	struct words p = {.text = text, .log = log};
	CLEANUP(part_done) struct part part = {0};
	char what[16];
	int r;

	if (text.n > POLICY_TEXT_MAX || memchr(text.p, 0, text.n))
		return log_err(log, -EINVAL, "the policy is not a text of up to %d bytes",
			       POLICY_TEXT_MAX);

	words_space(&p);
	r = read_part(&p, &part);
	if (r < 0)
		return r;
	words_space(&p);
	if (p.at < p.text.n)
		return words_refuse(&p, p.at, "the policy has ended, so %s is too much",
				    words_found(&p, what));

	*ret_pin = part.pin;
	*ret_config = TAKE_PTR(part.config);
	return 0;
}
