/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From requests to replies. */
#include "tang/server/answer.h"

#include "tang/server/metrics.h"
#include "tang/server/route.h"

#include <errno.h>

enum {
	BODY_MAX = JWK_TEXT_MAX,
	DRAIN_MAX =
		256 *
		1024, /* bytes of a body too long that are read, so that its sender reads our answer */
};

enum {
	OK = 200,
	BAD_REQUEST = 400,
	FORBIDDEN = 403,
	NOT_FOUND = 404,
	METHOD_NOT_ALLOWED = 405,
	TOO_LARGE = 413,
	INTERNAL_ERROR = 500,
	UNAVAILABLE = 503,
};

/* A request under way. */
struct asked {
	bool query; /* its path is followed by one */
	bool begun; /* its headers have been looked at */
	struct route route;
	struct buf body;
	uint64_t received; /* bytes of the body, also those not kept */
	bool answered;     /* before its body was read */
	bool last;         /* on its connection */
};

/* What it is answered. */
struct reply {
	unsigned status;
	const char *type;    /* of the body */
	const char *methods; /* for METHOD_NOT_ALLOWED */
	struct ref body;
	void (*release)(void *owner); /* of what the body belongs to */
	void *owner;
	bool last; /* on this connection */
};

static struct client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static enum MHD_Result add_header(struct MHD_Response *response, const char *name,
				  const char *value)
{
	return value ? MHD_add_response_header(response, name, value) : MHD_YES;
}

DEFINE_CLEANUP(struct MHD_Response *, MHD_destroy_response)

/* Takes the reply's owner over. */
static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct reply *reply)
{
	CLEANUP(MHD_destroy_responsep) struct MHD_Response *response = NULL;
	void *body = (void *)(uintptr_t)reply->body.p;

	response = reply->release ? MHD_create_response_from_buffer_with_free_callback_cls(
					    reply->body.n, body, reply->release, reply->owner)
				  : MHD_create_response_from_buffer(reply->body.n, body,
								    MHD_RESPMEM_PERSISTENT);
	if (!response) {
		if (reply->release)
			reply->release(reply->owner);
		return MHD_NO;
	}
	if (add_header(response, "Content-Type", reply->type) != MHD_YES ||
	    add_header(response, "Allow", reply->methods) != MHD_YES ||
	    add_header(response, "Connection", reply->last ? "close" : NULL) != MHD_YES)
		return MHD_NO;
	return MHD_queue_response(connection, reply->status, response);
}

static void release_keys(void *keys)
{
	keys_unref(keys);
}

static void answer_adv(const struct server *server, const char *thumbprint, struct reply *reply)
{
	CLEANUP(keys_unrefp) struct keys *keys = store_keys(server->store);
	int r = keys_advertisement(keys, thumbprint, &reply->body);

	if (r < 0) {
		reply->status = r == -ENOENT ? NOT_FOUND : INTERNAL_ERROR;
		return;
	}
	reply->status = OK;
	reply->type = "application/jose+json";
	reply->release = release_keys;
	reply->owner = TAKE_PTR(keys);
}

static unsigned status_of_recovery(int r)
{
	switch (r) {
	case 0:
		return OK;
	case -EBADMSG:
	case -E2BIG:
		return BAD_REQUEST;
	case -EKEYREJECTED:
		return FORBIDDEN;
	case -ENOENT:
		return NOT_FOUND;
	default:
		return INTERNAL_ERROR;
	}
}

/* Hands a new buffer's bytes over. */
static void reply_with(struct reply *reply, struct buf *body, const char *type)
{
	reply->status = OK;
	reply->type = type;
	reply->body = buf_ref(body);
	reply->release = free;
	reply->owner = body->p;
	*body = (struct buf){0};
}

