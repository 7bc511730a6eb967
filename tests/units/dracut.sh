#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the dracut module includes for which headers, and when it ends the build. Dracut's functions are
# stand-ins that write down what they were asked for; builds and boots are in tests/vm.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../softhsm.sh"
. "$(dirname "$0")/../tpm.sh"

cat >"$tmp/stand-ins" <<'EOT'
declare -A host_fs_types=(["$image"]=$fs [/dev/nowhere]=ext4)
initdir=$tmp/initramfs systemdsystemunitdir=$tmp/units dracutmodules=all mods_to_load='' moddir=/module
libdirs=$(echo /usr/lib/*-linux-gnu) systemdutildir=/usr/lib/systemd sysusers=/usr/lib/sysusers.d
has() { [[ " $without " != *" $1 "* ]]; }
dfatal() { echo "FATAL $*"; }
dwarning() { echo "WARNING $*"; }
dinfo() { echo "INFO $*"; }
require_binaries() { [ -x "$1" ]; }
dracut_module_path() { echo "$tmp/modules/$1"; }
dracut_module_included() { has "$1"; }
check_module() {
	has "$1" || return 1
	mods_to_load+=" $1 "
	[ "$1" != network ] || mods_to_load+=" systemd-networkd "
}
inst_simple() {
	[ -e "$1" ] && has "$(basename "$1")" || return 1
	echo "FILE $1"
	mkdir -p "$(dirname "$initdir$(readlink -f "$1")")"
	: >"$initdir$(readlink -f "$1")"
}
inst_multiple() { :; }
inst_binary() { inst_simple "$1"; }
inst_dir() { mkdir -p "$initdir$1"; }
ln_r() { echo "LINK $2 -> $1"; }
inst_rules() { echo "RULES $*"; }
inst_hook() { echo "HOOK $*"; }
instmods() { echo "DRIVERS $*"; }
EOT

# Runs a function of the module where $image is the only LUKS2 volume, cotter is installed, and dracut cannot
# include those modules and files that are in $without. What it asks dracut for is in $tmp/out.
export hostonly=yes without='' fs=crypto_LUKS image='' build tmp
printf '127.0.0.1 localhost\n' >"$tmp/hosts"
: >"$tmp/crypttab"
cp -a /etc "$tmp/etc"
mkdir "$tmp/units"
cp "$src"/units/*.{path,service,socket} "$build"/units/*.service "$tmp/units"
module() { # FUNCTION
	rm -rf "$tmp/initramfs"
	cp "$tmp/hosts" "$tmp/crypttab" "$tmp/etc"
	run with_plugins bash -c 'mount --bind "$tmp/etc" /etc
		. "$tmp/stand-ins"
		. "$build/units/dracut/module-setup.sh"
		cotter_needs=$build/units/dracut/cotter-needs
		cotter_programs=$build/units
		"$@"' module "$@"
}

# Sets $image.
bind_tang() { # NAME URL [OPTION…]
	make_small_image "$1"
	"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$2" \
		--tang-advertisement="$tmp/advertisement" "${@:3}" "$image" 2>/dev/null
}

asked_for() { # LINE
	grep -qxF -e "$1" "$tmp/out" || { show_run; return 1; }
}

asked_for_like() { # PATTERN
	grep -qE -e "$1" "$tmp/out" || { show_run; return 1; }
}

ends_with() { # TEXT
	assert_rc 1 && asked_for_like "^FATAL cotter: .*$1"
}

start_tangd
curl -sSf "$tang_url/adv" >"$tmp/advertisement"

# --- volumes that need nothing ---

make_small_image bare
module check
ok "without a token of ours the module is not wanted" assert_rc 255
echo '{"type":"cotter-tang","keyslots":[]}' |
	cryptsetup token import --disable-external-tokens "$image"
module check
ok "nor for one that no keyslot belongs to" assert_rc 255
bind_tang address "$tang_url"
fs=ext4 module check
ok "nor for volumes that are not under the root" assert_rc 255

# --- a Tang server at an address ---

module check
ok "a token wants it" assert_rc 0
module depends
ok "depends on what unlocks" asked_for crypt
ok "and on a network" asked_for network
ok "but resolves no names" not asked_for systemd-resolved
module install
ok "is installed" assert_rc 0
ok "says which leaf asked for the network" asked_for "INFO cotter: the network is brought up for $tang_url"
ok "with the plugin" asked_for_like '^FILE .*/cryptsetup/libcryptsetup-token-cotter-tang.so$'
ok "and libcurl" asked_for_like '^FILE .*/libcurl.so.4$'
ok "and nothing for TPMs or https" not asked_for_like 'tss|tpm|ca-certificates'
ok "and the agent" asked_for "FILE $build/units/cotter-agent"
ok "with its service" asked_for "FILE $tmp/units/cotter-agent.service"
ok "which is started by what is asked" asked_for \
	"LINK $tmp/units/sysinit.target.wants/cotter-agent.path -> $tmp/units/cotter-agent.path"
ok "but no key socket" not asked_for_like cotter-key
ok "nor what ends PCR 15's use" not asked_for_like pcr15
ok "the wait for a network has an end" grep -qxF \
	'ExecStart=-/usr/lib/systemd/systemd-networkd-wait-online --any --timeout=10' \
	"$tmp/initramfs$tmp/units/systemd-networkd-wait-online.service.d/zz-cotter.conf"
ok "and the network of the initramfs ends with it" grep -qxF \
	'Conflicts=network-online.target systemd-networkd.service' \
	"$tmp/initramfs$tmp/units/initrd-switch-root.target.d/zz-cotter.conf"
ok "meanwhile the kernel loads what it needs" asked_for_like '^LINK .*/sysinit.target.wants/cotter-modules.service -> '
ok "the network is asked for" assert_same_file "$tmp/initramfs/etc/cmdline.d/50-cotter.conf" <(echo rd.neednet=1)
ok "and comes up where nothing says how" asked_for 'HOOK cmdline 20 /module/default-network.sh'
ok "what is loaded looks like a program, or dracut would not look for its libraries" \
	test -x "$tmp/initramfs$(readlink -f "$(sed -n 's/^FILE \(.*libcurl.*\)/\1/p' "$tmp/out")")"
module installkernel
ok "no drivers for TPMs" not asked_for_like 'DRIVERS'
without='network-legacy systemd-networkd' module install
ok "which NetworkManager does not need" not asked_for_like HOOK
mkdir -p "$tmp/modules/systemd-networkd"
: >"$tmp/modules/systemd-networkd/99-default.network"
without=network-legacy module install
ok "nor a networkd that dracut gave a default" not asked_for_like HOOK
module install
ok "but the older scripts" asked_for 'HOOK cmdline 20 /module/default-network.sh'
rm -r "$tmp/modules"

without=cotter-agent module install
ok "without the agent there is no image" ends_with 'cotter-agent cannot be included'
without=cotter-agent.path module install
ok "nor without its unit" ends_with 'the unit cotter-agent.path cannot be included'
without=network module install
ok "without network modules there is no image" ends_with "$tang_url needs the network"
without=network module depends
ok "and the module does not drop out before that" not asked_for network
without=libcurl.so.4 module install
ok "nor without libcurl" ends_with 'libcurl.so.4 is needed'
without=libcryptsetup-token-cotter-tang.so module install
ok "nor without the plugin" ends_with 'libcryptsetup-token-cotter-tang.so is needed'

# --- volumes whose keys systemd measures ---

measured() { # CRYPTTAB-LINE…
	printf '%s\n' "$@" >"$tmp/crypttab"
	module install
	: >"$tmp/crypttab"
}

measured "# comment tpm2-measure-pcr=yes" "my-root $image none luks,tpm2-measure-pcr=yes"
ok "have a key socket" asked_for \
	"LINK $tmp/units/sysinit.target.wants/cotter-key@my\\x2droot.socket -> $tmp/units/cotter-key@.socket"
ok "with its service" asked_for "FILE $tmp/units/cotter-key@.service"
ok "and program" asked_for "FILE $build/units/cotter-key"
measured "root $image none luks" "data $tmp/other none luks,tpm2-measure-pcr=yes"
ok "others in the image have none" not asked_for_like cotter-key
bound=$image
make_small_image unbound
printf '%s\n' "bare $image none tpm2-measure-pcr=yes,x-initrd.attach" \
	"detached $image none tpm2-measure-pcr=yes,x-initrd.attach,header=$bound" >"$tmp/lines"
image=$bound
mapfile -t lines <"$tmp/lines"
measured "${lines[@]}"
ok "nor one that has no token of ours" not asked_for_like 'cotter-key@bare'
ok "but one whose detached header has" asked_for_like '^LINK .*/cotter-key@detached.socket ->'

# --- by name ---

bind_tang name http://tang.test
module depends
ok "a name is resolved" asked_for systemd-resolved
without=systemd-resolved module depends
ok "where that can be included" not asked_for systemd-resolved
without=systemd-resolved module install
ok "else there is no image" ends_with 'the name tang.test cannot be resolved'
without='systemd-resolved systemd-networkd' module install
ok "other network modules resolve names themselves" assert_rc 0
echo '192.0.2.1 other tang.test' >>"$tmp/hosts"
module depends
ok "a name in /etc/hosts needs nobody" not asked_for systemd-resolved
without=systemd-resolved module install
ok "but the file" asked_for 'FILE /etc/hosts'

# --- https ---

bind_tang bundle https://192.0.2.1
module install
ok "https needs the system's certificates" asked_for 'FILE /etc/ssl/certs/ca-certificates.crt'
without='ca-certificates.crt ca-bundle.crt cert.pem' module install
ok "without them there is no image" ends_with 'https://192.0.2.1 is https'
bind_tang pubkey https://192.0.2.1 --tang-pubkey=sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
module install
ok "with a pinned key it does not" not asked_for_like ca-certificates
chmod 755 "$tmp"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout "$tmp/key" \
	-out "$tmp/ca" 2>/dev/null
bind_tang ca https://192.0.2.1 --tang-ca="$tmp/ca"
chmod 644 "$tmp/ca"
module install
ok "the CA file of a token comes along" asked_for "FILE $tmp/ca"
ok "in place of the system's" not asked_for_like ca-certificates
chmod 600 "$tmp/ca"
module check
ok "a file that not everybody may read is not copied for a header's sake" ends_with 'it cannot be said'
ok "and the error says why" assert_error_has 'is not a file that everybody may read'
rm "$tmp/ca"
module check
ok "a missing one ends the build" ends_with 'it cannot be said'

# --- a TPM ---

start_tpm mine
make_small_image tpm
"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tpm2-device=auto --tpm2-pcrs= "$image"
module depends
ok "a TPM needs no network" not asked_for network
module install
ok "but its libraries" asked_for_like '^FILE .*/libtss2-tcti-device.so.0$'
ok "and rules" asked_for 'RULES 60-tpm-udev.rules'
ok "and no libcurl" not asked_for_like 'libcurl|cmdline'
module installkernel
ok "and drivers" asked_for 'DRIVERS =drivers/char/tpm'
without=libtss2-tcti-device.so.0 module install
ok "without those there is no image" ends_with 'libtss2-tcti-device.so.0 is needed'
without=libtss2-rc.so.0 module install
ok "what only explains errors may be missing" assert_rc 0

# --- a card ---

bind_card() { # NAME MODULE [QUERY]
	make_small_image "$1"
	"$cotter_enroll" --quiet --unlock-key-file="$passphrase" \
		--pkcs11-token-uri="pkcs11:token=card;object=rsa?module-path=$2&pin-${3:-value=$card_pin}" "$image" 2>/dev/null
}

make_card card
make_key card rsa:2048 01 rsa
bind_card card "$softhsm"
module depends
ok "a card needs no network" not asked_for network
ok "nor SoftHSM readers" not asked_for pcsc
module install
ok "but p11-kit" asked_for_like '^FILE .*/libp11-kit.so.0$'
ok "and the module" asked_for "FILE $softhsm"
ok "with the libraries that it is linked with" test -x "$tmp/initramfs$(readlink -f "$softhsm")"
ok "and nothing else" not asked_for_like 'pcsc|ccid|opensc|libcurl|tss|RULES|\.pin'
without=libsofthsm2.so module install
ok "without the module there is no image" ends_with "$softhsm is needed"
without=libp11-kit.so.0 module install
ok "nor without p11-kit" ends_with 'libp11-kit.so.0 is needed'

pin_file=$tmp/card.pin
(umask 077 && echo $card_pin >"$pin_file")
bind_card pin-file "$softhsm" "source=$pin_file"
module install
ok "the file with its PIN comes along" asked_for "FILE $pin_file"
chmod 644 "$pin_file"
module check
ok "but not one that others may read" ends_with 'it cannot be said'
ok "and the error says why" assert_error_has 'has the mode 0600'

# A module that finds its cards as OpenSC's does: by a library that it is linked with.
echo 'const char *const wanted = "libpcsclite.so.1";' | gcc -shared -o "$tmp/libreaders.so" -x c -
gcc -shared -o "$tmp/module.so" -x c /dev/null -x none -Wl,--no-as-needed "$tmp/libreaders.so"
printf '#!/bin/sh\n# --disable-polkit\n' >"$tmp/pcscd"
chmod 755 "$tmp/pcscd"
make_small_image readers
encrypted=$(head -c 256 /dev/zero | jose b64 enc -I-)
jq -nc --arg key "$encrypted" --arg uri "pkcs11:token=card?module-path=$tmp/module.so" \
	'{alg: "dir", enc: "A256GCM", clevis: {pin: "pkcs11", pkcs11: {$uri, mechanism: "RSA-PKCS", $key}}}' |
	jose b64 enc -I- >"$tmp/protected"
jq -nc --rawfile protected "$tmp/protected" '{type: "cotter-pkcs11", keyslots: ["0"],
	jwe: {$protected, iv: "AAAAAAAAAAAAAAAA", ciphertext: "AAAA", tag: "AAAAAAAAAAAAAAAAAAAAAA"}}' |
	cryptsetup token import --disable-external-tokens "$image"
