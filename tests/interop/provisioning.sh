#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The recipes of cotter-provisioning(7), taken from the page, on machines that are folders: a root of their own with
# image files for disks, in which nothing has a terminal. What formats a recipe has is checked by the programs
# that read them where Debian has those, which are unpacked and not installed.
. "$(dirname "$0")/../lib.sh"

page=$src/man/cotter-provisioning.7
recipes() {
	/usr/bin/python3 "$src/tests/recipes.py" "$@"
}

# The recipe in the file $tmp/NAME.recipe, for our server.
tested=()
take() { # NAME
	recipes page "$page" "$1" |
		sed "s|http://tang\.example|$tang_url|g; s|THUMBPRINT|$tang_thumbprint|g" >"$tmp/$1.recipe"
	tested+=("$1")
}

# --- machines ---

devices=(null zero full random urandom)

# The folder of a root. Programs in .local/bin come before those of the system.
make_root() { # FOLDER
	mkdir -p "$1"/{dev/disk/by-uuid,dev/shm,etc,mnt,proc,root,run,sys,tmp,usr,var/lib} "$1"/.local/{bin,sbin}
	chmod 1777 "$1/tmp"
	ln -s /proc/self/fd "$1/dev/fd"
	find / -maxdepth 1 -name bin -o -maxdepth 1 -name sbin -o -maxdepth 1 -name 'lib*' |
		xargs -I {} cp -a {} "$1"
	cp -a /etc/{alternatives,group,ld.so.cache,nsswitch.conf,passwd} "$1/etc"
}

# One in which cotter is installed. Sets $machine.
make_machine() { # NAME
	machine=$tmp/$1
	make_root "$machine"
	cp "$cotter_enroll" "$machine/.local/bin"
}

# A program that does nothing but be remembered in $tmp/calls.
pretend() { # ROOT NAME…
	local name
	for name in "${@:2}"; do
		printf '#!/bin/sh\necho "%s${*:+ $*}" >>%q\n' "$name" "$tmp/calls" >"$1/.local/bin/$name"
		chmod +x "$1/.local/bin/$name"
	done
}

# Runs a program on a machine, and on the system that it installs in FOLDER, if any. All arguments and environments
# of what runs there are kept in $tmp/trace.
on_machine() { # [--target=FOLDER] CMD…
	local target=
	case $1 in --target=*) target=${1#*=}; shift ;; esac
	unshare -m bash -eu -c '
		machine=$1 target=$2 tmp=$3 devices=$4
		shift 4
		furnish() {
			mount --rbind /usr "$1/usr"
			mount --bind "$1/.local" "$1/usr/local"
			mount --rbind /proc "$1/proc"
			mount --rbind /sys "$1/sys"
			mkdir -p "$1$tmp"
			mount --bind "$tmp" "$1$tmp"
		}
		for device in $devices; do
			: >"$machine/dev/$device"
			mount --bind "/dev/$device" "$machine/dev/$device"
		done
		if [ -n "$target" ]; then
			furnish "$machine$target"
			mount --rbind "$machine/dev" "$machine$target/dev"
		fi
		furnish "$machine"
		exec "$@"' on_machine "$machine" "$target" "$tmp" "${devices[*]}" \
		setsid -w strace -f --seccomp-bpf -qq -v -s 16384 -e trace=execve -o "$tmp/trace" \
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		${COTTER_TPM2_TCTI:+COTTER_TPM2_TCTI="$COTTER_TPM2_TCTI"} \
		chroot "$machine" "$@" </dev/null
}

# A volume of the machine, made by a key as installers do. Sets $disk and $uuid.
make_disk() { # NAME KEY-FILE
	disk=$machine/dev/$1
	truncate -s 20M "$disk"
	cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		--key-file "$2" "$disk"
	uuid=$(cryptsetup luksUUID "$disk")
	ln -s "../../$1" "$machine/dev/disk/by-uuid/$uuid"
}

opens_by_key() { # IMAGE KEY-FILE
	cryptsetup open --test-passphrase --disable-external-tokens --key-file "$2" "$1"
}

has_lines() { # FILE LINE…
	printf '%s\n' "${@:2}" | diff - "$1"
}

called() { # LINE…
	has_lines "$tmp/calls" "$@"
}

