#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter builds without a warning for another architecture of Debian, and its unit tests pass there: 32 bits
# (i386), big endian (s390x) and a char without a sign (both others). qemu-user runs them; those for i386 the
# kernel of an x86-64 machine does, by itself.
#
#	cross.sh i386|s390x|arm64
. "$(dirname "$0")/../lib.sh"

arch=$1
declare -A triplets=([arm64]=aarch64-linux-gnu [i386]=i686-linux-gnu [s390x]=s390x-linux-gnu)
declare -A emulators=([arm64]=qemu-aarch64 [i386]=qemu-i386 [s390x]=qemu-s390x)
for program in mmdebstrap "${triplets[$arch]}-gcc" "${emulators[$arch]}"; do
	command -v "$program" >/dev/null || skip_all "$program is not installed"
done

# What starts itself again, which only qemu-user could. Of other tests what cannot pass leaves itself out: see
# unit/foreign.h.
declare -A not_emulated=([fetch-net]=1 [proof]=1)

# What takes qemu-user too long, deriving keys or making them, or rotating keys faster than it reads a folder: i386
# has all of it, s390x some.
declare -A slow=([jws-sign]=1 [keyslot-place]=1 [leftover]=1 [luks-bind]=1 [luks-takeover]=1 [public]=1
	[reconfig]=1 [rsa]=1 [scarce]=1 [store]=1 [volume]=1 [wipe]=1)
[ "$arch" = s390x ] || slow+=([adv-text]=1 [fetch-tls]=1 [handler]=1 [luks]=1 [luks-reencrypt]=1 [sss]=1
	[tang-recover]=1)

# What loads SoftHSM, which is here for the architecture of the programs alone that fill it.
declare -A of_modules=([card]=1 [card-key]=1 [card-seal]=1 [modules]=1 [needs-pkcs11]=1 [tokens]=1)

sysroot=$build/vm/sysroot-$arch
cross=$build/portability/$arch
emulator=("${emulators[$arch]}" -L "$sysroot")
libraries=(libc-bin libc6-dev libcmocka-dev libcryptsetup-dev libcurl4-openssl-dev libgnutls28-dev libjansson-dev
	libmicrohttpd-dev libp11-kit-dev libssl-dev libsystemd-dev libtss2-dev)

# Nothing foreign is run for it. Of the archive's main part alone: updates are of no interest here.
make_sysroot() {
	local release
	release=$(. /etc/os-release && echo "$VERSION_CODENAME")
	rm -rf "$sysroot.new"
	mmdebstrap --mode=root --variant=extract --skip=check/qemu --architectures="$arch" \
		--include="$(IFS=,; echo "${libraries[*]}")" "$release" "$sysroot.new" \
		"deb http://deb.debian.org/debian $release main"
	rm -rf "$sysroot.new/dev" # where it is, qemu-user sees no other
	mv "$sysroot.new" "$sysroot"
}

describe() {
	sha256sum "$src/tests/cross/$arch.ini" | sed 's/^/# /' # with another, all is made anew
	printf "[constants]\nsysroot = '%s'\n" "$sysroot"
	if $native; then
		printf '[properties]\nneeds_exe_wrapper = false\n'
	else
		printf "[binaries]\nexe_wrapper = ['%s', '%s', '%s']\n" "${emulator[@]}"
		printf '[properties]\nneeds_exe_wrapper = true\n'
	fi
}

# Without optimization and debug information, which cost more time than all else here.
configure() {
	describe >"$cross.ini.new"
	cmp "$cross.ini.new" "$cross.ini" || rm -rf "$cross"
	mv "$cross.ini.new" "$cross.ini"
	[ -e "$cross/build.ninja" ] ||
		meson setup "$cross" "$src" --werror --cross-file "$cross.ini" \
			--cross-file "$src/tests/cross/$arch.ini" -Ddebug=false -Doptimization=0
}

compile() {
	ninja -C "$cross" "${programs[@]}"
}

[ "$(id -u)" = 0 ] || [ -e "$sysroot" ] || skip_all "only root can unpack Debian's libraries for $arch"
mkdir -p "$build/vm" "$build/portability"
make_once "$sysroot" make_sysroot
native=false
[ "$arch" != i386 ] || ! "$sysroot/lib/ld-linux.so.2" --version >/dev/null 2>&1 || native=true
ok "is configured for $arch" configure

meson introspect "$cross" --tests >"$tmp/tests"
mapfile -t programs < <(jq -r --arg build "$cross/" '.[] | select(.name | startswith("unit-")) |
	.cmd[-1] | ltrimstr($build)' "$tmp/tests")
ok "builds without a warning" compile

mapfile -t units < <(jq -r '.[].name | select(startswith("unit-")) | ltrimstr("unit-")' "$tmp/tests")
ok "there are unit tests" test ${#units[@]} -gt 100
chosen=()
for unit in "${units[@]}"; do
	if [ -n "${of_modules[$unit]:-}" ]; then
		skip "unit-$unit" "SoftHSM is here for this machine's architecture alone"
	elif ! $native && [ -n "${not_emulated[$unit]:-}" ]; then
		skip "unit-$unit" "it runs itself, which only qemu-user could"
	elif ! $native && [ -n "${slow[$unit]:-}" ]; then
		skip "unit-$unit" "qemu-user takes too long for it"
	else
		chosen+=("unit-$unit")
	fi
done

meson test -C "$cross" --no-rebuild --timeout-multiplier 10 "${chosen[@]}" >"$tmp/log" 2>&1 || true
jq -r '"\(.name | sub(".* / "; "")) \(.result)"' "$cross/meson-logs/testlog.json" >"$tmp/results"

result() { # TEST
	grep -qxF "$1 OK" "$tmp/results" && return
	jq -r --arg name "$1" 'select(.name | sub(".* / "; "") == $name) | .stdout, .stderr // "", .result' \
		"$cross/meson-logs/testlog.json"
	return 1
}

for unit in "${chosen[@]}"; do
	ok "$unit" result "$unit"
done
done_testing
