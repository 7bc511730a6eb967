#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Volumes, files and options that cotter-enroll cannot use: each is refused in one sentence that says
# what is wrong and, where there is one, the way out; and nothing changes.
. "$(dirname "$0")/../lib.sh"

# Runs the tool on $image, which is kept as it was before.
enroll() { # [OPTION…]
	rm -f "$tmp/before"
	[ ! -f "$image" ] || cp "$image" "$tmp/before"
	run timeout 30 "$cotter_enroll" "$@" "$image"
}

bind() { # [OPTION…]
	enroll --unlock-key-file="$passphrase" --tang="$tang_url" --tang-advertisement="$tmp/adv" "$@"
}

refused() { # STATUS TEXT
	assert_rc "$1" && assert_one_sentence && assert_error_has "$2" &&
		assert_equal "$(cat "$tmp/out")" "" && unchanged
}

unchanged() {
	[ ! -f "$tmp/before" ] || assert_same_file "$image" "$tmp/before"
}

# A copy of a volume as $image.
copy() { # FROM NAME
	image=$tmp/$2
	cp "$tmp/$1" "$image"
}

edit_header() { # JQ-FILTER
	"$src/tests/edit-header.py" "$image" "$1"
}

start_tangd
curl -sSf "$tang_url/adv" >"$tmp/adv"
make_small_image plain

# --- what is no LUKS2 volume ---

truncate -s 20M "$tmp/luks1"
cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 \
	--key-file "$passphrase" "$tmp/luks1"
head -c 1M /dev/urandom >"$tmp/random"
: >"$tmp/empty"
head -c 6000 "$tmp/plain" >"$tmp/cut"
copy plain damaged
for offset in 100 5000 16484 21384; do # in the binary and the JSON area of both copies
	printf XX | dd of="$image" bs=1 seek=$offset conv=notrunc status=none
done
mkdir "$tmp/folder"
mkfifo "$tmp/pipe"
ln -s nowhere "$tmp/dangling"

while IFS='|' read -r name image text; do
	enroll --list
	ok "--list refuses $name" refused 1 "$text"
	enroll --test --quiet
	ok "--test refuses $name" refused 1 "$text"
	enroll --wipe-slot=tang
	ok "--wipe-slot refuses $name" refused 1 "$text"
	bind
	ok "--tang refuses $name" refused 1 "$text"
done <<-END
	LUKS1|$tmp/luks1|$tmp/luks1 is LUKS1, which holds no tokens; convert it, while it is not in use, with: cotter-enroll --to-luks2
	other data|$tmp/random|$tmp/random is not a LUKS volume
	an empty file|$tmp/empty|$tmp/empty is not a LUKS volume
	half a header|$tmp/cut|the LUKS2 header of $tmp/cut cannot be used
	a damaged header|$tmp/damaged|the LUKS2 header of $tmp/damaged cannot be used
	a folder|$tmp/folder|$tmp/folder is neither a block device nor a file
	a character device|/dev/zero|/dev/zero is neither a block device nor a file
	a pipe|$tmp/pipe|$tmp/pipe is neither a block device nor a file
	a missing file|$tmp/missing|$tmp/missing does not exist
	a link to nowhere|$tmp/dangling|$tmp/dangling does not exist
END
ok "none is made where there was none" eval '[ ! -e "$tmp/missing" ] && [ ! -e "$tmp/nowhere" ]'

copy plain image
bind --header="$tmp/missing"
ok "a missing header is refused" refused 1 "$tmp/missing does not exist"
bind --header="$tmp/random"
ok "so is one that is none" refused 1 "$tmp/random is not a LUKS volume"
image=$tmp/missing
bind --header="$tmp/plain"
ok "so is a missing device of a good header" refused 1 "$tmp/missing does not exist"

# --- what leaves no room ---

copy plain tokens
edit_header '.tokens = ([range(32)] | map({key: tostring, value: {type: "other", keyslots: []}})
	| from_entries)'
bind
ok "32 tokens leave no token id" refused 1 \
	"all 32 token ids of $image are taken; remove a token first"
bind --token-id=4
ok "nor one that is named" refused 1 "token id 4 of $image is taken"

make_image keyslots --luks2-metadata-size=64k
edit_header 'reduce range(1; 32) as $n (.; .keyslots[$n | tostring] = (.keyslots["0"]
	| .area.offset |= (tonumber + 258048 * $n | tostring)))
	| .digests["0"].keyslots = (.keyslots | keys)'
bind
ok "32 keyslots leave no keyslot" refused 1 "all 32 keyslots of $image are taken; remove one first"
bind --key-slot=4
ok "nor one that is named" refused 1 "keyslot 4 of $image is taken"

