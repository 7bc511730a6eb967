/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chooses a TPM, and stands between ESYS and it. */
#include "tpm/tcti.h"

#include "tpm/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEADER_SIZE = 10 /* of a command and of a reply: tag, size, code */ };

/* The resource manager's device comes first: it closes what a process that died left open. */
static const char *const devices[] = {"/dev/tpmrm0", "/dev/tpm0"};

/* 0 where the device can be used now. */
static int try_device(const char *device)
{
	int fd = open(device, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

/* Whether the kernel has a TPM, or will have one as soon as its driver is loaded. */
static bool is_announced(void)
{
	DIR *class;
	const struct dirent *entry;
	bool found = false;

	if (access("/sys/firmware/acpi/tables/TPM2", F_OK) == 0)
		return true;
	class = opendir("/sys/class/tpm");
	if (!class)
		return false;
	while (!found && (entry = readdir(class)))
		found = entry->d_name[0] != '.';
	(void)closedir(class);
	return found;
}

static int find_device(const struct log *log, const char **ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		int r = try_device(devices[i]);

		if (r == 0) {
			*ret = devices[i];
			return 0;
		}
		if (r == -EBUSY)
			return -EAGAIN;
		if (r != -ENOENT && r != -ENODEV && r != -ENXIO)
			return log_err(log, -ENODEV, "the TPM's device %s cannot be opened: %s",
				       devices[i], strerror(-r));
	}
	if (is_announced())
		return -EAGAIN;
	return log_err(log, -ENODEV,
		       "this machine has no TPM 2.0, or it is switched off in the "
		       "firmware settings");
}

int tcti_find(const char *given, const struct log *log, char ret[TCTI_NAME_MAX])
{
	const char *name = given ? given : secure_getenv("COTTER_TPM2_TCTI");
	const char *device = NULL;
	int r;

	if (!name || !name[0]) {
		r = find_device(log, &device);
		if (r < 0)
			return r;
		(void)snprintf(ret, TCTI_NAME_MAX, "device:%s", device);
		return 0;
	}
	/* A device may be given by its path alone. */
	r = snprintf(ret, TCTI_NAME_MAX, "%s%s", name[0] == '/' ? "device:" : "", name);
	return r < TCTI_NAME_MAX ? 0 : log_err(log, -E2BIG, "the TPM's name is too long");
}

static struct tcti *of_context(TSS2_TCTI_CONTEXT *context)
{
	return (struct tcti *)context;
}

/* An error here waits for receive(), as if it were the TPM's answer. */
static TSS2_RC transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command)
{
	struct tcti *tcti = of_context(context);
	struct wire_reader in = {.left = {command, size}};

	(void)wire_get(&in, 6);
	tcti->command = wire_get32(&in);
	tcti->reply_len = 0;
	tcti->error = tcti->closed ? TSS2_TCTI_RC_NO_CONNECTION
				   : Tss2_Tcti_Transmit(tcti->real, size, command);
	tcti->pending = tcti->error == TSS2_RC_SUCCESS;
	return TSS2_RC_SUCCESS;
}

static bool opens_handle(TPM2_CC command)
{
	return command == TPM2_CC_CreatePrimary || command == TPM2_CC_Load ||
	       command == TPM2_CC_LoadExternal || command == TPM2_CC_StartAuthSession;
}

/* These ESYS answers by sending the command again. */
static bool asks_again(TSS2_RC code)
{
	return code == TPM2_RC_RETRY || code == TPM2_RC_TESTING || code == TPM2_RC_YIELDED;
}

