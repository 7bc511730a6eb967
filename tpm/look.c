/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tool tells people about TPMs. */
#include "tpm/tpm2.h"

#include "tpm/bank.h"
#include "tpm/config.h"
#include "tpm/parent.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int tpm2_best_bank(const char *tcti, const char *pcrs, const struct log *log, const char **ret)
{
	CLEANUP(tss_closep) struct tss *tss = NULL;
	const struct hash_alg *bank;
	struct pcr_set set;
	int r;

	r = pcr_parse(pcrs, log, &set);
	if (r == 0)
		r = tss_open_now(tcti, log, &tss);
	if (r == 0)
		r = bank_best(tss, &set, &bank);
	if (r < 0)
		return r;

	*ret = bank->name;
	return 0;
}

int tpm2_first_bank(const char *tcti, const struct log *log, const char **ret)
{
	CLEANUP(tss_closep) struct tss *tss = NULL;
	const struct hash_alg *bank;
	int r;

	r = tss_open_now(tcti, log, &tss);
	if (r == 0)
		r = bank_first(tss, &bank);
	if (r < 0)
		return r;

	*ret = bank->name;
	return 0;
}

int tpm2_makes_parent(const json_t *cfg, const struct log *log, bool *ret)
{
	CLEANUP(config_done) struct config config = {0};
	CLEANUP(tss_closep) struct tss *tss = NULL;
	bool exists = true;
	int r;

	r = config_read(cfg, log, &config);
	if (r == 0 && config.sealed->parent == TPM_SRK) {
		r = tss_open_now(config.tcti, log, &tss);
		if (r == 0)
			r = parent_exists(tss, TPM_SRK, &exists);
	}
	if (r < 0)
		return r;

	*ret = !exists;
	return 0;
}

int tpm2_changed_pcrs(const json_t *hdr, const char *tcti, const struct log *log, json_t **ret)
{
	CLEANUP(sealed_freep) struct sealed *sealed = NULL;
	CLEANUP(tss_closep) struct tss *tss = NULL;
	CLEANUP_JSON json_t *list = json_array();
	struct pcr_set changed = {0};
	ESYS_TR parent;
	int r;

	if (!list)
		return -ENOMEM;
	r = sealed_read(hdr, log, &sealed);
	if (r == 0 && sealed->pcrs.n > 0) {
		r = tss_open_now(tcti, log, &tss);
		if (r == 0)
			r = parent_open(tss, sealed, &parent);
		if (r == 0)
			r = bank_changed(tss, &sealed->pcrs, &changed);
	}
	if (r < 0)
		return r;

	for (size_t i = 0; i < changed.n; i++) {
		char text[PCR_TEXT_MAX];

		pcr_describe(&changed.pcrs[i], text);
		if (json_array_append_new(list, json_string(text)) != 0)
			return -ENOMEM;
	}
	*ret = TAKE_PTR(list);
	return 0;
}

/* The last part of the path that a link in sysfs leads to, within `target`; "" where there is none. */
static const char *link_name(const char *path, char *target, size_t size)
{
	ssize_t n = readlink(path, target, size - 1);
	const char *slash;

	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	return slash ? slash + 1 : target;
}

static int add_device(const char *name, json_t *list)
{
	char path[300], device[300], target[512];

	(void)snprintf(device, sizeof(device), "/dev/%s", name);
	(void)snprintf(path, sizeof(path), "/sys/class/tpmrm/%s/device/driver", name);
	return json_array_append_new(list, json_pack("{s:s, s:s}", "device", device, "driver",
						     link_name(path, target, sizeof(target)))) == 0
		       ? 0
		       : -ENOMEM;
}

int tpm2_devices(json_t **ret)
{
	CLEANUP_JSON json_t *list = json_array();
	DIR *class = opendir("/sys/class/tpmrm");
	const struct dirent *entry;
	int r = list ? 0 : -ENOMEM;

	while (r == 0 && class && (entry = readdir(class)))
		if (entry->d_name[0] != '.')
			r = add_device(entry->d_name, list);
	if (class)
		(void)closedir(class);
	if (r < 0)
		return r;

	*ret = TAKE_PTR(list);
	return 0;
}
