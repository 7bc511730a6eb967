/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What --doctor knows of the machine and of a volume, and who looks at which part of it. */
#pragma once

#include "enroll/finding.h"
#include "enroll/initrd.h"
#include "enroll/inventory.h"
#include "enroll/marks.h"
#include "units/place.h"

/* Of the machine. A zeroed struct is of nothing; end it with machine_done(). */
struct machine {
	const char *root;    /* "" but in tests; all paths begin with it */
	const char *plugins; /* libcryptsetup's folder of plugins, or NULL */
	struct buf crypttab; /* the texts of these files, empty where they are not there */
	struct buf fstab;
	struct buf cmdline;   /* the kernel command line that this boot had */
	char *image_path;     /* NULL: none was found */
	struct initrd image;  /* of image_path */
	bool image_by_dracut; /* else by initramfs-tools */
	char *image_words; /* the words of both: the command line and what the image adds to it */
};

/*
 * Reads all but the image. The cause of a failure goes to `log`. Errors: -EIO, -ENOMEM.
 */
MUST int machine_read(const char *root, const struct log *log, struct machine *ret);

/* Reads the image `path`, or where that is NULL the running kernel's, if there is one. Errors: as initrd_read(). */
MUST int machine_read_image(struct machine *machine, const char *path, const struct log *log);

void machine_done(struct machine *machine);

/* Whether the command line, or what the image adds to it, has a word that begins so. */
bool machine_asks(const struct machine *machine, const char *word);

/* Whether a target of the real root wants this unit. */
bool machine_wants(const struct machine *machine, const char *target, const char *unit);

/* A volume of crypttab. */
struct patient {
	const struct crypttab_entry *entry;
	const char *name;
	bool early; /* the initramfs opens it */
	struct luks *luks;
	struct inventory inventory;
	struct marks marks;
};

/* What the token's policy needs where the volume is opened, of cotter, of libraries and of settings. Errors: -ENOMEM. */
MUST int doctor_needs(const struct machine *machine, const struct patient *patient,
		      const struct item *item, struct findings *findings);

/* Whether the image opens the volume. */
void doctor_image(const struct machine *machine, const struct patient *patient,
		  struct findings *findings);

/* What crypttab, fstab and units have to say to it. Errors: -ENOMEM. */
MUST int doctor_order(const struct machine *machine, const struct patient *patient,
		      struct findings *findings);

/* The clock that certificates meet at boot. */
void doctor_clock(const struct machine *machine, struct findings *findings);
