#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The generator reads crypttab and the kernel command line as systemd's own does, and orders just the
# volumes that it should.
. "$(dirname "$0")/generated.sh"

uuid=2505567a-9e27-4efe-a4d5-15ad146c258b
other=5f0b1f52-22b1-4d7c-8d4c-9f1e3a0c7c55
marked=token-type=cotter-tang,_netdev

# Of the units that systemd made, those whose own command line has both marks.
marked_units() {
	(cd "$out/normal" && made_units |
		xargs -rd '\n' grep -lE "^ExecStart=.*('|[^\\\\],)token-type=cotter-" |
		xargs -rd '\n' grep -l '^After=remote-fs-pre.target$') || true
}

# NAME NAME , as units name them.
ordered_names() {
	ordered_units | sed 's/^systemd-cryptsetup@//; s/\.service$/ /' | tr -d '\n'
}

as_systemd() { # UNITS
	[ "$rc" = 0 ] || { show_run; return 1; }
	assert_equal "$(made_units | wc -l)" "$1"
	assert_equal "$(ordered_units)" "$(marked_units)"
}

# --- every form that crypttab(5) has ---

{
	printf '# a remark\n\n \t# another\n'
	printf 'uuid UUID=%s none %s\n' $uuid $marked
	printf 'partuuid\tPARTUUID=%s\t-\t%s\n' $other $marked
	printf 'label LABEL=a\\x20b none %s\n' $marked
	printf 'partlabel PARTLABEL=x none %s,nofail\n' $marked
	printf 'by-uuid /dev/disk/by-uuid/%s none luks,%s,noauto\n' $other $marked
	printf '  path   /dev/vdb \t none   discard,%s,x-systemd.device-timeout=5  \n' $marked
	printf 'file /var/lib/volume.img none %s\n' $marked
	printf 'by.name_0:9 /dev/vdc none _netdev,timeout=5,token-type=cotter-sss\n'
	printf 'a-b/c /dev/vdd none %s\n' $marked
	printf '.hidden /dev/vde none %s\n' $marked
	printf '\xc3\xa4@%%i /dev/vdf none %s\n' $marked
	printf 'twofields /dev/vdg\n'
	printf 'threefields /dev/vdh none\n'
	printf 'none-options /dev/vdi none none\n'
	printf 'fifth /dev/vdj none %s a fifth field\n' $marked
	printf 'remark /dev/vdk none # %s\n' $marked
	printf 'remarked /dev/vdl none %s#_netdev\n' token-type=cotter-tang
	printf 'key /dev/vdm /etc/key %s\n' $marked
	printf 'keydev /dev/vdn /key:LABEL=usb %s,keyfile-timeout=5\n' $marked
	printf 'random /dev/vdo /dev/urandom swap\n'
	printf 'tmp /dev/vdp /dev/urandom tmp=ext4\n'
	printf 'header /dev/vdq none header=/etc/luks/header.img,%s\n' $marked
	printf 'headerdev /dev/vdr none %s,header=/header:LABEL=usb\n' $marked
	printf 'headercomma /dev/vds none header=/a\\,b,%s\n' $marked
	printf 'notmarked /dev/vdt none x-remark=a\\,_netdev,token-type=cotter-tang\n'
	printf 'swallowed /dev/vdu none x\\,%s\n' token-type=cotter-tang,_netdev
	printf 'systemd /dev/vdv none token-type=systemd-tpm2,_netdev\n'
	printf 'local /dev/vdw none token-type=cotter-tpm2\n'
	printf 'plain /dev/vdx /dev/urandom plain,cipher=aes-xts-plain64,size=256\n'
	printf 'alone\n'
	printf 'crlf /dev/vdy none %s\r\n' $marked
	printf 'last /dev/vdz none ,,%s,' $marked
} >"$crypttab"

generate
ok "all forms of crypttab are read as systemd reads them" as_systemd 31
ok "the marked ones are ordered" assert_equal "$(ordered_units | wc -l)" 19
ok "a line with one field is told of" assert_error_has "line 33 of crypttab names no device"
ok "a key file beside our mark is told of" \
	assert_error_has "volume key has a key file, so its tokens are not tried"
