#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Boots with the root on a card, which is SoftHSM's in the initramfs: with its PIN in a file, typed, and where the
# card comes late.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../softhsm.sh"
. "$(dirname "$0")/stage.sh"

make_kernel_and_root
make_card card
make_key card rsa:2048 01 rsa

bind() { # NAME [QUERY]
	local typed=()
	[ $# = 2 ] || typed=("$src/tests/terminal.py" "PIN of the card: " "$card_pin"$'\n' --)
	make_volume "$1"
	"${typed[@]}" "$cotter_enroll" --quiet --unlock-key-file="$passphrase" \
		--pkcs11-token-uri="$(card_uri 'token=card;object=rsa' "${2:-}")" "$image" >"$tmp/bind" 2>&1 ||
		{ cat "$tmp/bind" >&2; return 1; }
}

# The card is in the initramfs from the start, or where a unit moves it to as soon as the passphrase is asked for.
card_folder=/var/lib/softhsm/tokens
overlay_card() { # NAME FOLDER
	local over=$tmp/$1.over
	mkdir -p "$over/etc/softhsm" "$over/var/lib/softhsm"
	printf 'directories.tokendir = %s\nlog.level = ERROR\n' $card_folder >"$over/etc/softhsm/softhsm2.conf"
	mkdir "$over$card_folder"
	mkdir -p "$over/$2"
	cp -r "$tmp"/softhsm/* "$over/$2"
	overlay_initrd "$over"
}

late_card_unit() { # NAME
	local units=$tmp/$1.over/etc/systemd/system
	mkdir -p "$units/sysinit.target.d" "$tmp/$1.over/usr/libexec"
	printf '[Unit]\nWants=late-card.service\n' >"$units/sysinit.target.d/late-card.conf"
	printf '[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/usr/libexec/late-card\n' \
		>"$units/late-card.service"
	cat >"$tmp/$1.over/usr/libexec/late-card" <<-END
		#!/bin/sh
		asked() {
			[ -e "\$1" ]
		}
		until asked /run/systemd/ask-password/ask.*; do sleep 1; done
		mv /var/lib/softhsm/away/* $card_folder
		until asked /run/systemd/ask-password/ask.cotter-*; do sleep 1; done
		echo 'THE PIN IS ASKED FOR' >/dev/console
	END
	chmod 755 "$tmp/$1.over/usr/libexec/late-card"
}

pin_file=$vm/card.pin
(umask 077 && echo $card_pin >"$pin_file")
bind file "pin-source=$pin_file"
make_dracut_initrd card-file "root UUID=$root_uuid none"
ok "the image has p11-kit" image_has 'libp11-kit\.so\.0'
ok "and the module" image_has 'libsofthsm2\.so'
ok "and the file with the PIN" image_has 'card\.pin$'
ok "but nothing for readers, which SoftHSM has not" not image_has 'pcsc|ccid|opensc'
ok "nor a network" not image_has 'networkd|libcurl|NetworkManager|dhclient'
overlay_card file $card_folder
boot "$reached" ''
ok_unasked "with its PIN in a file, a root on a card is reached"
say_time "card, PIN in a file"

bind typed
make_dracut_initrd card "root UUID=$root_uuid none"
ok "without one, the image has no PIN" not image_has '\.pin$'
base=$initrd
overlay_card typed $card_folder
boot 'LUKS2 token PIN' $card_pin "$reached" ''
ok "a PIN typed at the console opens" assert_booted
ok "no unit failed" assert_no_unit_failed
say_time "card, PIN typed"

bind value "pin-value=$card_pin"
initrd=$base
late_card_unit value
overlay_card value /var/lib/softhsm/away
boot "$prompt" '' "$reached" ''
ok "a card that comes after the prompt opens, with nothing typed" assert_booted
ok "before long" assert_within 100 "$prompt" "$reached"
ok "it was the agent" report_has 'token 0 gave the passphrase'
ok "no unit failed" assert_no_unit_failed
say_time "late card"

image=$tmp/typed.luks
initrd=$base
late_card_unit typed-late
overlay_card typed-late /var/lib/softhsm/away
asked=$prompt # and perhaps again, while the PIN is tried
prompt='nothing else' boot "$asked" '' 'THE PIN IS ASKED FOR' $'\r' 'PIN of the card "card"' $card_pin "$reached" ''
ok "where it comes late and takes a PIN, that is asked for behind the passphrase" assert_booted
ok "it was the agent" report_has 'token 0 gave the passphrase'
ok "no unit failed" assert_no_unit_failed
say_time "late card, PIN typed"

# --- by initramfs-tools ---

crypttab="root UUID=$root_uuid none luks,initramfs"
get_initramfs_tools
image=$tmp/file.luks
made=yes
make_initrd mkinitramfs-pin mkinitramfs "$vm/initramfs-tools" "$crypttab" 2>/dev/null || made=no
ok "a PIN does not go into an image that others may read" assert_equal $made no
ok "and the error says what to do" grep -F 'set UMASK=0077' "$initrd.log"

image=$tmp/value.luks
make_initrd mkinitramfs-card mkinitramfs "$vm/initramfs-tools" "$crypttab"
ok "the image has the module" image_has 'libsofthsm2\.so'
ok "but nothing for readers" not image_has 'pcscd|libccid|opensc-pkcs11'
overlay_card tools $card_folder
prompt='unlock disk' boot "$reached" ''
ok "a root on a card is reached" assert_booted
ok "by its token" grep -aF 'root: opened by its token' "$tmp/console"
say_time "card, initramfs-tools"
done_testing
