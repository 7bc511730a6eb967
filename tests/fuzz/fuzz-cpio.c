/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives of cpio. Whether the data of entries is read or passed over, the same entries are seen. */
#include "enroll/cpio.h"

#include "tests/fuzz/fuzz.h"

enum { DATA_MAX = 512 };

/* A reader of each kind, and the bytes that it reads. */
struct reader {
	struct cpio cpio;
	FILE *from;
};

static struct reader begin(struct ref bytes, bool begun)
{
	struct reader reader = {.from = fmemopen((void *)(uintptr_t)bytes.p, bytes.n, "r")};

	CHECK(reader.from);
	/* As whoever asked what it begins with. */
	if (begun)
		CHECK(fseek(reader.from, 6, SEEK_SET) == 0);
	reader.cpio = (struct cpio){.from = reader.from, .begun = begun};
	return reader;
}

/* Returns 0 or what went wrong; the entry's data cannot be had from both. */
static int take_data(struct cpio *cpio, size_t left)
{
	CLEANUP(buf_done) struct buf data;
	uint64_t size = cpio->size;
	int r;

	FUZZ_MARK(data);
	r = cpio_data(cpio, DATA_MAX, &data);
	CHECK_RESULT(r, -E2BIG, -ENODATA, -EIO);
	CHECK((r == -E2BIG) == (size > DATA_MAX));
	if (r < 0) {
		CHECK(FUZZ_IS_MARK(data));
		data = (struct buf){0};
		return r == -E2BIG ? 0 : r;
	}
	CHECK(data.n == size && data.n < left && data.p[data.n] == '\0');
	CHECK(cpio->size == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ref bytes = {data, n};
	bool begun = n >= 6 && cpio_begins(data);
	struct reader taker, passer;
	int r = 1, taken = 0;

	if (n == 0)
		return 0;
	taker = begin(bytes, begun);
	passer = begin(bytes, false);
	while (r > 0 && taken == 0) {
		r = cpio_next(&passer.cpio);
		CHECK(r == 1 || r == 0 || r == -EBADMSG || r == -ENODATA);
		CHECK(cpio_next(&taker.cpio) == r);
		if (r <= 0)
			break;
		CHECK(memchr(passer.cpio.name, '\0', sizeof(passer.cpio.name)));
		CHECK(strcmp(passer.cpio.name, taker.cpio.name) == 0);
		CHECK(passer.cpio.mode == taker.cpio.mode && passer.cpio.size == taker.cpio.size);
		taken = take_data(&taker.cpio, n);
	}
	/* What ends in an entry's data is only then cut off for whoever passes over it. */
	if (taken < 0)
		CHECK(cpio_next(&passer.cpio) == taken);
	(void)fclose(taker.from);
	(void)fclose(passer.from);
	return 0;
}
