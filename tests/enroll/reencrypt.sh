#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --reencrypt-first: a new volume key for the same data, what survives it and what is refused.
. "$(dirname "$0")/../lib.sh"
. "$src/tests/volume-key.sh"

begin_tangd() { # NAME
	start_tangd "$1"
	server=(--tang="$tang_url" --tang-thumbprint="$tang_thumbprint")
	binding=(--unlock-key-file="$passphrase" "${server[@]}")
	first=("${binding[@]}" --reencrypt-first)
}

begin_tangd tang
second=$tmp/second
offset=$((2 * 1024 * 1024))

# Eight keyslots, 2 MiB of data.
make_data_image() { # NAME
	make_small_image "$1"
	dd if=/dev/urandom of="$image" bs=1M seek=2 conv=notrunc count=2 status=none
	volume_key "$image"
}

unchanged() { # IMAGE
	cmp "$1" "$1.before"
}

refused() { # TEXT
	assert_rc 1
	assert_error_has "$1"
	unchanged "$image"
}

# --- clones ---

make_data_image golden
golden=$image
plain=$(data_sum "$golden")
for name in one two; do
	cp "$golden" "$tmp/$name"
	run "$cotter_enroll" "${first[@]}" --json=short "$tmp/$name"
	ok "clone $name is re-encrypted and bound" assert_rc 0
	ok "as the JSON says" assert_json \
		'.state == "proven" and .reencryption == {"resumed": false, "lost": {"keyslots": [], "tokens": []}}'
	volume_key "$tmp/$name"
done
ok "progress is told" assert_error_has "re-encrypted 100 %"
ok "each clone has a key of its own" not cmp "$tmp/one.key" "$tmp/two.key"
ok "which is not the image's" not cmp "$tmp/one.key" "$golden.key"
ok "the data are the same to the byte" assert_equal "$(data_sum "$tmp/one")" "$plain"
ok "in the other clone too" assert_equal "$(data_sum "$tmp/two")" "$plain"
ok "what is encrypted is not" not cmp -s -i $offset "$tmp/one" "$golden"
cp "$tmp/one" "$tmp/mixed"
dd if="$golden" of="$tmp/mixed" bs=1M count=2 conv=notrunc status=none
volume_key "$tmp/mixed"
ok "the image's header has the image's key" cmp "$tmp/mixed.key" "$golden.key"
ok "which decrypts nothing of the clone" not assert_equal "$(data_sum "$tmp/mixed")" "$plain"
ok "the cipher and the size of sectors are as before" assert_equal \
	"$(metadata "$tmp/one" | jq -c .segments)" "$(metadata "$golden" | jq -c .segments)"
ok "the tokens work" opens_by_token "$tmp/one"

# --- what survives ---

make_data_image kept
add_key "$image" "$second"
"$cotter_enroll" --quiet "${binding[@]}" --label=kept "$image"
cryptsetup token import --token-id 7 --json-file - "$image" \
	<<<'{"type":"other","keyslots":["1"],"x":1}'
cryptsetup config --priority prefer --key-slot 1 "$image"
printf unbound >"$tmp/unbound"
cryptsetup luksAddKey --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --unbound \
	--key-size 256 --key-slot 6 --disable-external-tokens --key-file "$passphrase" "$image" "$tmp/unbound"
plain=$(data_sum "$image")
start_tangd other
other=(--unlock-key-file="$passphrase" --tang="$tang_url" --tang-thumbprint="$tang_thumbprint")

run "$cotter_enroll" "${other[@]}" --reencrypt-first --keep-key-file="$second" "$image"
ok "a volume with three ways in is re-encrypted and bound" assert_rc 0
ok "the passphrase stays" opens_by "$passphrase" "$image"
ok "the second passphrase stays" opens_by "$second" "$image"
ok "so do the cotter token and the new one" "$cotter_enroll" --test --quiet "$image"
ok "there are two of them" assert_equal "$(metadata "$image" | jq -c '[.tokens[].type] | sort')" \
	'["cotter-tang","cotter-tang","other"]'
ok "another program's token goes with its keyslot" opens_by "$second" "$image" \
	--key-slot "$(token_json "$image" 7 | jq -r '.keyslots[]')"
ok "with its priority" assert_equal "$(metadata "$image" | jq '[.keyslots[] | select(.priority == 2)] | length')" 1
ok "an unbound keyslot is not touched" opens_by "$tmp/unbound" "$image" --key-slot 6
ok "the iterations are as before" assert_equal \
	"$(metadata "$image" | jq -c '[.keyslots[].kdf.iterations] | unique')" '[1000]'
ok "the data are the same" eval 'volume_key "$image" && assert_equal "$(data_sum "$image")" "$plain"'

