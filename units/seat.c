/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks sd-login about seats. */
#include "units/seat.h"

#include "crypto/util.h"

#include <stdlib.h>
#include <string.h>

#include <systemd/sd-login.h>

static bool is_desktop(const char *type)
{
	return strcmp(type, "wayland") == 0 || strcmp(type, "x11") == 0 || strcmp(type, "mir") == 0;
}

bool seat_in_use(const char *seat)
{
	CLEANUP(free_text) char *session = NULL, *class = NULL, *type = NULL;

	return sd_seat_get_active(seat, &session, NULL) >= 0 &&
	       sd_session_get_class(session, &class) >= 0 && strcmp(class, "user") == 0 &&
	       sd_session_get_type(session, &type) >= 0 && is_desktop(type) &&
	       sd_session_is_active(session) > 0 && sd_session_is_remote(session) == 0;
}
