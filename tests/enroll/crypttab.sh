#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --crypttab: the volume's line, added or completed with all else kept to the byte, in a mount namespace with an
# /etc of the test's own; the key socket where systemd measures the key; and the file whole whatever happens.
. "$(dirname "$0")/../lib.sh"

export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # the leak detector is a tracer itself

# Where the build looks for units; libsystemd's own stay out of sight.
units_dir=$(meson introspect "$build" --buildoptions |
	jq -r '.[] | select(.name == "systemd-units-dir") | .value')
[ -n "$units_dir" ] || units_dir=$(pkg-config --variable=systemdsystemunitdir systemd 2>/dev/null ||
	echo /usr/lib/systemd/system)

etc=$tmp/etc crypttab=$tmp/etc/crypttab
mkdir -p "$etc/systemd/system" "$tmp/units"
cp "$src/units/cotter-key@.socket" "$tmp/units"

# The tool, seeing that /etc.
enroll() { # OPTION…
	unshare -m sh -c 'mount --bind "$1" /etc && mount --bind "$2" "$3" || exit 125
		shift 3; exec "$@"' enroll "$etc" "$tmp/units" "$units_dir" "$cotter_enroll" "$@"
}

# The same for a user who may read the volume alone.
enroll_as_nobody() { # OPTION…
	unshare -m sh -c 'mount --bind "$1" /etc || exit 125; shift; exec "$@"' enroll "$etc" \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$cotter_enroll" "$@"
}

bind=(--unlock-key-file="$passphrase")
tang() { # NAME
	start_tangd "$1"
	eval "$1=(--tang=$tang_url --tang-thumbprint=$tang_thumbprint)"
}

write() { # LINE…
	printf '%s\n' "$@" >"$crypttab"
	cp "$crypttab" "$tmp/before"
}

# The file is what these lines say.
holds() { # LINE…
	printf '%s\n' "$@" | diff - "$crypttab" || { show_run; return 1; }
}

unchanged() {
	assert_same_file "$crypttab" "$tmp/before"
}

copy() { # FROM
	image=$tmp/data.img
	cp "$tmp/$1" "$image"
}

# Of the last run.
refused() { # TEXT
	assert_rc 1 && assert_one_sentence && assert_error_has "$1" && unchanged
}

# A keyslot that cryptsetup itself does not add.
add_empty_passphrase() { # IMAGE KEYSLOT
	/usr/bin/python3 - "$1" "$2" "$passphrase" <<-'END'
	import ctypes as c, sys
	class Pbkdf(c.Structure):
	    _fields_ = [('type', c.c_char_p), ('hash', c.c_char_p)] + [
	        (name, c.c_uint32) for name in ('ms', 'iterations', 'memory', 'threads', 'flags')]
	lib, cd = c.CDLL('libcryptsetup.so.12'), c.c_void_p()
	key = open(sys.argv[3], 'rb').read()
	pbkdf = Pbkdf(b'pbkdf2', b'sha256', 0, 1000, 0, 0, 2)
	assert lib.crypt_init(c.byref(cd), sys.argv[1].encode()) == 0
	assert lib.crypt_load(cd, b'LUKS2', None) == 0
	assert lib.crypt_set_pbkdf_type(cd, c.byref(pbkdf)) == 0
	assert lib.crypt_keyslot_add_by_passphrase(cd, int(sys.argv[2]), key, c.c_size_t(len(key)),
	                                           b'', c.c_size_t(0)) == int(sys.argv[2])
	END
}

tang first
start_tpm tpm
make_small_image plain
uuid=$(cryptsetup luksUUID "$image")
for pin in tang tpm2 both one_of_two two_of_two; do
	case $pin in
	tang) options=("${first[@]}") ;;
	tpm2) options=(--tpm2-device=auto) ;;
	both) options=(--tpm2-device=auto) ;;
	one_of_two) options=("${first[@]}" --tpm2-device=auto --threshold=1) ;;
	two_of_two) options=("${first[@]}" --tpm2-device=auto --threshold=2) ;;
	esac
	cp "$tmp/plain" "$tmp/$pin"
	"$cotter_enroll" --quiet "${bind[@]}" "${options[@]}" "$tmp/$pin"
