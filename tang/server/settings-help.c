/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of --help. */
#include "tang/server/settings.h"

const char *const settings_help[] = {
	"cotter-tangd [OPTIONS] JWKDIR\n"
	"\n"
	"Serves the keys in the folder JWKDIR to Tang clients: on the sockets that systemd hands\n"
	"over, on addresses of its own, or, with neither, one connection on standard input and\n"
	"output.\n"
	"\n"
	"Where it listens:\n"
	"  --listen=ADDR:PORT            on this address, as [ADDR]:PORT for IPv6; port 0 is any\n"
	"                                free one; can be repeated\n"
	"  -l, --listen                  on all addresses\n"
	"    -p, --port=PORT             at this port (default: 9090)\n"
	"  -e, --endpoint=PREFIX         serve /PREFIX/adv and /PREFIX/rec\n"
	"  --tls-certificate=FILE        speak https, with this chain of certificates in PEM\n"
	"    --tls-key=FILE              and its private key\n"
	"    --tls-client-ca=FILE        and serve only clients with a certificate of this CA\n"
	"  --metrics=ADDR:PORT           serve counters at /metrics, in OpenMetrics' text format\n"
	"\n",

	"What it takes:\n"
	"  --workers=N                   threads (default: as many as CPUs)\n"
	"  --max-connections=N           at once; further ones wait (default: 4096)\n"
	"  --max-connections-per-address=N   further ones are closed (default: 2048)\n"
	"  --idle-timeout=SECONDS        close a connection on which nothing comes (default: 10)\n"
	"  --request-timeout=SECONDS     or no request comes to its end (default: 30)\n"
	"\n"
	"What it tells:\n"
	"  --log=none|error|recovery     in the journal, or on standard error (default: recovery,\n"
	"                                one line for each)\n"
	"  --usage=FILE                  keep a record there of what was recovered by which key,\n"
	"                                for cotter-tang-keys\n"
	"  --help, -V, --version\n"
	"\n"
	"SIGUSR1 has it log its counters; SIGTERM and SIGINT have it finish and stop.\n",
	NULL,
};
