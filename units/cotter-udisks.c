/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cotter-udisks: has UDisks unlock removable volumes whose policies hold, while somebody works at the desktop.
 */
#include "crypto/process.h"
#include "units/journal.h"
#include "units/network-watch.h"
#include "units/removable.h"
#include "units/seat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-login.h>

#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

/* Opening keyslots of others' making may take UDisks its time. */
enum { CALL_US = 120 * USEC_PER_SEC };

struct service {
	struct removable removable;
	struct log log;
	sd_bus *bus;
	bool looking; /* a reply to GetManagedObjects is on its way */
	bool news;    /* that came after it was asked for */
};

static int look(struct service *service);

static int on_objects(sd_bus_message *reply, void *to, sd_bus_error *error)
{
	CLEANUP(udisks_freep) struct udisks_object *objects = NULL;
	struct service *service = to;
	int r = 0;

	(void)error;
	service->looking = false;
	/* Without UDisks nothing is there; its start is news. */
	if (!sd_bus_message_is_method_error(reply, NULL))
		r = udisks_parse(reply, &objects);
	if (r == 0)
		r = removable_update(&service->removable, objects);
	if (r < 0)
		return log_err(&service->log, r, "what UDisks says cannot be read: %s",
			       strerror(-r));
	return service->news ? look(service) : 0;
}

/* Asks for all that UDisks has; once at a time, as its news come in crowds. */
static int look(struct service *service)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	int r;

	service->news = service->looking;
	if (service->looking)
		return 0;
	r = sd_bus_message_new_method_call(service->bus, &m, UDISKS_NAME, UDISKS_ROOT,
					   OBJECT_MANAGER, "GetManagedObjects");
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, 0);
	if (r >= 0)
		r = sd_bus_call_async(service->bus, NULL, m, on_objects, service, CALL_US);
	service->looking = r >= 0;
	return r;
}

static int on_news(sd_bus_message *m, void *service, sd_bus_error *error)
{
	(void)m;
	(void)error;
	return look(service);
}

/* Another volume may come at the same path before anybody looks. */
static int on_removed(sd_bus_message *m, void *to, sd_bus_error *error)
{
	struct service *service = to;
	const char *path, *interface;

	(void)error;
	if (sd_bus_message_read_basic(m, 'o', &path) >= 0 &&
	    sd_bus_message_enter_container(m, 'a', "s") >= 0)
		while (sd_bus_message_read_basic(m, 's', &interface) > 0)
			if (strcmp(interface, UDISKS_NAME ".Encrypted") == 0)
				removable_gone(&service->removable, path);
	return look(service);
}

static int on_unlocked(sd_bus_message *reply, void *to, sd_bus_error *error)
{
	const struct service *service = to;
	const sd_bus_error *why = sd_bus_message_get_error(reply);

	(void)error;
	if (why)
		(void)log_err(&service->log, 0, "UDisks did not unlock the volume: %s",
			      why->message ? why->message : why->name);
	return 0;
}

static void unlock(void *to, const char *path, const char *device, struct ref secret, int token)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *m = NULL;
	struct service *service = to;
	int r;

	r = udisks_unlock_call(service->bus, path, secret, &m);
	if (r >= 0)
		r = sd_bus_call_async(service->bus, NULL, m, on_unlocked, service, CALL_US);
	if (r < 0)
		(void)log_err(&service->log, r, "%s: UDisks cannot be given what token %d gave: %s",
			      device, token, strerror(-r));
	else
		(void)fprintf(stderr, SD_NOTICE "%s: token %d gave the passphrase\n", device,
			      token);
}

static void on_network(void *to)
{
	struct service *service = to;

	removable_network_changed(&service->removable);
}

/* Each turn of the loop looks at the seats anyway. */
static int on_login(sd_event_source *source, int fd, uint32_t events, void *monitor)
{
	(void)source;
	(void)fd;
	(void)events;
	(void)sd_login_monitor_flush(monitor);
	return 0;
}

