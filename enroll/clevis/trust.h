/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers to whether a server is to be trusted, for cot->confirm; the argument of both is a struct log. */
#pragma once

#include "crypto/pin.h"

/* Clevis's -y: yes. A thumbprint in the configuration binds all the same: nobody is asked then. */
int trust_all(void *arg, const struct trust_question *question);

/* Asks at the terminal, in Clevis's words, for which scripts wait. */
int trust_ask(void *arg, const struct trust_question *question);
