/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads JSON Web Keys: two readers gather the members; one function makes a checked key of them. */
#include "crypto/jwk.h"

#include "crypto/b64.h"
#include "crypto/ec.h"
#include "crypto/scan.h"

#include <errno.h>

static const struct {
	const char *name;
	unsigned ops;
} op_names[] = {
	{"sign", JWK_OP_SIGN},
	{"verify", JWK_OP_VERIFY},
	{"deriveKey", JWK_OP_DERIVE_KEY},
};

static const struct {
	const char *name;
	unsigned ops;
} use_names[] = {
	{"sig", JWK_OP_SIGN | JWK_OP_VERIFY},
	{"enc", JWK_OP_DERIVE_KEY | JWK_OP_OTHER},
};

enum member { KTY, CRV, X, Y, D, K, USE, N_MEMBERS };

static const char *const member_names[N_MEMBERS] = {"kty", "crv", "x", "y", "d", "k", "use"};

/* What a JWK said, unchecked; p NULL: not there. */
struct members {
	struct ref text[N_MEMBERS];
	unsigned key_ops;
	bool has_key_ops;
};

static unsigned op_bits(struct ref name)
{
	for (size_t i = 0; i < ARRAY_SIZE(op_names); i++)
		if (ref_is(name, op_names[i].name))
			return op_names[i].ops;
	return JWK_OP_OTHER;
}

/* key_ops decides; `use` speaks only where there is none. */
static unsigned member_ops(const struct members *m)
{
	if (m->has_key_ops)
		return m->key_ops ? m->key_ops : JWK_OP_OTHER;
	if (!m->text[USE].p)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(use_names); i++)
		if (ref_is(m->text[USE], use_names[i].name))
			return use_names[i].ops;
	return JWK_OP_OTHER;
}

static int read_coordinate(struct ref text, size_t size, uint8_t *ret)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int r;

	if (!text.p || text.n != b64_encoded_len(size))
		return -EBADMSG;

	r = b64_decode(text, &bytes);
	if (r < 0)
		return r;

	memcpy(ret, bytes.p, size);
	return 0;
}

static int check_private(const EC_GROUP *group, const EC_POINT *public, const struct jwk *key)
{
	CLEANUP(EC_POINT_clear_freep) EC_POINT *product = NULL;
	CLEANUP(BN_clear_freep) BIGNUM *d = NULL;
	int r;

	d = BN_bin2bn(key->d, (int)key->curve->size, NULL);
	if (!d)
		return -ENOMEM;
	if (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(group)) >= 0)
		return -EBADMSG;

	r = ec_multiply(group, NULL, key, &product);
	if (r < 0)
		return r;

	return EC_POINT_cmp(group, product, public, NULL) == 0 ? 0 : -EBADMSG;
}

static int check_ec(const struct jwk *key)
{
	CLEANUP_ERRORS;
	CLEANUP(EC_GROUP_freep) EC_GROUP *group = ec_group(key->curve);
	CLEANUP(EC_POINT_clear_freep) EC_POINT *point = NULL;
	int r;

	if (!group)
		return -ENOMEM;

	r = ec_point_load(group, key, &point);
	if (r < 0)
		return r;

	return key->has_private ? check_private(group, point, key) : 0;
}

static int read_ec(const struct members *m, struct jwk *key)
{
	char name[8] = "";
	size_t size;
	int r;

	if (!m->text[CRV].p)
		return -EBADMSG;
	if (m->text[CRV].n < sizeof(name))
		memcpy(name, m->text[CRV].p, m->text[CRV].n);

	key->curve = curve_by_name(name);
	if (!key->curve)
		return -EOPNOTSUPP;

	size = key->curve->size;
	r = read_coordinate(m->text[X], size, key->x);
	if (r == 0)
		r = read_coordinate(m->text[Y], size, key->y);
	if (r == 0 && m->text[D].p) {
		r = read_coordinate(m->text[D], size, key->d);
		key->has_private = true;
	}
	return r < 0 ? r : check_ec(key);
}

static int read_oct(const struct members *m, struct jwk *key)
{
	if (!m->text[K].p)
		return -EBADMSG;
	if (m->text[K].n > b64_encoded_len(JWK_OCT_MAX))
		return -E2BIG;

	return b64_decode(m->text[K], &key->k);
}

static int read_members(const struct members *m, struct jwk *ret)
{
	CLEANUP(jwk_done) struct jwk key = {0};
	int r;

	if (!m->text[KTY].p)
		return -EBADMSG;

	if (ref_is(m->text[KTY], "EC"))
		r = read_ec(m, &key);
	else if (ref_is(m->text[KTY], "oct"))
		r = read_oct(m, &key);
	else
		return -EOPNOTSUPP;
	if (r < 0)
		return r;

	key.ops = member_ops(m);
	jwk_move(&key, ret);
	return 0;
}

static int json_key_ops(const json_t *array, struct members *m)
{
	const json_t *op;
	size_t i;

	if (!json_is_array(array))
		return -EBADMSG;

	m->has_key_ops = true;
	json_array_foreach(array, i, op) {
		if (!json_is_string(op))
			return -EBADMSG;
		m->key_ops |= op_bits(ref_str(json_string_value(op)));
	}
	return 0;
}

static int json_members(const json_t *json, struct members *m)
{
	const json_t *key_ops = json_object_get(json, "key_ops");

	for (int i = 0; i < N_MEMBERS; i++) {
		const json_t *value = json_object_get(json, member_names[i]);

		if (value && !json_is_string(value))
			return -EBADMSG;
		if (value && i != D)
			m->text[i] = ref_str(json_string_value(value));
	}
	return key_ops ? json_key_ops(key_ops, m) : 0;
}

int jwk_json_ops(const json_t *json, unsigned *ret)
{
	struct members m = {0};
	int r;

	r = json_members(json, &m);
	if (r < 0)
		return r;

	*ret = member_ops(&m);
	return 0;
}

int jwk_from_json(const json_t *json, struct jwk *ret)
{
	struct members m = {0};
	int r;

	r = json_members(json, &m);
	if (r < 0)
		return r;
	if (m.text[KTY].p && ref_is(m.text[KTY], "oct"))
		return -EOPNOTSUPP;

	return read_members(&m, ret);
}

static int scan_op(void *arg, struct ref name, struct ref value)
{
	struct members *m = arg;
	struct ref op;
	int r;

	(void)name;
	r = scan_string(value, &op);
	if (r == 0)
		m->key_ops |= op_bits(op);
	return r;
}

static int scan_member(void *arg, struct ref name, struct ref value)
{
	struct members *m = arg;

	if (ref_is(name, "key_ops")) {
		if (m->has_key_ops)
			return -EBADMSG;
		m->has_key_ops = true;
		return scan_array(value, scan_op, m);
	}
	for (int i = 0; i < N_MEMBERS; i++)
		if (ref_is(name, member_names[i]))
			return m->text[i].p ? -EBADMSG : scan_string(value, &m->text[i]);
	return 0;
}

int jwk_read(struct ref text, struct jwk *ret)
{
	struct members m = {0};
	int r;

	if (text.n > JWK_TEXT_MAX)
		return -E2BIG;

	r = scan_object(text, scan_member, &m);
	if (r < 0)
		return r;

	return read_members(&m, ret);
}

int jwk_read_oct(struct ref text, size_t n, struct buf *ret)
{
	CLEANUP(jwk_done) struct jwk key = {0};
	int r;

	r = jwk_read(text, &key);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || key.curve || key.k.n != n)
		return -EBADMSG;

	*ret = TAKE_STRUCT(key.k);
	return 0;
}
