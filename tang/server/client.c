/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections in the order of their deadlines. */
#include "tang/server/client.h"

void clients_remove(struct client *client)
{
	struct clients *list = client->list;

	if (!list)
		return;
	*(client->previous ? &client->previous->next : &list->first) = client->next;
	*(client->next ? &client->next->previous : &list->last) = client->previous;
	client->previous = client->next = NULL;
	client->list = NULL;
}

void clients_add(struct clients *clients, struct client *client, uint64_t deadline_us)
{
	clients_remove(client);
	client->deadline_us = deadline_us;
	client->previous = clients->last;
	*(clients->last ? &clients->last->next : &clients->first) = client;
	clients->last = client;
	client->list = clients;
}

struct client *clients_expired(struct clients *clients, uint64_t now)
{
	struct client *first = clients->first;

	if (!first || first->deadline_us > now)
		return NULL;
	clients_remove(first);
	return first;
}

void clients_limit(struct clients *clients, uint64_t deadline_us)
{
	for (struct client *client = clients->first; client; client = client->next)
		if (client->deadline_us > deadline_us)
			client->deadline_us = deadline_us;
}
