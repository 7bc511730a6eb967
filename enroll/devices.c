/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The devices of this machine that a pin can bind to. */
#include "enroll/options-pin.h"
#include "enroll/verbs.h"

enum exit_code verb_devices(const struct options *options, struct output *out)
{
	const struct pin_options *by = pin_options_find(options->pin);
	json_t *devices = NULL;

	if (by->list(&devices) < 0 || json_object_set_new(out->json, "devices", devices) < 0)
		return EXIT_CODE_FAILED;
	if (json_array_size(devices) == 0)
		output_say(out, "this machine has no %s device", options->pin);
	return EXIT_CODE_OK;
}