/* Subscribes to what UDisks tells of its objects, and to its coming and going. */
static int watch_udisks(struct service *service)
{
	static const char changed[] =
		"type='signal',sender='" UDISKS_NAME "',path_namespace='" UDISKS_ROOT
		"/block_devices',interface='org.freedesktop.DBus.Properties',"
		"member='PropertiesChanged'";
	static const char owner[] =
		"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
		"interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" UDISKS_NAME "'";
	int r;

	r = sd_bus_match_signal(service->bus, NULL, UDISKS_NAME, UDISKS_ROOT, OBJECT_MANAGER,
				"InterfacesAdded", on_news, service);
	if (r >= 0)
		r = sd_bus_match_signal(service->bus, NULL, UDISKS_NAME, UDISKS_ROOT,
					OBJECT_MANAGER, "InterfacesRemoved", on_removed, service);
	if (r >= 0)
		r = sd_bus_add_match(service->bus, NULL, changed, on_news, service);
	if (r >= 0)
		r = sd_bus_add_match(service->bus, NULL, owner, on_news, service);
	return r < 0 ? r : look(service);
}

static int watch(sd_event *event, struct service *service, sd_login_monitor *monitor)
{
	int r = sd_event_set_signal_exit(event, 1);

	if (r >= 0)
		r = sd_event_add_io(event, NULL, sd_login_monitor_get_fd(monitor), EPOLLIN,
				    on_login, monitor);
	if (r >= 0)
		r = sd_bus_attach_event(service->bus, event, 0);
	return r < 0 ? r : watch_udisks(service);
}

/* How long nothing is to be done, unless something happens; UINT64_MAX: for ever. */
static uint64_t pause_us(const struct removable *removable)
{
	uint64_t next = removable_next_us(removable), now = now_us();

	if (next == UINT64_MAX)
		return next;
	return next > now ? next - now : 0;
}

static int run(sd_event *event, struct removable *removable)
{
	int r = 0;

	while (r >= 0 && sd_event_get_state(event) != SD_EVENT_FINISHED) {
		removable_step(removable);
		/* Nothing may be left in the bus's queue, of which the loop's descriptor knows nothing. */
		r = sd_event_run(event, removable_running(removable) ? 0 : pause_us(removable));
		if (r == 0 && removable_running(removable) &&
		    round_wait(&removable->round, sd_event_get_fd(event)) < 0)
			(void)log_dbg(removable->round.log, 0, "the wait was interrupted");
	}
	return r;
}

static int serve(struct service *service)
{
	CLEANUP(sd_event_unrefp) sd_event *event = NULL;
	CLEANUP(sd_login_monitor_unrefp) sd_login_monitor *monitor = NULL;
	struct network_watch network = {.on_change = on_network, .to = service};
	int r;

	r = sd_login_monitor_new(NULL, &monitor);
	if (r < 0)
		return log_err(&service->log, r, "systemd-logind cannot be asked: %s",
			       strerror(-r));
	r = sd_bus_open_system(&service->bus);
	if (r < 0)
		return log_err(&service->log, r, "the system bus cannot be reached: %s",
			       strerror(-r));

	r = sd_event_new(&event);
	if (r >= 0)
		r = watch(event, service, monitor);
	if (r >= 0)
		network_watch_begin(&network, event);
	if (r >= 0)
		r = run(event, &service->removable);
	if (r < 0)
		return log_err(&service->log, r, "cotter-udisks cannot go on: %s", strerror(-r));
	return 0;
}

int main(void)
{
	struct service service = {
		.log = journal_log(),
		.removable = {.in_use = seat_in_use, .on_secret = unlock},
	};
	int r;

	service.removable.to = &service;
	service.removable.round.log = &service.log;
	if (process_begin() < 0)
		return EXIT_FAILURE;
	r = serve(&service);
	removable_done(&service.removable);
	service.bus = sd_bus_flush_close_unref(service.bus);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
