/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* luksmeta, as it is and with its checksums made right. */
#include "enroll/luks1-meta.h"

#include "tests/fuzz/fuzz.h"

enum { GAP_MAX = 64 * 1024, SLOTS_AT = 16, SLOT_SIZE = 32, INDEX_SIZE = 272 };

static uint32_t crc32c(const uint8_t *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
	}
	return ~crc;
}

static uint32_t get(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put(uint8_t *p, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(number >> (24 - 8 * i));
}

static void make_right(struct buf *gap)
{
	for (size_t i = 0; i < LUKS1_META_SLOTS; i++) {
		uint8_t *slot = gap->p + SLOTS_AT + i * SLOT_SIZE;
		size_t at = get(slot + 16), n = get(slot + 20);

		if (at >= INDEX_SIZE && at <= gap->n && n <= gap->n - at)
			put(slot + 24, crc32c(gap->p + at, n));
	}
	put(gap->p + 12, 0);
	put(gap->p + 12, crc32c(gap->p, INDEX_SIZE));
}

static bool read_again(const struct buf *gap, struct luks1_meta *ret)
{
	int r;

	FUZZ_MARK(*ret);
	r = luks1_meta_read(buf_ref(gap), &fuzz_log, ret);
	CHECK_RESULT(r, -EBADMSG, -EOPNOTSUPP);
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(*ret));
		return false;
	}
	for (size_t i = 0; i < LUKS1_META_SLOTS; i++) {
		struct ref data = ret->slots[i].data;

		CHECK(!data.p || (ret->there && data.p >= gap->p && data.n <= gap->n &&
				  data.p + data.n <= gap->p + gap->n));
		(void)luks1_meta_is_clevis(&ret->slots[i]);
	}
	return ret->there;
}

/* Adds one, and takes it away again; the others stay. */
static void change(struct buf *gap, const struct luks1_meta *meta)
{
	static const uint8_t text[] = "a text";
	const struct ref data = {text, sizeof(text)};
	struct luks1_meta changed;
	unsigned free_slot = 0;
	size_t at;

	while (free_slot < LUKS1_META_SLOTS && meta->slots[free_slot].data.p)
		free_slot++;
	if (free_slot == LUKS1_META_SLOTS ||
	    luks1_meta_put(gap, meta, free_slot, luks1_meta_clevis, data, &at) < 0)
		return;
	CHECK(read_again(gap, &changed) && luks1_meta_is_clevis(&changed.slots[free_slot]));
	CHECK(ref_equal(changed.slots[free_slot].data, data));
	luks1_meta_give(gap, free_slot, luks1_meta_clevis);
	luks1_meta_drop(gap, free_slot);
	CHECK(read_again(gap, &changed) && !changed.slots[free_slot].data.p);
	for (size_t i = 0; i < LUKS1_META_SLOTS; i++)
		CHECK(changed.slots[i].data.p == meta->slots[i].data.p &&
		      changed.slots[i].data.n == meta->slots[i].data.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CLEANUP(buf_done) struct buf gap = {0};
	struct luks1_meta meta;

	if (n > GAP_MAX)
		return 0;
	CHECK(buf_copy(&gap, (struct ref){data, n}) == 0);
	(void)read_again(&gap, &meta);
	if (n < INDEX_SIZE)
		return 0;
	make_right(&gap);
	if (read_again(&gap, &meta))
		change(&gap, &meta);
	return 0;
}
