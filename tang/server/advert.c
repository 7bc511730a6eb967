/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signed advertisements. */
#include "tang/server/advert.h"

#include "crypto/b64.h"
#include "crypto/jws-sign.h"
#include "tang/server/keys.h"

#include <errno.h>
#include <pthread.h>

static const char content_type[] = "jwk-set+json";

struct advert {
	const struct keys_file *files;
	size_t n;
	struct buf payload;                 /* base64url */
	struct jws_signature *signatures;   /* of the advertised keys that sign */
	const struct jws_signature **parts; /* the same, and room for one more */
	size_t n_signatures;
	struct buf text;
	pthread_mutex_t lock;
	struct buf *texts; /* for each file; empty: nobody has asked, guarded by `lock` */
};

static bool signs(const struct keys_file *file)
{
	return !file->hidden && file->key->signs;
}

static int make_payload(struct advert *advert)
{
	CLEANUP_JSON json_t *payload = json_pack("{s:[]}", "keys");
	CLEANUP(free_text) char *text = NULL;
	int r;

	for (size_t i = 0; payload && i < advert->n; i++)
		if (!advert->files[i].hidden && json_array_append(json_object_get(payload, "keys"),
								  advert->files[i].key->advert) < 0)
			return -ENOMEM;
	if (payload)
		text = js_text(payload, 0);
	if (!text)
		return -ENOMEM;

	r = buf_init(&advert->payload, b64_encoded_len(strlen(text)));
	return r < 0 ? r : b64_encode(ref_str(text), &advert->payload);
}

static int sign(const struct advert *advert, size_t i, struct jws_signature *ret)
{
	return jws_sign(buf_ref(&advert->payload), content_type, &advert->files[i].key->jwk, ret);
}

static int sign_all(struct advert *advert)
{
	int r;

	for (size_t i = 0; i < advert->n; i++) {
		struct jws_signature *signature = &advert->signatures[advert->n_signatures];

		if (!signs(&advert->files[i]))
			continue;
		r = sign(advert, i, signature);
		if (r < 0)
			return r;
		advert->parts[advert->n_signatures++] = signature;
	}
	if (advert->n_signatures == 0)
		return 0;

	return jws_write(buf_ref(&advert->payload), advert->parts, advert->n_signatures,
			 &advert->text);
}

void advert_free(struct advert *advert)
{
	for (size_t i = 0; i < advert->n_signatures; i++)
		jws_signature_done(&advert->signatures[i]);
	for (size_t i = 0; advert->texts && i < advert->n; i++)
		buf_done(&advert->texts[i]);
	buf_done(&advert->payload);
	buf_done(&advert->text);
	free(advert->signatures);
	free(advert->parts);
	free(advert->texts);
	(void)pthread_mutex_destroy(&advert->lock);
	free(advert);
}

DEFINE_CLEANUP(struct advert *, advert_free)

int advert_new(const struct keys_file *files, size_t n, struct advert **ret)
{
	CLEANUP(advert_freep) struct advert *advert = calloc(1, sizeof(*advert));
	int r;

	if (!advert)
		return -ENOMEM;
	advert->files = files;
	advert->n = n;
	(void)pthread_mutex_init(&advert->lock, NULL);
	advert->signatures = calloc(n + 1, sizeof(*advert->signatures));
	advert->parts = calloc(n + 1, sizeof(*advert->parts));
	advert->texts = calloc(n + 1, sizeof(*advert->texts));
	if (!advert->signatures || !advert->parts || !advert->texts)
		return -ENOMEM;

	r = make_payload(advert);
	if (r == 0)
		r = sign_all(advert);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(advert);
	return 0;
}

int advert_default(const struct advert *advert, struct ref *ret)
{
	if (advert->n_signatures == 0)
		return -ENOKEY;

	*ret = buf_ref(&advert->text);
	return 0;
}

/* Tang signs by the key that was asked for in addition, also where it is among the advertised ones. */
static int make_text(struct advert *advert, size_t i, struct buf *ret)
{
	CLEANUP(jws_signature_done) struct jws_signature more = {0};
	int r;

	r = sign(advert, i, &more);
	if (r < 0)
		return r;

	advert->parts[advert->n_signatures] = &more;
	return jws_write(buf_ref(&advert->payload), advert->parts, advert->n_signatures + 1, ret);
}

int advert_for(struct advert *advert, size_t i, struct ref *ret)
{
	int r = 0;

	if (advert->n_signatures == 0)
		return -ENOKEY;

	(void)pthread_mutex_lock(&advert->lock);
	if (!advert->texts[i].p)
		r = make_text(advert, i, &advert->texts[i]);
	if (r == 0)
		*ret = buf_ref(&advert->texts[i]);
	(void)pthread_mutex_unlock(&advert->lock);
	return r;
}
