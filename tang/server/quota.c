/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections counted by address. */
#include "tang/server/quota.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* An IP address, IPv4 in its IPv6 form. */
struct ip {
	uint8_t bytes[16];
};

struct quota_peer {
	struct quota_peer *next;
	struct ip ip;
	unsigned open;
};

static struct ip ip_of(const struct sockaddr *address)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
	struct ip ip = {{0}};

	if (address->sa_family == AF_INET6) {
		memcpy(ip.bytes, &in6->sin6_addr, sizeof(ip.bytes));
	} else if (address->sa_family == AF_INET) {
		memset(ip.bytes + 10, 0xff, 2);
		memcpy(ip.bytes + 12, &in->sin_addr, 4);
	}
	return ip;
}

/* Chains are short enough however addresses are chosen: there are no more nodes than connections. */
static struct quota_peer **bucket_of(struct quota *quota, const struct ip *ip)
{
	uint32_t hash = 2166136261; /* FNV-1a */

	for (size_t i = 0; i < sizeof(ip->bytes); i++)
		hash = (hash ^ ip->bytes[i]) * 16777619;
	return &quota->buckets[(hash ^ hash >> 16) % QUOTA_BUCKETS];
}

void quota_init(struct quota *quota, unsigned max, unsigned max_per_address)
{
	*quota = (struct quota){.max = max, .max_per_address = max_per_address};
	(void)pthread_mutex_init(&quota->lock, NULL);
}

void quota_done(struct quota *quota)
{
	if (quota->max > 0)
		(void)pthread_mutex_destroy(&quota->lock);
}

bool quota_full(const struct quota *quota)
{
	return atomic_load_explicit(&quota->open, memory_order_relaxed) >= quota->max;
}

/* Finds or makes the address's node and counts on it. The lock is held. */
static int enter(struct quota *quota, const struct ip *ip, struct quota_peer **ret)
{
	struct quota_peer **bucket = bucket_of(quota, ip), *peer = *bucket;

	while (peer && memcmp(&peer->ip, ip, sizeof(*ip)) != 0)
		peer = peer->next;
	if (peer && peer->open >= quota->max_per_address)
		return -EDQUOT;
	if (!peer) {
		peer = malloc(sizeof(*peer));
		if (!peer)
			return -ENOMEM;
		*peer = (struct quota_peer){.next = *bucket, .ip = *ip};
		*bucket = peer;
	}
	peer->open++;
	*ret = peer;
	return 0;
}

int quota_enter(struct quota *quota, const struct sockaddr *address, struct quota_peer **ret)
{
	const struct ip ip = ip_of(address);
	int r;

	(void)pthread_mutex_lock(&quota->lock);
	r = enter(quota, &ip, ret);
	(void)pthread_mutex_unlock(&quota->lock);
	if (r == 0)
		(void)atomic_fetch_add_explicit(&quota->open, 1, memory_order_relaxed);
	return r;
}

void quota_leave(struct quota *quota, struct quota_peer *peer)
{
	struct quota_peer **link = bucket_of(quota, &peer->ip);

	(void)atomic_fetch_sub_explicit(&quota->open, 1, memory_order_relaxed);
	(void)pthread_mutex_lock(&quota->lock);
	if (--peer->open == 0) {
		while (*link != peer)
			link = &(*link)->next;
		*link = peer->next;
		free(peer);
	}
	(void)pthread_mutex_unlock(&quota->lock);
}
