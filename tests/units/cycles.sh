#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the generator writes makes no ordering cycle, together with the units of systemd's
# generators, whoever brings the network up. Such a cycle would make systemd drop parts of the boot.
. "$(dirname "$0")/generated.sh"

fstab_generator=$systemd_generators/systemd-fstab-generator
# The provider of the network, a folder of units in $tmp.
provider=

unit() { # PATH-IN-$provider LINE…
	local path=$tmp/$provider/$1
	shift
	mkdir -p "${path%/*}"
	printf '%s\n' "$@" >"$path"
}

wanted_by() { # TARGET UNIT
	local path=$tmp/$provider/$2
	[ -e "$path" ] || path=/usr/lib/systemd/system/$2
	mkdir -p "$tmp/$provider/$1.wants"
	ln -s "$(realpath -e "$path")" "$tmp/$provider/$1.wants/$2"
}

service=('[Service]' Type=oneshot RemainAfterExit=yes ExecStart=/bin/true)

provider=networkd
wanted_by multi-user.target systemd-networkd.service
wanted_by network-online.target systemd-networkd-wait-online.service
wanted_by multi-user.target remote-cryptsetup.target

# As Debian's packages have it, with the default dependencies of a service: after sysinit.target.
provider=NetworkManager
unit NetworkManager.service '[Unit]' Wants=network.target 'After=network-pre.target dbus.service' \
	Before=network.target "${service[@]}"
unit NetworkManager-wait-online.service '[Unit]' Requires=NetworkManager.service \
	After=NetworkManager.service Before=network-online.target "${service[@]}"
wanted_by multi-user.target NetworkManager.service
wanted_by network-online.target NetworkManager-wait-online.service
wanted_by multi-user.target remote-cryptsetup.target

# Debian's default: early, but after local file systems.
provider=ifupdown
unit networking.service '[Unit]' DefaultDependencies=no Wants=network.target \
	'After=local-fs.target network-pre.target systemd-sysctl.service' \
	'Before=network.target shutdown.target network-online.target' Conflicts=shutdown.target \
	"${service[@]}"
wanted_by multi-user.target networking.service
wanted_by network-online.target networking.service
wanted_by multi-user.target remote-cryptsetup.target

# In the initramfs: dracut's queue, which remote volumes wait for, and either program.
for provider in initrd-networkd initrd-NetworkManager; do
	unit queue.service '[Unit]' DefaultDependencies=no Wants=remote-fs-pre.target \
		Before=remote-fs-pre.target After=systemd-udev-trigger.service "${service[@]}"
	wanted_by initrd.target queue.service
done
provider=initrd-networkd
wanted_by sysinit.target systemd-networkd.service
wanted_by network-online.target systemd-networkd-wait-online.service
provider=initrd-NetworkManager
unit nm.service '[Unit]' DefaultDependencies=no 'Wants=network.target' \
	'After=systemd-udev-trigger.service network-pre.target' Before=network.target "${service[@]}"
unit nm-wait-online.service '[Unit]' DefaultDependencies=no Requires=nm.service After=nm.service \
	'Before=network-online.target queue.service' "${service[@]}"
wanted_by initrd.target nm.service
wanted_by network-online.target nm-wait-online.service
# And one that is wrong, which waits for volumes itself.
provider=initrd-late
unit late.service '[Unit]' DefaultDependencies=no After=cryptsetup.target \
	Before=network-online.target "${service[@]}"
wanted_by network-online.target late.service

# Drop-ins like ours for more volumes: these names, or all volumes by an empty one.
drop_in=()
add_drop_in() { # NAME
	mkdir -p "$out/normal/systemd-cryptsetup@$1.service.d"
	printf '[Unit]\n%s\n%s\n' Wants=network-online.target After=network-online.target \
		>"$out/normal/systemd-cryptsetup@$1.service.d/test.conf"
}

# What systemd says of the boot to TARGET with all that was generated; nothing where all is well.
verify() { # TARGET
	local name
	generate
	[ "$rc" = 0 ] || { show_run; return 1; }
	run_generator $fstab_generator >"$tmp/fstab.log" 2>&1
	for name in "${drop_in[@]}"; do
		add_drop_in "$name"
	done
	SYSTEMD_UNIT_PATH=$out/early:$tmp/$provider:$out/normal:/usr/lib/systemd/system:$out/late \
		systemd-analyze verify --man=no --generators=no "$1" >"$tmp/verified" 2>&1
	cat "$tmp/verified"
}

