#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --to-luks2, alone and with --import, ended by SIGKILL at every system call that changes the volume: before the
# call, in the middle of a write, and with a write lost that was not yet synced. The volume must then be LUKS1 or
# LUKS2 to cryptsetup, with all that opened it before and what Clevis keeps in it; and the same command must end
# as if it had never been stopped.
#
# Sanitized programs are slow: with them every fifth point is taken.
. "$(dirname "$0")/../lib.sh"
. "$src/tests/points.sh"

command -v luksmeta >/dev/null || skip_all "luksmeta is not installed"

build_stop

uuid=cb6e8904-81ff-40da-a84a-07ab9ab5715e # Clevis's
slots=(1 4)                               # those that it keeps something for

convert() { # IMAGE [OPTION…]
	STOP_FILES=$1 STOP_LOG=$1.calls LD_PRELOAD=$preload "$cotter_enroll" --to-luks2 "${@:2}" "$1"
}

version() { # IMAGE
	od -An -tu1 -j7 -N1 "$1" | tr -d ' '
}

opens_by_key() { # IMAGE FILE [OPTION…]
	cryptsetup open --test-passphrase --disable-external-tokens --key-file "$2" "${@:3}" "$1"
}

# Each keyslot by its own key.
opens() { # IMAGE
	local slot
	opens_by_key "$1" "$passphrase" --key-slot 0
	for slot in "${slots[@]}"; do
		opens_by_key "$1" "$tmp/secret-$slot" --key-slot "$slot"
	done
	opens_by_key "$1" "$tmp/last" --key-slot 7
}

metadata() { # IMAGE
	cryptsetup luksDump --disable-external-tokens --dump-json-metadata "$1"
}

# What is kept for a keyslot, as a compact JWE, wherever it is now.
jwe_of() { # IMAGE KEYSLOT
	if [ "$(version "$1")" = 1 ]; then
		luksmeta load -d "$1" -s "$2" -u $uuid
	else
		metadata "$1" | jq -re --arg slot "$2" '[.tokens[] | select(.keyslots == [$slot])] |
			select(length == 1)[0].jwe | "\(.protected)..\(.iv).\(.ciphertext).\(.tag)"'
	fi
}

keeps_jwes() { # IMAGE
	local slot
	for slot in "${slots[@]}"; do
		assert_equal "$(jwe_of "$1" "$slot")" "$(cat "$tmp/jwe-$slot")"
	done
}

# All of the header but what is random.
shape() { # IMAGE
	metadata "$1" | jq -cS '[.keyslots, .segments, .digests, .config, [.tokens[] | .type, .keyslots]]'
}

both_copies_are_sound() { # IMAGE
	[ -z "$(cryptsetup luksDump "$1" 2>&1 >/dev/null)" ] && cmp -n 12288 -i 4096:20480 "$1" "$1"
}

declare -A options=([512]= [256]=--import) # of each scene

stop_at() { # SCENE N HOW
	local image=$tmp/image-$1-$2-$3 rc=0
	cp "$tmp/plain-$1" "$image"
	STOP_AT=$2 STOP_HOW=$3 convert "$image" ${options[$1]} || rc=$?
	assert_equal $rc 137
	echo "version $(version "$image")"
	opens "$image"
	keeps_jwes "$image"

	# Clevis can go on with what it finds, and so can cryptsetup.
	cp "$image" "$image.other"
	cryptsetup luksChangeKey --disable-external-tokens --batch-mode --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 --key-slot 0 --key-file "$passphrase" "$image.other" "$tmp/last"
	STOP_FILES= "$cotter_enroll" --to-luks2 ${options[$1]} "$image.other"
	opens_by_key "$image.other" "$tmp/last" --key-slot 0
	keeps_jwes "$image.other"

	"$cotter_enroll" --to-luks2 ${options[$1]} "$image"
	opens "$image"
	keeps_jwes "$image"
	assert_equal "$(shape "$image")" "$(cat "$tmp/shape-$1")"
	both_copies_are_sound "$image"
	rm "$image" "$image.other" "$image.calls"
}

# --- the scenes ---

start_tangd
config=$(jq -nc --arg url "$tang_url" --arg thp "$tang_thumbprint" '{$url, $thp}')
for slot in "${slots[@]}"; do
	printf 'the secret of keyslot %s' "$slot" >"$tmp/secret-$slot"
	"$build/tests/pin-helper" seal tang "$config" <"$tmp/secret-$slot" >"$tmp/jwe-$slot"
done
printf 'one\0two\nthree\n\n' >"$tmp/last"

# With keyslots 0, 1, 4 and 7, of which the first is in the way of LUKS2's metadata.
make_luks1() { # SCENE KEY-BITS
	local image=$tmp/plain-$1 slot
	truncate -s 4M "$image"
	cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 --key-size "$2" \
		--key-file "$passphrase" "$image"
	add() { # SLOT FILE
		cryptsetup luksAddKey --batch-mode --pbkdf-force-iterations 1000 --key-file "$passphrase" \
			--key-slot "$1" "$image" "$2"
	}
	luksmeta init -f -d "$image"
	for slot in "${slots[@]}"; do
		add "$slot" "$tmp/secret-$slot"
		luksmeta save -d "$image" -s "$slot" -u $uuid <"$tmp/jwe-$slot"
	done
	add 7 "$tmp/last"
}

make_luks1 512 512
make_luks1 256 256

rehearse() { # SCENE
	local image=$tmp/whole-$1
	cp "$tmp/plain-$1" "$image"
	convert "$image" --quiet ${options[$1]}
	shape "$image" >"$tmp/shape-$1"
	opens "$image"
	keeps_jwes "$image"
	points "$image.calls" "$1 bits ${options[$1]}" stop_at "$1"
}

rehearse 512
rehearse 256
echo "# ${#jobs[@]} points"
ok "there are many points" [ ${#jobs[@]} -ge 60 ]

step=1
[ "$sanitized" = 0 ] || step=5
try_points $step

seen() {
	cat "$tmp"/log-* | sed -n 's/^version //p' | sort -u | tr '\n' ' '
}
ok "some were stopped while LUKS1, some when LUKS2" assert_equal "$(seen)" "1 2 "
done_testing
