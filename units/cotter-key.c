/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cotter-key: the other end of a key file that is a socket. systemd-cryptsetup connects to
 * /run/cryptsetup-keys.d/VOLUME.key and reads until the end; it says which volume it is about by the
 * address that it connects from, "\0RANDOM/cryptsetup/VOLUME" (crypttab(5)).
 */
#include "crypto/process.h"
#include "units/crypttab.h"
#include "units/journal.h"
#include "units/place.h"
#include "units/recovery.h"
#include "units/text-file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A key is root's alone, and goes only to whoever asks for it by the volume's name. */
static int read_peer(int fd, const struct log *log, struct buf *ret_name)
{
	static const char marker[] = "/cryptsetup/";
	struct sockaddr_un peer = {0};
	socklen_t size = sizeof(peer);
	struct ucred cred;
	socklen_t cred_size = sizeof(cred);
	const char *text = peer.sun_path + 1, *found;
	size_t n;

	if (getpeername(fd, (struct sockaddr *)&peer, &size) < 0 || peer.sun_family != AF_UNIX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_size) < 0)
		return log_err(log, -EINVAL, "cotter-key wants a local socket on standard input");
	if (cred.uid != 0)
		return log_err(log, -EPERM, "user %u asked for a key, which is root's alone",
			       cred.uid);

	n = size > offsetof(struct sockaddr_un, sun_path) + 1
		    ? size - offsetof(struct sockaddr_un, sun_path) - 1
		    : 0;
	found = peer.sun_path[0] == '\0' ? memmem(text, n, marker, strlen(marker)) : NULL;
	if (!found)
		return log_err(log, -EINVAL,
			       "whoever asks for a key does not say for which volume");
	found += strlen(marker);
	return buf_copy(ret_name, (struct ref){(const uint8_t *)found, n - (size_t)(found - text)});
}

static int open_volume(struct ref name, const struct log *log, struct volume **ret)
{
	CLEANUP(place_done) struct place place = {0};
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	r = text_file_read("/etc/crypttab", CRYPTTAB_SIZE_MAX, &text);
	if (r == 0)
		r = place_of_name(buf_ref(&text), name, &place);
	if (r < 0)
		return log_err(log, r, "/etc/crypttab has no volume %.*s", (int)name.n,
			       (const char *)name.p);
	r = volume_open(place.device, place.header, log, ret);
	return r == -ENOENT ? log_err(log, r, "%s has no token that cotter could open it by",
				      place.device)
			    : r;
}

static int recover(const struct volume *volume, const struct log *log, struct buf *ret)
{
	static struct recovery recovery; /* too large for the stack, and the process has one */
	CLEANUP(cot_done)
	struct cot cot = {
		.pins = pins,
		.log = log,
		.deadline_us = now_us() + (uint64_t)TOKEN_DEADLINE_DEFAULT * USEC_PER_SEC,
	};
	int r, id;

	recovery_begin(&recovery, &cot, volume, NULL);
	while ((r = recovery_step(&recovery, ret, &id)) == -EINPROGRESS) {
		/* The first step was for what is local. */
		if (cot.network && cot_wait(&cot) < 0)
			break;
		cot.network = true;
	}
	if (r < 0)
		recovery_report(&recovery, log);
	recovery_done(&recovery);
	return r;
}

int main(void)
{
	const struct log log = journal_log();
	CLEANUP(buf_done) struct buf name = {0};
	CLEANUP(buf_done) struct buf secret = {0};
	CLEANUP(volume_freep) struct volume *volume = NULL;
	int r;

	if (process_begin() < 0)
		return EXIT_FAILURE;
	r = read_peer(STDIN_FILENO, &log, &name);
	if (r == 0)
		r = open_volume(buf_ref(&name), &log, &volume);
	if (r == 0)
		r = recover(volume, &log, &secret);
	if (r == 0)
		r = ref_write(buf_ref(&secret), STDIN_FILENO);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
