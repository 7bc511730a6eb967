/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cotter-generator: orders volumes that need the network after it, before units are loaded. */
#include "units/dropin.h"
#include "units/generator-log.h"
#include "units/order.h"
#include "units/text-file.h"
#include "units/unit-name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct texts {
	struct buf cmdline, crypttab, fstab;
};

static void texts_done(struct texts *texts)
{
	buf_done(&texts->cmdline);
	buf_done(&texts->crypttab);
	buf_done(&texts->fstab);
}

/* Where systemd's generators look for a file, for which a variable may name another. */
static const char *path_of(const char *variable, const char *usual)
{
	const char *path = secure_getenv(variable);

	return path ? path : usual;
}

static bool in_initrd(void)
{
	const char *said = secure_getenv("SYSTEMD_IN_INITRD");
	int r = said ? cmdline_bool(ref_str(said)) : -EINVAL;

	return r < 0 ? access("/etc/initrd-release", F_OK) == 0 : r;
}

/* A file that is not there is an empty one. */
static int read_optional(const char *path, const struct log *log, struct buf *ret)
{
	int r = text_file_read(path, CRYPTTAB_SIZE_MAX, ret);

	if (r == -ENOENT)
		return buf_copy(ret, ref_str(""));
	return r < 0 ? log_err(log, r, "%s cannot be read: %s", path, strerror(-r)) : 0;
}

static int read_texts(const struct log *log, struct texts *ret)
{
	const char *cmdline = secure_getenv("SYSTEMD_PROC_CMDLINE");
	int r;

	r = cmdline ? buf_copy(&ret->cmdline, ref_str(cmdline))
		    : read_optional("/proc/cmdline", log, &ret->cmdline);
	if (r == 0)
		r = read_optional(path_of("SYSTEMD_CRYPTTAB", "/etc/crypttab"), log,
				  &ret->crypttab);
	if (r == 0)
		r = read_optional(path_of("SYSTEMD_FSTAB", "/etc/fstab"), log, &ret->fstab);
	return r;
}

static int write_order(const char *name, const char *folder, const struct log *log)
{
	CLEANUP(free_text) char *unit = NULL;
	int r = unit_name_of_volume(name, &unit);

	if (r == -EINVAL)
		return log_err(log, r, "%s is too long for the name of a unit", name);
	if (r == 0)
		r = dropin_write(folder, unit);
	if (r < 0)
		return log_err(log, r, "%s cannot be ordered after the network: %s", name,
			       strerror(-r));
	return log_dbg(log, 0, "%s is ordered after network-online.target", unit);
}

static int order_volume(const struct listed_volume *volume, const char *folder, enum order order,
			const struct log *log)
{
	if (order_is_ours(volume) && !crypttab_none(volume->key))
		(void)log_err(log, 0, "volume %s has a key file, so its tokens are not tried",
			      volume->name);

	switch (order) {
	case ORDER_NETWORK:
		return write_order(volume->name, folder, log);
	case ORDER_NO_NETDEV:
		return log_err(log, 0,
			       "volume %s is bound to the network, but crypttab does not say "
			       "_netdev: it is tried before the network is there",
			       volume->name);
	case ORDER_LOCAL_USER:
		return log_err(log, 0,
			       "fstab has swap on /dev/mapper/%s or mounts it without _netdev, and "
			       "the network waits for that: the volume is not ordered after it",
			       volume->name);
	case ORDER_NONE:
		break;
	}
	return log_dbg(log, 0, "volume %s is not ordered after the network", volume->name);
}

static int generate(const char *folder, struct log *log)
{
	CLEANUP(texts_done) struct texts texts = {0};
	CLEANUP(cmdline_done) struct cmdline cmdline = {0};
	CLEANUP(listed_done) struct listed listed = {0};
	bool initrd = in_initrd();
	int r = read_texts(log, &texts), worst = 0;

	if (r < 0)
		return r;
	r = cmdline_parse(buf_ref(&texts.cmdline), initrd, log, &cmdline);
	if (r < 0)
		return log_err(log, r, "the kernel command line cannot be read: %s", strerror(-r));
	log->debug = log->debug || (cmdline.debug && !secure_getenv("SYSTEMD_LOG_LEVEL"));
	r = listed_read(buf_ref(&texts.crypttab), &cmdline, log, &listed);
	if (r < 0)
		return log_err(log, r, "the volumes cannot be listed: %s", strerror(-r));

	for (size_t i = 0; i < listed.n; i++) {
		enum order order;

		r = order_of(&listed.volumes[i], initrd, buf_ref(&texts.fstab), &order);
		if (r == 0)
			r = order_volume(&listed.volumes[i], folder, order, log);
		if (r < 0)
			worst = r;
	}
	return worst;
}

int main(int argc, char **argv)
{
	struct generator_log out;
	int r;

	if (argc != 2 && argc != 4) {
		(void)fprintf(stderr, "Usage: cotter-generator NORMAL-DIR [EARLY-DIR LATE-DIR]\n"
				      "See cotter-generator(8).\n");
		return EXIT_FAILURE;
	}
	generator_log_begin(&out);
	r = generate(argv[1], &out.log);
	generator_log_done(&out);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
