/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Key files, as cryptsetup reads them. */
#include "enroll/luks.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <libcryptsetup.h>

/* Whether nothing may come from it without a failure: an empty passphrase, to libcryptsetup a failure at times. */
static bool may_be_empty(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && !S_ISDIR(st.st_mode) && !S_ISBLK(st.st_mode) &&
	       !(S_ISREG(st.st_mode) && st.st_size > 0);
}

int luks_read_key_file(struct luks *luks, const char *file, struct buf *ret)
{
	bool standard_input = strcmp(file, "-") == 0;
	size_t len = 0;
	char *key = NULL;
	int r;

	luks->said[0] = '\0';
	r = crypt_keyfile_device_read(luks->cd, standard_input ? NULL : file, &key, &len, 0, 0, 0);
	if (r == -EPIPE && may_be_empty(standard_input ? "/dev/stdin" : file))
		return buf_copy(ret, ref_str(""));
	if (r < 0)
		return log_err(luks->log, -EIO, "the key file %s cannot be read: %s",
			       standard_input ? "on standard input" : file, luks_cause(luks, r));

	r = buf_copy(ret, (struct ref){(const uint8_t *)key, len});
	crypt_safe_free(key);
	return r;
}

int luks_unlock_by_key_file(struct luks *luks, const char *file, struct buf *ret)
{
	CLEANUP(buf_done) struct buf key = {0};
	int r;

	r = luks_read_key_file(luks, file, &key);
	return r < 0 ? r : luks_unlock_by_passphrase(luks, buf_ref(&key), ret);
}
