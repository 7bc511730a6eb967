#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What ./check and ./quickstart share: Debian's packages, only where missing, and a build.
# No package here starts a service.

# Nothing but the system's own programs and settings takes part.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset CC CFLAGS CPPFLAGS LDFLAGS DESTDIR MAKEFLAGS LD_PRELOAD

debian=$(. /etc/os-release && echo "${VERSION_ID:-}")

# What all is built with, and what ./quickstart runs.
build_packages=(gcc libc6-dev meson ninja-build pkg-config
	libcryptsetup-dev libcurl4-openssl-dev libgnutls28-dev libjansson-dev libmicrohttpd-dev libssl-dev
	libp11-kit-dev libsystemd-dev libtss2-dev)
run_packages=(cryptsetup-bin curl jose libp11-kit0 mount python3 swtpm tpm2-tools util-linux)
tss=(libtss2-esys-3.0.2-0 libtss2-rc0 libtss2-tcti-device0 libtss2-tcti-swtpm0 libtss2-tctildr0)
[ "$debian" = 12 ] || tss=("${tss[@]/%/t64}")
run_packages+=("${tss[@]}")

# What the tests take beside.
test_packages=(binutils busybox ca-certificates clang clevis clevis-luks clevis-tpm2 cppcheck dbus-daemon
	iproute2 jq keyutils libccid libcmocka-dev opensc openssl pcscd procps socat softhsm2 strace)
# The other Tang server, whose programs are in tang-common and whose service is not, and what it is compared by.
test_packages+=(tang-common valgrind wrk)
# What recipes are for, and what reads their formats.
test_packages+=(ansible-core fdisk groff-base python3-jsonschema python3-yaml)
# Packages.
test_packages+=(bash-completion build-essential debhelper dpkg-dev fakeroot git lintian mandoc pkgconf rpm rpmlint)
# Charts of what is measured.
test_packages+=(gnuplot-nox)
# Virtual machines, and images for them.
test_packages+=(cpio debootstrap dmsetup dnsmasq-base dracut-core dracut-network e2fsprogs kmod lz4 netbase
	qemu-system-x86 seabios udev xz-utils zstd)
# Other architectures.
test_packages+=(gcc-aarch64-linux-gnu gcc-i686-linux-gnu gcc-s390x-linux-gnu libc6-dev-arm64-cross
	libc6-dev-i386-cross libc6-dev-s390x-cross mmdebstrap qemu-user)
# What ./check --fuzz takes.
fuzz_packages=(clang libcmocka-dev python3 systemd)
case $debian in
12)
	test_packages+=(clang-format-14 clang-tidy-14 systemd)
	fuzz_packages+=(libclang-rt-14-dev llvm-14)
	;;
13)
	test_packages+=(systemd systemd-cryptsetup systemd-dev)
	fuzz_packages+=(libclang-rt-19-dev llvm-19)
	;;
*) echo "This is not Debian 12 or 13: some packages may be missing." >&2 ;;
esac

missing_packages() { # PACKAGE…
	local package
	for package; do
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			echo "$package"
	done
}

install_packages() { # PACKAGE…
	local missing
	mapfile -t missing < <(missing_packages "$@")
	[ ${#missing[@]} -gt 0 ] || return 0

	if [ "$(id -u)" != 0 ]; then
		echo "These packages are missing, and only root can install them: ${missing[*]}" >&2
		return 1
	fi
	echo "Installing with apt-get: ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update
	apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null </dev/null
}

build_targets=() # all

# Builds in build/NAME; says how it went, and shows the output only where it failed.
build() { # NAME COMPILER [MESON-OPTION…]
	local name=$1 compiler=$2 log=build/$1.log start=$SECONDS
	shift 2
	mkdir -p build
	printf '%s: building with %s... ' "$name" "$compiler"
	if {
		[ -e "build/$name/build.ninja" ] ||
			CC=$compiler meson setup "build/$name" --werror "$@"
		ninja -C "build/$name" -k 0 "${build_targets[@]}"
	} >"$log" 2>&1; then
		echo "done in $((SECONDS - start)) s"
	else
		echo "failed:"
		grep -vE '^\[[0-9]+/[0-9]+\] ' "$log" | tail -n 60
		return 1
	fi
}
