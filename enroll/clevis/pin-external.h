/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pin that stands for all those of others: "clevis-encrypt-NAME CONFIG [-y]" and "clevis-decrypt-NAME"
 * somewhere on PATH. It comes last in the table, so that it takes the name of no pin of ours.
 */
#pragma once

#include "crypto/pin.h"

extern const struct pin pin_external;
