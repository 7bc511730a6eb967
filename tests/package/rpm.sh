#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The spec file, by Debian's rpm and stand-ins for Fedora's macros: parsed, checked by rpmlint, built from the
# source tarball, and what the packages hold.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/tree.sh"

macros=$src/tests/package/fedora.macros
spec=$src/cotter.spec

parsed() {
	rpmspec --load="$macros" -P "$spec" >"$tmp/spec" && not grep -E '%([{(]|systemd|meson|auto)' "$tmp/spec"
}
ok "the spec file is parsed, and all its macros are known" parsed
ok "rpmlint finds nothing in it" rpmlint --strict -c "$src/tests/package/rpmlint.toml" "$spec"
ok "its version is the program's" assert_equal \
	"$(rpmspec --load="$macros" -q --srpm --qf '%{version}' "$spec")" "$version"
ok "meson dist makes a tarball" make_tarball

build_packages() {
	mkdir "$tmp/rpm"
	env -u CFLAGS -u LDFLAGS CC=gcc rpmbuild --load="$macros" --define "_topdir $tmp/rpm" --nodeps \
		-tb "$tmp/cotter-$version.tar.xz"
}
ok "the tarball builds, and each file is in a package" build_packages
[ $failures = 0 ] || { done_testing; exit; }

find "$tmp/rpm/RPMS" -name '*.rpm' -exec mv -t "$tmp/rpm" {} +
rpm_of() { # PACKAGE
	echo "$tmp/rpm/$1-$version"-*.rpm
}
packages() {
	rpm -qp --qf '%{name}\n' "$tmp"/rpm/*.rpm | sort
}
ok "there are five packages" assert_equal "$(packages | tr '\n' ' ')" \
	"cotter cotter-clevis cotter-dracut cotter-enroll cotter-tangd "
ok "rpmlint finds nothing in them" rpmlint --strict -c "$src/tests/package/rpmlint.toml" "$tmp"/rpm/*.rpm

# The packages hold what Debian's do, but for the hooks of its images.
has() { # PACKAGE FILE…
	local package=$1
	shift
	rpm -qpl "$(rpm_of "$package")" | grep -vE '/(doc|licenses|\.build-id)(/|$)|modules.d/50cotter$' |
		sed 's,\.gz$,,' | sort | diff <(printf '%s\n' "$@" | sort) -
}
ok "cotter has the plugins and what the boot needs" has cotter \
	/usr/lib64/cryptsetup/libcryptsetup-token-cotter-{pkcs11,sss,tang,tpm2}.so \
	/usr/lib/systemd/system-generators/cotter-generator /usr/lib/systemd/system-preset/50-cotter.preset \
	/usr/lib/systemd/system/cotter-{agent.path,agent.service,key@.service,key@.socket,modules.service,pcr15.service} \
	/usr/libexec/cotter-{agent,key,needs,pcr15} \
	/usr/share/man/{man5/cotter-token.5,man7/cotter-policy.7,man8/cotter-agent.8,man8/cotter-generator.8}
ok "cotter-enroll has the tool and the renewal" has cotter-enroll \
	/usr/lib/systemd/system/cotter-renew.{service,timer} /usr/bin/cotter-enroll /usr/libexec/cotter-renew \
	/usr/share/bash-completion/completions/cotter-enroll \
	/usr/share/man/{man1/cotter-enroll.1,man7/cotter-provisioning.7,man8/cotter-renew.service.8}
ok "cotter-dracut has the module" has cotter-dracut \
	/usr/lib/dracut/modules.d/50cotter/{default-network.sh,module-setup.sh}
ok "cotter-tangd has the server" has cotter-tangd \
	/usr/lib/systemd/system-preset/50-cotter-tangd.preset \
	/usr/lib/systemd/system/cotter-tangd{-metrics.socket,.service,.socket} \
	/usr/bin/cotter-tang-keys /usr/libexec/cotter-tangd \
	/usr/share/bash-completion/completions/cotter-tang-keys \
	/usr/share/man/man8/cotter-{tang-keys,tangd}.8
ok "cotter-clevis has the drop-in" test 6 = "$(rpm -qpl "$(rpm_of cotter-clevis)" |
	grep -cE '/(clevis|clevis-luks-bind|libcryptsetup-token-clevis.so|cotter-udisks(.service)?)$')"
ok "and is not installed beside Clevis" grep -qx clevis <(rpm -qp --conflicts "$(rpm_of cotter-clevis)")
ok "no library is needed that is loaded later" not grep -qE 'curl|tss2' <(rpm -qp --requires "$(rpm_of cotter)")

# Each unit that can be enabled is by a preset when it is installed.
set_by_presets() { # PACKAGE
	rpm -qp --scripts "$(rpm_of "$1")" | sed -n 's/^: preset //p'
}
ok "presets are applied" assert_equal "$(set_by_presets cotter; set_by_presets cotter-tangd)" \
	$'cotter-agent.path\ncotter-tangd.socket cotter-tangd-metrics.socket'

unpacked() {
	local package
	mkdir "$tmp/root"
	for package in $(packages); do
		rpm2cpio "$(rpm_of "$package")" | (cd "$tmp/root" && cpio -idm --quiet)
	done
}
ok "the packages have no file in common" unpacked
ok "the programs run" assert_equal "$("$tmp/root/usr/bin/cotter-enroll" --version)" \
	"$("$cotter_enroll" --version)"
ok "and the server" "$tmp/root/usr/libexec/cotter-tangd" --help
loads() { # PLUGIN…
	/usr/bin/python3 -c 'import ctypes, os, sys
for path in sys.argv[1:]:
    plugin = ctypes.CDLL(path, os.RTLD_NOW)
    plugin.cryptsetup_token_version.restype = ctypes.c_char_p
    print(path, plugin.cryptsetup_token_version().decode())' "$@"
}
ok "the plugins load" loads "$tmp"/root/usr/lib64/cryptsetup/*.so
done_testing
