/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads images: uncompressed archives first, as that with microcode, and a compressed one last. */
#include "enroll/initrd.h"

#include "enroll/cpio.h"
#include "enroll/unpack.h"

#include <errno.h>
#include <fnmatch.h>
#include <sys/stat.h>

/* Names and texts of all files; a small compressed image may unpack to any size. */
enum { FILES_MAX = 500 * 1000, TEXT_MAX = 256 * 1024, KEPT_MAX = 64 * 1024 * 1024 };

struct reading {
	json_t *files;
	size_t kept; /* bytes of names and texts */
};

/* Files whose text is of interest. Of all others only that they are there is kept: there may be keys. */
static const char *const texts[] = {
	"etc/cmdline",
	"etc/cmdline.d/*.conf",
	"etc/crypttab",
	"etc/hosts",
	"cryptroot/crypttab",
	"cryptroot/cotter",
	"*/modules/*/modules.builtin",
};

static bool is_text(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (fnmatch(texts[i], name, 0) == 0)
			return true;
	return false;
}

/* "./usr/lib" and "/usr/lib" are usr/lib. */
static const char *plain_name(const char *name)
{
	while (name[0] == '/' || (name[0] == '.' && name[1] == '/'))
		name++;
	return name;
}

static int add_text(struct cpio *cpio, bool link, size_t *kept, json_t **ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	int r = cpio_data(cpio, link ? CPIO_NAME_MAX : TEXT_MAX, &text);

	if (r == -E2BIG)
		return 0;
	if (r < 0)
		return r;

	*kept += text.n;
	*ret = link ? json_pack("[s]", (const char *)text.p)
		    : json_string((const char *)text.p); /* NULL where it is no text */
	return 0;
}

static int add_entry(struct cpio *cpio, struct reading *reading)
{
	const char *name = plain_name(cpio->name);
	json_t *value = NULL;
	int r = 0;

	reading->kept += strlen(name);
	if (json_object_size(reading->files) == FILES_MAX || reading->kept > KEPT_MAX)
		return -E2BIG;
	if (S_ISLNK(cpio->mode) || (S_ISREG(cpio->mode) && is_text(name)))
		r = add_text(cpio, S_ISLNK(cpio->mode), &reading->kept, &value);
	if (r < 0)
		return r;
	/* A name that is not UTF-8 is none that anybody looks for. */
	(void)json_object_set_new(reading->files, name, value ? value : json_true());
	return 0;
}

/* Whose magic number was read. */
static int read_archive(FILE *from, struct reading *reading)
{
	struct cpio cpio = {.from = from, .begun = true};
	int r;

	while ((r = cpio_next(&cpio)) > 0) {
		r = add_entry(&cpio, reading);
		if (r < 0)
			return r;
	}
	return r;
}

/* The first bytes of the next archive; 0 at the end. Behind an archive there may be zeros. */
static int next_magic(FILE *from, uint8_t ret[UNPACK_MAGIC])
{
	size_t n;
	int c;

	while ((c = getc(from)) == 0)
		;
	if (c == EOF)
		return ferror(from) ? -EIO : 0;
	ret[0] = (uint8_t)c;
	n = 1 + fread(ret + 1, 1, UNPACK_MAGIC - 1, from);
	if (n < UNPACK_MAGIC)
		return ferror(from) ? -EIO : -ENODATA;
	return 1;
}

/* All archives of a stream; where `fd` is its file, the last may be compressed, and is one of such streams. */
static int read_archives(FILE *from, int fd, const struct log *log, struct reading *reading)
{
	CLEANUP(unpack_done) struct unpack unpack = {0};
	uint8_t magic[UNPACK_MAGIC];
	bool any = false;
	int r;

	while ((r = next_magic(from, magic)) > 0 && cpio_begins(magic)) {
		r = read_archive(from, reading);
		if (r < 0)
			return r;
		any = true;
	}
	if (r <= 0)
		return r == 0 && !any ? -EMEDIUMTYPE : r;
	if (fd < 0)
		return -EBADMSG;

	r = unpack_begin(fd, ftello(from) - UNPACK_MAGIC, magic, log, &unpack);
	if (r == 0)
		r = read_archives(unpack.from, -1, log, reading);
	/* What its program cannot unpack ends at once. */
	return r == -EMEDIUMTYPE && unpack.child > 0 ? -ENODATA : r;
}

static int explain(const char *path, int r, const struct log *log)
{
	switch (r) {
	case -EMEDIUMTYPE:
		return log_err(log, -EBADMSG,
			       "%s is no initramfs image: name one with --initrd=", path);
	case -ENODATA:
		return log_err(log, -EBADMSG, "%s is cut off or damaged: make it again", path);
	case -EBADMSG:
		return log_err(log, -EBADMSG, "%s is damaged: make it again", path);
	case -E2BIG:
		return log_err(log, -EBADMSG,
			       "%s holds more files than any initramfs: make it again", path);
	case -EIO:
		return log_err(log, -EIO, "%s cannot be read", path);
	default:
		return r; /* said already */
	}
}

int initrd_read(const char *path, const struct log *log, struct initrd *ret)
{
	CLEANUP(initrd_done) struct initrd initrd = {.files = json_object()};
	struct reading reading = {.files = initrd.files};
	FILE *from = fopen(path, "re");
	struct stat st;
	int r;

	if (!from)
		return log_err(log, -ENOENT, "%s cannot be opened: %s", path, strerror(errno));
	if (!initrd.files)
		r = -ENOMEM;
	else if (fstat(fileno(from), &st) < 0 || !S_ISREG(st.st_mode))
		r = explain(path, -EMEDIUMTYPE, log);
	else
		r = explain(path, read_archives(from, fileno(from), log, &reading), log);
	(void)fclose(from);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(initrd);
	return 0;
}

void initrd_done(struct initrd *initrd)
{
	json_decref(initrd->files);
	initrd->files = NULL;
}
