/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tang pin, compatible with Clevis's. Configuration: `url` and, optionally, `thp` (thumbprint of
 * a trusted signing key), `adv` (a saved advertisement: file name or object), `ca` (absolute path of
 * a PEM file, https only) and `pubkey` ("sha256//…", https only). Instead of `thp` and `adv` it may have
 * `keys` and `kid`, as struct survey has them: then it binds to that exchange key and keeps those signing
 * keys without asking anybody. It is how a binding is made again, and nothing for people to write.
 */
#pragma once

#include "crypto/pin.h"

extern const struct pin pin_tang;
