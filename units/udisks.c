/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and writes UDisks's messages. */
#include "units/udisks.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define BLOCK     "org.freedesktop.UDisks2.Block"
#define DRIVE     "org.freedesktop.UDisks2.Drive"
#define ENCRYPTED "org.freedesktop.UDisks2.Encrypted"

/* The properties that are read, their D-Bus types, and where they go. */
static const struct property {
	const char *interface, *name, *type;
	size_t offset;
} properties[] = {
	{BLOCK, "CryptoBackingDevice", "o", offsetof(struct udisks_object, backing)},
	{BLOCK, "Device", "ay", offsetof(struct udisks_object, device)},
	{BLOCK, "Drive", "o", offsetof(struct udisks_object, drive)},
	{BLOCK, "HintAuto", "b", offsetof(struct udisks_object, hint_auto)},
	{BLOCK, "HintIgnore", "b", offsetof(struct udisks_object, hint_ignore)},
	{BLOCK, "HintSystem", "b", offsetof(struct udisks_object, hint_system)},
	{DRIVE, "Seat", "s", offsetof(struct udisks_object, seat)},
	{ENCRYPTED, "CleartextDevice", "o", offsetof(struct udisks_object, cleartext)},
};

void udisks_free(struct udisks_object *objects)
{
	while (objects) {
		struct udisks_object *next = objects->next;

		free(objects);
		objects = next;
	}
}

static void set_text(struct udisks_object *object, const struct property *property,
		     const char *text, size_t n)
{
	char *to = (char *)object + property->offset;

	if (n >= UDISKS_TEXT_MAX) {
		object->too_long = true;
		return;
	}
	memcpy(to, text, n);
	to[n] = '\0';
}

static int read_text(sd_bus_message *m, const struct property *property,
		     struct udisks_object *object)
{
	const char *text = NULL;
	const void *bytes = NULL;
	size_t n = 0;
	int r;

	if (strcmp(property->type, "ay") == 0) { /* a path, which ends in a NUL of its own */
		r = sd_bus_message_read_array(m, 'y', &bytes, &n);
		if (r >= 0 && bytes)
			set_text(object, property, bytes, strnlen(bytes, n));
		return r;
	}
	r = sd_bus_message_read_basic(m, property->type[0], &text);
	if (r >= 0)
		set_text(object, property, text, strlen(text));
	return r;
}

static int read_value(sd_bus_message *m, const struct property *property,
		      struct udisks_object *object)
{
	int r, truth = 0;

	r = sd_bus_message_enter_container(m, 'v', property->type);
	if (r < 0)
		return r;
	if (property->type[0] == 'b') {
		r = sd_bus_message_read_basic(m, 'b', &truth);
		*(bool *)((char *)object + property->offset) = truth;
	} else {
		r = read_text(m, property, object);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static const struct property *find_property(const char *interface, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (strcmp(properties[i].interface, interface) == 0 &&
		    strcmp(properties[i].name, name) == 0)
			return &properties[i];
	return NULL;
}

/* a{sv} */
static int read_properties(sd_bus_message *m, const char *interface, struct udisks_object *object)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		const struct property *property;
		const char *name;

		r = sd_bus_message_read_basic(m, 's', &name);
		if (r < 0)
			break;
		property = find_property(interface, name);
		r = property ? read_value(m, property, object) : sd_bus_message_skip(m, "v");
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* a{sa{sv}} */
static int read_interfaces(sd_bus_message *m, struct udisks_object *object)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
		const char *interface;

		r = sd_bus_message_read_basic(m, 's', &interface);
		if (r < 0)
			break;
		if (strcmp(interface, ENCRYPTED) == 0)
			object->encrypted = true;
		r = read_properties(m, interface, object);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_object(sd_bus_message *m, struct udisks_object **ret)
{
	CLEANUP(udisks_freep) struct udisks_object *object = calloc(1, sizeof(*object));
	static const struct property own = {NULL, NULL, "o", offsetof(struct udisks_object, path)};
	int r;

	if (!object)
		return -ENOMEM;
	r = read_text(m, &own, object);
	if (r >= 0)
		r = read_interfaces(m, object);
	if (r < 0)
		return r;
	if (object->too_long)
		return 0;

	object->next = *ret;
	*ret = TAKE_PTR(object);
	return 0;
}

int udisks_parse(sd_bus_message *reply, struct udisks_object **ret)
{
	CLEANUP(udisks_freep) struct udisks_object *objects = NULL;
	int r = sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");

	while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}")) > 0) {
		r = read_object(reply, &objects);
		if (r >= 0)
			r = sd_bus_message_exit_container(reply);
	}
	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;

	*ret = TAKE_PTR(objects);
	return 0;
}

bool udisks_removable(const struct udisks_object *object)
{
	return object->encrypted && object->hint_auto && !object->hint_system &&
	       !object->hint_ignore && object->device[0] == '/';
}

/* An object's path of "/" stands for none. */
static bool names(const char *path)
{
	return path[0] != '\0' && strcmp(path, "/") != 0;
}

bool udisks_unlocked(const struct udisks_object *objects, const struct udisks_object *object)
{
	if (names(object->cleartext))
		return true;
	for (; objects; objects = objects->next)
		if (strcmp(objects->backing, object->path) == 0)
			return true;
	return false;
}

const char *udisks_seat(const struct udisks_object *objects, const struct udisks_object *object)
{
	for (; objects; objects = objects->next)
		if (objects->seat[0] != '\0' && strcmp(objects->path, object->drive) == 0)
			return objects->seat;
	return "seat0";
}

/* Its own NUL ends the text, of which a ref has none. */
static int append_passphrase(sd_bus_message *m, struct ref passphrase)
{
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	if (passphrase.n == 0 || memchr(passphrase.p, '\0', passphrase.n))
		return -EBADMSG;
	r = buf_init(&text, passphrase.n + 1);
	if (r == 0)
		r = buf_append(&text, passphrase.p, passphrase.n);
	if (r == 0)
		r = buf_append(&text, "", 1);
	if (r < 0)
		return r;

	r = sd_bus_message_append_basic(m, 's', text.p);
	return r == -EINVAL ? -EBADMSG : r;
}

int udisks_unlock_call(sd_bus *bus, const char *path, struct ref passphrase, sd_bus_message **ret)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	r = sd_bus_message_new_method_call(bus, &m, UDISKS_NAME, path, ENCRYPTED, "Unlock");
	if (r >= 0)
		r = sd_bus_message_sensitive(m);
	if (r >= 0)
		r = append_passphrase(m, passphrase);
	if (r >= 0)
		r = sd_bus_message_append(m, "a{sv}", 1, "auth.no_user_interaction", "b", 1);
	if (r < 0)
		return r == -EBADMSG ? r : -ENOMEM;

	*ret = TAKE_PTR(m);
	return 0;
}
