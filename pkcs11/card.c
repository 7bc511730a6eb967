/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions with tokens, and the rules for their PINs. */
#include "pkcs11/card.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { VALUE_MAX = 16 * 1024, PIN_FILE_MAX = 255 };

void card_name(const struct card *card, char ret[CARD_NAME_MAX])
{
	char name[PLACE_NAME_MAX];

	place_name(&card->place, name);
	(void)snprintf(ret, CARD_NAME_MAX, "the token %s", name);
}

/* FNV-1a: it need only tell a machine's cards apart. */
static uint64_t hash(uint64_t h, const CK_UTF8CHAR *field, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ field[i]) * 0x100000001b3;
	return h;
}

uint64_t card_identity(const struct card *card)
{
	const CK_TOKEN_INFO *info = &card->place.info;
	uint64_t h = 0xcbf29ce484222325;

	h = hash(h, info->label, sizeof(info->label));
	h = hash(h, info->manufacturerID, sizeof(info->manufacturerID));
	h = hash(h, info->model, sizeof(info->model));
	return hash(h, info->serialNumber, sizeof(info->serialNumber));
}

int card_fail(const struct card *card, CK_RV rv, const char *what)
{
	int r;

	switch (rv) {
	case CKR_DEVICE_REMOVED:
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_SLOT_ID_INVALID:
	case CKR_SESSION_CLOSED:
	case CKR_SESSION_HANDLE_INVALID:
		r = -ENODEV;
		break;
	case CKR_HOST_MEMORY:
		r = -ENOMEM;
		break;
	default:
		r = -EIO;
		break;
	}
	return log_err(card->log, r, "pkcs11: %s: %s", what, card->lib->p11_kit_strerror(rv));
}

int card_find(const struct card *card, CK_ATTRIBUTE *attributes, size_t n_attributes,
	      CK_OBJECT_HANDLE *ret, size_t max, size_t *ret_n)
{
	CK_FUNCTION_LIST *f = card->place.module;
	CK_ULONG n = 0;
	CK_RV rv;

	rv = f->C_FindObjectsInit(card->session, attributes, n_attributes);
	if (rv == CKR_OK) {
		rv = f->C_FindObjects(card->session, ret, max, &n);
		(void)f->C_FindObjectsFinal(card->session);
	}
	if (rv != CKR_OK)
		return card_fail(card, rv, "the token's objects cannot be read");
	*ret_n = n;
	return 0;
}

int card_attribute(const struct card *card, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
		   struct buf *ret)
{
	CLEANUP(buf_done) struct buf value = {0};
	CK_ATTRIBUTE attribute = {.type = type};
	CK_FUNCTION_LIST *f = card->place.module;
	int r;

	if (f->C_GetAttributeValue(card->session, object, &attribute, 1) != CKR_OK ||
	    attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION || attribute.ulValueLen == 0 ||
	    attribute.ulValueLen > VALUE_MAX)
		return -ENOENT;
	r = buf_init(&value, attribute.ulValueLen);
	if (r < 0)
		return r;
	attribute.pValue = value.p;
	if (f->C_GetAttributeValue(card->session, object, &attribute, 1) != CKR_OK ||
	    attribute.ulValueLen > value.cap)
		return -ENOENT;
	value.n = attribute.ulValueLen;
	*ret = TAKE_STRUCT(value);
	return 0;
}

bool card_attribute_true(const struct card *card, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = CK_FALSE;
	CK_ATTRIBUTE attribute = {type, &value, sizeof(value)};
	CK_FUNCTION_LIST *f = card->place.module;

	return f->C_GetAttributeValue(card->session, object, &attribute, 1) == CKR_OK &&
	       attribute.ulValueLen == sizeof(value) && value;
}

static int open_session(const struct modules *modules, const struct place *place,
			const struct log *log, struct card *ret)
{
	struct card card = {.lib = &modules->lib, .log = log, .place = *place};
	CK_RV rv;

	rv = place->module->C_OpenSession(place->slot, CKF_SERIAL_SESSION, NULL, NULL,
					  &card.session);
	if (rv != CKR_OK)
		return card_fail(&card, rv, "the token cannot be spoken with");
	card.open = true;
	*ret = card;
	return 0;
}

