/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A note in the program or module that says which libraries it may load, for whoever builds packages and
 * initramfs images: https://systemd.io/ELF_DLOPEN_METADATA/
 */
#pragma once

#include <stdint.h>

/* A library: all are string literals. Priority is "required", "recommended" or "suggested". */
#define DLOPEN_NOTE_ENTRY(feature, description, priority, soname)     \
	"{\"feature\":\"" feature "\",\"description\":\"" description \
	"\",\"priority\":\"" priority "\",\"soname\":[\"" soname "\"]}"

#define DLOPEN_NOTE_OWNER "FDO"

enum { DLOPEN_NOTE_TYPE = 0x407c0c0a };

/* Once in a .c file; `entries` are those above with commas between. */
#define DLOPEN_NOTE(entries)                                                                    \
	_Alignas(uint32_t) __attribute__((used, section(".note.dlopen"))) static const struct { \
		uint32_t owner_size;                                                            \
		uint32_t json_size;                                                             \
		uint32_t type;                                                                  \
		char owner[sizeof(DLOPEN_NOTE_OWNER)];                                          \
		char json[sizeof("[" entries "]")];                                             \
	} dlopen_note = {sizeof(DLOPEN_NOTE_OWNER), sizeof("[" entries "]"), DLOPEN_NOTE_TYPE,  \
			 DLOPEN_NOTE_OWNER, "[" entries "]"};                                   \
	_Static_assert(sizeof(DLOPEN_NOTE_OWNER) % sizeof(uint32_t) == 0,                       \
		       "the JSON must begin aligned")