make_image area --luks2-keyslots-size=258048 >/dev/null
bind
ok "an area with room for one keyslot takes no second" refused 1 "area of $image is full; remove a keyslot"

# Each refusal stays one where the new binding would replace what is in its way: it is made first.
copy plain real
bind --quiet
real_keyslots=2
while printf %s $real_keyslots | cryptsetup luksAddKey --batch-mode --key-file "$passphrase" --pbkdf pbkdf2 \
	--pbkdf-force-iterations 1000 "$image" - 2>/dev/null; do
	real_keyslots=$((real_keyslots + 1))
done
ok "an area for 8 keyslots is full before 32" [ $real_keyslots -gt 4 -a $real_keyslots -lt 32 ]
bind --label=new --wipe-slot=tang
ok "such an area takes no binding, nor a replacement" refused 1 "area of $image is full; remove a keyslot"
enroll --unlock-key-file="$passphrase" \
	--policy="1 of (tang($tang_url, adv=$tmp/adv), tang($tang_url, adv=$tmp/adv))"
ok "nor a policy" refused 1 "area of $image is full; remove a keyslot"
enroll --wipe-slot=1
ok "but once one is removed" assert_rc 0
bind --label=new
ok "it does" opens_by_token "$image"

copy keyslots image
bind --label=new --wipe-slot=1
ok "32 keyslots leave none for a replacement" refused 1 "all 32 keyslots of $image are taken; remove one first"
make_image tokens-bound
bind --quiet
edit_header '.tokens += ([range(1; 32)] | map({key: tostring, value: {type: "other", keyslots: []}})
	| from_entries)'
bind --label=new --wipe-slot=tang
ok "32 tokens leave no id for a replacement" refused 1 "all 32 token ids of $image are taken; remove a token first"
enroll --wipe-slot=1
ok "but cotter's is removed" assert_rc 0
bind
ok "and another one made" opens_by_token "$image"
edit_header '.tokens["0"].keyslots = []'
bind
ok "one that has lost its keyslot is written over" opens_by_token "$image" --token-id 0

# Another program's token fills the JSON area up to so many bytes.
fill_json() { # BYTES-LEFT
	local used
	edit_header '.tokens = {"0": {type: "other", keyslots: [], fill: ""}}'
	used=$(head -c 16384 "$image" | tail -c 12288 | tr -d '\0' | wc -c)
	edit_header ".tokens[\"0\"].fill = \"$(printf "%0$((12288 - used - $1))d" 0)\""
}

says_sizes_and_way_out() {
	assert_error_has "the header of $image has no room: its JSON area takes 12288 bytes and holds " &&
		assert_error_has "this token needs $token_size and its keyslot about" &&
		assert_error_has "cryptsetup luksFormat --luks2-metadata-size="
}

copy plain bound
bind
token_size=$(token_json "$image" 0 | jq -c '.keyslots = []' | tr -d '\n' | wc -c)
copy plain json
fill_json 1000
bind
ok "a full JSON area takes no token" refused 1 "remove tokens, or make the volume with a larger area"
ok "and sizes and the way out are told" says_sizes_and_way_out
copy plain json
fill_json $((token_size + 200))
bind
ok "one with room for the token alone takes it not either" refused 1 "remove tokens, or make"
ok "and sizes and the way out are told" says_sizes_and_way_out
copy plain json
fill_json $((token_size + 400))
bind
ok "one with room for both takes them" opens_by_token "$image"

# --- what cannot be written, or is not encrypted ---

read_only() { # CMD…
	unshare -m sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 125
		shift; exec "$@"' read_only "$image" "$@"
}

copy bound image
cp "$image" "$tmp/before"
run read_only "$cotter_enroll" --unlock-key-file="$passphrase" --tang="$tang_url" \
	--tang-advertisement="$tmp/adv" "$image"
ok "a read-only image is not bound" refused 1 \
	"$image is read-only for this user, so its header cannot be changed"
run read_only "$cotter_enroll" --wipe-slot=tang "$image"
ok "nor wiped" refused 1 "$image is read-only for this user, so its header cannot be changed"
run read_only "$cotter_enroll" --list --json=short "$image"
ok "but listed" assert_json '.tokens[0].state == "ok"'
run read_only "$cotter_enroll" --test --json=short "$image"
ok "and tested" assert_json '.tokens[0].result == "ok"'

