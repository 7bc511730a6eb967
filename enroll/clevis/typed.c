/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks for a PIN, and keeps it until the run ends. */
#include "enroll/clevis/typed.h"

#include "enroll/ask.h"
#include "enroll/user-pin.h"

static struct buf typed;
static bool asked;

struct ref typed_pin(void)
{
	return buf_ref(&typed);
}

bool typed_pin_possible(void)
{
	return !asked && ask_possible();
}

int typed_pin_ask(const struct log *log)
{
	asked = true;
	buf_done(&typed);
	return user_pin_of_card(log, &typed);
}

void typed_pin_forget(void)
{
	buf_done(&typed);
}
