/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --crypttab: writes the line, and says it. */
#include "enroll/crypttab-step.h"

#include "enroll/crypttab-plan.h"
#include "enroll/key-socket.h"
#include "enroll/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int crypttab_step_check(struct luks *luks, const struct options *options, const struct marks *marks)
{
	CLEANUP(crypttab_plan_done) struct crypttab_plan plan = {0};

	return crypttab_plan_make("", luks, options, marks, &plan);
}

/* By what is installed here. */
static const char *initramfs_command(void)
{
	static const struct {
		const char *path, *command;
	} known[] = {
		{"/usr/sbin/update-initramfs", "update-initramfs -u"},
		{"/usr/bin/dracut", "dracut -f"},
		{"/usr/sbin/dracut", "dracut -f"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (access(known[i].path, X_OK) == 0)
			return known[i].command;
	return NULL;
}

static void say_next(const struct output *out, const struct crypttab_plan *plan)
{
	const char *command = initramfs_command();

	if (!plan->initramfs)
		output_say(out, "to have systemd read it, run: systemctl daemon-reload");
	else if (command)
		output_say(out, "%s is opened in the initramfs; to make that anew, run: %s",
			   plan->name, command);
	else
		output_say(out, "%s is opened in the initramfs, which must now be made anew",
			   plan->name);
}

static void say(const struct output *out, const struct crypttab_plan *plan, const char *socket)
{
	bool changed = crypttab_plan_changes(plan);

	if (!changed)
		output_say(out, "%s has the right line for %s already", plan->file.path,
			   plan->name);
	else
		output_say(out, "changed %s:", plan->file.path);
	if (changed && plan->old)
		output_say(out, "- %s", plan->old);
	if (changed)
		output_say(out, "+ %s", plan->line);
	if (socket)
		output_say(out, "enabled %s, which serves the key that systemd measures", socket);
	if (changed || socket)
		say_next(out, plan);
}

static int report(struct output *out, const struct crypttab_plan *plan, const char *socket)
{
	json_t *members = json_pack("{s:o, s:o, s:b, s:o*, s:o, s:b, s:s*}", "file",
				    output_bytes(plan->file.path), "name", output_bytes(plan->name),
				    "changed", crypttab_plan_changes(plan), "old",
				    output_bytes(plan->old), "line", output_bytes(plan->line),
				    "initramfs", plan->initramfs, "socket", socket);

	return json_object_set_new(out->json, "crypttab", members) < 0 ? -ENOMEM : 0;
}

static int write_plan(const struct crypttab_plan *plan, struct output *out)
{
	char *socket = NULL;
	int r = 0;

	if (crypttab_plan_changes(plan))
		r = crypttab_file_write(&plan->file, buf_ref(&plan->text), &out->log);
	if (r == 0 && plan->socket)
		r = key_socket_enable(plan->name, &out->log, &socket);
	if (r == 0) {
		say(out, plan, socket);
		r = report(out, plan, socket);
	}
	free(socket);
	return r;
}

int crypttab_step_do(struct luks *luks, const struct options *options, struct output *out)
{
	CLEANUP(crypttab_plan_done) struct crypttab_plan plan = {0};
	CLEANUP(inventory_done) struct inventory inventory = {0};
	struct marks marks;
	int r;

	r = inventory_read(luks, &inventory);
	if (r == 0)
		r = marks_of(&inventory, 0, &marks);
	if (r == 0 && marks.pins == 0)
		r = log_err(luks->log, -ENOKEY,
			    "no cotter token opens %s, so there is nothing to say of it in "
			    "crypttab; bind it first, or in the same run",
			    luks->name);
	if (r == 0)
		r = crypttab_plan_make("", luks, options, &marks, &plan);
	return r < 0 ? r : write_plan(&plan, out);
}

enum exit_code verb_crypttab(const struct options *options, struct output *out)
{
	CLEANUP(luks_freep) struct luks *luks = NULL;
	int r;

	r = luks_open(options->device, options->header, false, &out->log, &luks);
	if (r == 0)
		r = crypttab_step_do(luks, options, out);
	return r < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}