# --- what would not ---

make_data_image lost
add_key "$image" "$second"
"$cotter_enroll" --quiet "${binding[@]}" --label=away "$image"
cryptsetup token import --token-id 7 --json-file - "$image" <<<'{"type":"other","keyslots":["1"],"x":1}'
plain=$(data_sum "$image")
cp "$image" "$image.before"
stop_tangd
run "$cotter_enroll" "${other[@]}" --reencrypt-first --json=short "$image"
ok "what would be lost is refused" refused "nothing was changed"
ok "named with its token" assert_error_has \
	"keyslot 1 would not survive with token 7 (other): none of the credentials opens it"
ok "or with why that cannot be recovered" assert_error_has "keyslot 2 would not survive with token 0 (cotter-tang, away): "
ok "in the JSON too" assert_json '.reencryption.lost == {"keyslots": [1, 2], "tokens": [0, 7]}'
run "$cotter_enroll" "${other[@]}" --reencrypt-first --keep-key-file="$second" "$image"
ok "one that is lost is enough for that" refused "keyslot 2 would not survive"
run "$cotter_enroll" "${other[@]}" --reencrypt-first --force "$image"
ok "--force loses them" assert_rc 0
ok "and says it" assert_error_has "keyslot 1 with token 7 (other): none of the credentials opens it; it goes"
ok "the passphrase and the new binding are left" assert_equal \
	"$(metadata "$image" | jq -c '[(.keyslots | length), [.tokens[].type]]')" '[2,["cotter-tang"]]'
ok "the data are the same" eval 'volume_key "$image" && assert_equal "$(data_sum "$image")" "$plain"'
begin_tangd third

# --- wrong credentials, and none ---

make_data_image wrong
cp "$image" "$image.before"
printf wrong >"$tmp/wrong-key"
run "$cotter_enroll" "${server[@]}" --unlock-key-file="$tmp/wrong-key" --reencrypt-first "$image"
ok "a wrong key file is refused" refused "opens no keyslot of"
run "$cotter_enroll" "${first[@]}" --keep-key-file="$tmp/wrong-key" "$image"
ok "also as one to keep" refused "the key in $tmp/wrong-key opens no keyslot"
run "$cotter_enroll" "${first[@]}" --keep-key-file="$tmp/missing" "$image"
ok "a missing one is told" refused "cannot be read"
run "$cotter_enroll" "${server[@]}" --unlock-token --reencrypt-first "$image"
ok "--unlock-token without a token is refused" refused "no credential opens a keyslot"

# --- a server that is away is known before hours have passed ---

run "$cotter_enroll" --unlock-key-file="$passphrase" --tang=http://127.0.0.1:9 \
	--tang-thumbprint="$tang_thumbprint" --reencrypt-first "$image"
ok "nothing is re-encrypted for a binding that cannot be made" eval 'assert_rc 1 && unchanged "$image"'

# --- a header without room ---

make_data_image full
for i in 1 2 3 4; do
	add_key "$image" "$tmp/key-$i"
	keep+=(--keep-key-file="$tmp/key-$i")
done
cp "$image" "$image.before"
run "$cotter_enroll" "${first[@]}" "${keep[@]}" "$image"
ok "a keyslots' area that is too full is refused" refused "the keyslots' area of"
run "$cotter_enroll" "${first[@]}" --keep-key-file="$tmp/key-1" --force "$image"
ok "unless keyslots are lost" assert_rc 0

# As full as can be, and a bit fuller; with one keyslot, or three.
for keyslots in 1 3; do
	make_data_image json-$keyslots
	keep=()
	for ((i = 1; i < keyslots; i++)); do
		add_key "$image" "$tmp/key-$i"
		keep+=(--keep-key-file="$tmp/key-$i")
	done
	plain=$(data_sum "$image")
	used=$(metadata "$image" | jq -c . | wc -c)
	need=$((2300 + keyslots * 420 + 60))
	cp "$image" "$image.before"
	for room in $((need - 100)) $((need + 5)); do
		cp "$image.before" "$image"
		text=$(printf '%0*d' $((12288 - used - room)))
		cryptsetup token import --json-file - "$image" \
			<<<"{\"type\":\"other\",\"keyslots\":[],\"x\":\"$text\"}"
		[ $room -gt $need ] || cp "$image" "$image.full"
		run "$cotter_enroll" "${first[@]}" "${keep[@]}" "$image"
		if [ $room -lt $need ]; then
			ok "a JSON area that is too full for $keyslots keyslots is refused" eval \
				'assert_rc 1 && assert_error_has "the JSON area of" && cmp "$image" "$image.full"'
		else
			ok "one that is not is not" assert_rc 0
			ok "and the data are the same" eval \
				'volume_key "$image" && assert_equal "$(data_sum "$image")" "$plain"'
		fi
	done
