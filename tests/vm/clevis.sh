#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# clevis luks unlock, as the drop-in has it, on a machine with device-mapper: LUKS2 and LUKS1 volumes are opened
# under their names, and read what was written to them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"

clevis=$build/enroll/clevis/bin

# Binds $image by the drop-in to the server that will be there.
bind_image() {
	PATH=$clevis:$PATH clevis luks bind -f -y -k "$passphrase" -d "$image" tang \
		"{\"url\":\"http://127.0.0.1:7500\",\"adv\":\"$tmp/adv\"}"
}

# Without device-mapper it can be encrypted in place. Sets $image.
make_luks2() {
	image=$tmp/luks2
	echo 'the data of LUKS2' >"$image"
	truncate -s 20M "$image"
	cryptsetup reencrypt --encrypt --type luks2 --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		--reduce-device-size 16M --key-file "$passphrase" "$image"
	bind_image
}

make_luks1() {
	image=$tmp/luks1
	truncate -s 4M "$image"
	cryptsetup luksFormat --type luks1 --batch-mode --pbkdf-force-iterations 1000 --key-file "$passphrase" "$image"
	bind_image
}

# The files of the kernel's MODULEs, what each needs before it.
modules() { # MODULE…
	local module
	for module; do
		modprobe -d "$vm/kernel" -S "$(ls "$vm/kernel/lib/modules")" --show-depends "$module"
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++'
}

# A machine that does what clevis-machine.sh says, and no more. Sets $initrd.
make_machine() {
	local root=$tmp/machine module program
	mkdir -p "$root"/{dev,proc,run,sys,tmp,modules,usr/bin,usr/sbin,usr/lib,usr/lib64}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$root"
	/usr/lib/dracut/dracut-install -D "$root" -l -a /usr/bin/{bash,cat,curl,head,ls,mount,sed,sleep} \
		/usr/sbin/{blockdev,cryptsetup,insmod,ip}
	for program in enroll/clevis/cotter-clevis enroll/cotter-enroll tang/server/cotter-tangd; do
		/usr/lib/dracut/dracut-install -D "$root" -l "$build/$program" "/usr/bin/${program##*/}"
	done
	ln -s cotter-clevis "$root/usr/bin/clevis"
	ln -s cotter-clevis "$root/usr/bin/clevis-luks-unlock"
	modules virtio_pci virtio_blk dm-crypt xts aes sha256 >"$tmp/modules"
	while read -r module; do
		cp "$module" "$root/modules"
		echo "${module##*/}"
	done <"$tmp/modules" >"$root/modules/order"
	cp -r "$tmp/tang" "$root"
	install -m 755 "$src/tests/vm/clevis-machine.sh" "$root/init"
	initrd=$tmp/machine.cpio
	(cd "$root" && find . | cpio --quiet -o -H newc | zstd -1 -q -T0) >"$initrd"
}

make_kernel_and_root
start_tangd
curl -sSf -o "$tmp/adv" "$tang_url/adv"
stop_tangd
make_luks1
vm_data=$image
make_luks2
make_machine
boot 'ALL SAID' ''
tr -d '\r' <"$tmp/report" >"$tmp/said"
[ -z "${SAID:-}" ] || cp "$tmp/said" "$SAID"
ok "a machine runs it to its end" assert_rc 0

# What the command NAME gave, with its status at last.
told() { # NAME LINE…
	assert_equal "$(sed -n "s/^$1: //p" "$tmp/said")" "$(printf '%s\n' "${@:2}")"
}

told_of() { # NAME STATUS TEXT
	grep -F "$1: status $2" "$tmp/said" && grep -F -e "$3" <(sed -n "s/^$1: //p" "$tmp/said") || { cat "$tmp/said"; return 1; }
}

ok "a LUKS2 volume is opened" told luks2 "status 0"
ok "and has its data" told luks2-data "the data of LUKS2" 0 "status 0"
ok "one that is open is not opened twice" told_of again 5 two
ok "it can be closed" told luks2-close "status 0"
ok "without a name it has that of its UUID" told unnamed "status 0"
ok "by which it is closed" told unnamed-close "status 0"
ok "cryptsetup's options are taken" told readonly "status 0"
ok "and what they say is so" told readonly-data "the data of LUKS2" 1 "status 0"
ok "this too can be closed" told readonly-close "status 0"
ok "a LUKS1 volume is opened" told luks1 "status 0"
ok "while it is, it is not converted" told_of luks1-in-use 1 "in use"
ok "it can be closed" told luks1-close "status 0"
ok "and opened again" told luks1-again "status 0"
ok "what was written is there" told luks1-data "the data of LUKS1" 0 "status 0"
ok "without the server none is" told_of dead 1 "refused"
ok "and nothing stays behind" told left control "status 0"
done_testing
