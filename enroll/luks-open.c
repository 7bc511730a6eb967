/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens volumes. */
#include "enroll/luks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libcryptsetup.h>

enum { MAGIC_SIZE = 8 }; /* "LUKS" 0xba 0xbe and the version, big-endian */

static const uint8_t magic[MAGIC_SIZE - 2] = {'L', 'U', 'K', 'S', 0xba, 0xbe};

static int open_file(const char *name, bool to_write, const struct log *log)
{
	int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open(name, flags | (to_write ? O_RDWR : O_RDONLY));
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return log_err(log, -ENOENT, "%s does not exist", name);
	if (fd < 0 && to_write && (errno == EROFS || errno == EACCES || errno == EPERM))
		return log_err(log, -EROFS,
			       "%s is read-only for this user, so its header cannot "
			       "be changed",
			       name);
	if (fd < 0 && errno != EISDIR)
		return log_err(log, -EACCES, "%s cannot be opened: %s", name, strerror(errno));

	if (fd < 0 || fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))) {
		if (fd >= 0)
			(void)close(fd);
		return log_err(log, -EINVAL, "%s is neither a block device nor a file", name);
	}
	return fd;
}

/* As the start of the header says; 0 where it is none. */
static int luks_version(const struct luks *luks)
{
	uint8_t start[MAGIC_SIZE] = {0};

	if (pread(luks->fd, start, sizeof(start), 0) != sizeof(start) ||
	    memcmp(start, magic, sizeof(magic)) != 0)
		return 0;
	return start[MAGIC_SIZE - 2] << 8 | start[MAGIC_SIZE - 1];
}

/* Why libcryptsetup took it not for LUKS2. */
static int explain_no_luks2(const struct luks *luks)
{
	int version = luks_version(luks);

	if (version == 0)
		return log_err(luks->log, -EMEDIUMTYPE, "%s is not a LUKS volume", luks->name);
	if (version == 1)
		return log_err(luks->log, -EMEDIUMTYPE,
			       "%s is LUKS1, which holds no tokens; convert it, while it is not in "
			       "use, with: cotter-enroll --to-luks2 %s",
			       luks->name, luks->name);
	return log_err(luks->log, -EINVAL,
		       "the LUKS2 header of %s cannot be used: %s; see cryptsetup-repair(8)",
		       luks->name, luks->said[0] ? luks->said : "it is damaged");
}

static int explain_no_luks1(const struct luks *luks)
{
	return log_err(luks->log, -EINVAL, "the LUKS1 header of %s cannot be used: %s", luks->name,
		       luks->said[0] ? luks->said : "it is damaged");
}

/* With what libcryptsetup calls a device, of which nothing is read yet. */
static int open_device(const char *device, const char *header, bool to_write, const struct log *log,
		       struct luks **ret)
{
	CLEANUP(luks_freep) struct luks *luks = calloc(1, sizeof(*luks));
	int r;

	if (!luks)
		return -ENOMEM;

	luks->name = header ? header : device;
	luks->log = log;
	luks->fd = open_file(luks->name, to_write, log);
	if (luks->fd < 0)
		return luks->fd;

	if (header) {
		int data = open_file(device, false, log);

		if (data < 0)
			return data;
		(void)close(data);
	}
	r = crypt_init_data_device(&luks->cd, luks->name, device);
	if (r < 0)
		return log_err(log, -EIO, "%s cannot be used: %s", device, strerror(-r));
	crypt_set_log_callback(luks->cd, luks_keep_log, luks);

	*ret = TAKE_PTR(luks);
	return 0;
}

int luks_open(const char *device, const char *header, bool to_write, const struct log *log,
	      struct luks **ret)
{
	CLEANUP(luks_freep) struct luks *luks = NULL;
	int r;

	r = open_device(device, header, to_write, log, &luks);
	if (r < 0)
		return r;
	if (crypt_load(luks->cd, CRYPT_LUKS2, NULL) < 0)
		return explain_no_luks2(luks);

	*ret = TAKE_PTR(luks);
	return 0;
}

int luks_open_any(const char *device, bool to_write, const struct log *log, struct luks **ret)
{
	CLEANUP(luks_freep) struct luks *luks = NULL;
	int r;

	r = open_device(device, NULL, to_write, log, &luks);
	if (r < 0)
		return r;
	if (crypt_load(luks->cd, CRYPT_LUKS, NULL) < 0)
		return luks_version(luks) == 1 ? explain_no_luks1(luks) : explain_no_luks2(luks);

	*ret = TAKE_PTR(luks);
	return 0;
}

bool luks_is_luks1(const struct luks *luks)
{
	const char *type = crypt_get_type(luks->cd);

	return type && strcmp(type, CRYPT_LUKS1) == 0;
}

int luks_open_luks1(const char *device, const char *header, const struct log *log,
		    struct luks **ret)
{
	CLEANUP(luks_freep) struct luks *luks = NULL;
	int r;

	r = open_device(device, header, true, log, &luks);
	if (r < 0)
		return r;
	if (luks_version(luks) != 1)
		return -EMEDIUMTYPE;
	if (crypt_load(luks->cd, CRYPT_LUKS1, NULL) < 0)
		return explain_no_luks1(luks);

	*ret = TAKE_PTR(luks);
	return 0;
}