/* Whether anything that can be seen without a PIN is what the URI names. */
static bool has_object(const struct card *card, const struct uri *uri)
{
	CK_ATTRIBUTE named[2];
	CK_OBJECT_HANDLE object;
	size_t n = 0, found = 0;

	if (uri->id_len > 0)
		named[n++] = (CK_ATTRIBUTE){CKA_ID, (void *)(uintptr_t)uri->id, uri->id_len};
	if (uri->object[0])
		named[n++] = (CK_ATTRIBUTE){CKA_LABEL, (void *)(uintptr_t)uri->object,
					    strlen(uri->object)};
	return card_find(card, named, n, &object, 1, &found) == 0 && found > 0;
}

/* One is never guessed: a PIN would be sent to it. */
static int refuse_several(const struct place *places, size_t n, const struct log *log)
{
	char names[LOG_LINE_MAX / 2];
	size_t used = 0;

	for (size_t i = 0; i < n && used < sizeof(names); i++) {
		char name[PLACE_NAME_MAX];

		place_name(&places[i], name);
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 i > 0 ? ", " : "", name);
	}
	return log_err(log, -EKEYREJECTED,
		       "pkcs11: %zu tokens are what the URI says; it must name one, by serial=: %s",
		       n, names);
}

int card_open(const struct modules *modules, const struct uri *uri, const struct log *log,
	      struct card *ret)
{
	CLEANUP(card_close) struct card card = {0};
	struct place places[PLACES_MAX];
	size_t n, having = 0;
	int r;

	n = modules_find(modules, uri, places);
	if (n == 0)
		return -EAGAIN;
	if (n == 1)
		return open_session(modules, &places[0], log, ret);
	if (!uri_names_token(uri) && !uri_names_key(uri))
		return refuse_several(places, n, log);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(card_close) struct card other = {0};

		r = open_session(modules, &places[i], NULL, &other);
		if (r < 0 || !has_object(&other, uri))
			continue;
		having++;
		card_close(&card);
		card = TAKE_STRUCT(other);
	}
	if (having != 1)
		return refuse_several(places, n, log);
	card.log = log;
	*ret = TAKE_STRUCT(card);
	return 0;
}

int card_absent(const struct uri *uri, const struct log *log)
{
	return log_err(log, -ENODEV,
		       uri_names_token(uri)
			       ? "pkcs11: no token is here that the URI names; put it in"
			       : "pkcs11: no token is here; put one in, or name its module by "
				 "module-path= in the URI");
}

void card_close(struct card *card)
{
	CK_FUNCTION_LIST *f = card->place.module;

	if (card->logged_in)
		(void)f->C_Logout(card->session);
	if (card->open)
		(void)f->C_CloseSession(card->session);
	buf_done(&card->pin_of_file);
	*card = (struct card){0};
}

/*
 * The PIN's file is named by the header, which may be anyone's writing, and what is in it is sent to the
 * token, which may be anyone's as well. So it is read only where it was made for that: its name ends
 * in ".pin", and nobody but its owner, root or who runs this, can read it.
 */
static int read_pin_file(struct card *card, const char *path)
{
	size_t n = strlen(path), suffix = strlen(".pin");
	struct stat st;
	int fd CLEANUP(close_fd) = -1;
	int r;

	if (n <= suffix || strcmp(path + n - suffix, ".pin") != 0)
		return log_err(card->log, -EKEYREJECTED,
			       "pkcs11: %s is not read: the name of a file with a PIN ends in "
			       "\".pin\"",
			       path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0)
		return log_err(card->log, -EKEYREJECTED, "pkcs11: the PIN in %s cannot be read: %s",
			       path, strerror(errno));
	if (!S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()) ||
	    st.st_mode & (S_IRWXG | S_IRWXO))
		return log_err(
			card->log, -EKEYREJECTED,
			"pkcs11: %s is not read: it must be a file of root's, with mode 0600",
			path);
	r = buf_init(&card->pin_of_file, PIN_FILE_MAX);
	if (r == 0)
		r = buf_read(&card->pin_of_file, fd);
	if (r < 0)
		return r == -ENOMEM ? r
				    : log_err(card->log, -EKEYREJECTED,
					      "pkcs11: the PIN in %s cannot be read: %s", path,
					      strerror(-r));
	if (card->pin_of_file.n > 0 && card->pin_of_file.p[card->pin_of_file.n - 1] == '\n')
		card->pin_of_file.n--;
	return 0;
}