done

make_image numbers
for i in {1..15}; do
	add_key "$image" "$second"
done
volume_key "$image"
cp "$image" "$image.before"
run "$cotter_enroll" "${first[@]}" --keep-key-file="$second" "$image"
ok "too few keyslot numbers are refused" refused "has 1 free keyslots too few"

# --- volumes in use, and those of other programs ---

make_data_image busy
cp "$image" "$image.before"
if loop=$(losetup --find --show "$image" 2>/dev/null); then
	run "$cotter_enroll" "${first[@]}" "$image"
	losetup --detach "$loop"
	ok "an image that a loop device is on is refused" refused "is in use"
else
	skip "an image that a loop device is on is refused" "no loop device can be made here"
fi

make_data_image theirs
cryptsetup reencrypt --batch-mode --init-only --force-offline-reencrypt --key-file "$passphrase" --disable-external-tokens \
	--pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$image" >/dev/null 2>&1 || true
cp "$image" "$image.before"
if metadata "$image" | jq -e '.config.requirements.mandatory' >/dev/null; then
	run "$cotter_enroll" "${first[@]}" "$image"
	ok "what another program has begun is refused" refused "another program has begun to re-encrypt"
else
	skip "what another program has begun is refused" "cryptsetup begins nothing here"
fi

# --- a detached header ---

make_image detached
header=$tmp/header
data=$tmp/data
dd if=/dev/urandom of="$data" bs=1M count=3 status=none
"${luks_format[@]}" --header "$header" "$data" 2>/dev/null
cp "$data" "$header.data"
cryptsetup luksDump --batch-mode --dump-volume-key --volume-key-file "$data.key" --key-file "$passphrase" \
	"$header" >/dev/null
plain=$(data_sum "$data" "$header")
run "$cotter_enroll" "${first[@]}" --header="$header" "$data"
ok "a volume with a detached header is re-encrypted" assert_rc 0
volume_key "$header"
mv "$header.key" "$data.new"
ok "its key is new" not cmp "$data.new" "$data.key"
mv "$data.new" "$data.key"
ok "its data are the same" assert_equal "$(data_sum "$data" "$header")" "$plain"

# --- the binding itself as the only credential ---

make_data_image alone
"$cotter_enroll" --quiet "${binding[@]}" "$image"
cp "$image" "$image.before"
run "$cotter_enroll" "${server[@]}" --unlock-token --force \
	--reencrypt-first "$image"
ok "a token alone is credential enough" assert_rc 0
ok "it is the only way in then" assert_equal "$(metadata "$image" | jq -c '.keyslots | length')" 1
ok "which binds as was asked, so there is no second" assert_error_has "is already bound so by token 0"
ok "and opens the volume" opens_by_token "$image"
for i in 0 1; do
	ok "nothing of old keyslot $i is left" \
		not cmp -s -i $((32768 + i * 258048)) -n 258048 "$image" "$image.before"
done

# --- interrupted ---

# Two keyslots and room for chunks of 512 KiB.
make_image long --luks2-keyslots-size=$((2 * 258048 + 524288)) --sector-size 4096 2>/dev/null
truncate -s 66M "$image"
volume_key "$image"
plain=$(data_sum "$image")
for signal in INT TERM; do
	run_later long env --default-signal=INT "$cotter_enroll" "${first[@]}" "$image"
	wait_until 60 grep -q "re-encrypted" "$tmp/long.err"
	kill -$signal "${later[long]}"
	finish long
	ok "SIG$signal interrupts it" assert_rc $((128 + $(kill -l $signal)))
	ok "which is said" assert_error_has "the same command goes on where this stopped"
	ok "the volume opens" opens_by "$passphrase" "$image"
done
run "$cotter_enroll" "${first[@]}" --json=short "$image"
ok "and it goes on" assert_rc 0
ok "which the JSON says" assert_json '.reencryption.resumed'
volume_key "$image"
ok "the data are the same then" assert_equal "$(data_sum "$image")" "$plain"

# --- at a terminal ---

make_data_image terminal
/usr/bin/python3 "$src/tests/terminal.py" "Passphrase of" "$(cat "$passphrase")"$'\n' -- \
	"$cotter_enroll" --tang="$tang_url" --tang-thumbprint="$tang_thumbprint" --reencrypt-first "$image" \
	>"$tmp/out" 2>"$tmp/err" && rc=0 || rc=$?
ok "a passphrase is asked for once" assert_rc 0
ok "and a bar is shown" assert_output_has "[##############################] 100 %"
ok "the binding works" opens_by_token "$image"

done_testing
