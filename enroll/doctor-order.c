/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What crypttab, fstab, the kernel command line and units make of a volume at boot. */
#include "enroll/doctor.h"

#include "enroll/key-socket.h"
#include "units/order.h"
#include "units/unit-name.h"

#include <stdio.h>

static const struct finding_kind key_file = {
	"key-file", FINDING_ERROR, "put \"none\" in its place, in the third field of the line"};
static const struct finding_kind switched_off = {"cmdline", FINDING_ERROR,
						 "take the word from the kernel command line"};
static const struct finding_kind no_netdev = {
	"netdev", FINDING_ERROR,
	"add _netdev to the options, or have cotter-enroll --crypttab write the line"};
static const struct finding_kind local_user = {"order", FINDING_ERROR,
					       "add _netdev to the line of fstab, or nofail"};
static const struct finding_kind no_type = {
	"token-type", FINDING_WARNING,
	"have cotter-enroll --crypttab write the line, which says token-type="};
static const struct finding_kind no_target = {"remote-target", FINDING_ERROR,
					      "systemctl enable remote-cryptsetup.target"};
static const struct finding_kind no_online = {
	"network-online", FINDING_WARNING,
	"enable the waiting service of your network, as systemd-networkd-wait-online.service"};
static const struct finding_kind no_agent = {"agent", FINDING_WARNING,
					     "systemctl enable cotter-agent.path"};
static const struct finding_kind no_socket = {"key-socket", FINDING_ERROR,
					      "have cotter-enroll --crypttab enable it"};

static int look_at_cmdline(const struct machine *machine, const struct patient *patient,
			   struct findings *findings)
{
	CLEANUP(cmdline_done) struct cmdline cmdline = {0};
	int r = cmdline_parse(buf_ref(&machine->cmdline), patient->early, NULL, &cmdline);

	if (r < 0)
		return r;
	if (cmdline.disabled)
		finding_add(findings, &switched_off,
			    "luks=no on the kernel command line keeps all volumes closed");
	else if (cmdline.no_crypttab)
		finding_add(findings, &switched_off,
			    "luks.crypttab=no on the kernel command line has crypttab ignored");
	return 0;
}

/* Whether fstab mentions the open volume, so that its device is waited for. */
static bool is_mounted(const struct machine *machine, const char *name)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	return strstr((const char *)machine->fstab.p, path) != NULL;
}

static int look_at_network(const struct machine *machine, const struct patient *patient,
			   struct findings *findings)
{
	struct listed_volume listed = {
		.name = (char *)(uintptr_t)patient->name,
		.key = patient->entry->key,
		.options = patient->entry->options,
	};
	bool netdev = crypttab_option(listed.options, "_netdev", NULL);
	enum order order;
	int r = order_of(&listed, false, buf_ref(&machine->fstab), &order);

	if (r < 0)
		return r;
	if (order == ORDER_NO_NETDEV || (!netdev && !patient->marks.local &&
					 !crypttab_switch(listed.options, "noauto", "auto")))
		finding_add(findings, &no_netdev,
			    "no token opens it without the network, and its line of crypttab does "
			    "not say _netdev, so that it is tried before there is one");
	if (order == ORDER_LOCAL_USER)
		finding_add(findings, &local_user,
			    "fstab mounts it, or swaps on it, among the local file systems, which "
			    "the network itself waits for");
	if (netdev && !order_is_ours(&listed))
		finding_add(findings, &no_type,
			    "its line of crypttab says _netdev, but no token-type=, so that it "
			    "does not wait for the network to be online");
	if (netdev && !is_mounted(machine, patient->name) &&
	    !machine_wants(machine, "*", "remote-cryptsetup.target"))
		finding_add(findings, &no_target,
			    "its line of crypttab says _netdev, and remote-cryptsetup.target, "
			    "which such volumes belong to, is not enabled");
	if (order == ORDER_NETWORK && !machine_wants(machine, "network-online.target", "*"))
		finding_add(findings, &no_online,
			    "it waits for network-online.target, which waits for nothing");
	return 0;
}

static void look_at_units(const struct machine *machine, const struct patient *patient,
			  struct findings *findings)
{
	CLEANUP(free_text) char *unit = NULL;

	if (!machine_wants(machine, "*", "cotter-agent.path"))
		finding_add(findings, &no_agent,
			    "cotter-agent.path is not enabled, so that a server or TPM that is "
			    "late is not waited for beside the prompt");
	if (key_socket_wanted(patient->entry->options) &&
	    unit_name_of("cotter-key@", patient->name, ".socket", &unit) == 0 &&
	    !machine_wants(machine, "*", unit))
		finding_add(findings, &no_socket,
			    "systemd measures the key, so that no token is tried, and %s, which "
			    "would give it, is not enabled",
			    unit);
}

int doctor_order(const struct machine *machine, const struct patient *patient,
		 struct findings *findings)
{
	const struct crypttab_entry *entry = patient->entry;
	int r;

	if (!crypttab_none(entry->key))
		finding_add(findings, &key_file,
			    "crypttab names the key file %.*s, so that no token is tried",
			    (int)entry->key.n, (const char *)entry->key.p);
	r = look_at_cmdline(machine, patient, findings);
	if (r < 0 || patient->early)
		return r;
	look_at_units(machine, patient, findings);
	return look_at_network(machine, patient, findings);
}
