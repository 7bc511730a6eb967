# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A whole machine in an initramfs: this one's systemd as its real root's, cotter as it is installed, and a script
# that is run once it has started. To be sourced after stage.sh.

# What a script on that machine may call.
machine_programs=(bash cat chmod chown cp curl cut date env grep head id install jose jq kill ls mkdir mktemp mount
	mv nsenter rm sed seq sh sleep sort stat tail tang-show-keys tr true uniq wc)
machine_programs=("${machine_programs[@]/#//usr/bin/}" /usr/sbin/cryptsetup /usr/libexec/{tangd,tangd-keygen})

# The files of packages but for what only people read.
files_of() { # PACKAGE…
	dpkg -L "$@" | grep -vE '^/usr/share/(doc|man|locale|lintian|bash-completion|zsh)|hwdb' |
		while read -r file; do [ -d "$file" ] || [ ! -e "$file" ] || echo "$file"; done
}

# Lays SCRIPT and what it needs out in FOLDER.
furnish_machine() { # FOLDER SCRIPT
	local root=$1 libraries
	mkdir -p "$root"/{dev,etc/systemd/system,proc,run,sys,tmp,var/lib,var/log,usr/bin,usr/sbin,usr/lib,usr/lib64}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$root"
	chmod 1777 "$root/tmp"
	files_of systemd systemd-sysv | xargs /usr/lib/dracut/dracut-install -D "$root" -o -l -a
	/usr/lib/dracut/dracut-install -D "$root" -l -a "${machine_programs[@]}"
	DESTDIR=$root meson install -C "$build" --no-rebuild --quiet
	mapfile -t libraries < <(find "$root/usr" -type f -name '*cotter*' -exec ldd {} + \
		2>/dev/null | sed -nE 's|.* => (/[^ ]*) .*|\1|p' | sort -u)
	/usr/lib/dracut/dracut-install -D "$root" -l -a "${libraries[@]}"
	cp -a /etc/{passwd,group,nsswitch.conf,ld.so.conf,ld.so.conf.d} "$root/etc"
	ldconfig -r "$root"
	echo 'ID=cotter-test' >"$root/etc/os-release"
	: >"$root/etc/machine-id"
	install -m 755 "$2" "$root/script"
	cat >"$root/etc/systemd/system/script.service" <<-END_UNIT
		[Unit]
		After=sockets.target
		[Service]
		Type=oneshot
		ExecStart=/script
		ExecStopPost=/usr/bin/bash -c 'echo "ALL SAID" >/dev/console; exec systemctl poweroff -ff'
		StandardOutput=tty
		StandardError=tty
		TTYPath=/dev/ttyS1
		KillMode=process
	END_UNIT
	cat >"$root/etc/systemd/system/script.target" <<-END_UNIT
		[Unit]
		Requires=sysinit.target sockets.target
		Wants=script.service
		After=sysinit.target sockets.target
	END_UNIT
}
