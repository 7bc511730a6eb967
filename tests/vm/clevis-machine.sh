#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What clevis.sh has a machine do in place of its init: volumes are opened for real by the drop-in's commands. What
# each command gives is told as "NAME: LINE" and "NAME: status N".
export PATH=/usr/bin:/usr/sbin LC_ALL=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
exec >/dev/ttyS1 2>&1 </dev/null
while read -r module; do
	insmod "/modules/$module"
done </modules/order
ip link set lo up
cotter-tangd --listen=127.0.0.1:7500 /tang &
until curl -sf -o /dev/null http://127.0.0.1:7500/adv; do sleep 0.1; done

say() { # NAME CMD…
	local name=$1 status
	shift
	"$@" >/run/said 2>&1
	status=$?
	sed "s/^/$name: /" /run/said
	echo "$name: status $status"
}

# What its data begin with, and whether they are for reading alone.
opened() { # NAME
	head -n 1 "/dev/mapper/$1" && blockdev --getro "/dev/mapper/$1"
}

say luks2 clevis luks unlock -d /dev/vda -n two
say luks2-data opened two
say again clevis luks unlock -d /dev/vda -n two
say luks2-close cryptsetup close two
say unnamed clevis-luks-unlock -d /dev/vda
say unnamed-close cryptsetup close "luks-$(cryptsetup luksUUID /dev/vda)"
say readonly clevis luks unlock -d /dev/vda -n two -o --readonly
say readonly-data opened two
say readonly-close cryptsetup close two
say luks1 clevis luks unlock -d /dev/vdb -n one
echo 'the data of LUKS1' >/dev/mapper/one
say luks1-in-use cotter-enroll --to-luks2 /dev/vdb
say luks1-close cryptsetup close one
say luks1-again clevis luks unlock -d /dev/vdb -n one
say luks1-data opened one
cryptsetup close one
kill %1
wait
say dead clevis luks unlock -d /dev/vda -n two
say left ls /dev/mapper

echo 'ALL SAID' >/dev/console
echo o >/proc/sysrq-trigger
sleep 60
