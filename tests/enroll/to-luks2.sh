#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --to-luks2 converts LUKS1 volumes of every layout and cipher that cryptsetup makes, with what Clevis keeps in
# luksmeta; what cannot be converted stays, byte for byte. fault/to-luks2.sh stops it.
. "$(dirname "$0")/../lib.sh"

command -v luksmeta >/dev/null || skip_all "luksmeta is not installed"

uuid=cb6e8904-81ff-40da-a84a-07ab9ab5715e # Clevis's

make_luks1() { # [LUKSFORMAT-OPTION…]
	rm -f "$image"
	truncate -s 4M "$image"
	cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 --key-file "$passphrase" \
		"$@" "$image"
}

add_key() { # SLOT
	printf 'the key of %s' "$1" >"$tmp/key-$1"
	cryptsetup luksAddKey --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file "$passphrase" \
		--key-slot "$1" "$image" "$tmp/key-$1"
}

keep() { # SLOT UUID TEXT
	luksmeta save -d "$image" -s "$1" -u "$2" <<<"$3"
}

convert() { # [OPTION…]
	cp "$image" "$tmp/before"
	run "$cotter_enroll" --to-luks2 --json=short "$@" "$image"
}

opens_by() { # KEY-FILE [OPTION…]
	cryptsetup open --test-passphrase --disable-external-tokens --key-file "$1" "${@:2}" "$image"
}

metadata() {
	cryptsetup luksDump --disable-external-tokens --dump-json-metadata "$image"
}

converted() {
	assert_rc 0 && assert_json '.result == "ok" and .converted == true' && cryptsetup isLuks --type luks2 "$image"
}

refused() { # TEXT
	assert_rc 1 && assert_error_has "$1" && cmp "$image" "$tmp/before"
}

payload_of() { # LUKS1-IMAGE
	echo $((0x$(od -An -tx1 -j104 -N4 "$1" | tr -d ' \n') * 512))
}

data_is_untouched() {
	local at
	at=$(payload_of "$tmp/before")
	cmp -i "$at" "$image" "$tmp/before"
	assert_equal "$(metadata | jq -r '.segments["0"].offset')" "$at"
}

image=$tmp/image

# --- ciphers, hashes and layouts ---

while read -r name options; do
	make_luks1 $options
	add_key 7
	convert
	ok "$name: converted" converted
	ok "$name: the passphrase opens keyslot 0" opens_by "$passphrase" --key-slot 0
	ok "$name: and the key its own" opens_by "$tmp/key-7" --key-slot 7
	ok "$name: the data is where it was" data_is_untouched
done <<-'EOF'
	default
	xts-256 --key-size 256
	cbc-128 --cipher aes-cbc-essiv:sha256 --key-size 128
	cbc-plain --cipher aes-cbc-plain --key-size 256
	xts-plain --cipher aes-xts-plain --key-size 512
	sha1 --hash sha1
	sha512 --hash sha512
	narrow --align-payload 8
	narrow-256 --align-payload 8 --key-size 256
	wide --align-payload 4104
EOF

make_luks1
add_key 3
cryptsetup luksRemoveKey --batch-mode "$image" "$passphrase"
convert
ok "without keyslot 0 none is moved" converted
ok "and the other opens" opens_by "$tmp/key-3" --key-slot 3
ok "where it was" assert_equal "$(metadata | jq -r '.keyslots["3"].area.offset')" $((4096 + 3 * 258048))

make_luks1
add_key 6
convert
ok "keyslot 0 goes to a free keyslot's place" \
	assert_equal "$(metadata | jq -r '.keyslots["0"].area.offset')" $((4096 + 5 * 258048))
ok "and nothing of it is left where it was" \
	not cmp -s -n $((262144 - 32768)) -i 32768 "$image" "$tmp/before"
convert
ok "again there is nothing to do" assert_error_has "is LUKS2 already; nothing was changed"
ok "and nothing is done" cmp "$image" "$tmp/before"
add_key 1
ok "cryptsetup adds keyslots to it" opens_by "$tmp/key-1"
cryptsetup luksConvertKey --batch-mode --pbkdf argon2id --pbkdf-force-iterations 4 --pbkdf-memory 32 \
	--pbkdf-parallel 1 --key-slot 0 --key-file "$passphrase" "$image"
cryptsetup luksKillSlot --batch-mode --key-file "$passphrase" "$image" 6
ok "changes and removes them" opens_by "$passphrase" --key-slot 0

# --- no room ---

make_luks1
for slot in 1 2 3 4 5; do
	add_key $slot
done
convert
ok "without a free keyslot to go to it is refused" refused "no free keyslot from 0 to 5"
add_key 6
add_key 7
convert
ok "and where all are taken" refused "remove one with cryptsetup luksKillSlot"
cryptsetup luksKillSlot --batch-mode --key-file "$passphrase" "$image" 2
convert
ok "one that is free is enough" converted
for slot in 1 3 4 5 6 7; do
	ok "key $slot opens its keyslot" opens_by "$tmp/key-$slot" --key-slot $slot
done
ok "and the passphrase its" opens_by "$passphrase" --key-slot 0

# --- what luksmeta holds ---

jwe=eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIiwiY2xldmlzIjp7InBpbiI6Im51bGwiLCJudWxsIjp7fX19..AAAA.AAAA.AAAA
fresh() { # makes one with keyslots 0 and 1, and luksmeta
	make_luks1 "$@"
	add_key 1
	luksmeta init -f -d "$image"
}

poke() { # AT HEX, in luksmeta
	printf "\\x${2// /\\x}" | dd of="$image" bs=1 seek=$((4096 + 8 * 258048 + $1)) conv=notrunc status=none
}

