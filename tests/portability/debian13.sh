#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter builds without a warning on Debian 13, and its tests pass there, with the newer gcc, libcryptsetup, systemd,
# tpm2-tss, OpenSSL, libcurl and libmicrohttpd: in a root of its own, on this machine's kernel.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../debian13.sh"
. "$(dirname "$0")/../roots.sh"

[ "$(. /etc/os-release && echo "$VERSION_ID")" -lt 13 ] || skip_all "this is Debian 13 or newer, as all tests show"
[ "$(id -u)" = 0 ] || skip_all "only root can make a root of Debian 13 and work in it"
command -v debootstrap >/dev/null || skip_all "debootstrap is not installed"

# What the tests here take of what ./check installs for all.
packages=(clevis clevis-luks clevis-tpm2 jq keyutils libcmocka-dev lz4 opensc openssl procps socat softhsm2 strace
	tang-common xz-utils zstd)
# All of these suites, and of others what is most likely to meet other versions: the rest takes long.
suites=(unit fuzz plugin)
chosen=(enroll-enroll enroll-order enroll-pkcs11 enroll-policy enroll-tpm2
	units-agent units-generator units-key units-pcr15)

# --- the root ---

root=$debian13-tests-$({ cat "$src/tests/prepare.sh"; echo "${packages[@]}"; } | sha256sum | cut -c 1-12)

make_root() {
	find "$build/vm" -maxdepth 1 -name 'debian13-tests-*' ! -name '*.lock' ! -name '*.log' -exec rm -rf {} +
	cp -a "$debian13" "$root.new"
	cp -L /etc/resolv.conf "$root.new/etc/resolv.conf"
	echo force-unsafe-io >"$root.new/etc/dpkg/dpkg.cfg.d/quick"
	{
		cat "$src/tests/prepare.sh"
		echo "install_packages \"\${build_packages[@]}\" \"\${run_packages[@]}\" ${packages[*]}"
	} | in_root "$root.new" bash -eu -o pipefail
	rm -rf "$root.new/var/cache/apt"
	mv "$root.new" "$root"
}

[ -e "$root" ] || curl -sSfo /dev/null --max-time 30 "$debian13_mirror/dists/trixie/InRelease" 2>"$tmp/mirror" ||
	skip_all "Debian's archive is out of reach: $(cat "$tmp/mirror")"
get_debian13
make_once "$root" make_root

# --- work in it ---

built=$build/portability/debian13
mkdir -p "$built" "$tmp/layer"

# Runs CMD in the root, of which nothing is changed but the sources' build folder $built.
inside() { # CMD…
	in_copy "$root" "$tmp/layer" "$src:$src:ro" "$built:$built" -- env -i --chdir="$src" \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"
}

inside true 2>"$tmp/layer.log" || skip_all "no overlay of a root can be mounted: $(tail -n 1 "$tmp/layer.log")"

# shellcheck disable=SC2016 # for the shell in the root
all_packages_exist() {
	inside bash -euc '. tests/prepare.sh
		apt-get -s install --no-install-recommends "${build_packages[@]}" "${run_packages[@]}" \
			"${test_packages[@]}" "${fuzz_packages[@]}"'
}

configure() {
	[ -e "$built/build.ninja" ] || inside env CC=gcc meson setup "$built" "$src" --werror -Ddebug=false
}

version() { # LIBRARY…
	inside pkg-config --modversion "$@" | paste -sd ' '
}

ok "all packages that ./check names exist there" all_packages_exist
echo "# gcc $(inside gcc -dumpfullversion); libcryptsetup, systemd, tpm2-tss, OpenSSL, libcurl, libmicrohttpd:" \
	"$(version libcryptsetup libsystemd tss2-esys libcrypto libcurl libmicrohttpd)"
ok "is configured" configure
ok "builds without a warning" inside ninja -C "$built"

mapfile -t tests_of_suites < <(jq -r --args '.[] | select(.suite | any(sub(".*:"; "") | IN($ARGS.positional[])))
	| .name' "${suites[@]}" <"$built/meson-info/intro-tests.json")
ok "there are tests" test ${#tests_of_suites[@]} -gt 200
chosen+=("${tests_of_suites[@]}")
inside meson test -C "$built" --no-rebuild --timeout-multiplier 3 "${chosen[@]}" >"$tmp/log" 2>&1 || true

log=$built/meson-logs/testlog.json
declare -A results=()
while read -r name result; do
	results[$name]=$result
done < <(jq -r '"\(.name | sub(".* / "; "")) \(.result)"' "$log")

passed() { # TEST
	[ "${results[$1]:-}" = OK ] && return
	echo "${results[$1]:-did not run}"
	jq -r --arg name "$1" 'select(.name | sub(".* / "; "") == $name) | .stdout, .stderr // ""' "$log" |
		grep -vE '^ok '
	return 1
}

for name in "${chosen[@]}"; do
	if [ "${results[$name]:-}" = SKIP ]; then
		skip "$name" "it is skipped there, too"
	else
		ok "$name" passed "$name"
	fi
done
done_testing
