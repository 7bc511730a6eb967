#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --doctor on images that dracut makes with our module, and with each thing that an unlock needs taken out in
# turn: what is missing is found, and nothing else; and on images that are compressed otherwise, or damaged.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../softhsm.sh"
. "$(dirname "$0")/../tpm.sh"

[ "$(id -u)" = 0 ] || skip_all "only root can have an /etc of its own"
for program in dracut cpio zstd xz lz4; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done
[ -e /usr/lib/dracut/modules.d/40network ] || skip_all "dracut-network is not installed"

etc=$tmp/etc crypttab=$tmp/etc/crypttab
cp -a /etc "$etc"
mkdir -p "$tmp/boot" "$etc/systemd/system/"{sysinit,multi-user,network-online}.target.wants
for unit in sysinit.target.wants/cotter-agent.path multi-user.target.wants/remote-cryptsetup.target \
	network-online.target.wants/systemd-networkd-wait-online.service; do
	ln -sf /dev/null "$etc/systemd/system/$unit"
done
: >"$etc/fstab"
echo "127.0.0.1 localhost tang.test" >"$etc/hosts"
chmod 755 "$tmp"

# A machine with one network device, whatever this one has.
mkdir -p "$tmp/net/eth0/device/driver" "$tmp/drivers/virtio_net"
ln -s "$tmp/drivers/virtio_net" "$tmp/net/eth0/device/driver/module"
: >"$tmp/cmdline"

# --- volumes ---

bind=(--quiet --unlock-key-file="$passphrase")
start_tangd
trust=(--tang-thumbprint="$tang_thumbprint")
make_small_image root
root_image=$image
"$cotter_enroll" "${bind[@]}" --tang="$tang_url" "${trust[@]}" "$image"
root="root $root_image none token-type=cotter-tang,_netdev,x-initrd.attach"
data="data $root_image none token-type=cotter-tang,_netdev"

# --- images: one by dracut, whose files are then changed ---

modules=$tmp/modules units=$tmp/units tree=$tmp/tree
cp -a /usr/lib/dracut/modules.d "$modules"
mkdir "$modules/50cotter" "$tmp/none" "$tree"
sed "s|^cotter_needs=.*|cotter_needs=$build/units/dracut/cotter-needs|
	s|^cotter_programs=.*|cotter_programs=$build/units|" \
	"$build/units/dracut/module-setup.sh" >"$modules/50cotter/module-setup.sh"
