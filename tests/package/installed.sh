# SPDX-License-Identifier: LGPL-2.1-or-later
# Run by debian.sh in a copy of the system: the packages are installed, used, installed again, and purged. What
# passed is said by "done: NAME", and nothing is tried after what did not.
tmp=$1
shift
packages=("$@")
debs=()
for package in "${packages[@]}"; do
	debs+=("$tmp/debs/${package}"_*.deb)
done
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset LD_LIBRARY_PATH

step() { # NAME
	[ -z "${now:-}" ] || echo "done: $now"
	now=$1
}

# What packages left in the system, of what is different in this copy: other tests change what it is a copy of. No
# caches, no logs, and not dpkg's own notes.
leftover() {
	(cd /mnt && find etc usr var ! -type d ! -path 'var/cache/*' ! -path 'var/log/*' ! -path 'var/lib/dpkg/*' \
		-printf '%p %l %y\n' | sort)
}

# Those that need a package which the tests do without (cryptsetup-initramfs) are only unpacked and run.
install() { # DEB…
	dpkg --force-depends --force-confnew -i "$@"
}

step "the drop-in is not installed beside Clevis"
! dpkg -i "$tmp"/debs/cotter_*.deb "$tmp"/debs/cotter-clevis_*.deb
dpkg -l clevis | grep '^ii'
dpkg --purge cotter-clevis cotter
dpkg --force-depends --purge clevis-tpm2 clevis-luks clevis
leftover >"$tmp/before"

step "all packages are installed"
install "${debs[@]}"
[ "$(dpkg-query -W -f='${db:Status-Abbrev}\n' "${packages[@]}" | sort -u)" = 'ii ' ]

step "what belongs to the network is opened at boot, and questions are watched for"
systemctl --root=/ list-unit-files cotter-agent.path | grep -E '^cotter-agent.path +enabled'
[ "$(systemctl --root=/ is-enabled cotter-agent.path)" = enabled ]
wants=(/lib/systemd/system/multi-user.target.wants/remote-cryptsetup.target)
[ -L "${wants[0]}" ] && [ -e "${wants[0]}" ]

step "nothing listens or renews before it is asked to"
for unit in cotter-tangd.socket cotter-tangd-metrics.socket cotter-renew.timer; do
	[ "$(systemctl --root=/ is-enabled "$unit" || true)" = disabled ]
done

step "systemd finds no fault with the units"
systemd-analyze --man=no verify cotter-agent.path cotter-agent.service cotter-tangd.socket \
	cotter-tangd.service cotter-renew.timer cotter-renew.service cotter-udisks.service 2>"$tmp/verify" || true
if grep cotter "$tmp/verify"; then
	exit 1
fi

step "the server makes keys and serves them"
mkdir "$tmp/keys"
cotter-tang-keys generate "$tmp/keys"
: >"$tmp/tangd.log"
/usr/libexec/cotter-tangd --listen=127.0.0.1:0 "$tmp/keys" >"$tmp/tangd.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for ((i = 0; i < 600; i++)); do
	port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$tmp/tangd.log")
	[ -z "$port" ] || break
	read -rt 0.1 <> <(:) || true
done
thumbprint=$(cotter-tang-keys show "$tmp/keys" | head -n 1)
printf secret >"$tmp/key"
truncate -s 20M "$tmp/volume"
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file "$tmp/key" "$tmp/volume"

step "cotter-enroll binds a volume to it"
cotter-enroll --tang="http://127.0.0.1:$port" --tang-thumbprint="$thumbprint" --unlock-key-file="$tmp/key" \
	"$tmp/volume"

step "cryptsetup opens the volume by the plugin"
cryptsetup open --test-passphrase --token-only "$tmp/volume"

step "the image builders' program says what the volume needs"
/usr/libexec/cotter-needs "$tmp/volume" | grep '^network '

step "the drop-in encrypts, decrypts, binds and lists under Clevis's names"
configuration="{\"url\":\"http://127.0.0.1:$port\",\"thp\":\"$thumbprint\"}"
[ "$(echo text | clevis encrypt tang "$configuration" | clevis decrypt)" = text ]
clevis luks bind -d "$tmp/volume" -k "$tmp/key" tang "$configuration"
clevis luks list -d "$tmp/volume" | grep tang
clevis-luks-list -d "$tmp/volume" | grep tang

step "without a server nothing opens"
kill "$server"
wait "$server" || true
! cryptsetup open --test-passphrase --token-only "$tmp/volume"

step "manual pages and completions are there"
for page in cotter-enroll.1 clevis.1 clevis-luks-bind.1 cotter-tangd.8 cotter-policy.7; do
	zcat "/usr/share/man/man${page##*.}/$page.gz" | sed -n 1,3p | grep -E '^\.(TH|so|\\")'
done
bash -n /usr/share/bash-completion/completions/{cotter-enroll,cotter-tang-keys,clevis}

step "the scripts for images are scripts"
bash -n /usr/lib/dracut/modules.d/50cotter/module-setup.sh
for script in hooks/cotter scripts/local-top/cotter scripts/panic/cotter-pcr15; do
	[ -x "/usr/share/initramfs-tools/$script" ]
	dash -n "/usr/share/initramfs-tools/$script"
done

step "the packages are installed over themselves"
install "${debs[@]}"
[ "$(systemctl --root=/ is-enabled cotter-agent.path)" = enabled ]

step "purged, they leave nothing"
dpkg --purge "${packages[@]}"
leftover | diff "$tmp/before" -

step ""
echo "all done"