/* The thumbprint is the client's, so it may be as long as a path. */
static void tell_recovery(const struct server *server, const struct client *client,
			  const char *thumbprint, unsigned status)
{
	char peer[LISTEN_TEXT_MAX], key[KEY_THUMBPRINT_MAX + 1];

	if (server->settings->log != SETTINGS_LOG_RECOVERY)
		return;
	listen_address_write(&client->address.any, false, peer);
	(void)snprintf(key, sizeof(key), "%s", thumbprint);
	notice_recovery(server->notice, &(struct notice_recovery){.peer = peer,
								  .key = key,
								  .subject = client->subject,
								  .status = status});
}

static void answer_rec(struct server *server, const struct client *client,
		       const struct asked *asked, struct reply *reply)
{
	CLEANUP(keys_unrefp) struct keys *keys = store_keys(server->store);
	const char *thumbprint = asked->route.thumbprint;
	CLEANUP(buf_done) struct buf body = {0};
	uint64_t start = now_us();
	struct key *key = NULL;
	int r;

	if (asked->received > BODY_MAX) {
		reply->status = TOO_LARGE;
		reply->last = true;
	} else {
		r = keys_recover(keys, thumbprint, buf_ref(&asked->body), &body, &key);
		reply->status = status_of_recovery(r);
		if (r == 0) {
			key_count(key);
			thumbprint = key_name(key);
			reply_with(reply, &body, "application/jwk+json");
		}
	}
	counters_add(&server->counters, COUNTER_RECOVERY_USECS, now_us() - start);
	tell_recovery(server, client, thumbprint, reply->status);
}

static void answer_metrics(struct server *server, struct reply *reply)
{
	CLEANUP(buf_done) struct buf text = {0};

	if (metrics_write(server, &text) < 0)
		reply->status = INTERNAL_ERROR;
	else
		reply_with(reply, &text, METRICS_TYPE);
}

static void answer_route(struct server *server, const struct client *client,
			 const struct asked *asked, struct reply *reply)
{
	switch (asked->route.kind) {
	case ROUTE_ADV:
		answer_adv(server, asked->route.thumbprint, reply);
		return;
	case ROUTE_REC:
		answer_rec(server, client, asked, reply);
		return;
	case ROUTE_HEALTH:
		reply->status =
			vitals_check(&server->vitals, server->store) == 0 ? OK : UNAVAILABLE;
		return;
	case ROUTE_METRICS:
		answer_metrics(server, reply);
		return;
	case ROUTE_OTHER:
	case ROUTE_KINDS:
		reply->status = NOT_FOUND;
		return;
	}
}

/* Whether its certificate, where one is demanded, is of the CA. The handshake only asks for it. */
static bool is_welcome(const struct worker *worker, struct MHD_Connection *connection,
		       struct client *client)
{
	const union MHD_ConnectionInfo *info;
	char subject[TLS_SUBJECT_MAX];

	if (!worker_server(worker)->settings->client_ca || worker_use(worker) != WORKER_TANG ||
	    client->subject)
		return true;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!info || tls_client(info->tls_session, subject) < 0)
		return false;
	client->subject = strdup(subject);
	return client->subject;
}

