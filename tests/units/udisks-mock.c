/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands in for UDisks on the bus: objects come and go as the lines on standard input say, and each call of Unlock is
 * written to standard output, with its passphrase in hex.
 *
 *	drive NAME SEAT              a drive
 *	block NAME DEVICE DRIVE [HINT…]   a locked volume; hints: auto, system, ignore
 *	plain NAME DEVICE DRIVE [HINT…]   a device that is no volume
 *	open NAME | close NAME       somebody else unlocks or locks it
 *	refuse NAME                  Unlock fails from here on
 *	remove NAME
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define ROOT "/org/freedesktop/UDisks2"
#define NAME "org.freedesktop.UDisks2"

struct object {
	struct object *next;
	char name[64], path[128], device[256], drive[128], seat[32], cleartext[128], backing[128];
	int hint_auto, hint_system, hint_ignore;
	bool refuses;
	sd_bus_slot *slots[2];
};

static struct object *objects;
static sd_bus *bus;

static struct object *find(const char *name)
{
	struct object *object = objects;

	while (object && strcmp(object->name, name) != 0)
		object = object->next;
	return object;
}

static int get_text(sd_bus *b, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *text, sd_bus_error *error)
{
	(void)b, (void)path, (void)interface, (void)error;
	if (strcmp(property, "Device") == 0)
		return sd_bus_message_append_array(reply, 'y', text, strlen(text) + 1);
	return sd_bus_message_append_basic(reply, strcmp(property, "Seat") == 0 ? 's' : 'o', text);
}

static int set_open(struct object *object, bool open);

static int unlock(sd_bus_message *m, void *to, sd_bus_error *error)
{
	struct object *object = to;
	const char *passphrase, *option;
	int r, quiet = 0;

	r = sd_bus_message_read(m, "s", &passphrase);
	if (r >= 0)
		r = sd_bus_message_read(m, "a{sv}", 1, &option, "b", &quiet);
	if (r < 0)
		return r;
	printf("unlock %s ", object->name);
	for (const char *p = passphrase; *p; p++)
		printf("%02X", (unsigned char)*p);
	printf(" %s=%d\n", option, quiet);
	if (object->refuses)
		return sd_bus_error_set(error, NAME ".Error.Failed", "Error unlocking it: no");
	r = sd_bus_reply_method_return(m, "o", ROOT "/block_devices/dm");
	return r < 0 ? r : set_open(object, true);
}

#define AT(member) offsetof(struct object, member)
#define TEXT(name, type, member) \
	SD_BUS_PROPERTY(name, type, get_text, AT(member), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)
#define HINT(name, member) \
	SD_BUS_PROPERTY(name, "b", NULL, AT(member), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE)

static const sd_bus_vtable block[] = {
	SD_BUS_VTABLE_START(0),          TEXT("CryptoBackingDevice", "o", backing),
	TEXT("Device", "ay", device),    TEXT("Drive", "o", drive),
	HINT("HintAuto", hint_auto),     HINT("HintIgnore", hint_ignore),
	HINT("HintSystem", hint_system), SD_BUS_VTABLE_END,
};