# Nothing was run with this secret in its arguments or environment.
never_told() { # KEY-FILE
	[ -s "$1" ] && [ -s "$tmp/trace" ] && ! grep -qFf "$1" "$tmp/trace"
}

root_alone_reads() { # FILE…
	local file
	for file; do
		assert_equal "$(stat -c '%u %a' "$file")" "0 600"
	done
}

# Files of Debian's package, unpacked in $tmp/PACKAGE; fails where it cannot be had.
unpack() { # PACKAGE
	mkdir -p "$tmp/$1" && (cd "$tmp/$1" && apt-get -qq download "$1" && dpkg -x "$1"_*.deb .) >/dev/null 2>&1
}

network=token-type=cotter-tang,_netdev
start_tangd

# --- Kickstart ---

take kickstart
make_machine installer
target=$machine/mnt/sysroot
make_root "$target"
mv "$machine/.local/bin/cotter-enroll" "$target/.local/bin"
pretend "$target" dracut
recipes section "$tmp/kickstart.recipe" %pre >"$machine/pre"
recipes section "$tmp/kickstart.recipe" %post >"$machine/post"

run on_machine bash /pre
ok "Kickstart: %pre runs" assert_rc 0
ok "Kickstart: what it made is for root alone" root_alone_reads "$machine/run/installer.key" "$machine/run/autopart.ks"
recipes autopart "$machine/run/autopart.ks" | tr -d '\n' >"$tmp/kickstart.key"
ok "Kickstart: the passphrase is in what is included" eval 'cmp "$tmp/kickstart.key" "$machine/run/installer.key" &&
	assert_equal "$(recipes includes "$tmp/kickstart.recipe")" "%include /run/autopart.ks"'
ok "Kickstart: it is in no argument" never_told "$tmp/kickstart.key"

make_disk vda3 "$tmp/kickstart.key"
echo "luks-$uuid UUID=$uuid none discard,x-initrd.attach" >"$target/etc/crypttab"
stop_tangd
cp "$disk" "$tmp/before"
run on_machine --target=/mnt/sysroot bash /post
ok "Kickstart: without the server the installation fails, and says so" eval \
	'assert_rc 1 && assert_error_has "connection refused" && assert_same_file "$disk" "$tmp/before"'
start_tangd tang "$tang_port"
run on_machine --target=/mnt/sysroot bash /post
ok "Kickstart: %post runs" assert_rc 0
ok "Kickstart: the volume opens by its token" opens_by_token "$disk"
ok "Kickstart: the installer's passphrase opens nothing" not opens_by_key "$disk" "$tmp/kickstart.key"
ok "Kickstart: it is in no argument" never_told "$tmp/kickstart.key"
ok "Kickstart: crypttab has the line" has_lines "$target/etc/crypttab" \
	"luks-$uuid UUID=$uuid none discard,x-initrd.attach,$network"
ok "Kickstart: the initramfs is made" called "dracut --force --regenerate-all"
ok "Kickstart: nothing is left in the installer" assert_equal "$(ls "$machine/run")" ""

# --- preseed ---

take preseed
make_machine debian
target=$machine/target
make_root "$target"
mv "$machine/.local/bin/cotter-enroll" "$target/.local/bin"
ok "preseed: debconf reads it" debconf-set-selections --checkonly "$tmp/preseed.recipe"
recipes preseed "$tmp/preseed.recipe" partman/early_command >"$machine/early"
recipes preseed "$tmp/preseed.recipe" preseed/late_command >"$machine/late"
cat >"$machine/.local/bin/debconf-set-selections" <<-'END'
	#!/bin/sh
	cat "$1" >/answers
	stat -c '%u %a' "$1" >/answers.mode
END
chmod +x "$machine/.local/bin/debconf-set-selections"
rm -f "$tmp/calls"
pretend "$machine" in-target

run on_machine sh /early
ok "preseed: early_command runs" assert_rc 0
ok "preseed: debconf reads its answers" eval 'assert_equal "$(cat "$machine/answers.mode")" "0 600" &&
	debconf-set-selections --checkonly "$machine/answers"'
for question in passphrase passphrase-again; do
	recipes preseed "$machine/answers" partman-crypto/$question | tr -d '\n' >"$tmp/preseed.key"
	ok "preseed: they hold the $question" cmp "$tmp/preseed.key" "$machine/run/installer.key"
