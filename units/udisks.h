/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of UDisks's D-Bus interface that unlocking removable volumes takes. */
#pragma once

#include "crypto/buf.h"

#include <systemd/sd-bus.h>

#define UDISKS_NAME "org.freedesktop.UDisks2"
#define UDISKS_ROOT "/org/freedesktop/UDisks2"

enum { UDISKS_TEXT_MAX = 256 };

/* What UDisks says of a block device or a drive; empty text where it says nothing. */
struct udisks_object {
	struct udisks_object *next;
	char path[UDISKS_TEXT_MAX];      /* of the object; the next three are such paths, too */
	char drive[UDISKS_TEXT_MAX];     /* that the block device is on */
	char backing[UDISKS_TEXT_MAX];   /* whose content this device shows in the clear */
	char cleartext[UDISKS_TEXT_MAX]; /* that shows this one's content */
	char device[UDISKS_TEXT_MAX];
	char seat[UDISKS_TEXT_MAX]; /* of a drive */
	bool encrypted;             /* it is a volume that can be unlocked */
	bool hint_auto, hint_system, hint_ignore;
	bool too_long; /* for us */
};

/* Takes NULL. */
void udisks_free(struct udisks_object *objects);
DEFINE_CLEANUP(struct udisks_object *, udisks_free)

/*
 * Reads a reply to GetManagedObjects. What has longer names than fit is left out. The caller frees *ret, NULL
 * where there is nothing. Errors: -EBADMSG, -ENOMEM.
 */
MUST int udisks_parse(sd_bus_message *reply, struct udisks_object **ret);

/*
 * Whether it is a volume to be unlocked as soon as it appears: UDisks takes the device for one that comes and
 * goes, and nobody wants it left alone.
 */
bool udisks_removable(const struct udisks_object *object);

/* Whether the volume is unlocked already. */
bool udisks_unlocked(const struct udisks_object *objects, const struct udisks_object *object);

/* The seat of the drive that the object is on; that of the machine where nothing else is said. */
const char *udisks_seat(const struct udisks_object *objects, const struct udisks_object *object);

/*
 * A call of Unlock for the volume whose object is at `path`, which asks nobody anything. The message is wiped when it
 * is freed; the caller unrefs *ret. Errors: -EBADMSG (the passphrase is no text, which Unlock takes), -ENOMEM.
 */
MUST int udisks_unlock_call(sd_bus *bus, const char *path, struct ref passphrase,
			    sd_bus_message **ret);