/* What the token says of its PIN; before any is asked for or tried. */
static int check_pin_state(const struct card *card, bool pad)
{
	CK_FLAGS flags = card->place.info.flags;
	char name[CARD_NAME_MAX];

	card_name(card, name);
	if (flags & CKF_USER_PIN_LOCKED)
		return log_err(card->log, -EKEYREJECTED, "pkcs11: the PIN of %s is locked", name);
	if (!(flags & CKF_USER_PIN_INITIALIZED))
		return log_err(card->log, -EKEYREJECTED, "pkcs11: %s has no PIN yet", name);
	if (flags & CKF_USER_PIN_FINAL_TRY && !pad)
		return log_err(card->log, -EKEYREJECTED,
			       "pkcs11: one more wrong PIN locks %s, so none is tried here: log in "
			       "with its own tool first, as with \"pkcs11-tool --login\"",
			       name);
	return 0;
}

/* What was refused is looked at again: the tries that are left. */
static int explain_login(struct card *card, CK_RV rv, bool typed, bool of_uri)
{
	CK_TOKEN_INFO *info = &card->place.info;
	const char *left = "";

	(void)card->place.module->C_GetTokenInfo(card->place.slot, info);
	if (rv == CKR_PIN_LOCKED || info->flags & CKF_USER_PIN_LOCKED) {
		card->refused = true;
		return log_err(card->log, -EKEYREJECTED, "pkcs11: the PIN of the token is locked");
	}
	if (rv == CKR_PIN_EXPIRED)
		return log_err(card->log, -EKEYREJECTED, "pkcs11: the PIN of the token expired");
	if (rv != CKR_PIN_INCORRECT && rv != CKR_PIN_INVALID && rv != CKR_PIN_LEN_RANGE)
		return card_fail(card, rv, "the token cannot be logged in to");
	card->refused = true;
	if (info->flags & CKF_USER_PIN_FINAL_TRY)
		return log_err(card->log, -EKEYREJECTED,
			       "pkcs11: wrong PIN; the next wrong one locks the token");
	if (info->flags & CKF_USER_PIN_COUNT_LOW)
		left = "; the token takes few more before it locks itself";
	return log_err(card->log, typed ? -ENOANO : -EKEYREJECTED, "pkcs11: wrong PIN%s%s",
		       of_uri ? " in the URI" : "", left);
}

int card_wants_typed(const struct card *card, const struct uri *uri, bool *ret)
{
	CK_FLAGS flags = card->place.info.flags;
	bool pad = flags & CKF_PROTECTED_AUTHENTICATION_PATH;
	bool wants = flags & CKF_LOGIN_REQUIRED;
	int r;

	r = wants ? check_pin_state(card, pad) : 0;
	if (r < 0)
		return r;
	*ret = wants && !pad && !uri_has_pin(uri);
	return 0;
}

int card_login(struct card *card, const struct uri *uri, struct ref typed)
{
	CK_FLAGS flags = card->place.info.flags;
	bool pad = flags & CKF_PROTECTED_AUTHENTICATION_PATH;
	CK_RV rv;
	int r;

	if (!(flags & CKF_LOGIN_REQUIRED))
		return 0;
	r = check_pin_state(card, pad);
	if (r == 0 && !pad && uri->pin_source[0] && !uri->pin_value.p)
		r = read_pin_file(card, uri->pin_source);
	if (r < 0)
		return r;

	if (!pad) {
		card->pin = uri->pin_value.p   ? buf_ref(&uri->pin_value)
			    : uri_has_pin(uri) ? buf_ref(&card->pin_of_file)
					       : typed;
		if (!card->pin.p)
			return log_err(card->log, -ENOANO, "pkcs11: the token wants a PIN");
		if (card->pin.n == 0)
			return log_err(card->log, -EKEYREJECTED,
				       "pkcs11: the PIN was empty, and the token was not asked");
	}
	rv = card->place.module->C_Login(card->session, CKU_USER,
					 (CK_UTF8CHAR_PTR)(uintptr_t)card->pin.p, card->pin.n);
	if (rv == CKR_USER_ALREADY_LOGGED_IN)
		return 0;
	if (rv != CKR_OK)
		return explain_login(card, rv, !pad && !uri_has_pin(uri), !pad && uri_has_pin(uri));
	card->logged_in = true;
	return 0;
}
