/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the dynamic section; every offset in the file may be anything. */
#include "enroll/elf-needed.h"

#include "units/text-file.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sys/stat.h>

/* No file is linked with as many, nor are names of files as long. */
enum { FILE_MAX = 64 * 1024 * 1024, NAMES_MAX = 1024, NAME_ROOM = 256 };

/* Copies n bytes at this offset; false where the file has them not. */
static bool copy(struct ref file, uint64_t offset, void *to, size_t n)
{
	if (offset > file.n || n > file.n - offset)
		return false;
	memcpy(to, file.p + offset, n);
	return true;
}

static bool segment(struct ref file, const ElfW(Ehdr) * header, size_t i, ElfW(Phdr) * ret)
{
	return i < header->e_phnum &&
	       copy(file, header->e_phoff + i * sizeof(*ret), ret, sizeof(*ret));
}

/* Where in the file an address is. */
static bool offset_of(struct ref file, const ElfW(Ehdr) * header, uint64_t address, uint64_t *ret)
{
	ElfW(Phdr) load;

	for (size_t i = 0; segment(file, header, i, &load); i++) {
		if (load.p_type != PT_LOAD || address < load.p_vaddr ||
		    address - load.p_vaddr >= load.p_filesz)
			continue;
		*ret = load.p_offset + (address - load.p_vaddr);
		return true;
	}
	return false;
}

static int add_name(struct ref file, uint64_t strings, uint64_t offset, json_t *names)
{
	char name[NAME_ROOM];
	size_t n;

	/* Each may be as large as it likes, but not their sum. */
	if (strings >= file.n || offset >= file.n - strings)
		return -EBADMSG;
	n = (size_t)(file.n - (strings + offset));
	n = strnlen((const char *)file.p + strings + offset, n < NAME_ROOM ? n : NAME_ROOM);
	if (n == 0 || n == NAME_ROOM || strings + offset + n == file.n ||
	    json_array_size(names) == NAMES_MAX)
		return -EBADMSG;
	memcpy(name, file.p + strings + offset, n);
	name[n] = '\0';
	return json_array_append_new(names, json_string(name)) < 0 ? -EBADMSG : 0;
}

/* Counts the section's entries, and finds the table of names, which one of them tells. */
static int find_strings(struct ref file, const ElfW(Ehdr) * header, const ElfW(Phdr) * dynamic,
			size_t *ret_n, uint64_t *ret)
{
	size_t n = dynamic->p_filesz / sizeof(ElfW(Dyn));
	uint64_t address = 0;
	ElfW(Dyn) entry;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!copy(file, dynamic->p_offset + i * sizeof(entry), &entry, sizeof(entry)))
			return -EBADMSG;
		if (entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_STRTAB)
			address = entry.d_un.d_ptr;
	}
	if (!offset_of(file, header, address, ret))
		return -EBADMSG;
	*ret_n = i;
	return 0;
}

static int read_dynamic(struct ref file, const ElfW(Ehdr) * header, const ElfW(Phdr) * dynamic,
			json_t *names)
{
	uint64_t strings;
	ElfW(Dyn) entry;
	size_t n;
	int r = find_strings(file, header, dynamic, &n, &strings);

	for (size_t i = 0; r == 0 && i < n; i++) {
		(void)copy(file, dynamic->p_offset + i * sizeof(entry), &entry, sizeof(entry));
		if (entry.d_tag == DT_NEEDED)
			r = add_name(file, strings, entry.d_un.d_val, names);
	}
	return r;
}

static int read_file(struct ref file, json_t *names)
{
	ElfW(Ehdr) header;
	ElfW(Phdr) dynamic;

	if (!copy(file, 0, &header, sizeof(header)) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    header.e_phentsize != sizeof(dynamic))
		return -EBADMSG;
	/* There is one such section, or none. */
	for (size_t i = 0; i < header.e_phnum; i++) {
		if (!segment(file, &header, i, &dynamic))
			return -EBADMSG;
		if (dynamic.p_type == PT_DYNAMIC)
			return read_dynamic(file, &header, &dynamic, names);
	}
	return 0;
}

int elf_needed(const char *path, json_t **ret)
{
	CLEANUP(buf_done) struct buf file = {0};
	CLEANUP_JSON json_t *names = json_array();
	struct stat st;
	int r;

	if (!names)
		return -ENOMEM;
	/* No more than the file has is taken for it: memory here is locked. */
	if (stat(path, &st) < 0)
		return -errno;
	if (st.st_size > FILE_MAX)
		return -E2BIG;
	r = text_file_read(path, (size_t)st.st_size, &file);
	if (r == 0)
		r = read_file(buf_ref(&file), names);
	if (r == 0)
		*ret = TAKE_PTR(names);
	return r;
}