static const sd_bus_vtable encrypted[] = {
	SD_BUS_VTABLE_START(0),
	TEXT("CleartextDevice", "o", cleartext),
	SD_BUS_METHOD("Unlock", "sa{sv}", "o", unlock, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable drive[] = {
	SD_BUS_VTABLE_START(0),
	TEXT("Seat", "s", seat),
	SD_BUS_VTABLE_END,
};

static int set_open(struct object *object, bool open)
{
	snprintf(object->cleartext, sizeof(object->cleartext), "%s",
		 open ? ROOT "/block_devices/dm" : "/");
	return sd_bus_emit_properties_changed(bus, object->path, NAME ".Encrypted",
					      "CleartextDevice", NULL);
}

static struct object *new_object(const char *name, const char *folder)
{
	struct object *object = calloc(1, sizeof(*object));

	if (!object)
		abort();
	snprintf(object->name, sizeof(object->name), "%s", name);
	snprintf(object->path, sizeof(object->path), ROOT "/%s/%s", folder, name);
	snprintf(object->cleartext, sizeof(object->cleartext), "/");
	snprintf(object->backing, sizeof(object->backing), "/");
	snprintf(object->drive, sizeof(object->drive), "/");
	object->next = objects;
	objects = object;
	return object;
}

static int add_drive(const char *name, const char *seat)
{
	struct object *object = new_object(name, "drives");
	int r;

	snprintf(object->seat, sizeof(object->seat), "%s", seat);
	r = sd_bus_add_object_vtable(bus, &object->slots[0], object->path, NAME ".Drive", drive,
				     object);
	return r < 0 ? r : sd_bus_emit_object_added(bus, object->path);
}

static int add_block(bool volume, char *rest)
{
	const char *name = strtok(rest, " ");
	struct object *object = new_object(name, "block_devices");
	int r;

	snprintf(object->device, sizeof(object->device), "%s", strtok(NULL, " "));
	snprintf(object->drive, sizeof(object->drive), ROOT "/drives/%s", strtok(NULL, " "));
	for (const char *hint; (hint = strtok(NULL, " "));) {
		object->hint_auto |= strcmp(hint, "auto") == 0;
		object->hint_system |= strcmp(hint, "system") == 0;
		object->hint_ignore |= strcmp(hint, "ignore") == 0;
		if (strcmp(hint, "open") == 0)
			snprintf(object->cleartext, sizeof(object->cleartext), ROOT "/dm");
	}
	r = sd_bus_add_object_vtable(bus, &object->slots[0], object->path, NAME ".Block", block,
				     object);
	if (r >= 0 && volume)
		r = sd_bus_add_object_vtable(bus, &object->slots[1], object->path,
					     NAME ".Encrypted", encrypted, object);
	return r < 0 ? r : sd_bus_emit_object_added(bus, object->path);
}

static int remove_object(struct object *object)
{
	struct object **at = &objects;
	int r = sd_bus_emit_object_removed(bus, object->path);

	while (*at != object)
		at = &(*at)->next;
	*at = object->next;
	sd_bus_slot_unref(object->slots[0]);
	sd_bus_slot_unref(object->slots[1]);
	free(object);
	return r;
}

static int obey(char *line)
{
	char *rest = strchr(line, ' ');
	struct object *object;

	if (!rest)
		return -EINVAL;
	*rest++ = '\0';
	if (strcmp(line, "drive") == 0) {
		const char *name = strtok(rest, " ");

		return add_drive(name, strtok(NULL, " "));
	}
	if (strcmp(line, "block") == 0 || strcmp(line, "plain") == 0)
		return add_block(line[0] == 'b', rest);
	object = find(rest);
	if (!object)
		return -ENOENT;
	if (strcmp(line, "refuse") == 0)
		object->refuses = true;
	else if (strcmp(line, "remove") == 0)
		return remove_object(object);
	else
		return set_open(object, strcmp(line, "open") == 0);
	return 0;
}

static int on_line(sd_event_source *source, int fd, uint32_t events, void *loop)
{
	static char line[512];
	static size_t n;

	(void)source, (void)events;
	while (read(fd, &line[n], 1) == 1) {
		if (line[n] != '\n') {
			n++;
			if (n == sizeof(line))
				abort();
			continue;
		}
		line[n] = '\0';
		n = 0;
		printf("did %s\n", line);
		if (obey(line) < 0)
			abort();
		return 0;
	}
	return sd_event_exit(loop, 0);
}

int main(void)
{
	sd_event *loop = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (sd_event_default(&loop) < 0 || sd_bus_open_system(&bus) < 0 ||
	    sd_bus_attach_event(bus, loop, 0) < 0 ||
	    sd_bus_add_object_manager(bus, NULL, ROOT) < 0 ||
	    sd_bus_request_name(bus, NAME, 0) < 0 ||
	    sd_event_add_io(loop, NULL, STDIN_FILENO, EPOLLIN, on_line, loop) < 0)
		return EXIT_FAILURE;
	puts("ready");
	return sd_event_loop(loop) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
