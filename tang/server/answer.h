/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers requests: libmicrohttpd's callbacks, each of which gets its worker. */
#pragma once

#include "tang/server/worker.h"

/* MHD_OPTION_URI_LOG_CALLBACK */
void *answer_begin(void *worker, const char *uri, struct MHD_Connection *connection);

/* MHD_AccessHandlerCallback */
enum MHD_Result answer_request(void *worker, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *n_upload, void **state);

/* MHD_OPTION_NOTIFY_COMPLETED */
void answer_end(void *worker, struct MHD_Connection *connection, void **state,
		enum MHD_RequestTerminationCode how);
