#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a boot with the root on Tang costs: the same root bound by us and by Clevis, and what each adds to an
# initramfs that unlocks nothing, the boots of both taking turns. Prints a table of medians.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/medians.sh"
. "$(dirname "$0")/../vm/stage.sh"

# By a clock that counts instructions (see below) one tells enough for whoever only wants to know whether it fails.
rounds=${ROUNDS:-$([ -n "${CI:-}" ] && echo 1 || echo 3)}
url=http://10.77.0.2:7500

# Clevis answers what is asked at the console.
prompt='no question ends these boots'
# For both the same; the times that the kernel puts before what systemd says are what is measured.
vm_append="rd.neednet=1 ip=dhcp rd.systemd.wants=network-online.target
	systemd.show_status=false systemd.log_target=kmsg printk.devkmsg=on printk.time=1"

# A machine whose clock counts its instructions, 8 ns each, and goes with ours only while it waits: neither how
# fast this machine is nor what else it does at the time counts. Its processor has the instructions for AES that
# all have whose disks are encrypted: for one without, the kernel loads and drops their module twice.
vm_cpus=(-accel tcg,thread=single -smp 1 -icount shift=3 -cpu Westmere)

make_kernel_and_root
make_once "$vm/clevis" download "$vm/clevis" clevis-dracut clevis-systemd
start_network
start_net_tang

declare -A initrds=() volumes=()
builds=()
for name in none network cotter clevis; do
	make_volume "$name"
	volumes[$name]=$image
done
image=${volumes[cotter]} bind_net_tang "$url"
"${in_net[@]}" clevis luks bind -y -k "$passphrase" -d "${volumes[clevis]}" tang \
	"{\"url\":\"$url\",\"thp\":\"$tang_thumbprint\"}" >/dev/null 2>&1

build_image() { # NAME
	local debs=$vm/packages add=() options=_netdev,x-initrd.attach
	image=${volumes[$1]}
	case $1 in
	network) add=(--add network) ;;
	cotter) options=token-type=cotter-tang,$options ;;
	clevis) debs=$vm/clevis add=(--add clevis-pin-tang) ;;
	esac
	make_initrd "boot-$1" dracut "$debs" "root UUID=$root_uuid none $options" \
		--hostonly --no-hostonly-cmdline "${add[@]}"
	initrds[$1]=$initrd
}

# Side by side where they are not there yet.
for name in "${!volumes[@]}"; do
	build_image "$name" &
	builds+=($!)
done
wait "${builds[@]}"
for name in "${!volumes[@]}"; do
	build_image "$name"
done

# When systemd said TEXT first, in microseconds since the kernel started.
said() { # TEXT
	sed -n "s/.*\[ *\([0-9]*\)\.\([0-9]\{6\}\)\] systemd\[1\]: $1.*/\1\2/p" "$tmp/console" | head -n 1
}

boot_once() { # NAME
	local online unlocked mounted
	image=${volumes[$1]} initrd=${initrds[$1]}
	boot "$reached" ''
	assert_booted || return 1
	online=$(said 'Reached target network-online\.target')
	unlocked=$(said 'Finished systemd-cryptsetup@root\.service')
	mounted=$(said 'Mounted sysroot\.mount')
	[ -n "$online" ] && [ -n "$unlocked" ] && [ -n "$mounted" ] || { show_boot; return 1; }
	echo "$mounted $((unlocked - online))" >>"$tmp/$1.times"
}

boot_rounds() {
	for ((round = 0; round < rounds; round++)); do
		boot_once cotter && boot_once clevis || return 1
	done
}

size() { # NAME
	stat -c %s "${initrds[$1]}"
}

files() { # NAME
	lsinitrd "${initrds[$1]}" | grep -c '^[-l]'
}

image_files() { # NAME PATTERN
	initrd=${initrds[$1]}
	image_has "$2"
}

growth() { # NAME BASE
	echo $(($(size "$1") - $(size "$2")))
}

ok "the image for Clevis has it" image_files clevis 'libexec/clevis-luks-askpass$'
ok "and none of ours" not image_files clevis 'token-cotter'
ok "ours has none of it" not image_files cotter 'bin/(clevis|jose|curl)'
ok "the image with a network has neither" not image_files network 'clevis|token-cotter'
ok "both reach the root, $rounds times" boot_rounds
[ $failures = 0 ] || done_testing

row() { # NAME TITLE
	local times=(- -)
	[ ! -e "$tmp/$1.times" ] || times=("$(median "$1" 1)e-6" "$(median "$1" 2)e-6")
	[ "${times[0]}" = - ] || mapfile -t times < <(printf '%.2f\n' "${times[@]}")
	printf '# %-30s %8s %9s %10d %6d %12d %9d\n' "$2" "${times[@]}" $(($(size "$1") / 1024)) \
		"$(files "$1")" $(($(growth "$1" network) / 1024)) $(($(growth "$1" none) / 1024))
}

printf '# %-30s %8s %9s %10s %6s %12s %9s\n' "medians of $rounds boots" 'root, s' 'unlock, s' 'image, KiB' files \
	'over network' 'over none'
row none 'no unlocker, no network'
row network 'no unlocker, with a network'
row cotter cotter
row clevis 'clevis-dracut, clevis-systemd'
echo "# root: from the kernel's start until the root is mounted; unlock: from network-online.target on"
for name in cotter clevis; do
	echo "# $name, root and unlock of each boot, us: $(paste -s -d ';' "$tmp/$name.times")"
done

unlock=$(median cotter 2)
ok "it takes at most 0.3 times as long as Clevis" test $((10 * unlock)) -le $((3 * $(median clevis 2)))
# Of both nearly all is libcurl with what that needs.
ok "the image grows by less than with Clevis" \
	test "$(growth cotter network)" -lt "$(growth clevis network)"
done_testing
