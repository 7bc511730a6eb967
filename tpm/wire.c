/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Big-endian reading and writing within bounds. */
#include "tpm/wire.h"

struct ref wire_get(struct wire_reader *in, size_t n)
{
	struct ref taken = {in->left.p, n};

	if (in->bad || n > in->left.n) {
		in->bad = true;
		return (struct ref){0};
	}
	in->left.p += n;
	in->left.n -= n;
	return taken;
}

uint16_t wire_get16(struct wire_reader *in)
{
	struct ref b = wire_get(in, 2);

	if (b.n != 2)
		return 0;
	return (uint16_t)(b.p[0] << 8 | b.p[1]);
}

uint32_t wire_get32(struct wire_reader *in)
{
	uint32_t high = wire_get16(in);

	return high << 16 | wire_get16(in);
}

struct ref wire_get2b(struct wire_reader *in, size_t max)
{
	size_t n = wire_get16(in);

	if (n > max)
		in->bad = true;
	return wire_get(in, n);
}

bool wire_ended(const struct wire_reader *in)
{
	return !in->bad && in->left.n == 0;
}

void wire_put(struct wire_writer *out, struct ref bytes)
{
	if (out->bad || bytes.n > WIRE_MAX - out->n) {
		out->bad = true;
		return;
	}
	if (bytes.n)
		memcpy(out->p + out->n, bytes.p, bytes.n);
	out->n += bytes.n;
}

void wire_put16(struct wire_writer *out, uint16_t value)
{
	uint8_t b[] = {(uint8_t)(value >> 8), (uint8_t)value};

	wire_put(out, (struct ref){b, sizeof(b)});
}

void wire_put32(struct wire_writer *out, uint32_t value)
{
	wire_put16(out, (uint16_t)(value >> 16));
	wire_put16(out, (uint16_t)value);
}

void wire_put2b(struct wire_writer *out, struct ref bytes)
{
	if (bytes.n > UINT16_MAX)
		out->bad = true;
	wire_put16(out, (uint16_t)bytes.n);
	wire_put(out, bytes);
}
