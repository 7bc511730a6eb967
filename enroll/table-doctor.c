/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --doctor found, for people. */
#include "enroll/table.h"

#include <stdio.h>

static const char *verdict_words(const char *verdict)
{
	static const char *const words[][2] = {
		{"unlocks", "would unlock at the next boot"},
		{"unreachable", "would unlock at the next boot, if what is out of reach is there"},
		{"fails", "would not unlock at the next boot"},
		{"not bound", "has no cotter token, and is not looked at"},
		{"absent", "is not there, and is not looked at"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i][0], verdict) == 0)
			return words[i][1];
	return verdict;
}

static void print_finding(const json_t *finding)
{
	const json_t *token = json_object_get(finding, "token");
	CLEANUP_JSON json_t *of =
		token ? json_sprintf("token %" JSON_INTEGER_FORMAT ": ", json_integer_value(token))
		      : json_string("");
	CLEANUP_JSON json_t *cause =
		json_sprintf("  %s: %s%s", js_str(finding, "weight"),
			     of ? json_string_value(of) : "", js_str(finding, "cause"));
	CLEANUP_JSON json_t *remedy = json_sprintf("    remedy: %s", js_str(finding, "remedy"));

	table_line(json_string_value(cause));
	table_line(json_string_value(remedy));
}

void table_doctor(const json_t *result, bool ok, bool quiet)
{
	const char *image = js_str(result, "initrd");
	const json_t *volumes = json_object_get(result, "volumes"), *volume, *finding;
	size_t i, j;

	if (image && !quiet) {
		CLEANUP_JSON json_t *line = json_sprintf("image: %s", image);

		table_line(json_string_value(line));
	}
	if (json_array_size(volumes) == 0 && ok && !quiet)
		table_line("crypttab has no volumes");
	json_array_foreach(volumes, i, volume) {
		const json_t *findings = json_object_get(volume, "findings");
		CLEANUP_JSON json_t *line = json_sprintf("%s (%s): %s", js_str(volume, "volume"),
							 js_str(volume, "device"),
							 verdict_words(js_str(volume, "verdict")));

		if (quiet && json_array_size(findings) == 0)
			continue;
		table_line(json_string_value(line));
		json_array_foreach(findings, j, finding)
			print_finding(finding);
	}
}