cp "$src/units/dracut/default-network.sh" "$modules/50cotter"
chmod +x "$modules"/50cotter/*
cp -a /usr/lib/systemd/system "$units"
cp "$src"/units/*.{path,service,socket} "$build"/units/*.service "$units"
echo "$root" >"$tmp/image-crypttab"

make_dracut_image() { # NAME MODULES [OPTION…]
	with_plugins sh -c 'mount --bind "$1/modules" /usr/lib/dracut/modules.d
		mount --bind "$1/units" /usr/lib/systemd/system; shift; exec "$@"' dracut "$tmp" \
		dracut --force --no-kernel --no-hostonly --no-early-microcode --nostrip --conf /dev/null \
		--confdir "$tmp/none" --modules "systemd-initrd $2" --compress 'zstd -1 -q' "${@:3}" "$tmp/$1" 0-test
}
crypttab_too=(--include "$tmp/image-crypttab" /etc/crypttab)

ok "dracut makes an image" make_dracut_image image "crypt cotter network systemd-networkd" "${crypttab_too[@]}"
[ $failures = 0 ] || done_testing
(cd "$tree" && zstd -dcq "$tmp/image" | cpio -idm --quiet)

# Nobody reads what is in programs.
find "$tree" -type f -size +64k -exec truncate -s 0 {} +

pack() { # [TREE]
	(cd "${1:-$tree}" && find . | cpio -o -H newc --quiet)
}

# The image with PATHs taken out.
without() { # PATH…
	rm -rf "$tmp/changed"
	cp -a "$tree" "$tmp/changed"
	(cd "$tmp/changed" && rm -rf "$@")
	pack "$tmp/changed" >"$tmp/without"
}

# Runs --doctor with these lines of crypttab and the image $use, for this /etc and /boot.
use=$tmp/image
form=short
doctor() { # [LINE…]
	printf '%s\n' "$@" >"$crypttab"
	run with_plugins sh -c 'mount --bind "$1/etc" /etc && mount --bind "$1/boot" /boot &&
		mount --bind "$1/cmdline" /proc/cmdline && mount --bind "$1/net" /sys/class/net || exit 125
		shift; exec "$@"' doctor "$tmp" "$cotter_enroll" --doctor --json="$form" \
		${use:+--initrd="$use"}
}

finds() { # STATUS [FINDING…]
	local status=$1
	shift
	assert_rc "$status" && assert_equal "$(jq -r '[.volumes[].findings[].finding] | sort | join(" ")' "$tmp/out")" "$*" ||
		{ show_run; return 1; }
}

# --- what is right ---

sum() {
	sha256sum "$root_image" "$tmp/image" "$crypttab"
}
printf '%s\n' "$root" "$data" >"$crypttab"
before=$(sum)
doctor "$root" "$data"
ok "a good image and a good system have nothing wrong" finds 0
ok "and both volumes would unlock" assert_json '[.volumes[].verdict] == ["unlocks", "unlocks"]'
ok "one in the initramfs, the other later" assert_json '[.volumes[].opened_in] == ["initramfs", "system"]'
ok "nothing was changed" assert_equal "$(sum)" "$before"
for unpacked in none gzip xz lz4; do
	case $unpacked in
	none) pack >"$tmp/packed" ;;
	xz) pack | xz -0 --check=crc32 >"$tmp/packed" ;;
	lz4) pack | lz4 -lq >"$tmp/packed" ;;
	*) pack | gzip -1 >"$tmp/packed" ;;
	esac
	use=$tmp/packed doctor "$root"
	ok "compressed by $unpacked too" finds 0
done
mkdir -p "$tmp/early/kernel/x86/microcode"
echo microcode >"$tmp/early/kernel/x86/microcode/GenuineIntel.bin"
{ pack "$tmp/early"; head -c 512 /dev/zero; cat "$tmp/image"; } >"$tmp/two"
use=$tmp/two doctor "$root"
ok "behind the archive with microcode too" finds 0
cp "$tmp/image" "$tmp/boot/initrd.img-$(uname -r)"
use='' doctor "$root"
ok "the running kernel's is found in /boot" finds 0
ok "and named" assert_json '.initrd | startswith("/boot/initrd.img-")'
rm "$tmp/boot/initrd.img-$(uname -r)"
use='' doctor "$root"
ok "none there is an error" finds 4 image
use='' doctor "$data"
ok "but not where the initramfs opens nothing" finds 0

# --- what dracut left out ---

omit=none
with_modules() { # MODULES NAME STATUS FINDING…
	rm -f "$tmp/lacking"
	make_dracut_image lacking "$1" --omit "$omit" "${crypttab_too[@]}" >"$tmp/lacking.log" 2>&1 || tail "$tmp/lacking.log"
	use=$tmp/lacking doctor "$root"
	ok "$2" finds "${@:3}"
}
with_modules "crypt network systemd-networkd" "by dracut without cotter" 4 agent library network-asked plugin
omit=network with_modules "crypt cotter" "by dracut without the network" 4 network
with_modules "network systemd-networkd" "by dracut without what opens volumes" 4 \
	agent cryptsetup library network-asked plugin
crypttab_too=()
with_modules "crypt cotter network systemd-networkd" "by dracut without crypttab" 4 volume

# --- what is missing in the image ---

lacks() { # FINDING STATUS PATH…
	without "${@:3}"
	use=$tmp/without doctor "$root"
	ok "without ${*:3}: $1" finds "$2" $1
}
libraries=$(dirname "$(find_plugins_dir)")
lacks plugin 4 "./$libraries/cryptsetup/libcryptsetup-token-cotter-tang.so"
lacks library 4 "./$libraries/libcurl.so.4"
lacks library 4 "./$(readlink -f "$libraries/libcurl.so.4")"
linked=$(ldd "$libraries/libcurl.so.4" | sed -n 's|.* => \(.*/libnghttp2[^ ]*\) .*|\1|p')
lacks library 4 ".$linked"
lacks library 4 "./$libraries/libcryptsetup.so.12"
lacks network 4 usr/lib/systemd/systemd-networkd
lacks network-asked 4 etc/cmdline.d
lacks volume 4 etc/crypttab
lacks cryptsetup 4 usr/lib/systemd/systemd-cryptsetup
lacks agent 0 usr/lib/systemd/system/sysinit.target.wants/cotter-agent.path

