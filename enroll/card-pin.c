/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cards are looked at before anybody types: one may have a PIN pad, be locked, or not be here. */
#include "enroll/card-pin.h"

#include "enroll/tree.h"
#include "enroll/user-pin.h"

struct asking {
	const struct log *log;
	bool typed, otherwise;
};

static int look(void *arg, const struct pin_options *of, json_t *config)
{
	struct asking *asking = arg;
	bool typed = true;
	int r;

	if (!(of->traits(config) & PIN_TRAIT_CARD_PIN))
		return 0;
	r = of->wants_typed ? of->wants_typed(config, asking->log, &typed) : 0;
	if (r < 0)
		return r;
	asking->typed |= typed;
	asking->otherwise |= !typed;
	return 0;
}

int card_pin_ask(const struct options *options, struct output *out, struct buf *ret)
{
	struct asking asking = {.log = &out->log};
	int r;

	r = tree_each(options->pin, options->config, look, &asking);
	if (r < 0)
		return r;
	if (asking.otherwise)
		output_say(out, "if the card wants a PIN, it asks for it at its own PIN pad");
	return asking.typed ? user_pin_of_card(&out->log, ret) : 0;
}