static TSS2_RC receive_reply(struct tcti *tcti)
{
	struct wire_reader in;
	size_t size = sizeof(tcti->reply);
	TSS2_RC code;

	tcti->pending = false;
	code = Tss2_Tcti_Receive(tcti->real, &size, tcti->reply, TSS2_TCTI_TIMEOUT_BLOCK);
	if (code != TSS2_RC_SUCCESS)
		return code;

	in.left = (struct ref){tcti->reply, size};
	in.bad = false;
	(void)wire_get(&in, 6);
	code = wire_get32(&in);
	if (in.bad)
		return TSS2_TCTI_RC_MALFORMED_RESPONSE;
	if (code != TPM2_RC_SUCCESS && !asks_again(code))
		return code;
	if (code == TPM2_RC_SUCCESS && opens_handle(tcti->command)) {
		TPM2_HANDLE handle = wire_get32(&in);

		if (in.bad || tcti->n_handles == TCTI_HANDLES_MAX)
			return TSS2_TCTI_RC_MALFORMED_RESPONSE;
		tcti->handles[tcti->n_handles++] = handle;
	}
	tcti->reply_len = size;
	return TSS2_RC_SUCCESS;
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *reply, int32_t timeout)
{
	struct tcti *tcti = of_context(context);

	(void)timeout; /* the real TCTI is waited for as long as it takes */
	if (tcti->error == TSS2_RC_SUCCESS && tcti->reply_len == 0)
		tcti->error = receive_reply(tcti);
	if (tcti->error != TSS2_RC_SUCCESS)
		return TSS2_TCTI_RC_TRY_AGAIN;
	if (reply) {
		if (*size < tcti->reply_len)
			return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
		memcpy(reply, tcti->reply, tcti->reply_len);
	}
	*size = tcti->reply_len;
	return TSS2_RC_SUCCESS;
}

TSS2_RC tcti_open(const struct libtss *lib, const char *name, struct tcti *ret)
{
	*ret = (struct tcti){
		.common = {.magic = 0x636f747465727463, /* any number that no other TCTI has */
			   .version = 1,
			   .transmit = transmit,
			   .receive = receive},
	};
	return lib->Tss2_TctiLdr_Initialize(name, &ret->real);
}

/*
 * Not through ESYS, which takes no more commands after a reply that it could not make sense of. A
 * second try, for a TPM that is busy at the first: what stays open is lost to all until a restart.
 */
static void flush(struct tcti *tcti, TPM2_HANDLE handle)
{
	struct wire_writer out = {0};

	wire_put16(&out, TPM2_ST_NO_SESSIONS);
	wire_put32(&out, HEADER_SIZE + sizeof(handle));
	wire_put32(&out, TPM2_CC_FlushContext);
	wire_put32(&out, handle);

	for (int try = 0; try < 2; try++) {
		uint8_t reply[TCTI_REPLY_MAX / 4];
		size_t size = sizeof(reply);
		struct wire_reader in;

		if (Tss2_Tcti_Transmit(tcti->real, out.n, out.p) != TSS2_RC_SUCCESS ||
		    Tss2_Tcti_Receive(tcti->real, &size, reply, TSS2_TCTI_TIMEOUT_BLOCK) !=
			    TSS2_RC_SUCCESS)
			return;
		in = (struct wire_reader){.left = {reply, size}};
		(void)wire_get(&in, 6);
		if (wire_get32(&in) == TPM2_RC_SUCCESS)
			return;
	}
}

/*
 * Where ESYS ran out of memory on its way to a reply, the TPM takes no command before that was fetched, and
 * it may name one handle more.
 */
static void fetch_pending(struct tcti *tcti)
{
	if (tcti->pending)
		(void)!receive_reply(tcti);
	tcti->reply_len = 0;
}

void tcti_flush_last(struct tcti *tcti)
{
	fetch_pending(tcti);
	if (tcti->n_handles > 0)
		flush(tcti, tcti->handles[--tcti->n_handles]);
}

void tcti_flush(struct tcti *tcti)
{
	fetch_pending(tcti);
	while (tcti->n_handles > 0)
		tcti_flush_last(tcti);
}

void tcti_forget_session(struct tcti *tcti)
{
	size_t i = 0;

	while (i < tcti->n_handles && tcti->handles[i] >> TPM2_HR_SHIFT == TPM2_HT_TRANSIENT)
		i++;
	if (i == tcti->n_handles)
		return;
	tcti->n_handles--;
	memmove(&tcti->handles[i], &tcti->handles[i + 1],
		(tcti->n_handles - i) * sizeof(tcti->handles[0]));
}

void tcti_close(const struct libtss *lib, struct tcti *tcti)
{
	if (tcti->real)
		lib->Tss2_TctiLdr_Finalize(&tcti->real);
	tcti->n_handles = 0;
}