rm -rf "$tmp/changed"
cp -a "$tree" "$tmp/changed"
changed() { # NAME LINE STATUS [FINDING]
	pack "$tmp/changed" >"$tmp/without"
	use=$tmp/without doctor "$2"
	ok "$1" finds "${@:3}"
}
sed -i "s|none|/etc/key|" "$tmp/changed/etc/crypttab"
changed "a key file in the image's crypttab" "$root" 4 key-file
cp "$tree/etc/crypttab" "$tmp/changed/etc/crypttab"
changed "an image that is older than crypttab" "$root,discard" 0 old-image
uuid=$(cryptsetup luksUUID --disable-external-tokens "$root_image")
options=${root##* }
echo "root UUID=${uuid^^} none $options" >"$tmp/changed/etc/crypttab"
changed "an image that names the volume by its UUID" "$root" 0
echo "root /dev/disk/by-uuid/11111111-2222-3333-4444-555555555555 none $options" >"$tmp/changed/etc/crypttab"
changed "or by another, as another machine's" "$root" 4 volume
echo "root $root_image none" >"$tmp/changed/etc/crypttab"
changed "an image without the options of crypttab" "$root" 0 old-image
ok "which is said to have none" assert_json '.volumes[0].findings[0].cause | contains("has no options for the volume")'
measured=${root/,x-/,tpm2-measure-pcr=yes,x-}
echo "$measured" >"$tmp/changed/etc/crypttab"
changed "no key socket for a key that is measured" "$measured" 4 key-socket
: >"$tmp/changed/usr/lib/systemd/system/sysinit.target.wants/cotter-key@root.socket"
changed "or one" "$measured" 0
cp "$tree/etc/crypttab" "$tmp/changed/etc/crypttab"

# --- the network's driver ---

modules_folder=$tmp/changed/usr/lib/modules/0-test
mkdir -p "$modules_folder/kernel/drivers/net"
echo kernel/fs/ext4/ext4.ko >"$modules_folder/modules.builtin"
changed "no driver of the machine's network device" "$root" 4 network-driver
ok "which is named" assert_json '.volumes[0].findings[0].cause | endswith("such as virtio_net")'
: >"$modules_folder/kernel/drivers/net/virtio-net.ko.zst"
changed "or one" "$root" 0
rm "$modules_folder/kernel/drivers/net/virtio-net.ko.zst"
echo kernel/drivers/net/virtio_net.ko >>"$modules_folder/modules.builtin"
changed "or one in the kernel" "$root" 0
rm -r "$modules_folder"

# --- the kernel command line ---

with_cmdline() { # NAME WORDS LINE STATUS [FINDING]
	echo "$2" >"$tmp/cmdline"
	doctor "$3"
	ok "$1" finds "${@:4}"
	: >"$tmp/cmdline"
}
with_cmdline "luks=no keeps it closed" "quiet luks=no" "$data" 4 cmdline
with_cmdline "in the initramfs too" "quiet luks=no" "$root" 4 cmdline
with_cmdline "rd.luks=no does there" "rd.luks=no" "$root" 4 cmdline
with_cmdline "and not later" "rd.luks=no" "$data" 0
with_cmdline "luks.crypttab=no has its line ignored" luks.crypttab=no "$data" 4 cmdline
with_cmdline "and a word that only looks like it does not" xluks=no "$data" 0
without etc/cmdline.d
use=$tmp/without with_cmdline "the network is asked for by ip=" "quiet ip=dhcp" "$root" 0
use=$tmp/without with_cmdline "or by rd.neednet=1" "rd.neednet=1" "$root" 0
use=$tmp/without with_cmdline "but by nothing else" "rd.neednet=0 zip=dhcp" "$root" 4 network-asked
without etc/crypttab
use=$tmp/without with_cmdline "a volume is asked for by its UUID" \
	"rd.luks.uuid=$(cryptsetup luksUUID --disable-external-tokens "$root_image")" "$root" 0

# --- by name, over https, and by the TPM ---

curl -sSf "$tang_url/adv" >"$tmp/adv"
rm -rf "$tmp/changed"
cp -a "$tree" "$tmp/changed"
make_small_image by-name
unshare -m sh -c 'mount --bind "$1" /etc; shift; exec "$@"' sh "$etc" "$cotter_enroll" "${bind[@]}" \
	--tang="http://tang.test:$tang_port" "${trust[@]}" "$image"
by_name="root $image none token-type=cotter-tang,_netdev,x-initrd.attach"
cp "$etc/hosts" "$tmp/changed/etc/hosts"
changed "a name that the image's /etc/hosts has" "$by_name" 0
echo "127.0.0.1 other # tang.test" >"$tmp/changed/etc/hosts"
changed "a name that the image cannot resolve" "$by_name" 4 name
: >"$tmp/changed/usr/lib/systemd/systemd-resolved"
changed "but by systemd-resolved" "$by_name" 0

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout "$tmp/key" \
	-out "$tmp/ca.pem" 2>/dev/null
make_small_image tls
"$cotter_enroll" "${bind[@]}" --tang=https://127.0.0.1:1 --tang-ca="$tmp/ca.pem" \
	--tang-advertisement="$tmp/adv" "$image" 2>/dev/null
tls="root $image none token-type=cotter-tang,_netdev,x-initrd.attach"
has_finding() { # FINDING
	assert_rc 4 && assert_json "any(.volumes[].findings[]; .finding == \"$1\" and .weight == \"error\")"
}
use=$tmp/image doctor "$tls"
ok "the CA file of a token that the image has not" has_finding file
ok "and the server that does not answer" assert_json 'any(.volumes[].findings[]; .finding == "unreachable")'
mkdir -p "$tmp/changed$tmp"
cp "$tmp/ca.pem" "$tmp/changed$tmp"
pack "$tmp/changed" >"$tmp/without"
use=$tmp/without doctor "$tls"
ok "with it, that alone" assert_json '[.volumes[].findings[].finding] | contains(["unreachable"]) and index("file") == null'
make_small_image bundle
"$cotter_enroll" "${bind[@]}" --tang=https://127.0.0.1:1 --tang-advertisement="$tmp/adv" "$image" 2>/dev/null
without etc/ssl etc/pki
use=$tmp/without doctor "root $image none x-initrd.attach"
ok "the system's CA certificates that the image has not" has_finding ca-bundle

start_tpm tpm
make_small_image tpm
"$cotter_enroll" "${bind[@]}" --tpm2-device=auto --tpm2-pcrs= "$image"
tpm="root $image none x-initrd.attach" tpm_image=$image
echo "$tpm" >"$tmp/changed/etc/crypttab"
folder=$tmp/changed/usr/lib/modules/0-test
mkdir -p "$folder"
echo kernel/fs/ext4/ext4.ko >"$folder/modules.builtin"
changed "no driver for TPMs in the image" "$tpm" 4 tpm-driver
echo kernel/drivers/char/tpm/tpm_tis.ko >>"$folder/modules.builtin"
changed "but in the kernel" "$tpm" 0
echo kernel/fs/ext4/ext4.ko >"$folder/modules.builtin"
mkdir -p "$folder/kernel/drivers/char/tpm"
: >"$folder/kernel/drivers/char/tpm/tpm_crb.ko.xz"
changed "or as a module" "$tpm" 0
rm "$tmp/changed/$libraries/libtss2-esys.so.0"
changed "without libtss2-esys.so.0: library" "$tpm" 4 library
touch "$tmp/changed/$libraries/libtss2-esys.so.0"

make_small_image pcr15
"$cotter_enroll" "${bind[@]}" --tpm2-device=auto --tpm2-pcrs="15:sha256=$pcr_zeros" "$image"
pcr15=${tpm/ * none/ $image none}
changed "no cotter-pcr15 for a policy that ends with the initramfs" "$pcr15" 0 pcr15
mkdir -p "$tmp/changed/usr/libexec"
: >"$tmp/changed/usr/libexec/cotter-pcr15"
changed "or one" "$pcr15" 0
tpm2_pcrextend "15:sha256=$(printf %064d 1)"
changed "which has ended" "$pcr15" 0
changed "and which the real root cannot meet" "late $image none luks" 4 policy
make_small_image pin
"$src/tests/terminal.py" "New PIN: " $'7391\n' "The same again: " $'7391\n' -- "$cotter_enroll" "${bind[@]}" --tpm2-device=auto --tpm2-pcrs= \
	--tpm2-with-pin=yes "$image" >/dev/null
changed "a PIN, which somebody has to type" "root $image none x-initrd.attach" 0 pin

# --- by a card ---

make_card card
make_key card rsa:2048 01 rsa
make_small_image card
"$cotter_enroll" "${bind[@]}" --pkcs11-token-uri="$(card_uri 'token=card;object=rsa' "pin-value=$card_pin")" \
	"$image"
card="root $image none x-initrd.attach"
for file in "$softhsm" "$libraries/libp11-kit.so.0"; do
	ldd "$file" | sed -n 's|^[^/]*\(/[^ ]*\) (0x.*|\1|p; a '"$file"
done | sort -u | while read -r file; do
	mkdir -p "$tmp/changed$(dirname "$file")"
	[ -e "$tmp/changed$file" ] || : >"$tmp/changed$file"
done
changed "a card's module that the image has" "$card" 0
rm "$tmp/changed$softhsm"
changed "or not" "$card" 4 file

stop_server tpm
use=$tmp/image doctor "$root" "data $tpm_image none"
ok "a TPM that is away is told from what is wrong" assert_rc 3
start_tpm tpm

# --- an image by initramfs-tools ---

tools=$tmp/tools
mkdir -p "$tools/scripts/local-top" "$tools/cryptroot" "$tools/usr/sbin" "$tools$libraries"
ln -s usr/sbin "$tools/sbin"
touch "$tools/scripts/functions" "$tools/scripts/local-top/cotter" "$tools/usr/sbin/cryptsetup"
cp -a "$tree$libraries/." "$tools$libraries"
[ ! -e "$tree$src" ] || { mkdir -p "$tools$(dirname "$src")"; cp -a "$tree$src" "$tools$src"; }
[ ! -e "$tree$build" ] || { mkdir -p "$tools$(dirname "$build")"; cp -a "$tree$build" "$tools$(dirname "$build")/"; }
echo "$root" >"$tools/cryptroot/crypttab"
printf '%s\n' "network root" "plugin x" >"$tools/cryptroot/cotter"
pack "$tools" | gzip -1 >"$tmp/packed"
use=$tmp/packed doctor "$root"
ok "a good image by initramfs-tools has nothing wrong" finds 0
sed "s|$root_image|UUID=11111111-2222-3333-4444-555555555555|" "$tmp/image-crypttab" >"$tools/cryptroot/crypttab"
pack "$tools" >"$tmp/packed"
use=$tmp/packed doctor "$root"
ok "another machine's has" finds 4 volume
echo "$root" >"$tools/cryptroot/crypttab"
printf '%s\n' "network roots" "plugin root" >"$tools/cryptroot/cotter"
pack "$tools" >"$tmp/packed"
use=$tmp/packed doctor "$root"
ok "one that was made before the volume was bound has" finds 4 volume
echo "local root" >"$tools/cryptroot/cotter"
pack "$tools" >"$tmp/packed"
use=$tmp/packed doctor "$root"
ok "or before it was bound to a server" finds 4 volume
echo "network root" >"$tools/cryptroot/cotter"
rm "$tools/scripts/local-top/cotter"
pack "$tools" >"$tmp/packed"
use=$tmp/packed doctor "$root"
ok "one without our script has" finds 4 script

# --- the real root ---

lacks_system() { # FINDING STATUS PATH
	mv "$etc/$3" "$tmp/away"
	doctor "$data"
	ok "without $3: $1" finds "$2" $1
	mv "$tmp/away" "$etc/$3"
}
lacks_system remote-target 4 systemd/system/multi-user.target.wants/remote-cryptsetup.target
lacks_system network-online 0 systemd/system/network-online.target.wants/systemd-networkd-wait-online.service
lacks_system agent 0 systemd/system/sysinit.target.wants/cotter-agent.path
doctor "data $root_image none token-type=cotter-tang"
ok "the network alone, and no _netdev" finds 4 netdev
doctor "data $root_image none _netdev"
ok "no token-type= is a warning" finds 0 token-type
doctor "data $root_image /etc/key token-type=cotter-tang,_netdev"
ok "a key file" finds 4 key-file
echo "/dev/mapper/data /data ext4 defaults 0 0" >"$etc/fstab"
doctor "$data"
ok "a file system that the network waits for" finds 4 order
: >"$etc/fstab"

# --- tokens ---

cp "$root_image" "$tmp/broken"
cryptsetup luksKillSlot --disable-external-tokens -q --key-file "$passphrase" "$tmp/broken" \
	"$(token_json "$tmp/broken" 0 | jq -r '.keyslots[0]')"
doctor "data $tmp/broken none token-type=cotter-tang,_netdev"
ok "a token without a keyslot" finds 4 keyslot
make_small_image bare
doctor "bare $image none" "other /nowhere none nofail"
ok "volumes that are not bound, or not there and not missed, do not count" finds 0
ok "and are said to be that" assert_json '[.volumes[].verdict] == ["not bound", "absent"]'
doctor "bare $image none token-type=cotter-tang"
ok "but where crypttab says that they are" finds 4 token
doctor "other /nowhere none"
ok "a device that is not there" finds 4 header
stop_tangd
doctor "$data"
ok "a server that is away" finds 3 unreachable
cp "$root_image" "$tmp/both"
"$cotter_enroll" "${bind[@]}" --tpm2-device=auto --tpm2-pcrs= "$tmp/both"
doctor "data $tmp/both none"
ok "does not count where another token opens the volume" finds 0 unreachable

# --- text, and what is refused ---

form=off doctor "$data"
ok "people are told" assert_output_has "data ($root_image): would unlock at the next boot, if what is out of reach"
ok "with what to do" assert_output_has "    remedy: see that what is out of reach is there at the next boot"
form=off doctor bad "$data"
ok "a line of one field is passed over" assert_rc 3
ok "and people are told" assert_error_has "line 1 of crypttab names no device"
form=off doctor bad
ok "where there is nothing else, that too" assert_output_has "crypttab has no volumes"
form=off use=$passphrase doctor "$data"
ok "but not where there was no image to look at" not assert_output_has "crypttab has no volumes"
chmod 600 "$root_image"
printf '%s\n' "$data" >"$crypttab"
in_etc() { # CMD…
	run unshare -m sh -c 'mount --bind "$1" /etc || exit 125; shift; exec "$@"' in_etc "$etc" "$@"
}
in_etc setpriv --reuid=65534 --clear-groups "$cotter_enroll" --doctor
ok "who is not root is told to be it" assert_output_has "    remedy: run cotter-enroll as root"
truncate -s 2M "$crypttab"
in_etc "$cotter_enroll" --doctor
ok "a crypttab that is too large is not read" assert_rc 1
ok "and the error says why" assert_error_has "is larger than 1 MiB"
run "$cotter_enroll" --doctor "$root_image"
ok "it takes no device" assert_rc 2
run "$cotter_enroll" --initrd=/x --list "$root_image"
ok "--initrd is its own" assert_rc 2

bad() { # NAME SENTENCE
	run "$cotter_enroll" --doctor --initrd="$tmp/bad"
	ok "$1" assert_rc 1
	ok "$1: one sentence" assert_one_sentence
	ok "$1: says so" assert_error_has "$2"
}
: >"$tmp/bad"; bad "an empty image" "is no initramfs image"
head -c 5000 /dev/zero | tr '\000' '\252' >"$tmp/bad"; bad "garbage" "is no initramfs image"
head -c 1000000 "$tmp/image" >"$tmp/bad"; bad "an image that is cut off" "is cut off or damaged"
head -c 10 "$tmp/image" >"$tmp/bad"; bad "one of a few bytes" "is cut off or damaged"
pack >"$tmp/packed"
head -c 100000 "$tmp/packed" >"$tmp/bad"; bad "one that is cut off and not compressed" "is cut off or damaged"
{ head -c 1000 "$tmp/packed"; head -c 5000 /dev/zero; } >"$tmp/bad"; bad "a damaged one" "damaged"
rm "$tmp/bad"; bad "none" "cannot be opened"
done_testing