no_cycle() { # TARGET
	verify "$1" && not grep -qE 'cycle|deleted|50-cotter' "$tmp/verified"
}

cycle() { # TARGET
	verify "$1" && grep -q 'Found ordering cycle' "$tmp/verified"
}

# --- the real root ---

real_root() {
	initrd=0
	cat >"$crypttab" <<-END
	local /dev/vdb none token-type=cotter-tpm2
	lo-cal /dev/vdc none token-type=cotter-tpm2,nofail
	passphrase /dev/vdd none luks
	swap /dev/vde /dev/urandom swap
	net /dev/vdf none token-type=cotter-tang,_netdev
	net-nofail /dev/vdg none token-type=cotter-tang,_netdev,nofail
	net-noauto /dev/vdh none token-type=cotter-tang,_netdev,noauto
	sss /dev/vdi none token-type=cotter-sss,_netdev,header=/header:LABEL=usb
	nomount /dev/vdj none token-type=cotter-tang,_netdev
	unmarked /dev/vdk none token-type=cotter-tang
	kept /dev/vdl none token-type=cotter-tang,_netdev,x-initrd.attach
	END
	cat >"$fstab" <<-END
	/dev/vda1 / ext4 defaults 0 1
	/dev/mapper/kept /kept ext4 defaults 0 2
	/dev/mapper/local /local ext4 defaults 0 2
	/dev/mapper/lo-cal /lo-cal ext4 nofail 0 2
	/dev/mapper/unmarked /unmarked ext4 defaults 0 2
	/dev/mapper/net /net ext4 _netdev 0 2
	/dev/mapper/net-nofail /net-nofail ext4 _netdev,nofail 0 2
	/dev/mapper/net-noauto /net-noauto ext4 noauto 0 2
	/dev/mapper/sss /sss ext4 nofail,x-systemd.automount 0 2
	END
}

real_root
for provider in networkd NetworkManager ifupdown; do
	ok "$provider: no cycle" no_cycle default.target
	ok "$provider: of eleven volumes five wait for the network" \
		assert_equal "$(ordered_units | wc -l)" 5
done

# That the checks above would see one: with every volume behind the network, with a local one, with
# one that the initramfs has opened, and with one that is not marked.
for provider in NetworkManager ifupdown; do
	drop_in=('')
	ok "$provider: one drop-in for all volumes would be a cycle" cycle default.target
	drop_in=(local)
	ok "$provider: so would one for a local volume" cycle default.target
	drop_in=(kept)
	ok "$provider: so would one for a volume of the initramfs" cycle default.target
	drop_in=(unmarked)
	ok "$provider: so would one without _netdev" cycle default.target
	drop_in=()
done

provider=NetworkManager
printf 'a-b /dev/vdb none token-type=cotter-tang,_netdev\n' >"$crypttab"
printf '/dev/mapper/a-b /a ext4 defaults 0 2\n' >"$fstab"
ok "fstab without _netdev: no cycle" no_cycle default.target
ok "and it is told of" assert_error_has \
	"fstab has swap on /dev/mapper/a-b or mounts it without _netdev"
fstab_for[$generator]=/dev/null
ok "without that care there would be one, by the very file that is written" cycle default.target
fstab_for=()

# --- the initramfs ---

initrd=1
: >"$fstab"
cmdline="root=/dev/mapper/root rd.neednet=1"
for provider in initrd-networkd initrd-NetworkManager; do
	for options in token-type=cotter-tang token-type=cotter-tang,_netdev \
		token-type=cotter-sss,_netdev,x-initrd.attach token-type=cotter-tang,nofail; do
		cat >"$crypttab" <<-END
		root /dev/vdb none $options
		local /dev/vdc none token-type=cotter-tpm2,x-initrd.attach
		END
		ok "$provider: $options: no cycle" no_cycle initrd.target
		ok "and it waits for the network" assert_equal "$(ordered_units)" \
			systemd-cryptsetup@root.service
	done
done

provider=initrd-late
echo 'root /dev/vdb none token-type=cotter-tang' >"$crypttab"
ok "a network that waits for volumes would be a cycle there" cycle initrd.target
done_testing
