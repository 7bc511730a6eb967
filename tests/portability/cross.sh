#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter builds without a warning for another architecture of Debian, and its unit tests pass there, in qemu-user:
# 32 bits (i386), big endian (s390x), and a stricter order of memory (arm64).
#
#	cross.sh i386|s390x|arm64
. "$(dirname "$0")/../lib.sh"

arch=$1
declare -A triplets=([arm64]=aarch64-linux-gnu [i386]=i686-linux-gnu [s390x]=s390x-linux-gnu)
declare -A machines=([arm64]=aarch64 [i386]=i386 [s390x]=s390x)
for program in mmdebstrap "${triplets[$arch]}-gcc" "qemu-${machines[$arch]}"; do
	command -v "$program" >/dev/null || skip_all "$program is not installed"
done

# What cannot pass in qemu-user, for reasons of its own.
declare -A not_here=(
	[external]="in qemu-user a program that cannot be started is not told of: vfork() is fork()"
	[fetch]="it runs itself, which only the wrapper can"
	[fetch-net]="it runs itself, which only the wrapper can"
	[fetch-tls]="it runs itself, which only the wrapper can"
	[proof]="it runs itself, which only the wrapper can"
)

sysroot=$build/vm/sysroot-$arch
cross=$build/portability/$arch
libraries=(libc-bin libc6-dev libcmocka-dev libcryptsetup-dev libcurl4-openssl-dev libgnutls28-dev libjansson-dev
	libmicrohttpd-dev libssl-dev libsystemd-dev libtss2-dev)

# Nothing foreign is run for it. Of the archive's main part alone: updates are of no interest here.
make_sysroot() {
	rm -rf "$sysroot.new"
	mmdebstrap --mode=root --variant=extract --skip=check/qemu --architectures="$arch" \
		--include="$(IFS=,; echo "${libraries[*]}")" "$(. /etc/os-release && echo "$VERSION_CODENAME")" \
		"$sysroot.new" "deb http://deb.debian.org/debian $(. /etc/os-release && echo "$VERSION_CODENAME") main"
	rm -rf "$sysroot.new/dev" # where it is, qemu-user sees no other
	mv "$sysroot.new" "$sysroot"
}

configure() {
	[ -e "$cross/build.ninja" ] ||
		meson setup "$cross" "$src" --werror --cross-file "$cross.ini" \
			--cross-file "$src/tests/cross/$arch.ini" -Ddebug=false
}

[ "$(id -u)" = 0 ] || [ -e "$sysroot" ] || skip_all "only root can unpack Debian's libraries for $arch"
mkdir -p "$build/vm" "$build/portability"
make_once "$sysroot" make_sysroot
printf "[constants]\nsysroot = '%s'\n" "$sysroot" >"$cross.ini"
ok "is configured for $arch" configure
ok "builds without a warning" ninja -C "$cross"

mapfile -t units < <(meson introspect "$cross" --tests | jq -r '.[].name | select(startswith("unit-"))')
ok "there are unit tests" test ${#units[@]} -gt 100
chosen=()
for unit in "${units[@]}"; do
	if [ -n "${not_here[${unit#unit-}]:-}" ]; then
		skip "$unit" "${not_here[${unit#unit-}]}"
	else
		chosen+=("$unit")
	fi
done
meson test -C "$cross" --no-rebuild --timeout-multiplier 10 "${chosen[@]}" >"$tmp/log" 2>&1 || true

result() { # TEST
	jq -er --arg name "$1" 'select(.name | endswith(" / " + $name) or . == $name) | .stdout, .stderr // "",
		if .result == "OK" then "passed" else .result end' "$cross/meson-logs/testlog.json" | tee "$tmp/result"
	[ "$(tail -n 1 "$tmp/result")" = passed ]
}

for unit in "${chosen[@]}"; do
	ok "$unit" result "$unit"
done
done_testing
