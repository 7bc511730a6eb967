/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tang pin, compatible with Clevis's. Configuration: `url` and, optionally, `thp` (thumbprint of
 * a trusted signing key), `adv` (a saved advertisement: file name or object), `ca` (absolute path of
 * a PEM file, https only) and `pubkey` ("sha256//…", https only).
 */
#pragma once

#include "crypto/pin.h"

extern const struct pin pin_tang;
