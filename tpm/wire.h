/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TPM structures as bytes, big-endian: the few that are read from a header or go into a digest.
 * After the first byte too few or too many a reader or writer is `bad` and does nothing more, so
 * only the end need be checked.
 */
#pragma once

#include "crypto/buf.h"

enum { WIRE_MAX = 2048 };

struct wire_reader {
	struct ref left;
	bool bad;
};

uint16_t wire_get16(struct wire_reader *in);
uint32_t wire_get32(struct wire_reader *in);

/* n bytes, borrowed. */
struct ref wire_get(struct wire_reader *in, size_t n);

/* A TPM2B: a length of 16 bits and so many bytes, borrowed; at most `max`. */
struct ref wire_get2b(struct wire_reader *in, size_t max);

/* Whether all was read and nothing was wrong. */
MUST bool wire_ended(const struct wire_reader *in);

struct wire_writer {
	uint8_t p[WIRE_MAX];
	size_t n;
	bool bad;
};

void wire_put16(struct wire_writer *out, uint16_t value);
void wire_put32(struct wire_writer *out, uint32_t value);
void wire_put(struct wire_writer *out, struct ref bytes);
void wire_put2b(struct wire_writer *out, struct ref bytes);
