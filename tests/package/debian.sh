#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The source tarball, and Debian's packages of it: built, checked by lintian, installed and removed in a copy
# of this system, and at work there.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/tree.sh"
. "$(dirname "$0")/../roots.sh"
[ "$(id -u)" = 0 ] || skip_all "only root can install packages in a copy of the system"

ok "meson dist makes a tarball" make_tarball

build_packages() {
	mkdir "$tmp/debs"
	cp "$tmp/cotter-$version.tar.xz" "$tmp/debs/cotter_$version.orig.tar.xz"
	tar -C "$tmp/debs" -xf "$tmp/cotter-$version.tar.xz"
	cd "$tmp/debs/cotter-$version"
	CC=gcc DEB_BUILD_OPTIONS="parallel=$(nproc)" dpkg-buildpackage -us -uc
}
ok "the tarball builds as a Debian package" build_packages
[ $failures = 0 ] || { done_testing; exit; }

ok "the package's version is the program's" grep -q "^Version: $version-" "$tmp"/debs/*.dsc
# The report that a first upload would close is made where there is an upload; debian/ is in the tarball; and what
# an override is about is not seen by each release's lintian.
ok "lintian finds nothing" lintian --allow-root --fail-on error,warning \
	--suppress-tags initial-upload-closes-no-bugs,no-debian-changes,mismatched-override "$tmp"/debs/*.changes

packages=(cotter cotter-clevis cotter-dracut cotter-enroll cotter-initramfs cotter-tangd)
deb_of() { # PACKAGE
	echo "$tmp/debs/$1"_*.deb
}

built_packages() {
	find "$tmp/debs" -name '*.deb' ! -name '*-dbgsym_*' -printf '%f\n' | sed 's/_.*//' | sort
}
ok "there are six packages" diff <(printf '%s\n' "${packages[@]}") <(built_packages)

# The files of a package without what any has; folders that differ between releases are as in the older one.
contents() { # PACKAGE
	dpkg-deb -c "$(deb_of "$1")" |
		awk '$1 !~ /^d/ { print $6 }' |
		sed -E "s,^\./,,; s,^(usr/)?lib/systemd/,lib/systemd/,; s,^(usr/)?lib/[^/]+/cryptsetup/,PLUGINS/,; s,\.gz\$,," |
		grep -vE '^usr/share/(doc|lintian)/' | sort
}

has() { # PACKAGE FILE…
	local package=$1
	shift
	diff <(printf '%s\n' "$@" | sort) <(contents "$package")
}

ok "cotter has the plugins and what the boot needs" has cotter \
	PLUGINS/libcryptsetup-token-cotter-{pkcs11,sss,tang,tpm2}.so \
	lib/systemd/system-generators/cotter-generator lib/systemd/system-preset/50-cotter.preset \
	lib/systemd/system/cotter-{agent.path,agent.service,key@.service,key@.socket,modules.service,pcr15.service} \
	lib/systemd/system/multi-user.target.wants/remote-cryptsetup.target \
	usr/libexec/cotter-{agent,key,needs,pcr15} \
	usr/share/man/{man5/cotter-token.5,man7/cotter-policy.7,man8/cotter-agent.8,man8/cotter-generator.8}
ok "cotter-enroll has the tool and the renewal" has cotter-enroll \
	lib/systemd/system/cotter-renew.{service,timer} usr/bin/cotter-enroll usr/libexec/cotter-renew \
	usr/share/bash-completion/completions/cotter-enroll \
	usr/share/man/{man1/cotter-enroll.1,man7/cotter-provisioning.7,man8/cotter-renew.service.8}
ok "cotter-dracut has the module" has cotter-dracut \
	usr/lib/dracut/modules.d/50cotter/{default-network.sh,module-setup.sh}
ok "cotter-initramfs has the hooks" has cotter-initramfs \
	usr/share/initramfs-tools/hooks/cotter \
	usr/share/initramfs-tools/scripts/{local-block,local-bottom,local-top}/cotter \
	usr/share/initramfs-tools/scripts/{init-bottom,panic}/cotter-pcr15
ok "cotter-tangd has the server" has cotter-tangd \
	lib/systemd/system-preset/50-cotter-tangd.preset \
	lib/systemd/system/cotter-tangd{-metrics.socket,.service,.socket} \
	usr/bin/cotter-tang-keys usr/libexec/cotter-tangd \
	usr/share/bash-completion/completions/cotter-tang-keys \
	usr/share/man/man8/cotter-{tang-keys,tangd}.8

# Each program that Debian's Clevis has for encryption, decryption and LUKS.
clevis_programs() {
	dpkg -L clevis clevis-luks clevis-tpm2 | sed -n 's,^/usr/bin/,,p' | sort
}
drop_in_programs() {
	contents cotter-clevis | sed -n 's,^usr/bin/,,p'
}
ok "cotter-clevis has each of Clevis's programs" test -z \
	"$(comm -23 <(clevis_programs) <(drop_in_programs))"
ok "its plugin, and its service" test 3 = \
	"$(contents cotter-clevis | grep -cE '/(libcryptsetup-token-clevis.so|cotter-udisks(.service)?)$')"
ok "the bare essentials need no library that is loaded later" not grep -qE 'curl|p11|tss2' \
	<(dpkg-deb -f "$(deb_of cotter)" Depends; dpkg-deb -f "$(deb_of cotter-enroll)" Depends)

# --- in a copy of the system ---

mkdir "$tmp/copy"
here=(in_copy / "$tmp/copy" "$tmp:$tmp" "$tmp/copy/upper:/mnt" --)
if ! "${here[@]}" true >"$tmp/copy.log" 2>&1; then
	skip "the packages are installed" "no overlay of this system can be mounted: $(tail -n 1 "$tmp/copy.log")"
	done_testing
	exit
fi
cp "$src/tests/package/installed.sh" "$tmp"
"${here[@]}" bash -eu -o pipefail "$tmp/installed.sh" "$tmp" "${packages[@]}" >"$tmp/copy.log" 2>&1 || true
while read -r name; do
	ok "$name" grep -qxF "done: $name" "$tmp/copy.log"
done < <(sed -n 's/^step "\(..*\)"$/\1/p' "$tmp/installed.sh")
grep -q '^all done$' "$tmp/copy.log" || sed 's/^/# /' "$tmp/copy.log" | tail -n 60

done_testing