PATH=$tmp:$PATH module depends
ok "a module that uses pcscd depends on what dracut knows of readers" asked_for pcsc
PATH=$tmp:$PATH module install
ok "with what that leaves out" asked_for_like '^FILE .*/libpcsclite.so.1$'
ok "and the drivers of readers" asked_for_like '^FILE .*/ifd-ccid.bundle/Contents/Linux/libccid.so$'
ok "and what those are for" asked_for_like '^FILE .*/ifd-ccid.bundle/Contents/Info.plist$'
ok "pcscd is there before volumes are opened" grep -qxF Before=cryptsetup-pre.target \
	"$tmp/initramfs$tmp/units/pcscd.socket.d/zz-cotter.conf"
ok "and asks no polkit" grep -qxF "ExecStart=$tmp/pcscd --foreground --auto-exit --disable-polkit" \
	"$tmp/initramfs$tmp/units/pcscd.service.d/zz-cotter.conf"
: >"$tmp/pcscd"
PATH=$tmp:$PATH module install
ok "where it knows of one" not grep -q polkit "$tmp/initramfs$tmp/units/pcscd.service.d/zz-cotter.conf"
without=pcsc module depends
ok "without dracut's module this one does not drop out" not asked_for pcsc
without=pcsc module install
ok "but there is no image" ends_with 'module.so finds its cards through pcscd'

# --- any machine ---

make_small_image bare
hostonly=
module check
ok "an image for any machine has it whatever the volumes" assert_rc 0
module depends
ok "with a network" asked_for network
ok "and names" asked_for systemd-resolved
module install
ok "for servers" asked_for_like '^FILE .*/libcurl.so.4$'
ok "and TPMs" asked_for_like '^FILE .*/libtss2-tcti-device.so.0$'
ok "and what is registered with p11-kit" asked_for 'FILE /usr/share/p11-kit/modules/softhsm2.module'
ok "which are modules" asked_for_like '^FILE .*/libsofthsm2.so$'
without='network libtss2-esys.so.0' module install
ok "as far as they can be included" assert_rc 0
ok "and it says what cannot" asked_for_like '^WARNING cotter: libtss2-esys.so.0 is needed'
done_testing