ok "a Tang volume without _netdev is told of" assert_error_has \
	"volume notmarked is bound to the network, but crypttab does not say _netdev"
ok "debugging says of each volume what becomes of it" assert_error_has \
	"volume local is not ordered after the network"

only_dropins() {
	rm -rf "$out"
	mkdir -p "$out"/{normal,early,late}
	run_generator "$generator"
	assert_equal "$(find "$out" -type f | wc -l)" 19
	assert_equal "$(find "$out/normal" -path '*.service.d/50-cotter.conf' | wc -l)" 19
}

ok "drop-ins in the first folder are all that it writes" only_dropins

# --- the kernel command line ---

printf '%s\n' "one UUID=$uuid /key luks" "two /dev/disk/by-uuid/$other none $marked" \
	"luks-11111111-1111-1111-1111-111111111111 /dev/vdb none $marked" \
	"four /dev/vdc none $marked" >"$crypttab"

# MADE units are made by systemd, and ours orders just those of ORDERED, a pattern.
check_cmdline() { # MADE ORDERED WORDS…
	local made=$1 ordered=$2
	shift 2
	cmdline="quiet $*"
	generate
	ok "$([ "$initrd" = 0 ] || echo "initramfs: ")\"$*\": as systemd" as_systemd "$made"
	ok "and the right ones" assert_equal \
		"$(ordered_names)" "$ordered"
}

check_cmdline 4 'four luks\x2d11111111\x2d1111\x2d1111\x2d1111\x2d111111111111 two '
check_cmdline 0 '' luks=no
check_cmdline 0 '' luks.crypttab=0
check_cmdline 4 'four luks\x2d11111111\x2d1111\x2d1111\x2d1111\x2d111111111111 two ' \
	rd.luks=no rd.luks.uuid=$uuid rd.luks.options=$uuid=x
check_cmdline 1 'two ' luks.uuid=luks-$other
check_cmdline 1 'one ' luks.uuid=$uuid luks.options=$uuid=$marked
check_cmdline 1 '' luks.uuid=$uuid luks.options=$marked
check_cmdline 2 'data ' luks.name=33333333-3333-3333-3333-333333333333=data luks.name=$uuid=x \
	luks.options=$marked
check_cmdline 2 'luks\x2d33333333\x2d3333\x2d3333\x2d3333\x2d333333333333 two ' \
	luks.uuid=33333333-3333-3333-3333-333333333333 \
	luks.options=33333333-3333-3333-3333-333333333333=$marked \
	luks.data=33333333-3333-3333-3333-333333333333=/dev/vdq luks.uuid=$other
check_cmdline 1 'luks\x2d33333333\x2d3333\x2d3333\x2d3333\x2d333333333333 ' \
	luks.uuid=33333333-3333-3333-3333-333333333333 \
	luks.options=33333333-3333-3333-3333-333333333333=header=/header:LABEL=usb,$marked
check_cmdline 2 'two ' luks.uuid=$uuid luks.data=$other=/dev/vdq
check_cmdline 2 'luks\x2d11111111\x2d1111\x2d1111\x2d1111\x2d111111111111 ' \
	luks.options=$other=luks luks.uuid=11111111-1111-1111-1111-111111111111 luks.uuid=$other \
	luks.crypttab=yes luks.name=four=x luks.options=nothing=x "'luks.options=x y'"
initrd=1
check_cmdline 4 'four luks\x2d11111111\x2d1111\x2d1111\x2d1111\x2d111111111111 two '
check_cmdline 0 '' rd.luks=no
check_cmdline 0 '' luks=no
check_cmdline 1 'one ' rd.luks.uuid=$uuid rd.luks.options=$uuid=$marked
check_cmdline 1 'root ' rd.luks.crypttab=no "rd.luks.name=$uuid=root" "\"rd.luks.options=$marked\""
check_cmdline 2 'luks\x2d33333333\x2d3333\x2d3333\x2d3333\x2d333333333333 two ' \
	luks.uuid=$other rd.luks.uuid=33333333-3333-3333-3333-333333333333 rd.luks.options=$marked
cmdline=

# --- what only the initramfs or the real root does ---