done
"$cotter_enroll" --quiet "${bind[@]}" "${first[@]}" "$tmp/both"

# --- the line follows the policy ---

network=token-type=cotter-tang,_netdev
expect_line() { # FROM OPTIONS
	copy "$1"
	write "# kept"
	run enroll --crypttab=data "$image"
	assert_rc 0 && holds "# kept" "data $image none $2"
}
ok "Tang alone waits for the network" expect_line tang $network
ok "a TPM alone does not" expect_line tpm2 token-type=cotter-tpm2
ok "nor do a TPM's token and Tang's beside each other" expect_line both \
	token-type=cotter-tang,token-type=cotter-tpm2
ok "nor a policy that the TPM can meet" expect_line one_of_two token-type=cotter-sss
ok "a policy that needs a server does" expect_line two_of_two token-type=cotter-sss,_netdev

copy tang
write "# kept"
run enroll --crypttab --json=short "$image"
ok "without a name it is luks-UUID" holds "# kept" "luks-$uuid $image none $network"
ok "the change is shown" assert_error_has "+ luks-$uuid $image none $network"
ok "with what is to be done now" assert_error_has "run: systemctl daemon-reload"
ok "and is in the JSON" assert_json ".verb == \"crypttab\" and .crypttab == {file: \"/etc/crypttab\",
	name: \"luks-$uuid\", changed: true, line: \"luks-$uuid $image none $network\", initramfs: false}"
cp "$crypttab" "$tmp/before"
inode=$(stat -c %i "$crypttab")
run enroll --crypttab --json=short "$image"
ok "a second time nothing is changed" assert_json '.result == "ok" and .crypttab.changed == false'
ok "which is told" assert_error_has "/etc/crypttab has the right line for luks-$uuid already"
ok "and nothing is written" eval 'unchanged && assert_equal "$(stat -c %i "$crypttab")" "$inode"'

# --- a line that is there ---

write "# one" "" "a	b" "mine	UUID=${uuid^^}  -   discard" "tail"
printf 'no newline at the end' >>"$crypttab"
run enroll --crypttab "$image"
ok "the volume's line is found by its UUID, and the rest kept to the byte" eval \
	'diff <(sed "s/discard/discard,$network/" "$tmp/before"; printf "no newline at the end") "$crypttab"'
ok "old and new are shown" eval 'assert_error_has "- mine?UUID=${uuid^^}  -   discard" &&
	assert_error_has "+ mine?UUID=${uuid^^}  -   discard,$network"'
ln -s data.img "$tmp/link.img"
write "mine $tmp/link.img"
run enroll --crypttab "$image"
ok "it is found by its device, whatever that is called" holds "mine $tmp/link.img none $network"
write "mine $image - x-initrd.attach"
run enroll --crypttab --json=short "$image"
ok "a volume of the initramfs asks for that to be made anew" eval \
	'assert_error_has "mine is opened in the initramfs" && assert_json .crypttab.initramfs'

write "mine $image /key luks"
run enroll --crypttab "$image"
ok "a key file is refused" refused "crypttab names the key file /key for mine"
write "mine $tmp/plain"
run enroll --crypttab=mine "$image"
ok "another volume's name is refused" refused \
	"crypttab has volume mine on line 1, on $tmp/plain, which is not $image"
write "mine $image"
run enroll --crypttab=other "$image"
ok "a second name is refused" refused "is in crypttab already, as volume mine, on line 1"
run enroll --crypttab="a b" "$image"
ok "a name that cannot stand in crypttab is refused" refused "\"a b\" cannot be the name"
run enroll --crypttab "$tmp/plain"
ok "a volume without our tokens is refused" refused "no cotter token opens $tmp/plain"

