/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* crypttab as it is rewritten: name, device, options, and the text, with NULs between. */
#include "units/crypttab.h"

#include "tests/fuzz/fuzz.h"
#include "units/place.h"

/* Every option that was wanted is there. */
static void check_options(struct ref wanted, struct ref options)
{
	struct ref want, have;

	while (crypttab_option_next(&wanted, &want)) {
		struct ref rest = options;
		bool found = false;

		while (!found && crypttab_option_next(&rest, &have))
			found = ref_equal(have, want);
		CHECK(found);
	}
}

static void check_line(struct ref text, const struct crypttab_edit *edit)
{
	struct crypttab_reader reader = {.rest = text};
	struct crypttab_entry entry;
	unsigned found = 0;
	int r;

	while ((r = crypttab_next(&reader, &entry)) != 0) {
		if (r < 0 || !ref_equal(entry.name, ref_str(edit->name)))
			continue;
		found++;
		CHECK(crypttab_none(entry.key));
		check_options(ref_str(edit->options), entry.options);
	}
	CHECK(found == 1);
}

/* A second time there is nothing left to do. */
static void set(struct ref text, const struct crypttab_edit *edit)
{
	CLEANUP(buf_done) struct buf new = {0};
	CLEANUP(buf_done) struct buf again = {0};
	int r = crypttab_set(text, edit, &fuzz_log, &new);

	CHECK_RESULT(r, -EINVAL, -EBUSY, -EEXIST, -ENOTUNIQ, -EBADMSG);
	CHECK((r == 0) == (new.p != NULL));
	if (r < 0)
		return;
	check_line(buf_ref(&new), edit);
	CHECK(crypttab_set(buf_ref(&new), edit, &fuzz_log, &again) == 0);
	CHECK(ref_equal(buf_ref(&new), buf_ref(&again)));
}

static void place(struct ref text, const char *name)
{
	CLEANUP(place_done) struct place of_name = {0};
	CLEANUP(place_done) struct place of_device = {0};

	CHECK_RESULT(place_of_name(text, ref_str(name), &of_name), -ENOENT);
	CHECK(place_of_device(text, "/dev/sda1", &of_device) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ref rest = {data, n};
	CLEANUP(free_text) char *name = fuzz_text(fuzz_part(&rest));
	CLEANUP(free_text) char *device = fuzz_text(fuzz_part(&rest));
	CLEANUP(free_text) char *options = fuzz_text(fuzz_part(&rest));
	CLEANUP(buf_done) struct buf text = {0};

	CHECK(buf_copy(&text, rest) == 0);
	set(buf_ref(&text),
	    &(struct crypttab_edit){.name = name, .device = device, .options = options});
	place(buf_ref(&text), name);
	return 0;
}
