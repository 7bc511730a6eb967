/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy of LUKS2's metadata, as it is changed byte for byte. */
#include "enroll/luks2-area.h"

#include "tests/fuzz/file.h"

/* What is written is read again. */
static void set(struct buf *area, const json_t *json)
{
	CLEANUP_JSON json_t *again = NULL;
	uint64_t number = area_number(area);
	int r = area_set(area, json);

	CHECK_RESULT(r, -ENOSPC, -EOPNOTSUPP);
	if (r < 0)
		return;
	CHECK(area_ok(area) && area_number(area) == number + 1);
	CHECK(area_json(area, &again) == 0 && json_equal(json, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct fuzz_file *file = fuzz_file((struct ref){data, n});
	size_t size = area_size(file->fd);
	CLEANUP(buf_done) struct buf area = {0};
	CLEANUP_JSON json_t *json = NULL;
	int r;

	if (size == 0)
		return 0;
	CHECK(size > AREA_BINARY);
	r = area_read(file->fd, 0, size, &area);
	CHECK_RESULT(r, -EIO);
	if (r < 0)
		return 0;
	(void)area_ok(&area);
	r = area_json(&area, &json);
	CHECK_RESULT(r, -EBADMSG);
	CHECK((r == 0) == (json != NULL));
	if (r == 0)
		set(&area, json);
	return 0;
}