done
ok "preseed: of 43 characters" assert_equal "$(stat -c %s "$tmp/preseed.key")" 43
ok "preseed: which are in no argument" never_told "$tmp/preseed.key"
ok "preseed: the key is for root alone" root_alone_reads "$machine/run/installer.key"

make_disk vda5 "$tmp/preseed.key"
echo "vda5_crypt UUID=$uuid none luks,discard,x-initrd.attach" >"$target/etc/crypttab"
run on_machine --target=/target sh /late
ok "preseed: late_command runs" assert_rc 0
ok "preseed: the volume opens by its token" opens_by_token "$disk"
ok "preseed: the installer's passphrase opens nothing" not opens_by_key "$disk" "$tmp/preseed.key"
ok "preseed: it is in no argument" never_told "$tmp/preseed.key"
ok "preseed: crypttab has the line" has_lines "$target/etc/crypttab" \
	"vda5_crypt UUID=$uuid none luks,discard,x-initrd.attach,$network"
ok "preseed: the initramfs is made" called "in-target update-initramfs -u -k all"
ok "preseed: nothing is left in the installer" assert_equal "$(ls "$machine/run")" ""

# --- Ignition ---

# The unit of a recipe is one that systemd takes.
verify() { # UNIT-NAME
	on_machine systemd-analyze verify --man=no "/etc/systemd/system/$1" 2>&1 | tee "$tmp/verified"
	[ ! -s "$tmp/verified" ]
}

# Its first commands run, where its condition holds.
start_unit() { # UNIT-NAME [N]
	on_machine /usr/bin/python3 /recipes.py run "/etc/systemd/system/$1" "${@:2}"
}

install_unit() { # NAME
	mkdir -p "$machine/etc/systemd/system"
	cat >"$machine/etc/systemd/system/$1"
	cp "$src/tests/recipes.py" "$machine"
}

take butane
recipes ignition "$tmp/butane.recipe" >"$tmp/config.ign"
if unpack ignition; then
	run "$tmp/ignition/usr/bin/ignition-validate" "$tmp/config.ign"
	ok "Ignition: ignition-validate has nothing to say" eval 'assert_rc 0 && [ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ]'
else
	skip "Ignition: ignition-validate" "the package ignition cannot be had"
fi

# As Ignition leaves the machine.
ignite() {
	make_machine "$1"
	pretend "$machine" systemctl
	mkdir -m 700 "$machine/etc/luks"
	head -c 4096 /dev/urandom | hex >"$tmp/ignition.key"
	install -m 600 "$tmp/ignition.key" "$machine/etc/luks/data"
	make_disk vdb "$tmp/ignition.key"
	echo "data UUID=$uuid /etc/luks/data luks" >"$machine/etc/crypttab"
	for unit in bind-data.service var-lib-data.mount; do
		recipes unit "$tmp/config.ign" $unit | install_unit $unit
	done
}

# What crypttab names opens the volume.
opens_at_boot() {
	if grep -q ' /etc/luks/data ' "$machine/etc/crypttab"; then
		opens_by_key "$disk" "$machine/etc/luks/data"
	else
		opens_by_token "$disk"
	fi
}

bound_by_ignition() {
	opens_by_token "$disk"
	not opens_by_key "$disk" "$tmp/ignition.key"
	has_lines "$machine/etc/crypttab" "data UUID=$uuid none luks,$network"
	[ ! -e "$machine/etc/luks/data" ]
}

rm -f "$tmp/calls"
ignite ignition
ok "Ignition: systemd takes the service" verify bind-data.service
ok "Ignition: and the mount" verify var-lib-data.mount
run start_unit bind-data.service
ok "Ignition: the service runs" assert_rc 0
ok "Ignition: the volume is bound, and its key is gone" bound_by_ignition
ok "Ignition: systemd reads crypttab again" called "systemctl daemon-reload"
run start_unit bind-data.service
ok "Ignition: it does not run again" eval 'assert_rc 0 && assert_output_has "the condition does not hold"'

n=$(recipes count "$machine/etc/systemd/system/bind-data.service")
for i in $(seq 1 $((n - 2))); do
	ignite "ignition-$i"
	run start_unit bind-data.service "$i"
	ok "Ignition: stopped after $i of $n commands, the volume opens at boot" eval 'assert_rc 0 && opens_at_boot'
	run start_unit bind-data.service
	ok "Ignition: and the next start completes it" eval 'assert_rc 0 && bound_by_ignition'
