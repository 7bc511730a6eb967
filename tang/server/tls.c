/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libmicrohttpd leaves to us of TLS. */
#include "tang/server/tls.h"

#include <errno.h>
#include <fcntl.h>

#include <gnutls/x509.h>

enum { FILE_MAX = 1024 * 1024 };

DEFINE_CLEANUP(gnutls_certificate_credentials_t, gnutls_certificate_free_credentials)
DEFINE_CLEANUP(gnutls_x509_crt_t, gnutls_x509_crt_deinit)

static int read_file(const char *path, const struct log *log, struct buf *ret)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return log_err(log, -errno, "%s cannot be read: %s", path, strerror(errno));
	r = buf_init(&text, FILE_MAX);
	if (r == 0)
		r = buf_read(&text, fd);
	if (r == 0 && text.n == FILE_MAX)
		r = -E2BIG;
	if (r == 0)
		r = buf_append(&text, "", 1);
	if (r == 0)
		r = buf_copy(ret, buf_ref(&text));
	return r < 0 ? log_err(log, r, "%s cannot be read: %s", path, strerror(-r)) : 0;
}

static gnutls_datum_t datum(const struct buf *text)
{
	return (gnutls_datum_t){.data = text->p, .size = (unsigned)(text->n - 1)};
}

/* libmicrohttpd says only that it did not start. */
static int check(const struct settings *settings, const struct tls *tls, const struct log *log)
{
	CLEANUP(gnutls_certificate_free_credentialsp)
	gnutls_certificate_credentials_t credentials = NULL;
	const gnutls_datum_t certificate = datum(&tls->certificate), key = datum(&tls->key);
	int r;

	if (gnutls_certificate_allocate_credentials(&credentials) < 0)
		return -ENOMEM;
	r = gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key,
						GNUTLS_X509_FMT_PEM);
	if (r < 0)
		return log_err(log, -EBADMSG, "%s and %s are no certificate and its key in PEM: %s",
			       settings->certificate, settings->key, gnutls_strerror(r));
	if (settings->client_ca) {
		const gnutls_datum_t ca = datum(&tls->client_ca);

		r = gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM);
		if (r < 1)
			return log_err(log, -EBADMSG, "%s holds no certificate of a CA in PEM",
				       settings->client_ca);
	}
	return 0;
}

int tls_load(const struct settings *settings, const struct log *log, struct tls *ret)
{
	CLEANUP(tls_done) struct tls tls = {0};
	int r = 0;

	if (settings->certificate)
		r = read_file(settings->certificate, log, &tls.certificate);
	if (r == 0 && settings->key)
		r = read_file(settings->key, log, &tls.key);
	if (r == 0 && settings->client_ca)
		r = read_file(settings->client_ca, log, &tls.client_ca);
	if (r == 0 && settings->certificate)
		r = check(settings, &tls, log);
	if (r < 0)
		return r;

	*ret = TAKE_STRUCT(tls);
	return 0;
}

void tls_done(struct tls *tls)
{
	buf_done(&tls->certificate);
	buf_done(&tls->key);
	buf_done(&tls->client_ca);
}

static void read_subject(const gnutls_datum_t *certificate, char ret[TLS_SUBJECT_MAX])
{
	CLEANUP(gnutls_x509_crt_deinitp) gnutls_x509_crt_t parsed = NULL;
	gnutls_datum_t name = {0};
	size_t n;

	ret[0] = '\0';
	if (gnutls_x509_crt_init(&parsed) < 0 ||
	    gnutls_x509_crt_import(parsed, certificate, GNUTLS_X509_FMT_DER) < 0 ||
	    gnutls_x509_crt_get_dn3(parsed, &name, 0) < 0)
		return;
	n = name.size < TLS_SUBJECT_MAX ? name.size : TLS_SUBJECT_MAX - 1;
	memcpy(ret, name.data, n);
	ret[n] = '\0';
	gnutls_free(name.data);
}

int tls_client(gnutls_session_t session, char ret[TLS_SUBJECT_MAX])
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	const gnutls_datum_t *certificates;
	unsigned n = 0, status = 0;

	certificates = gnutls_certificate_get_peers(session, &n);
	if (!certificates || n == 0 ||
	    gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 || status != 0)
		return -EKEYREJECTED;

	read_subject(&certificates[0], ret);
	return 0;
}
