#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-tangd as systemd runs it, on a machine of its own: keys made at the first start, a sandbox, one unit
# whatever comes, restarts that refuse nobody, and Tang's server and keys taken over, by the recipes of
# cotter-tangd(8).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/stage.sh"
. "$(dirname "$0")/machine.sh"

make_kernel_and_root
make_once "$vm/tang-package" download "$vm/tang-package" tang

# Debian's Tang with keys, a volume, the recipes, and the script in an initramfs. Sets $initrd.
make_tangd_machine() {
	local root=$tmp/machine name
	furnish_machine "$root" "$src/tests/vm/tangd-machine.sh"
	dpkg-deb --fsys-tarfile "$vm"/tang-package/tang_*.deb | tar -x -C "$root" --keep-directory-symlink
	mkdir "$root/var/lib/tang" "$root/recipes"
	/usr/libexec/tangd-keygen "$root/var/lib/tang"
	chown -R _tang:_tang "$root/var/lib/tang"
	make_small_image volume
	cp --sparse=always "$image" "$root/image"
	cp "$passphrase" "$root/passphrase"
	for name in start firewall metrics rotate takeover back; do
		/usr/bin/python3 "$src/tests/recipes.py" page "$src/man/cotter-tangd.8" $name |
			sed 's/^# //' >"$root/recipes/$name"
	done
	sed -nE 's/^\.B ([0-9a-f]{32})$/\1/p' "$src/man/cotter-tangd.8" >"$root/recipes/id"
	initrd=$tmp/machine.cpio
	(cd "$root" && find . | cpio --quiet -o -H newc | zstd -1 -q -T0) >"$initrd"
	image=
}

make_tangd_machine
vm_seconds=600 # all that the script does is emulated
vm_append='rdinit=/usr/lib/systemd/systemd systemd.unit=script.target' boot 'ALL SAID' ''
tr -d '\r' <"$tmp/report" >"$tmp/said"
[ -z "${SAID:-}" ] || cp "$tmp/said" "$SAID"
ok "a machine runs it to its end" assert_rc 0

# What the command NAME gave, without its status.
said() { # NAME
	sed -n "/^$1: status [0-9]*$/d; s/^$1: //p" "$tmp/said"
}

told() { # NAME LINE…
	assert_equal "$(said "$1")" "$(printf '%s\n' "${@:2}")" && succeeded "$1"
}

succeeded() { # NAME
	grep -qxF "$1: status 0" "$tmp/said" || { grep -F "$1: " "$tmp/said"; return 1; }
}

told_line() { # NAME LINE
	said "$1" | grep -xF -e "$2" >/dev/null || { said "$1"; return 1; }
}

told_of() { # NAME PATTERN
	said "$1" | grep -E -e "$2" >/dev/null || { said "$1"; return 1; }
}

ok "it is enabled and started as the manual says" succeeded first
ok "keys are made at the first start, in a folder that is the service's alone" \
	told first-keys '700 directory' '700 directory' ' 2 440 regular file' 'all of one user'
ok "their thumbprint is shown" told_of first-show '^[A-Za-z0-9_-]{43}$'
ok "and is advertised" told_line first-advertised "$(said first-show | tail -n 1)"
ok "it goes by the name of Tang's socket, too" told alias cotter-tangd.socket
ok "200 recoveries" told once ' 200 200'
ok "leave one service and one socket" told once-units cotter-tangd.service cotter-tangd.socket
ok "that was not restarted" told once-restarts 0
ok "and the record has them" told_of once-usage '200'
ok "the service has no network of its own" told_line sandbox 'interface lo'
ok "nor another one" assert_equal "$(said sandbox | grep -c interface)" 1
ok "no capability" told_line sandbox 'CapEff: 0000000000000000'
ok "a filter of system calls" told_line sandbox 'Seccomp: 2'
ok "and a user of its own" told_line sandbox 'not root'
ok "a recovery is in the journal, by fields" told_of journal \
	'^127\.0\.0\.1 [A-Za-z0-9_-]{43} 200 6 cotter-tangd\.service cotter-tangd$'
ok "it says that it is well" told health 200
ok "restarts refuse nobody" told restart ' 30 200'
ok "nor does a kill" told kill 200
ok "keys are rotated as the manual says" succeeded rotate
ok "new ones are advertised" told_line rotated "$(said rotated-show | tail -n 1)"
ok "by files that are the service's" told_line rotated-keys 'all of one user'
ok "and recover" told rotated-recover ' 1 200'
ok "with the manual's addresses, its own machine is let in" told allowed 200
ok "and no address that is not listed" told_of denied 'timed out'
ok "counters are on a socket of their own" succeeded metrics-text
ok "with OpenMetrics' end" told_line metrics-text '# EOF'
ok "beside it, all is served as before" told metrics-adv 200
ok "a volume is bound to Debian's Tang" succeeded bind
ok "and opens by it" succeeded theirs
ok "Tang's keys are taken over as the manual says" succeeded takeover
ok "the volume opens by them" succeeded ours
ok "served by our units alone" assert_equal "$(said ours-units | grep -v @)" \
	"$(printf 'cotter-tangd.service\ncotter-tangd.socket')"
ok "from a folder that is the service's" told_line ours-keys 'all of one user'
ok "under the name of Tang's socket" told ours-socket cotter-tangd.socket
ok "with no key but Tang's" told_line ours-keys ' 2 440 regular file'
ok "new keys are made, and the volume renewed" told_of renew 'renewed token 0'
ok "the way back is as the manual says" succeeded back
ok "Tang's own socket serves again" told back-serves tangd.socket
ok "with the keys that it had" told back-recover 200
ok "no unit failed" told failed
ok "and there was no warning but of what was killed" \
	assert_equal "$(said warnings | grep -vE "code=killed|result 'signal'")" ""
done_testing