# --- a block device ---

copy tang
write "# kept"
if device=$(losetup --find --show "$image" 2>/dev/null); then
	run enroll --crypttab "$device"
	ok "a block device is named by its UUID" holds "# kept" "luks-$uuid UUID=$uuid none $network"
	write "mine $device"
	run enroll --crypttab "$device"
	ok "and its line found by the device that this names" holds "mine $device none $network"
	losetup --detach "$device"
else
	skip "a block device" "no loop device can be had here"
fi

# --- a detached header ---

cp "$tmp/tang" "$tmp/header.img"
truncate -s 1M "$tmp/payload.img"
write "# kept"
run enroll --crypttab=far --header="$tmp/header.img" "$tmp/payload.img"
ok "a header that is elsewhere is named" holds "# kept" \
	"far $tmp/payload.img none $network,header=$tmp/header.img"
cp "$crypttab" "$tmp/before"
run enroll --crypttab=far --header="$tmp/tang" "$tmp/payload.img"
ok "another header than crypttab's is refused" refused "crypttab has the header of far at $tmp/header.img"

# --- together with a binding ---

copy plain
write "# kept"
run enroll "${bind[@]}" "${first[@]}" --crypttab=data --json=short "$image"
ok "a binding and its line" holds "# kept" "data $image none $network"
ok "are one result" assert_json '.verb == "enroll" and .state == "proven" and .crypttab.changed'
run enroll "${bind[@]}" --tpm2-device=auto --wipe-slot=tang --crypttab --json=short "$image"
ok "the line is completed for the new token" holds "# kept" \
	"data $image none $network,token-type=cotter-tpm2"
copy tang
write "# kept"
run enroll "${bind[@]}" --tpm2-device=auto --wipe-slot=tang --crypttab=data "$image"
ok "what a binding replaced is not in it" holds "# kept" "data $image none token-type=cotter-tpm2"

copy plain
write "data $image /key"
run enroll "${bind[@]}" "${first[@]}" --crypttab "$image"
ok "what cannot be written is known before the binding" refused "crypttab names the key file"
ok "which is not made" assert_same_file "$image" "$tmp/plain"
write "# kept"
run enroll "${bind[@]}" "${first[@]}" "$image" --crypttab=data --explain
ok "--explain changes nothing" eval 'assert_rc 0 && unchanged && assert_same_file "$image" "$tmp/plain"'

# --- whatever happens, crypttab is whole ---

# The tool again, with a system call of it that fails or is its last.
tampered() { # CALL INJECTION [OPTION…]
	unshare -m sh -c 'mount --bind "$1" /etc && mount --bind "$2" "$3" || exit 125
		shift 3; exec "$@"' tampered "$etc" "$tmp/units" "$units_dir" \
		strace -f -o "$tmp/trace" -P /etc/.crypttab.cotter -P /etc -e "trace=$1" \
		-e "inject=$1:$2" "$cotter_enroll" "${@:3}"
}

copy tang
for call in openat write fsync rename; do
	write "# kept"
	run tampered $call error=EIO:when=1+ --crypttab=data "$image"
	ok "where $call fails, crypttab stays and that is told" refused \
		"/etc/crypttab could not be replaced and is as it was: Input/output error"
	ok "and nothing is left beside it" not test -e "$etc/.crypttab.cotter"

	write "# kept"
	run tampered $call signal=KILL:when=1 --crypttab=data "$image"
	ok "killed at its $call" assert_rc 137
	ok "crypttab is the old one or the new" eval 'unchanged || holds "# kept" "data $image none $network"'
	run enroll --crypttab=data "$image"
	ok "the next run completes it" holds "# kept" "data $image none $network"
	ok "and leaves nothing beside it" not test -e "$etc/.crypttab.cotter"
done