fresh
keep 1 $uuid "$jwe"
convert
ok "a binding of Clevis's becomes a token" converted
ok "as Clevis has them" assert_equal "$(metadata | jq -cS .tokens)" "$(jq -ncS --arg p "${jwe%%.*}" \
	'{"0": {type: "clevis", keyslots: ["1"], jwe: {protected: $p, encrypted_key: "", iv: "AAAA",
		ciphertext: "AAAA", tag: "AAAA"}}}')"
ok "and nothing is left of luksmeta" not grep -qaF LUKSMETA "$image"

fresh
keep 1 $uuid "no JWE"
convert
ok "what is no JWE is refused" refused "what luksmeta has of Clevis's for keyslot 1 is no JWE"
fresh
keep 1 12345678-1234-1234-1234-123456789abc something
convert
ok "another program's is refused" refused "something of another program's than Clevis for keyslot 1"
fresh
keep 3 $uuid "$jwe"
convert
ok "what is for a keyslot that is not there is left out" converted
ok "which is said" assert_error_has "for keyslot 3 of $image is left out"

fresh
keep 1 $uuid "$jwe"
poke 20 ff
convert
ok "a damaged header of luksmeta is refused" refused "luksmeta's header is damaged"
fresh
keep 1 $uuid "$jwe"
poke 4096 00
convert
ok "a damaged JWE as well" refused "what luksmeta has for keyslot 1 is damaged"
fresh
poke 8 "00 00 00 02"
convert
ok "another version too" refused "a version that is not known"
poke 0 00
convert
ok "what is not luksmeta's is nothing" converted

# Another place for slot 1, with right checksums (CRC-32C; the header's over itself with zeros in its place).
reach() { # OFFSET LENGTH
	/usr/bin/python3 - "$image" "$@" <<-'PY'
		import struct, sys
		image, offset, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		def crc32c(data):
		    crc = 0xffffffff
		    for byte in data:
		        crc ^= byte
		        for _ in range(8):
		            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
		    return crc ^ 0xffffffff
		at = 4096 + 8 * 258048
		with open(image, "r+b") as f:
		    f.seek(at)
		    header = bytearray(f.read(272))
		    f.seek(at + offset)
		    data = f.read(length)
		    header[48 + 16:48 + 28] = struct.pack(">III", offset, length, crc32c(data))
		    header[12:16] = bytes(4)
		    header[12:16] = struct.pack(">I", crc32c(header))
		    f.seek(at)
		    f.write(header)
	PY
}
fresh
keep 1 $uuid "$jwe"
reach 4096 40
convert
ok "with another length it is something else" refused "is no JWE"
reach 24576 8192
convert
ok "what reaches into the data is refused" refused "reaches into the data of the volume"

fresh
for slot in 2 3 4; do
	add_key $slot
done
large=eyJhbGciOiJkaXIifQ..AAAA.$(printf 'A%.0s' {1..3500}).AAAA
for slot in 1 2 3 4; do
	keep $slot $uuid "$large"
done
convert
ok "more than LUKS2 has room for is refused" refused "too much for a LUKS2 header"

# --- what is not to be converted ---

truncate -s 4M "$tmp/data"
rm -f "$image"
cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 --key-file "$passphrase" \
	--header "$image" "$tmp/data"
cp "$image" "$tmp/before"
run "$cotter_enroll" --to-luks2 --header="$image" "$tmp/data"
ok "a detached header is refused" refused "is a LUKS1 header apart from its data"
head -c 1M /dev/zero >"$image"
convert
ok "as is what is not LUKS" refused "is not a LUKS volume"
make_luks1
if loop=$(losetup --find --show "$image" 2>/dev/null); then
	convert
	ok "an image that is in use is refused" refused "is in use"
	losetup --detach "$loop"
else
	skip "an image that is in use is refused" "no loop devices here"
fi

# --- with --import ---

if ! command -v clevis >/dev/null; then
	skip "what Clevis bound is imported" "clevis is not installed"
	done_testing
	exit
fi
start_tangd
config=$(jq -nc --arg url "$tang_url" --arg thp "$tang_thumbprint" '{$url, $thp}')
make_luks1
clevis luks bind -f -k "$passphrase" -d "$image" tang "$config" 2>/dev/null
clevis luks bind -f -k "$passphrase" -d "$image" sss "{\"t\":1,\"pins\":{\"tang\":[$config]}}" 2>/dev/null
clevis luks list -d "$image" >"$tmp/listed"
clevis luks pass -d "$image" -s 1 >"$tmp/secret"
cp "$image" "$tmp/bound"
convert
ok "what Clevis bound is converted" converted
ok "and said" assert_error_has "with 2 bindings of Clevis's as tokens"
ok "Clevis lists the same" diff "$tmp/listed" <(clevis luks list -d "$image")
ok "and recovers the same" cmp "$tmp/secret" <(clevis luks pass -d "$image" -s 1)
run "$cotter_enroll" --import "$image"
ok "--import takes it over later" opens_by_token "$image" --token-id 1
cp "$tmp/bound" "$image"
convert --import --label=old
ok "or at once" assert_json '.converted and [.tokens[].state] == ["imported", "imported"]'
ok "the first opens the volume" opens_by_token "$image" --token-id 0
ok "and the second" opens_by_token "$image" --token-id 1
ok "by the same keyslots" assert_equal "$(metadata | jq -c '[.tokens[].keyslots[]]')" '["1","2"]'
convert --import
ok "again there is nothing to do" assert_json '.converted == false and .tokens == []'
ok "and nothing is done" cmp "$image" "$tmp/before"
stop_tangd
cp "$tmp/bound" "$image"
convert --import
ok "with a dead server it is converted, the bindings as they were" assert_rc 3
ok "which Clevis lists as before" diff "$tmp/listed" <(clevis luks list -d "$image")

done_testing