/* Which routes exist depends on where one asks. */
static enum route_kind kind_for(const struct worker *worker, enum route_kind kind)
{
	if (worker_use(worker) == WORKER_METRICS)
		return kind == ROUTE_METRICS || kind == ROUTE_HEALTH ? kind : ROUTE_OTHER;
	return kind == ROUTE_METRICS ? ROUTE_OTHER : kind;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool says_close(struct MHD_Connection *connection)
{
	const char *said = header(connection, "Connection");

	return said && strcasecmp(said, "close") == 0;
}

static enum MHD_Result answer(struct worker *worker, struct MHD_Connection *connection,
			      const char *method, struct asked *asked)
{
	struct server *server = worker_server(worker);
	struct client *client = client_of(connection);
	struct reply reply = {0};

	if (!client)
		return MHD_NO;
	if (!is_welcome(worker, connection, client)) {
		reply.status = FORBIDDEN;
		reply.last = true;
		if (asked->route.kind == ROUTE_REC)
			tell_recovery(server, client, asked->route.thumbprint, reply.status);
	} else if (route_methods(asked->route.kind) && !route_allows(asked->route.kind, method)) {
		reply.status = METHOD_NOT_ALLOWED;
		reply.methods = route_methods(asked->route.kind);
	} else {
		answer_route(server, client, asked, &reply);
	}
	if (atomic_load_explicit(&server->stopping, memory_order_relaxed))
		reply.last = true;
	asked->last = reply.last || says_close(connection);
	counters_request(&server->counters, asked->route.kind, reply.status);
	if (reply.status == INTERNAL_ERROR)
		(void)log_err(
			&server->log, 0,
			"a request was answered HTTP %u: the folder holds no usable keys, or memory is short",
			reply.status);
	return send_reply(connection, &reply);
}

/* Of a body that is announced; 0 where none is, or its length is not known. */
static uint64_t announced(struct MHD_Connection *connection)
{
	const char *text = header(connection, "Content-Length");
	uint64_t n = 0;

	for (; text && *text >= '0' && *text <= '9' && n <= DRAIN_MAX; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return n;
}

/* What is answered without reading a body: 0 where it is read. */
static unsigned status_at_once(struct MHD_Connection *connection)
{
	const uint64_t n = announced(connection);

	/* A proxy before us may have read its length from the other one (RFC 9112 section 6.1). */
	if (n > 0 && header(connection, "Transfer-Encoding"))
		return BAD_REQUEST;
	/* Who waits for our consent does not get it, and nobody sends without end. */
	if (n > DRAIN_MAX || (n > BODY_MAX && header(connection, "Expect")))
		return TOO_LARGE;
	return 0;
}

static enum MHD_Result begin(struct worker *worker, struct MHD_Connection *connection,
			     const char *url, struct asked *asked)
{
	const unsigned status = status_at_once(connection);

	asked->begun = true;
	/* No path of Tang's has a query. */
	if (!asked->query)
		asked->route = route_find(url, worker_server(worker)->settings->endpoint);
	asked->route.kind = kind_for(worker, asked->route.kind);
	if (status == 0)
		return MHD_YES;
	asked->answered = true;
	counters_request(&worker_server(worker)->counters, asked->route.kind, status);
	return send_reply(connection, &(struct reply){.status = status, .last = true});
}

/* A part of the body came. */
static enum MHD_Result collect(struct asked *asked, const char *bytes, size_t n)
{
	asked->received += n;
	if (asked->received > DRAIN_MAX)
		return MHD_NO;
	if (asked->route.kind != ROUTE_REC || asked->received > BODY_MAX)
		return MHD_YES;
	if (!asked->body.p && buf_init(&asked->body, BODY_MAX) < 0)
		return MHD_NO;
	return buf_append(&asked->body, bytes, n) < 0 ? MHD_NO : MHD_YES;
}

void *answer_begin(void *worker, const char *uri, struct MHD_Connection *connection)
{
	struct client *client = client_of(connection);
	struct asked *asked = calloc(1, sizeof(*asked));

	(void)worker;
	if (client)
		client->state = CLIENT_BUSY;
	if (asked)
		asked->query = strchr(uri, '?');
	return asked;
}

enum MHD_Result answer_request(void *worker, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *n_upload, void **state)
{
	struct asked *asked = *state;
	enum MHD_Result result;

	(void)version;
	if (!asked)
		return MHD_NO;
	if (!asked->begun)
		return begin(worker, connection, url, asked);
	if (asked->answered)
		return MHD_YES;
	if (*n_upload > 0) {
		result = collect(asked, upload, *n_upload);
		*n_upload = 0;
		return result;
	}
	return answer(worker, connection, method, asked);
}

void answer_end(void *worker, struct MHD_Connection *connection, void **state,
		enum MHD_RequestTerminationCode how)
{
	struct client *client = client_of(connection);
	struct asked *asked = *state;

	if (client && how == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		worker_rested(worker, client, asked && asked->last);
	if (asked) {
		buf_done(&asked->body);
		free(asked);
	}
	*state = NULL;
}
