/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds for each server what the survey says of it. */
#include "enroll/clevis/again.h"

#include "enroll/same.h"

#include <errno.h>

/* Of the first leaf that is bound to this server; NULL: there is none. */
static const struct survey *survey_of(const struct job *job, const char *url)
{
	if (job->survey && same_server(job->where, url))
		return job->survey;
	for (size_t i = 0; i < job->n_children; i++) {
		const struct survey *survey = survey_of(&job->children[i], url);

		if (survey)
			return survey;
	}
	return NULL;
}

static int plan_tang(const struct job *job, json_t *config, const struct log *log)
{
	const char *url = js_str(config, "url");
	const struct survey *survey = url ? survey_of(job, url) : NULL;

	if (!survey || json_object_get(config, "thp") || json_object_get(config, "adv"))
		return 0;
	switch (survey->state) {
	case SURVEY_CURRENT:
	case SURVEY_CHANGED:
		return json_object_set(config, "keys", survey->keys) == 0 &&
				       json_object_set_new(config, "kid",
							   json_string(survey->kid)) == 0
			       ? 0
			       : -ENOMEM;
	case SURVEY_UNREACHABLE:
		return log_err(log, -EHOSTUNREACH, "%s; nothing was changed", survey->why);
	default:
		return log_err(log, 0, "%s", survey->why); /* a person decides */
	}
}

/* A pin's value is one configuration or an array of them. */
static int plan_each(const struct job *job, const char *pin, json_t *value, const struct log *log)
{
	json_t *part;
	const char *name;
	size_t i;
	int r = 0;

	if (json_is_array(value)) {
		json_array_foreach(value, i, part)
			r = r == 0 ? plan_each(job, pin, part, log) : r;
	} else if (strcmp(pin, "tang") == 0) {
		r = plan_tang(job, value, log);
	} else if (strcmp(pin, "sss") == 0) {
		json_object_foreach(json_object_get(value, "pins"), name, part)
			r = r == 0 ? plan_each(job, name, part, log) : r;
	}
	return r;
}

int again_plan(const struct job *job, const char *pin, const json_t *config, const struct log *log,
	       json_t **ret)
{
	CLEANUP_JSON json_t *planned = json_deep_copy(config);
	int r;

	r = planned ? plan_each(job, pin, planned, log) : -ENOMEM;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(planned);
	return 0;
}
