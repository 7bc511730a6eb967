/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the notes that the program's libraries of pins carry. */
#include "units/dlopen-note.h"

#include "crypto/dlopen-note.h"

#include <elf.h>
#include <errno.h>
#include <link.h>

struct reading {
	json_t *entries;
	int result;
};

static size_t aligned(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static int add_entries(const char *text, size_t size, json_t *entries)
{
	CLEANUP_JSON json_t *more = json_loadb(text, strnlen(text, size), 0, NULL);

	return json_array_extend(entries, more) == 0 ? 0 : -EBADMSG;
}

static int read_segment(const uint8_t *p, size_t n, json_t *entries)
{
	while (n >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) note;
		size_t name, size;
		int r = 0;

		memcpy(&note, p, sizeof(note));
		name = sizeof(note) + aligned(note.n_namesz);
		size = name + aligned(note.n_descsz);
		if (note.n_namesz > n || note.n_descsz > n || size > n)
			return -EBADMSG;
		if (note.n_type == DLOPEN_NOTE_TYPE && note.n_namesz == sizeof(DLOPEN_NOTE_OWNER) &&
		    memcmp(p + sizeof(note), DLOPEN_NOTE_OWNER, sizeof(DLOPEN_NOTE_OWNER)) == 0)
			r = add_entries((const char *)p + name, note.n_descsz, entries);
		if (r < 0)
			return r;
		p += size;
		n -= size;
	}
	return 0;
}

/* The program itself comes first; its libraries are not ours. */
static int read_program(struct dl_phdr_info *info, size_t size, void *data)
{
	struct reading *reading = data;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum && reading->result == 0; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type == PT_NOTE)
			reading->result =
				read_segment((const uint8_t *)(info->dlpi_addr + segment->p_vaddr),
					     segment->p_memsz, reading->entries);
	}
	return 1;
}

int dlopen_notes(json_t **ret)
{
	CLEANUP_JSON json_t *entries = json_array();
	struct reading reading = {.entries = entries};

	if (!entries)
		return -ENOMEM;
	(void)dl_iterate_phdr(read_program, &reading);
	if (reading.result < 0)
		return reading.result;

	*ret = TAKE_PTR(entries);
	return 0;
}