cat >"$crypttab" <<-END
tang /dev/vdb none token-type=cotter-tang
sss /dev/vdc none token-type=cotter-sss
tpm2 /dev/vdd none token-type=cotter-tpm2
data /dev/vde none token-type=cotter-tang,_netdev,noauto
kept /dev/vdf none token-type=cotter-tang,_netdev,x-initrd.attach
root /dev/vdg none token-type=cotter-tang,_netdev
END

ordered_are() { # NAME…
	assert_equal "$(ordered_names)" "$* "
}

initrd=1
generate
ok "in the initramfs a Tang volume waits for the network, marked or not" \
	ordered_are data kept root tang
ok "and nobody is warned of it" not assert_error_has "_netdev"
initrd=0
generate
ok "in the real root only a marked one does, unless it is open already" ordered_are data
ok "and the one that should be is named" assert_error_has \
	"volume tang is bound to the network, but crypttab does not say _netdev: it is tried before"

# --- where lines go, and what goes wrong ---

# As if systemd itself ran it, with $tmp/kmsg in place of the kernel's log.
by_systemd() {
	: >"$tmp/kmsg"
	SYSTEMD_CRYPTTAB=$crypttab SYSTEMD_PROC_CMDLINE=${1:-} unshare -m bash -c '
		mount --bind "$1" /dev/kmsg
		export SYSTEMD_EXEC_PID=$$
		exec "$2" "$3"' bash "$tmp/kmsg" "$generator" "$(mktemp -d -p "$tmp")"
}

if [ "$(id -u)" != 0 ] || [ ! -e /dev/kmsg ]; then
	skip "what systemd runs logs to the kernel" "this needs root and /dev/kmsg"
else
	run by_systemd
	ok "what systemd runs logs to the kernel" grep -qE \
		'^<28>cotter-generator\[[0-9]+\]: volume tang is bound' "$tmp/kmsg"
	ok "and nowhere else" assert_equal "$(cat "$tmp/err")" ""
	ok "no details, unless asked for" not grep -q '^<31>' "$tmp/kmsg"
	run by_systemd systemd.log_level=debug
	ok "as on the kernel command line" grep -q '^<31>' "$tmp/kmsg"
fi

generate
run run_generator "$generator"
ok "what is there already is not written over" assert_error_has \
	"data cannot be ordered after the network: File exists"
printf '%0300d /dev/vdb none %s\n' 0 $marked >"$crypttab"
printf 'good /dev/vdc none %s\n' $marked >>"$crypttab"
rm -rf "$out" && mkdir -p "$out"/{normal,early,late}
run run_generator "$generator"
ok "a name that no unit can have is told of" assert_error_has "is too long for the name of a unit"
ok "with a failure" assert_rc 1
ok "and the next volume is ordered all the same" ordered_are good
crypttab=$tmp/nonexistent
run run_generator "$generator"
ok "without crypttab there is nothing to do" assert_rc 0
crypttab=$tmp
run run_generator "$generator"
ok "one that cannot be read is told of" assert_error_has "$tmp cannot be read"
ok "with a failure too" assert_rc 1
for args in "" "a b" "a b c d"; do
	run "$generator" $args
	ok "\"$args\" are not its folders" assert_error_has "Usage: cotter-generator NORMAL-DIR"
done

# --- what is installed ---

needed() {
	readelf -d "$generator" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | xargs
}

[ "$sanitized" = 1 ] || ok "it needs libc alone" assert_equal "$(needed)" libc.so.6

preset() {
	mkdir -p "$tmp/root"/{etc,usr/lib/systemd/{system,system-preset}}
	cp /usr/lib/systemd/system/remote-cryptsetup.target "$tmp/root/usr/lib/systemd/system"
	echo 'disable *' >"$tmp/root/usr/lib/systemd/system-preset/99-default.preset"
	cp "$src/units/50-cotter.preset" "$tmp/root/usr/lib/systemd/system-preset"
	systemctl --root="$tmp/root" preset remote-cryptsetup.target
	[ -L "$tmp/root/etc/systemd/system/multi-user.target.wants/remote-cryptsetup.target" ]
}

ok "the preset enables remote-cryptsetup.target" preset
done_testing
