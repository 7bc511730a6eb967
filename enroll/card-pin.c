/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards are looked at before anybody types: one may have a PIN pad, be locked, or not be here. */
#include "enroll/card-pin.h"

#include "enroll/tree.h"
#include "enroll/user-pin.h"

struct look {
	const struct log *log;
	struct card_pins pins;
};

static int look_at(void *arg, const struct pin_options *of, json_t *config)
{
	struct look *look = arg;
	bool typed = true;
	int r;

	if (!of || !(of->traits(config) & PIN_TRAIT_CARD_PIN))
		return 0;
	r = of->wants_typed ? of->wants_typed(config, look->log, &typed) : 0;
	if (r < 0)
		return r;
	look->pins.typed |= typed;
	look->pins.otherwise |= !typed;
	return 0;
}

int card_pins_look(const char *pin, const json_t *config, const struct log *log,
		   struct card_pins *ret)
{
	struct look look = {.log = log};
	int r;

	r = tree_each(pin, (json_t *)(uintptr_t)config, look_at, &look);
	if (r == 0)
		*ret = look.pins;
	return r;
}

int card_pin_ask(const struct options *options, struct output *out, struct buf *ret)
{
	struct card_pins wanted = {0};
	int r;

	r = card_pins_look(options->pin, options->config, &out->log, &wanted);
	if (r < 0)
		return r;
	if (wanted.otherwise)
		output_say(out, "if the card wants a PIN, it asks for it at its own PIN pad");
	return wanted.typed ? user_pin_of_card(&out->log, ret) : 0;
}