copy plain
write "# kept"
run tampered rename error=EIO --json=short "${bind[@]}" "${first[@]}" --crypttab=data "$image"
ok "a binding stays where its line cannot be written" eval 'assert_rc 1 && unchanged &&
	assert_error_has "the binding stays, but crypttab is as it was" &&
	"$cotter_enroll" --test --quiet "$image"'

copy tang
write "# kept"
chown 12:34 "$crypttab"
chmod 640 "$crypttab"
run enroll --crypttab=data "$image"
ok "owner and mode are kept" assert_equal "$(stat -c '%u:%g %a' "$crypttab")" "12:34 640"
mv "$crypttab" "$etc/real"
ln -s real "$crypttab"
echo "# kept" >"$etc/real"
run enroll --crypttab=data "$image"
ok "a link is followed" eval '[ -L "$crypttab" ] && holds "# kept" "data $image none $network"'
rm "$etc/real"
run enroll --crypttab=data "$image"
ok "but not to nothing" eval 'assert_rc 1 && assert_one_sentence && assert_error_has "/etc/crypttab cannot be followed"'
rm "$crypttab"
run enroll --crypttab=data "$image"
ok "a file that is not there is made" holds "data $image none $network"
ok "for root alone" assert_equal "$(stat -c '%u %a' "$crypttab")" "0 600"

write "# kept"
chmod o+rx "$tmp"
chmod o+r "$image"
run enroll_as_nobody --crypttab=data "$image"
ok "who is not root is told" refused "--crypttab is for root"

# --- a volume whose key systemd measures ---

wants=$etc/systemd/system/sysinit.target.wants
copy tang
write "luks-a $image - tpm2-measure-pcr=yes"
run enroll --crypttab --json=short "$image"
ok "its line is completed" holds "luks-a $image - tpm2-measure-pcr=yes,$network"
ok "and its key socket enabled" assert_equal "$(readlink "$wants/cotter-key@luks\\x2da.socket")" \
	"$units_dir/cotter-key@.socket"
ok "which is in the JSON" assert_json '.crypttab.socket == "cotter-key@luks\\x2da.socket"'
rm -r "$wants"
write "luks-a $image - tries=1,tpm2-measure-pcr=15"
run enroll --crypttab "$image"
ok "tries=1 is refused there" refused "tpm2-measure-pcr= with tries=1"
write "luks-a $image - tries=1,tpm2-measure-pcr=no"
run enroll --crypttab "$image"
ok "not where nothing is measured" eval 'assert_rc 0 && [ ! -e "$wants" ]'
add_empty_passphrase "$image" 5
write "luks-a $image - tpm2-measure-pcr=yes"
run enroll --crypttab "$image"
ok "a keyslot with the empty passphrase is refused there" refused \
	"keyslot 5 of $image opens with the empty passphrase"
copy tang
rm "$tmp/units/cotter-key@.socket"
run enroll --crypttab "$image"
ok "so is a machine without the unit" refused "is not installed"
cp "$src/units/cotter-key@.socket" "$tmp/units"

# --- a policy that ends with the initramfs ---

make_image early
early=(--tpm2-device=auto --tpm2-pcrs="15:sha256=$pcr_zeros")
write "# kept"
run enroll "${bind[@]}" "${early[@]}" --crypttab=data "$image"
ok "a volume that the initramfs does not open is refused" refused "wants PCR 15 as it is when the machine starts"
ok "before it is bound" not token_json "$image" 0
write "data $image none x-initrd.attach,tpm2-measure-pcr=yes"
run enroll "${bind[@]}" "${early[@]}" --crypttab "$image"
ok "so is one whose key systemd measures" refused "what systemd measures may change PCR 15"
write "data $image none x-initrd.attach"
run enroll "${bind[@]}" "${early[@]}" --crypttab "$image"
ok "one that the initramfs opens is bound" assert_rc 0
ok "and has its line" holds "data $image none x-initrd.attach,token-type=cotter-tpm2"

done_testing
