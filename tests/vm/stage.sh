# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A stage with virtual machines: a small root on a LUKS2 volume, initramfs images as dracut makes them where
# cotter is installed, a network with DHCP, DNS and a Tang server, and TPMs. To be sourced after lib.sh.
#
# What takes long to make stays in $vm, in the build folder.

. "$(dirname "${BASH_SOURCE[0]}")/../debian13.sh"

for program in qemu-system-x86_64 dracut dnsmasq mke2fs swtpm; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done
for device in /dev/loop-control /dev/net/tun; do
	[ -e $device ] || skip_all "there is no $device here"
done

vm=$build/vm
mkdir -p "$vm"
vm_cpus=(-accel tcg,thread=multi -smp 2 -cpu qemu64)
vm_seconds=300 # that a boot may take: this machine may have more to do, and emulates the other
root_uuid=11111111-2222-3333-4444-555555555555
prompt='passphrase for disk'
reached='ROOT REACHED'

# --- what is booted ---

download() { # FOLDER PACKAGE…
	local get=(apt-get -qq -o APT::Sandbox::User=root)
	mkdir -p "$1.new"
	cd "$1.new"
	[ $# = 1 ] || "${get[@]}" download "${@:2}" ||
		{ "${get[@]}" update && "${get[@]}" download "${@:2}"; }
	mv "$1.new" "$1"
}

unpack_kernel() {
	rm -rf "$vm/kernel.new"
	dpkg-deb -x "$vm"/kernel-package/*.deb "$vm/kernel.new"
	depmod -b "$vm/kernel.new" "$(ls "$vm/kernel.new/lib/modules")"
	mv "$vm/kernel.new" "$vm/kernel"
}

# FOLDER as a file system in a LUKS2 volume, made without a block device: encrypted in place, in a file.
make_luks() { # FOLDER MEGABYTES UUID FILE
	rm -f "$4.new"
	mke2fs -q -t ext4 -b 4096 -O ^has_journal -d "$1" "$4.new" "$2M"
	truncate -s $(($2 + 32))M "$4.new"
	cryptsetup reencrypt --encrypt --type luks2 --batch-mode --uuid "$3" --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 --reduce-device-size 32M --key-file "$passphrase" "$4.new"
	mv "$4.new" "$4"
}

make_root() {
	local root=$vm/root.new
	rm -rf "$root"
	mkdir -p "$root"/{sbin,usr/lib,etc,proc,sys,dev,run,tmp}
	gcc -O2 -static -o "$root/sbin/init" "$src/tests/vm/init.c"
	echo 'ID=cotter-test' >"$root/etc/os-release"
	make_luks "$root" 16 "$root_uuid" "$vm/root.luks"
	rm -rf "$root"
}

kernel_package() {
	apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p'
}

make_kernel_and_root() {
	local resolved=()
	make_once "$vm/kernel-package" download "$vm/kernel-package" "$(kernel_package)"
	make_once "$vm/kernel" unpack_kernel
	[ -e /usr/lib/systemd/systemd-resolved ] || resolved=(systemd-resolved)
	make_once "$vm/packages" download "$vm/packages" "${resolved[@]}"
	make_once "$vm/root.luks" make_root
	kernel=$vm/kernel/boot/vmlinuz-$(ls "$vm/kernel/lib/modules")
}

# --- what images are made on ---

system=/          # a folder: this machine, or another release of Debian
debs=$vm/packages # what it has not got

# For the tests of what came with Debian 13, where this is an older one.
use_debian13() {
	[ "$(. /etc/os-release && echo "$VERSION_ID")" -lt 13 ] || return 0
	get_debian13
	system=$debian13 debs=$vm/no-packages
	mkdir -p "$debs"
}

# What images by initramfs-tools take besides.
get_initramfs_tools() {
	make_once "$vm/initramfs-tools" download "$vm/initramfs-tools" initramfs-tools initramfs-tools-core \
		klibc-utils libklibc cryptsetup-initramfs cryptsetup busybox
}

# A root volume that nothing but the passphrase opens yet. Sets $image.
make_volume() { # NAME
	image=$tmp/$1.luks
	cp --sparse=always "$vm/root.luks" "$image"
}

# All that an image is made of.
initrd_inputs() { # CRYPTTAB-LINE OPTION…
	local needs=("$image")
	[[ " $* " != *' --no-hostonly '* ]] || needs=(--all)
	cat "$build"/token/*.so "$build"/units/*/{cotter-needs,module-setup.sh,cotter} "$src"/tests/vm/{initrd.sh,*/*}
	cat "$src"/units/{*.path,*.service,*.socket,dracut/*.sh,initramfs-tools/local-*}
	cat "$build"/units/{*.service,cotter-generator,cotter-agent,cotter-key,cotter-pcr15}
	"$build/units/dracut/cotter-needs" "${needs[@]}"
	printf '%s\n' "$@"
	ls "$vm/kernel/lib/modules" "$2"
	dpkg-query --root="$system" -W dracut-core systemd
}

# The initramfs for the volume $image, made by PROGRAM where DEBS are installed too. Sets $initrd.
make_initrd() { # NAME PROGRAM DEBS CRYPTTAB-LINE OPTION…
	local crypttab=$tmp/$1.crypttab key
	echo "$4" >"$crypttab"
	key=$(initrd_inputs "${@:2}" | sha256sum | cut -c 1-16)
	initrd=$vm/$1-$key
	[ -e "$initrd" ] || find "$vm" -maxdepth 1 -type f -name "$1-*" ! -name "$1-$key*" -delete
	make_once "$initrd" unshare -m nice -n 5 "$src/tests/vm/initrd.sh" "$2" "$system" "$build" "$image" \
		"$crypttab" "$vm/kernel" "$3" "$initrd" "${@:5}"
}

# For $image alone.
make_dracut_initrd() { # NAME CRYPTTAB-LINE
	make_initrd "$1" dracut "$debs" "$2" --hostonly --no-hostonly-cmdline
}

# For any machine; what cotter does not bring is there for systemd's token.
make_generic_initrd() {
	make_initrd generic dracut "$debs" "root UUID=$root_uuid none" \
		--no-hostonly --add tpm2-tss --include /etc/crypttab /etc/crypttab
}

# Lays the files in FOLDER over those of $initrd. Sets $initrd.
overlay_initrd() { # FOLDER
	cp "$initrd" "$tmp/overlaid"
	truncate -s %512 "$tmp/overlaid"
	(cd "$1" && find . -mindepth 1 | cpio --quiet -o -H newc) >>"$tmp/overlaid"
	initrd=$tmp/overlaid
}

# --- what it meets ---

in_net=()

# A network for one machine, on the device tap0 of a namespace. Whoever is in it resolves names as that
# machine does.
start_network() {
	echo 'nameserver 10.77.0.1' >"$tmp/resolv.conf"
	start_server network unshare -n -m sh -c \
		"mount --bind '$tmp/resolv.conf' /etc/resolv.conf && echo up && exec sleep infinity"
	wait_until 60 grep -q up "$tmp/network.out"
	in_net=(nsenter "--net=/proc/${servers[network]}/ns/net" "--mount=/proc/${servers[network]}/ns/mnt")
	"${in_net[@]}" sh -e -c 'ip link set lo up
		ip tuntap add tap0 mode tap
		ip address add 10.77.0.1/24 dev tap0
		ip address add fd77::1/64 dev tap0 nodad
		ip link set tap0 up'
	start_server dnsmasq "${in_net[@]}" dnsmasq --keep-in-foreground --log-facility=- --conf-file=/dev/null \
		--no-resolv --no-hosts --interface=tap0 --bind-interfaces --dhcp-range=10.77.0.50,10.77.0.99 \
		--dhcp-range=fd77::,ra-stateless --enable-ra --dhcp-leasefile="$tmp/leases" --pid-file= \
		--host-record=tang.test,10.77.0.2
	wait_until 60 grep -q started "$tmp/dnsmasq.log"
}

# What finds the Tang server, or nobody.
net_tang_addresses() { # add|del
	"${in_net[@]}" ip address "$1" 10.77.0.2/24 dev tap0
	"${in_net[@]}" ip address "$1" fd77::2/64 dev tap0 nodad
}

# A Tang server at tang.test, 10.77.0.2 and fd77::2. Sets $tang_thumbprint.
start_net_tang() {
	mkdir -p "$tmp/tang"
	[ -n "$(ls "$tmp/tang")" ] || /usr/libexec/tangd-keygen "$tmp/tang"
	net_tang_addresses add
	start_server tang "${in_net[@]}" socat -d -d TCP6-LISTEN:7500,ipv6only=0,reuseaddr,fork \
		"EXEC:/usr/libexec/tangd $tmp/tang"
	wait_until 60 grep -qE 'listening on .*:[0-9]+$' "$tmp/tang.log"
	tang_thumbprint=$("${in_net[@]}" curl -sSf http://tang.test:7500/adv | jose fmt -j- -g payload -yo- |
		jose jwk use -i- -r -u verify -o- | jose jwk thp -i- | head -n 1)
}

# Binds $image to the server, by name where no URL is given.
bind_net_tang() { # [URL]
	"${in_net[@]}" "$cotter_enroll" --unlock-key-file="$passphrase" --tang="${1:-http://tang.test:7500}" \
		--tang-thumbprint="$tang_thumbprint" --quiet "$image"
}

# How many the server took part in since it was started.
recoveries() {
	grep -c 'POST /rec' "$tmp/tang.log"
}

# Nobody has its addresses any more.
stop_net_tang() {
	stop_server tang
	net_tang_addresses del
}

# For those that source tpm.sh too. The state that machines boot with is that of a TPM that was shut down.
machine_tpm() { # NAME
	use_tpm "$1"
	tpm2_shutdown --clear
	stop_server "$1"
	vm_tpm=$tmp/$1.state
}

# --- booting ---

# Boots $image with $initrd, types at the console as console.py says, and leaves what was shown in
# $tmp/console, the journal of the initramfs in $tmp/report, and the times in $tmp/out. With a network where
# it was started, a second disk where $vm_data is one, and the TPM whose state $vm_tpm is.
boot() { # [EXPECT SEND]…
	local options=("${vm_cpus[@]}" -m 1024 -M q35 -nodefaults -no-user-config -nographic -no-reboot
		-serial stdio -serial "file:$tmp/report"
		-kernel "$kernel" -initrd "$initrd"
		-object rng-random,id=random,filename=/dev/urandom -device virtio-rng-pci,rng=random
		-append "console=ttyS0 panic=-1 root=/dev/mapper/root rootfstype=ext4 ro rd.shell=0
			rd.emergency=poweroff systemd.show_status=true ${vm_append:-}")
	if [ -n "${image:-}" ]; then
		options+=(-drive "if=none,id=root,file=$image,format=raw,snapshot=on"
			-device virtio-blk-pci,drive=root)
	fi
	if [ ${#in_net[@]} -gt 0 ]; then
		options+=(-netdev tap,id=net,ifname=tap0,script=no,downscript=no
			-device virtio-net-pci,netdev=net,romfile=)
	fi
	if [ -n "${vm_data:-}" ]; then
		options+=(-drive "if=none,id=data,file=$vm_data,format=raw,snapshot=on"
			-device virtio-blk-pci,drive=data)
	fi
	if [ -n "${vm_tpm:-}" ]; then
		rm -rf "$tmp/vm-tpm"
		cp -r "$vm_tpm" "$tmp/vm-tpm"
		start_server vm-tpm swtpm socket --tpm2 --tpmstate "dir=$tmp/vm-tpm" \
			--ctrl "type=unixio,path=$tmp/vm-tpm.ctrl"
		wait_until 60 test -S "$tmp/vm-tpm.ctrl"
		options+=(-chardev "socket,id=tpm,path=$tmp/vm-tpm.ctrl"
			-tpmdev emulator,id=tpm0,chardev=tpm -device tpm-tis,tpmdev=tpm0)
	fi
	rm -f "$tmp/console" "$tmp/report"
	run nice -n 5 "$src/tests/vm/console.py" $vm_seconds "$tmp/console" "$prompt" "$@" -- \
		"${in_net[@]}" qemu-system-x86_64 "${options[@]}"
	# It may have ended with the machine.
	[ -z "${vm_tpm:-}" ] || stop_server vm-tpm 2>/dev/null || true
}

# Of the last boot.
show_boot() {
	cat "$tmp/out" "$tmp/err"
	tail -n 10 "$tmp/console"
	grep -aE 'cotter|crypt|network|esolve|tpm|ailed' "$tmp/report" | tail -n 60
}

# Whether all was shown that was expected, up to the real root.
assert_booted() {
	[ "$rc" = 0 ] && grep -q "$reached" "$tmp/out" || { show_boot; return 1; }
}

assert_not_shown() { # TEXT
	[ -s "$tmp/console" ] && ! grep -aqF "$1" "$tmp/console" || { show_boot; return 1; }
}

report_has_not() { # TEXT
	[ -s "$tmp/report" ] && ! grep -aF -e "$1" "$tmp/report"
}

report_has() { # TEXT
	grep -aqF -e "$1" "$tmp/report" || { show_boot; return 1; }
}

assert_no_unit_failed() {
	report_has 'end of report' && ! grep -a 'this unit failed' "$tmp/report" || { show_boot; return 1; }
}

# Whether units that PATTERN matches failed, and no other did.
assert_failed_only() { # PATTERN
	report_has 'end of report' && grep -aqE "this unit failed: ($1) " "$tmp/report" &&
		! grep -a 'this unit failed' "$tmp/report" | grep -avE ": ($1) " || { show_boot; return 1; }
}

# Whether from the first to the second of what was expected it took no longer.
assert_within() { # SECONDS FIRST SECOND
	/usr/bin/python3 -c 'import sys
times = dict(line.rstrip("\n").split(" ", 1)[::-1] for line in sys.stdin)
took = float(times[sys.argv[3]]) - float(times[sys.argv[2]])
print("it took %.1f s" % took)
sys.exit(took > float(sys.argv[1]))' "$@" <"$tmp/out" || { show_boot; return 1; }
}

# That the last boot reached the root with nobody asked, and all was well.
ok_unasked() { # NAME
	ok "$1" assert_booted
	ok "without a question" assert_not_shown "$prompt"
	ok "no unit failed" assert_no_unit_failed
}

# Whether PCR 15 is not as it was when the machine started.
assert_extended() {
	grep -aqE '^PCR 15: [0-9A-F]{64}' "$tmp/console" && ! grep -aqE '0{64}' "$tmp/console" || { show_boot; return 1; }
}

# How long the last boot took, for the log.
say_time() { # NAME
	echo "# $1: root reached after $(sed -n "s/ $reached.*//p" "$tmp/out") s"
}

image_has() { # PATTERN
	lsinitrd "$initrd" | awk '/^[-dlcbps]/ { print $9 }' >"$tmp/files"
	grep -E "$1" "$tmp/files"
}