# On a file system without room for the key material of keyslot 1.
copy plain image
dd if=/dev/zero of="$image" bs=4096 seek=$(((32768 + 258048) / 4096)) count=63 conv=notrunc status=none
cp --sparse=always "$image" "$tmp/sparse"
mkdir "$tmp/full"
run unshare -m bash -c 'mount -t tmpfs -o size="$(($(du -k "$1" | cut -f 1) + 100))k" full "$2" &&
	cp --sparse=always "$1" "$2/image" || exit 125
	status=0
	"${@:3}" "$2/image" || status=$?
	cp "$2/image" "$1"
	exit $status' full "$tmp/sparse" "$tmp/full" "$cotter_enroll" --unlock-key-file="$passphrase" \
	--tang="$tang_url" --tang-advertisement="$tmp/adv"
ok "an image on a full file system is not bound" assert_rc 1
ok "in one sentence" assert_one_sentence
ok "and its tokens and keyslots are as before" assert_equal \
	"$(cryptsetup luksDump --dump-json-metadata "$tmp/sparse")" \
	"$(cryptsetup luksDump --dump-json-metadata "$image")"
ok "the passphrase opens it" opens_by_passphrase "$tmp/sparse"

copy bound image
if chattr +i "$image" 2>/dev/null; then
	bind
	chattr -i "$image"
	ok "an immutable image is not bound" refused 1 \
		"$image is read-only for this user, so its header cannot be changed"
else
	skip "an immutable image is not bound" "this file system has no immutable files"
fi

without_rights() {
	cp "$image" "$tmp/before"
	chmod "$1" "$image"
	run setpriv --bounding-set=-dac_override,-dac_read_search "$cotter_enroll" \
		--unlock-key-file="$passphrase" --tang="$tang_url" --tang-advertisement="$tmp/adv" "$image"
	chmod 0600 "$image"
}

copy bound image
without_rights 0400
ok "an image that may only be read is not bound" refused 1 "$image is read-only for this user"
without_rights 0
ok "nor one that may not even be read" refused 1 "$image"

copy bound image
edit_header '.segments["0"].encryption = "cipher_null-ecb"'
bind --label=new
ok "a volume with a null cipher is not bound" refused 1 "$image is not encrypted at all (null cipher)"
enroll --test
ok "--test does not ask the server for it" assert_output_has "the volume is not encrypted (null cipher)"
ok "and calls the token broken" assert_rc 4
copy bound image
edit_header '.keyslots["1"].area.encryption = "cipher_null-ecb"'
enroll --test
ok "nor for a keyslot with a null cipher" assert_output_has "keyslot 1 is not encrypted (null cipher)"
ok "and calls the token broken" assert_rc 4

# --- credentials ---

# Binds with another credential.
unlock_by() { # OPTION
	enroll "$1" --tang="$tang_url" --tang-advertisement="$tmp/adv"
}

copy plain image
echo wrong >"$tmp/wrong.key"
: >"$tmp/empty.key"
mkdir "$tmp/folder.key"
unlock_by --unlock-key-file="$tmp/wrong.key"
ok "a wrong key file is refused" refused 1 "the key in $tmp/wrong.key opens no keyslot of $image"
unlock_by --unlock-key-file="$tmp/empty.key"
ok "so is an empty one" refused 1 "$tmp/empty.key"
unlock_by --unlock-key-file="$tmp/missing.key"
ok "so is a missing one" refused 1 "the key file $tmp/missing.key cannot be read: No such file"
unlock_by --unlock-key-file="$tmp/folder.key"
ok "so is a folder" refused 1 "the key file $tmp/folder.key cannot be read"
unlock_by --unlock-key-file=- <"$tmp/wrong.key"
ok "so is a wrong key on standard input" refused 1 "the key on standard input opens no keyslot"
unlock_by --unlock-key-file=- </dev/null
ok "so is an empty standard input" refused 1 "standard input"
unlock_by --unlock-token
ok "so is a token where there is none" refused 1 "no token opens $image now"

# --- options ---

copy bound image
while IFS='|' read -r name text options; do
	bind $options
	ok "refused as wrong usage: $name" refused 2 "$text"
