#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What ./check and ./quickstart share: Debian's packages, only where missing, and a build.
# No package here starts a service.

# Nothing but the system's own programs and settings takes part.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset CC CFLAGS CPPFLAGS LDFLAGS DESTDIR MAKEFLAGS LD_PRELOAD

debian=$(. /etc/os-release && echo "${VERSION_ID:-}")
build_packages=(gcc libc6-dev meson ninja-build pkg-config
	libcryptsetup-dev libcurl4-openssl-dev libgnutls28-dev libjansson-dev libmicrohttpd-dev libssl-dev
	libp11-kit-dev libsystemd-dev libtss2-dev)
run_packages=(cryptsetup-bin curl jose libp11-kit0 mount python3 swtpm tpm2-tools util-linux)
tss=(libtss2-esys-3.0.2-0 libtss2-rc0 libtss2-tcti-device0 libtss2-tcti-swtpm0 libtss2-tctildr0)
[ "$debian" = 12 ] || tss=("${tss[@]/%/t64}")
run_packages+=("${tss[@]}")

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