done

# --- what Clevis bound ---

take clevis
make_machine clevis
make_disk vdb "$passphrase"
install -m 700 "$tmp/clevis.recipe" "$machine/bind"
clevis luks bind -f -k "$passphrase" -d "$disk" sss \
	"{\"t\": 1, \"pins\": {\"tang\": [{\"url\": \"$tang_url\", \"thp\": \"$tang_thumbprint\"}]}}" >"$tmp/clevis.out" 2>&1
ok "Clevis: no plugin of ours claims its token" not opens_by_token "$disk"
clevis luks pass -d "$disk" -s 1 | tr -d '\n' >"$tmp/clevis.key"
run on_machine /bind
ok "Clevis: the volume is bound anew through what it knows" assert_rc 0
ok "Clevis: it opens by our token" opens_by_token "$disk"
ok "Clevis: and not by its own any more" eval 'assert_equal "$(clevis luks list -d "$disk")" "" &&
	not opens_by_key "$disk" "$tmp/clevis.key"'
ok "Clevis: passphrases stay" opens_by_passphrase "$disk"
ok "Clevis: crypttab has the line" has_lines "$machine/etc/crypttab" "data /dev/vdb none $network"

# --- cloud-init ---

take cloud-config
make_machine cloud
pretend "$machine" systemctl mkfs.ext4 mount
echo "stat -c '%u %a' /run/encrypt-data.key >>$tmp/calls" >>"$machine/.local/bin/mount"
rm -f "$tmp/calls"
truncate -s 20M "$machine/dev/vdb"
recipes cloud-write "$tmp/cloud-config.recipe" "$machine" >"$machine/runcmd"
cp -a "$machine/usr/local/." "$machine/.local"
if unpack cloud-init || unpack cloud-init-base; then
	ok "cloud-init: its schema takes the configuration" recipes cloud-check "$tmp/cloud-config.recipe" \
		"$(find "$tmp"/cloud-init* -name schema-cloud-config-v1.json | head -n 1)"
else
	skip "cloud-init: its schema" "the package cloud-init cannot be had"
fi
touch "$machine/etc/fstab"
run on_machine sh /runcmd
ok "cloud-init: the script runs" assert_rc 0
ok "cloud-init: the volume opens by its token" opens_by_token "$machine/dev/vdb"
ok "cloud-init: there is no other keyslot" assert_equal \
	"$(cryptsetup luksDump --dump-json-metadata "$machine/dev/vdb" | jq -c '.keyslots | keys')" '["1"]'
ok "cloud-init: the first key is gone" assert_equal "$(find "$machine/run" -type f)" ""
ok "cloud-init: crypttab has the line" has_lines "$machine/etc/crypttab" "data /dev/vdb none $network"
ok "cloud-init: so has fstab" has_lines "$machine/etc/fstab" "/dev/mapper/data /srv ext4 _netdev,nofail 0 2"
ok "cloud-init: the volume is opened, and its file system made and mounted; the key is for root alone" called "systemctl daemon-reload" \
	"systemctl start systemd-cryptsetup@data.service" "mkfs.ext4 -q /dev/mapper/data" "mount /srv" \
	"0 600"
cp "$machine/dev/vdb" "$tmp/before"
run on_machine sh /runcmd
ok "cloud-init: a disk that holds something stays as it is" eval 'assert_rc 1 &&
	assert_error_has "/dev/vdb is not empty" && assert_same_file "$machine/dev/vdb" "$tmp/before"'

# --- images ---

take image
make_machine builder
printf 'the key of an image' >"$machine/root/first.key"
make_disk partition "$machine/root/first.key"
truncate -s 24M "$machine/root/image.raw"
sfdisk --quiet "$machine/root/image.raw" <<-END
	label: gpt
	size=1MiB, name=boot
	size=20MiB, name=root
