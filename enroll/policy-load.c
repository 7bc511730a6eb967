/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads policies in whatever form and place they are. */
#include "enroll/policy-load.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static bool is_json(struct ref text)
{
	size_t i = 0;

	while (i < text.n && memchr(" \t\r\n", text.p[i], 4))
		i++;
	return i < text.n && text.p[i] == '{';
}

static int read_json(struct ref text, const struct log *log, const char **ret_pin,
		     json_t **ret_config)
{
	CLEANUP_JSON json_t *config = NULL;
	int r;

	r = js_load(text, &config);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return log_err(log, -EINVAL,
			       "the policy begins with { but is not JSON, names a member twice, or "
			       "is too long or too deep");
	r = tree_check(TREE_PIN, config, log);
	if (r < 0)
		return r;

	*ret_pin = TREE_PIN;
	*ret_config = TAKE_PTR(config);
	return 0;
}

static int read_text(struct ref text, const struct log *log, const char **ret_pin,
		     json_t **ret_config)
{
	return is_json(text) ? read_json(text, log, ret_pin, ret_config)
			     : policy_text_parse(text, log, ret_pin, ret_config);
}

/* Short reads happen on pipes. */
static int read_all(int fd, struct buf *text)
{
	int r = buf_read(text, fd);

	return r == 0 && text->n == text->cap ? -EFBIG : r;
}

static int read_file(const char *name, const struct log *log, struct buf *ret)
{
	CLEANUP(close_fd) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	CLEANUP(buf_done) struct buf text = {0};
	int r;

	r = buf_init(&text, POLICY_TEXT_MAX + 1);
	if (r < 0)
		return r;
	r = fd < 0 ? -errno : read_all(fd, &text);
	if (r < 0)
		return log_err(log, -EINVAL, "the policy file %.200s cannot be read: %s", name,
			       strerror(-r));

	*ret = TAKE_STRUCT(text);
	return 0;
}

static int complete(void *arg, const struct pin_options *of, json_t *config)
{
	return of->complete(config, arg);
}

int policy_load(const char *value, const struct log *log, const char **ret_pin, json_t **ret_config)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP_JSON json_t *config = NULL;
	const char *pin;
	struct stat st;
	int r;

	if (!is_json(ref_str(value)) && stat(value, &st) == 0 && !S_ISDIR(st.st_mode)) {
		r = read_file(value, log, &text);
		if (r < 0)
			return r;
	}

	r = read_text(text.p ? buf_ref(&text) : ref_str(value), log, &pin, &config);
	if (r == 0)
		r = tree_each(pin, config, complete, (void *)(uintptr_t)log);
	if (r < 0)
		return r;

	*ret_pin = pin;
	*ret_config = TAKE_PTR(config);
	return 0;
}
