# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests of a new volume key share, on lib.sh.

# To IMAGE.key, in place of what was there.
volume_key() { # IMAGE [LUKSDUMP-OPTION…]
	rm -f "$1.key"
	cryptsetup luksDump --batch-mode --dump-volume-key --volume-key-file "$1.key" \
		--disable-external-tokens --key-file "$passphrase" "$@" >/dev/null
}

# Of the plain data of IMAGE, by the key in IMAGE.key; HEADER where that is apart.
data_sum() { # IMAGE [HEADER]
	local segment
	segment=$(cryptsetup luksDump --dump-json-metadata "${2:-$1}" | jq -r '.segments["0"] | "\(.offset) \(.sector_size)"')
	/usr/bin/python3 "$src/tests/decrypt.py" "$1" $segment "$1.key"
}

# Another passphrase for IMAGE, in FILE.
add_key() { # IMAGE FILE
	[ -e "$2" ] || printf '%s' "${2##*/}" >"$2"
	cryptsetup luksAddKey --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		--disable-external-tokens --key-file "$passphrase" "$1" "$2"
}

opens_by() { # FILE IMAGE [OPTION…]
	cryptsetup open --test-passphrase --disable-external-tokens --key-file "$@"
}

metadata() { # IMAGE
	cryptsetup luksDump --dump-json-metadata "$1"
}