done <<-END
	a keyslot of 32|--key-slot is a number from 0 to 31, not "32"|--key-slot=32
	a keyslot below 0|--key-slot is a number from 0 to 31, not "-1"|--key-slot=-1
	a hexadecimal keyslot|--key-slot is a number from 0 to 31, not "0x1"|--key-slot=0x1
	no keyslot|--key-slot needs a value|--key-slot=
	a token id of 32|--token-id is a number from 0 to 31, not "32"|--token-id=32
	a word as token id|--token-id is a number from 0 to 31, not "one"|--token-id=one
	a huge token id|--token-id is a number from 0 to 31, not "4294967296"|--token-id=4294967296
	an unknown key derivation|--pbkdf is pbkdf2, argon2i or argon2id, not "md5"|--pbkdf=md5
	an unknown form of JSON|--json is off, short or pretty, not "yes"|--json=yes
	a thumbprint that is none|--tang-thumbprint is the thumbprint of a key|--tang-thumbprint=abc
	an unknown option|the option --tangy is not known; see cotter-enroll --help|--tangy
	an unknown letter|the option -x is not known; see cotter-enroll --help|-x
	a value where none belongs|--quiet takes no value|--quiet=yes
	an option twice|--tang-advertisement is given twice for one --tang|--tang-advertisement=two
	two pins without a threshold|--threshold=T is missing: it says how many of the 2 must hold|--tang=http://two.example
	two devices and a header|--header is of one volume|--header=$tmp/plain $tmp/plain
	two credentials|--unlock-key-file and --unlock-token exclude each other|--unlock-token
	--list with a binding|--list changes nothing, so it excludes --tang|--list
	--test with a binding|--test changes nothing, so it excludes --tang|--test
	an unknown pin to wipe|not "tpm"|--wipe-slot=tpm
	a keyslot to wipe of 32|not "32"|--wipe-slot=1,32
	an empty list to wipe|not ""|--wipe-slot=1,
	a CA without https|--tang-ca needs a URL that begins with https://|--tang-ca=$tmp/adv
	a pinned key without https|--tang-pubkey needs a URL that begins with https://|--tang-pubkey=sha256//x
END
while IFS='|' read -r name text options; do
	enroll $options
	ok "refused as wrong usage: $name" refused 2 "$text"
done <<-END
	--list with --test|--list and --test exclude each other|--list --test
	--list with --wipe-slot|--list changes nothing, so it excludes --wipe-slot|--list --wipe-slot=all
	a label without a binding|--label belongs to a new binding, so it needs --tang=URL|--label=x
	a credential without a binding|--unlock-token belongs to a new binding|--wipe-slot=1 --unlock-token
	a token id to wipe|--token-id goes with a new binding, --test or --report|--token-id=0 --wipe-slot=1
	a missing CA file|the CA file $tmp/no.ca cannot be read|--tang=https://x --tang-ca=$tmp/no.ca
	a pinned key that is none|--tang-pubkey is sha256// and|--tang=https://x --tang-pubkey=md5//x
END
while IFS='|' read -r name label; do
	bind --label="$(printf "$label")"
	ok "refused as a label: $name" refused 2 "--label is 1 to "
done <<-END
	control characters|a\033[31m
	no UTF-8|caf\351
	too much|$(printf '%0300d' 0)
END
run "$cotter_enroll" --list
ok "no device is wrong usage" assert_error_has "no device or image is named"
ok "told by the exit status" assert_rc 2

copy plain image
while IFS='|' read -r name url; do
	enroll --unlock-key-file="$passphrase" --tang="$(printf "$url")" --tang-advertisement="$tmp/adv"
	ok "refused as a server: $name" refused 1 "is not the URL of a Tang server"
done <<-END
	ftp|ftp://127.0.0.1/
	a file|file:///etc/passwd
	a script|javascript:alert(1)
	a query|$tang_url/?x
	a fragment|$tang_url/#x
	a space|$tang_url/a b
	a newline|$tang_url/a\nb
	a user|http://user:word@127.0.0.1/
	no host|http:///adv
	port 0|http://127.0.0.1:0
	port 65536|http://127.0.0.1:65536
	half an IPv6 address|http://[::1
	a broken escape|$tang_url/%%2
	5000 characters|http://127.0.0.1/$(printf '%05000d' 0)
END

# --- https ---

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$tmp/tls.key" -out "$tmp/tls.crt" 2>/dev/null
start_hostile tls --adv="$tmp/adv" --cert="$tmp/tls.crt" --key="$tmp/tls.key"
over_https() { # OPTION
	enroll --unlock-key-file="$passphrase" --tang="https://127.0.0.1:$hostile_port" \
		--tang-thumbprint="$tang_thumbprint" "$1"
}
over_https --tang-ca="$tmp/adv"
ok "a CA file that is none is refused" refused 1 "certificate problem"
over_https --tang-ca="$tmp/folder"
ok "so is a folder" refused 1 "certificate problem"
over_https --tang-pubkey=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
ok "so is another server's public key" refused 1 "its public key does not match the pinned one"

# --- streams ---

copy bound image
cp "$image" "$tmp/before"
rc=0
"$cotter_enroll" --list "$image" >/dev/full 2>"$tmp/err" || rc=$?
: >"$tmp/out"
ok "output that cannot be written is a failure" refused 1 \
	"the result could not be written to standard output"
copy plain image
"$cotter_enroll" --unlock-key-file="$passphrase" --tang="$tang_url" \
	--tang-advertisement="$tmp/adv" "$image" <&- >&- 2>&- || true
ok "no message goes to the device where the standard streams are closed" opens_by_token "$image"

done_testing
