#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Boots a system of its own kind from the initramfs to the end: the root on a Tang server, and a volume of
# data, with a line in fstab, that the real root opens.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

data_uuid=22222222-3333-4444-5555-666666666666
root_line="root UUID=$root_uuid none token-type=cotter-tang,_netdev,x-initrd.attach"
data_line="data UUID=$data_uuid none token-type=cotter-tang,_netdev"

# What the initramfs is made of, with systemd, our agent and our generator, is a small system already: without
# what makes it an initramfs it serves as the real root.
make_real_root() { # FOLDER
	local units=$1/usr/lib/systemd/system
	mkdir "$1"
	chmod 755 "$1"
	(cd "$1" && zstd -dc "$initrd" | cpio --quiet -idm)
	rm -r "$1"/{etc/{initrd,os}-release,usr/lib/initrd-release,etc/cmdline.d,etc/systemd/system/initrd.target.wants}
	echo 'ID=cotter-test' >"$1/etc/os-release"
	mkdir -p "$1/data" "$1/etc/systemd/network"
	printf '%s\n' "$root_line" "$data_line" >"$1/etc/crypttab"
	echo '/dev/mapper/data /data ext4 _netdev 0 0' >"$1/etc/fstab"
	printf '[Match]\nType=ether\n[Network]\nDHCP=yes\n' >"$1/etc/systemd/network/ether.network"
	ln -sf multi-user.target "$units/default.target"
	ln -sf /usr/lib/systemd/system/multi-user.target "$1/etc/systemd/system/default.target"
	cat >"$units/reached.service" <<-END
		[Unit]
		After=remote-fs.target
		[Service]
		Type=oneshot
		ExecStart=/usr/bin/reached
	END
	cat >"$1/usr/bin/reached" <<-'END'
		#!/bin/sh
		while read -r device folder rest; do
			[ "$folder" != /data ] || echo "the real root has $device at $folder"
		done </proc/mounts >/dev/ttyS1
		systemctl list-units --failed --plain --no-legend --no-pager | while read -r unit rest; do
			echo "this unit failed: $unit $rest"
		done >/dev/ttyS1
		echo "its networkd is $(systemctl is-active systemd-networkd.service)" >/dev/ttyS1
		echo "end of the real root's report" >/dev/ttyS1
		echo "ROOT REACHED" >/dev/console
		sleep 1
		systemctl --force --force poweroff
	END
	chmod 755 "$1/usr/bin/reached"
	mkdir -p "$1/etc/systemd/system/multi-user.target.wants"
	for unit in reached.service remote-fs.target remote-cryptsetup.target systemd-networkd.service; do
		ln -sf "/usr/lib/systemd/system/$unit" "$1/etc/systemd/system/multi-user.target.wants/"
	done
}

assert_all_well() {
	assert_booted && assert_no_unit_failed && report_has "end of the real root's report"
}

# Whether the last line with each was written before that with the next. Before the real root's journal runs
# they are on the console.
reported_in_order() { # TEXT…
	local text line last=0
	sed -n 's/\r$//; s/^\[ *\([0-9.]*\)\] /\1 /p' "$tmp/console" "$tmp/report" | sort -n >"$tmp/lines"
	for text; do
		line=$(grep -aFn -e "$text" "$tmp/lines" | tail -n 1) || true
		[ "${line%%:*}" -gt $last ] || { echo "not so: $text"; show_boot; return 1; }
		last=${line%%:*}
	done
}

make_kernel_and_root
start_network
start_net_tang
make_volume small
bind_net_tang
make_dracut_initrd tang "$root_line"
make_real_root "$tmp/root"
image=$tmp/root.luks
make_luks "$tmp/root" 120 "$root_uuid" "$image"
bind_net_tang

# The address of the data's server is one that can be taken away from it alone.
"${in_net[@]}" ip address add 10.77.0.3/24 dev tap0
root_image=$image
image=$tmp/data.luks
mkdir "$tmp/data"
make_luks "$tmp/data" 16 "$data_uuid" "$image"
bind_net_tang http://10.77.0.3:7500
vm_data=$image
image=$root_image
vm_append=rw

before=$(recoveries)
boot "$reached" ''
ok "root and data are there, and no unit failed" assert_all_well
ok "without a question" assert_not_shown 'passphrase for disk'
ok "the data is mounted" report_has 'the real root has /dev/mapper/data at /data'
ok "its volume waited for the real root's network" reported_in_order 'Switching root' \
	'Reached target network-online.target' 'Starting systemd-cryptsetup@data.service'
ok "that network is not the initramfs's" report_has 'its networkd is active'
ok "with one recovery each" assert_equal "$(recoveries)" $((before + 2))
say_time "root and data"

# --- the server of the data comes late ---

come_late() {
	wait_until $vm_seconds grep -aqF "$prompt data" "$tmp/console"
	"${in_net[@]}" ip address add 10.77.0.3/24 dev tap0
}

"${in_net[@]}" ip address del 10.77.0.3/24 dev tap0
rm -f "$tmp/console"
before=$(recoveries)
come_late &
late=$!
boot "$prompt" '' "$reached" ''
kill $late 2>/dev/null || true
ok "where the data's server comes late, it is there too" assert_all_well
ok "root asked nothing" assert_not_shown "$prompt root"
ok "mounted" report_has 'the real root has /dev/mapper/data at /data'
ok "by the agent" report_has 'token 0 gave the passphrase'
ok "with one recovery each" assert_equal "$(recoveries)" $((before + 2))
say_time "root, and data later"
done_testing
