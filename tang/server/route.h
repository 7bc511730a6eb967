/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a request asks for, as tangd's own paths have it. */
#pragma once

#include "crypto/buf.h"

enum route_kind { ROUTE_OTHER, ROUTE_ADV, ROUTE_REC, ROUTE_HEALTH, ROUTE_METRICS, ROUTE_KINDS };

struct route {
	enum route_kind kind;
	const char *thumbprint; /* part of the path; NULL where there is none */
};

/*
 * Reads a path: /adv, /adv/THUMBPRINT and /rec/THUMBPRINT below `endpoint`, where there is one, each
 * slash also as several, and /healthz and /metrics. Every other one is ROUTE_OTHER.
 */
struct route route_find(const char *path, const char *endpoint);

/* The methods of a route, as the header Allow lists them; NULL where there is no such route. */
const char *route_methods(enum route_kind kind);

/* Whether a route has this method. */
bool route_allows(enum route_kind kind, const char *method);

/* "adv", "rec", … "other". */
const char *route_name(enum route_kind kind);