END
start=$(sfdisk --json "$machine/root/image.raw" | jq '.partitiontable.partitions[1].start')
dd if="$disk" of="$machine/root/image.raw" bs=512 seek="$start" conv=notrunc status=none
curl -sSf "$tang_url/adv" >"$machine/root/adv.json"
install -m 755 "$tmp/image.recipe" "$machine/build"
chmod 755 "$tmp"
chown -R 65534:65534 "$machine/root"
stop_tangd
run on_machine setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'cd /root && exec /build'
ok "image: the script runs, without root and network" assert_rc 0
ok "image: nothing is left beside the image" assert_equal "$(ls -C "$machine/root")" "adv.json  first.key  image.raw"
ok "image: its partitions are as they were" assert_equal \
	"$(sfdisk --json "$machine/root/image.raw" | jq '.partitiontable.partitions[1].start')" "$start"
dd if="$machine/root/image.raw" of="$tmp/image" bs=512 skip="$start" count=40960 status=none
ok "image: its key still opens it" opens_by_key "$tmp/image" "$machine/root/first.key"
cp "$machine/root/first.key" "$tmp/first.key"
start_tangd tang "$tang_port"
ok "image: so does its token, once the server is there" opens_by_token "$tmp/image"

# --- the first start of an image ---

take first-boot
start_tpm tpm

boot() { # NAME
	make_machine "$1"
	pretend "$machine" dracut
	disk=$machine/dev/vda2
	cp "$tmp/image" "$disk"
	install_unit bind-root.service <"$tmp/first-boot.recipe"
}

bound_at_first_boot() {
	opens_by_token "$disk"
	not opens_by_key "$disk" "$tmp/first.key"
	assert_equal "$("$cotter_enroll" --list --json=short "$disk" | jq -c '[.tokens[].type, (.keyslots | length)]')" \
		'["cotter-sss",1]'
	has_lines "$machine/etc/crypttab" "root /dev/vda2 none token-type=cotter-tang,token-type=cotter-sss,_netdev"
}

rm -f "$tmp/calls"
boot first-boot
ok "first start: systemd takes the service" verify bind-root.service
run start_unit bind-root.service
ok "first start: it runs" assert_rc 0
ok "first start: the volume is the machine's" bound_at_first_boot
ok "first start: the initramfs is made" called "dracut --force"
run start_unit bind-root.service
ok "first start: it does not run again" eval 'assert_rc 0 && assert_output_has "the condition does not hold"'
first=$disk
n=$(recipes count "$tmp/first-boot.recipe")
for i in $(seq 1 $((n - 1))); do
	boot "first-boot-$i"
	run start_unit bind-root.service "$i"
	ok "first start: stopped after $i of $n commands, the volume opens" eval 'assert_rc 0 && opens_by_token "$disk"'
	run start_unit bind-root.service
	ok "first start: and the next start completes it" eval 'assert_rc 0 && bound_at_first_boot'
done
start_tpm other
ok "first start: another machine does not open it" not opens_by_token "$first"
unset COTTER_TPM2_TCTI

# --- Ansible ---

take ansible
make_machine ansible
make_disk vdb "$passphrase"
rm -f "$tmp/calls"
pretend "$machine" systemctl
cp "$tmp/ansible.recipe" "$machine/root/play.yml"
(umask 077; printf 'luks_passphrase: "%s"\n' "$(cat "$passphrase")" >"$machine/root/vault.yml")

play() {
	on_machine ansible-playbook --inventory localhost, --connection local --extra-vars @/root/vault.yml /root/play.yml
}

run play
ok "Ansible: the play runs" eval 'assert_rc 0 && assert_output_has "changed=2"'
ok "Ansible: the volume opens by its token" opens_by_token "$disk"
ok "Ansible: the passphrase stays" opens_by_passphrase "$disk"
ok "Ansible: it is in no argument" never_told "$passphrase"
ok "Ansible: crypttab has the line" has_lines "$machine/etc/crypttab" "data /dev/vdb none $network"
ok "Ansible: systemd reads it" called "systemctl daemon-reload"
cp "$disk" "$tmp/before"
run play
ok "Ansible: a second run changes nothing" eval 'assert_rc 0 && assert_output_has "changed=0" &&
	assert_same_file "$disk" "$tmp/before"'

# --- the page ---

ok "every recipe of the page was tested" assert_equal "$(printf '%s\n' "${tested[@]}")" "$(recipes page "$page")"
run groff -man -ww -z -Tutf8 "$page"
ok "the page is well-formed" eval 'assert_rc 0 && [ ! -s "$tmp/err" ]'
done_testing
