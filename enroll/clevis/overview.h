/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What "clevis" says where its words are no command. */
#pragma once

/* Writes usage and all commands with their summaries, others' on PATH too, to stderr. Returns the status. */
int overview(int argc, char **argv);
