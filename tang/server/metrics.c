/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counters as text. */
#include "tang/server/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	LINE_SIZE = 256,
	TEXT_MAX = 2048 + ROUTE_KINDS * COUNTERS_STATUSES * 96, /* but for the keys */
	KEY_LINE_MAX = 64 + KEY_THUMBPRINT_MAX + 24,
};

/* The buffer has been made large enough for all lines. */
static void PRINTF_LIKE(2, 3) line(struct buf *text, const char *fmt, ...)
{
	char one[LINE_SIZE];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(one, sizeof(one), fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(one))
		(void)!buf_append(text, one, (size_t)n);
}

static void head(struct buf *text, const char *name, const char *type, const char *help)
{
	line(text, "# TYPE cotter_tangd_%s %s\n", name, type);
	line(text, "# HELP cotter_tangd_%s %s\n", name, help);
}

static void counter(struct buf *text, const char *name, const char *help, uint64_t value)
{
	head(text, name, "counter", help);
	line(text, "cotter_tangd_%s_total %" PRIu64 "\n", name, value);
}

static void gauge(struct buf *text, const char *name, const char *help, uint64_t value)
{
	head(text, name, "gauge", help);
	line(text, "cotter_tangd_%s %" PRIu64 "\n", name, value);
}

/* Without those that never came. */
static void requests(struct buf *text, const struct counters *counters)
{
	head(text, "requests", "counter", "Requests answered.");
	for (int route = 0; route < ROUTE_KINDS; route++)
		for (size_t i = 0; i < COUNTERS_STATUSES; i++) {
			uint64_t n = counters_requests(counters, (enum route_kind)route, i);

			if (n > 0)
				line(text,
				     "cotter_tangd_requests_total{route=\"%s\",status=\"%u\"} "
				     "%" PRIu64 "\n",
				     route_name((enum route_kind)route), counters_statuses[i], n);
		}
}

static uint64_t requests_of(const struct counters *counters, enum route_kind route)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < COUNTERS_STATUSES; i++)
		sum += counters_requests(counters, route, i);
	return sum;
}

static void recovery_time(struct buf *text, const struct counters *counters)
{
	uint64_t usecs = counters_get(counters, COUNTER_RECOVERY_USECS);

	head(text, "recovery_seconds", "summary", "Time taken by recoveries.");
	line(text, "cotter_tangd_recovery_seconds_count %" PRIu64 "\n",
	     requests_of(counters, ROUTE_REC));
	line(text, "cotter_tangd_recovery_seconds_sum %" PRIu64 ".%06" PRIu64 "\n",
	     usecs / USEC_PER_SEC, usecs % USEC_PER_SEC);
}

static void keys(struct buf *text, const struct keys_file *files, size_t n)
{
	size_t hidden = 0;

	for (size_t i = 0; i < n; i++)
		hidden += files[i].hidden;
	head(text, "keys", "gauge", "Keys in the folder.");
	line(text, "cotter_tangd_keys{state=\"advertised\"} %zu\n", n - hidden);
	line(text, "cotter_tangd_keys{state=\"hidden\"} %zu\n", hidden);

	head(text, "key_recoveries", "counter", "Recoveries by key.");
	for (size_t i = 0; i < n; i++)
		if (files[i].key->exchange)
			line(text, "cotter_tangd_key_recoveries_total{key=\"%s\"} %" PRIu64 "\n",
			     key_name(files[i].key), key_counted(files[i].key).recoveries);
}

int metrics_write(struct server *server, struct buf *ret)
{
	CLEANUP(keys_unrefp) struct keys *snapshot = store_keys(server->store);
	const struct counters *counters = &server->counters;
	CLEANUP(buf_done) struct buf text = {0};
	const struct keys_file *files;
	size_t n;
	int r;

	files = keys_files(snapshot, &n);
	r = buf_init(&text, TEXT_MAX + n * KEY_LINE_MAX);
	if (r < 0)
		return r;

	gauge(&text, "start_time_seconds", "When the server started, in seconds since 1970.",
	      (uint64_t)server->started);
	gauge(&text, "healthy", "Whether an advertisement and a recovery work.",
	      vitals_check(&server->vitals, server->store) == 0);
	gauge(&text, "connections", "Connections that are open.",
	      atomic_load_explicit(&server->quota.open, memory_order_relaxed));
	counter(&text, "connections_accepted", "Connections accepted.",
		counters_get(counters, COUNTER_CONNECTIONS));
	counter(&text, "connections_refused",
		"Connections closed because their address had too many.",
		counters_get(counters, COUNTER_REFUSED));
	counter(&text, "connections_cut",
		"Connections closed because no request was complete in time.",
		counters_get(counters, COUNTER_CUT));
	requests(&text, counters);
	recovery_time(&text, counters);
	keys(&text, files, n);
	r = buf_append_str(&text, "# EOF\n");
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(text);
	return 0;
}

void metrics_line(const struct server *server, char ret[LOG_LINE_MAX])
{
	const struct counters *counters = &server->counters;
	const uint64_t good = counters_requests(counters, ROUTE_REC, 0);

	(void)snprintf(
		ret, LOG_LINE_MAX,
		"recoveries: %" PRIu64 ", failed: %" PRIu64 "; advertisements: %" PRIu64
		"; other requests: %" PRIu64 "; connections: %" PRIu64 ", open: %u, refused: "
		"%" PRIu64 ", cut: %" PRIu64,
		good, requests_of(counters, ROUTE_REC) - good, requests_of(counters, ROUTE_ADV),
		requests_of(counters, ROUTE_OTHER) + requests_of(counters, ROUTE_HEALTH) +
			requests_of(counters, ROUTE_METRICS),
		counters_get(counters, COUNTER_CONNECTIONS),
		atomic_load_explicit(&server->quota.open, memory_order_relaxed),
		counters_get(counters, COUNTER_REFUSED), counters_get(counters, COUNTER_CUT));
}
