/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What both formats have in common. */
#include "enroll/clevis/volume.h"

#include <errno.h>
#include <string.h>

int volume_load(const char *device, bool to_write, const struct log *log, struct volume *ret)
{
	struct luks *luks = NULL;
	int r;

	r = luks_open_any(device, to_write, log, &luks);
	if (r < 0)
		return r == -EMEDIUMTYPE || r == -EINVAL ? -ENODEV : r;

	*ret = (struct volume){
		.format = luks_is_luks1(luks) ? &volume_luks1 : &volume_luks2,
		.luks = luks,
	};
	return 0;
}

void volume_done(struct volume *volume)
{
	if (volume->format && volume->format->done)
		volume->format->done(volume);
	volume->luks = luks_free(volume->luks);
	*volume = (struct volume){0};
}

int volume_slot(const struct volume *volume, const char *text, unsigned *ret)
{
	unsigned slot = 0;

	if (*text == '\0')
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		slot = slot * 10 + (unsigned)(*text - '0');
		if (slot >= volume->format->slots)
			return -EINVAL;
	}

	*ret = slot;
	return 0;
}

int volume_free_slot(const struct volume *volume, unsigned *ret)
{
	for (unsigned i = 0; i < volume->format->slots; i++)
		if (luks_keyslot(volume->luks, i) == LUKS_KEYSLOT_FREE) {
			*ret = i;
			return 0;
		}
	return log_err(volume->luks->log, -ENOSPC, "all %u keyslots of %s are taken",
		       volume->format->slots, volume->luks->name);
}
