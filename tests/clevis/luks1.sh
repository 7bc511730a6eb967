#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands about LUKS1 volumes, side by side with Debian's, on copies of the same volume: exit status, standard
# output, and what luksmeta and the keyslots hold then. And what either bound is the other's to use.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/side.sh"

command -v luksmeta >/dev/null || skip_all "luksmeta is not installed"
uuid=cb6e8904-81ff-40da-a84a-07ab9ab5715e # Clevis's

# Keyslots, and what is kept for each.
state_of() { # IMAGE
	local slot
	cryptsetup luksDump "$1" | grep '^Key Slot'
	luksmeta show -d "$1" 2>/dev/null | grep -v ' empty$' || true # theirs makes it before it looks at the key
	for slot in 0 1 2 3 4 5 6 7; do
		luksmeta load -d "$1" -s "$slot" -u $uuid 2>/dev/null | tr -d '\n' || continue
		echo
	done
}

normal_volume() { # SIDE
	state_of "$tmp/$1.image" | "$src/tests/clevis/policy.py"
}

add_key() { # SLOT TEXT
	printf '%s' "$2" >"$tmp/key-$1"
	cryptsetup luksAddKey --batch-mode --pbkdf-force-iterations 1000 --key-slot "$1" --key-file "$passphrase" \
		"$image" "$tmp/key-$1"
}

opens() { # IMAGE FILE [OPTION…]
	cryptsetup open --test-passphrase --key-file "$2" "${@:3}" "$1"
}

opens_by_binding() { # IMAGE SLOT
	theirs clevis luks pass -d "$1" -s "$2" >"$tmp/passed"
	opens "$1" "$tmp/passed" --key-slot "$2"
}

start_tangd live
live_url=$tang_url thp=$tang_thumbprint
tang="{\"url\":\"$live_url\",\"thp\":\"$thp\"}"
sss="{\"t\":1,\"pins\":{\"tang\":[$tang,$tang]}}"
printf 'wrong' >"$tmp/wrong"
printf 'wrong\n' >"$tmp/wrong-line"
printf 'correct horse\n' >"$tmp/line"

image=$tmp/plain
truncate -s 4M "$image"
cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 --key-file "$passphrase" "$image"
cp "$image" "$tmp/bound"
theirs clevis luks bind -f -k "$passphrase" -d "$tmp/bound" tang "$tang" 2>/dev/null
cp "$tmp/bound" "$tmp/two"
theirs clevis luks bind -f -k "$passphrase" -d "$tmp/two" sss "$sss" 2>/dev/null
cp "$tmp/bound" "$tmp/full"
image=$tmp/full
for slot in 2 3 4 5 6 7; do
	add_key $slot "key $slot"
done
cp "$tmp/bound" "$tmp/foreign"
echo something | luksmeta save -d "$tmp/foreign" -s 3 -u 12345678-1234-1234-1234-123456789abc

# --- bind ---

volume=$tmp/plain
same "bind" clevis luks bind -f -k "$passphrase" -d IMAGE tang "$tang"
same "bind -y" clevis luks bind -y -k "$passphrase" -d IMAGE tang "$tang"
same "bind to a policy" clevis luks bind -f -k "$passphrase" -d IMAGE sss "$sss"
same "bind -s" clevis luks bind -f -k "$passphrase" -s 5 -d IMAGE tang "$tang"
same "bind -s 0, which is taken" clevis luks bind -f -k "$passphrase" -s 0 -d IMAGE tang "$tang"
same "bind -s 8, which there is not" clevis luks bind -f -k "$passphrase" -s 8 -d IMAGE tang "$tang"
same "bind with a wrong key file" clevis luks bind -f -k "$tmp/wrong" -d IMAGE tang "$tang"
same "bind to a dead server" clevis luks bind -f -k "$passphrase" -d IMAGE tang '{"url":"http://127.0.0.1:1"}'
same "bind to an unknown pin" clevis luks bind -f -k "$passphrase" -d IMAGE nosuch '{}'
input=$tmp/line
same "bind -k -" clevis luks bind -f -k - -d IMAGE tang "$tang"
same "bind -k - without -f" clevis luks bind -k - -d IMAGE tang "$tang"
input=$tmp/wrong-line
same "bind -k - with a wrong key" clevis luks bind -f -k - -d IMAGE tang "$tang"
input=/dev/null
volume=$tmp/bound
same "bind a second time" clevis luks bind -f -k "$passphrase" -d IMAGE sss "$sss"
volume=$tmp/foreign
same "bind beside another program's" clevis luks bind -f -k "$passphrase" -d IMAGE tang "$tang"
volume=$tmp/full
same "bind where all keyslots are taken" clevis luks bind -f -k "$passphrase" -d IMAGE tang "$tang"

# --- list, pass, unlock, report ---

for name in plain bound two full foreign; do
	volume=$tmp/$name
	same "list of $name" clevis luks list -d IMAGE
	same "list -s 1 of $name" clevis luks list -d IMAGE -s 1
	same "pass -s 1 of $name" clevis luks pass -d IMAGE -s 1
done
volume=$tmp/two
same "list of a slot that is not bound" clevis luks list -d IMAGE -s 0
same "list of a slot that there is not" clevis luks list -d IMAGE -s 8
same "pass of the policy" clevis luks pass -d IMAGE -s 2
same "pass of a slot that is not bound" clevis luks pass -d IMAGE -s 5
same "report" clevis luks report -d IMAGE -s 1 -q
same "report of a slot that is not bound" clevis luks report -d IMAGE -s 5 -q
differs "unlock -t opens the slot" 22 clevis luks unlock -t 1 -d IMAGE
ok "unlock -t opens the slot" assert_rc 0
differs "unlock -t of a slot that is not bound" 22 clevis luks unlock -t 5 -d IMAGE
ok "unlock -t of a slot that is not bound" not assert_rc 0

# --- unbind ---

same "unbind" clevis luks unbind -f -d IMAGE -s 1
same "unbind of the other" clevis luks unbind -f -d IMAGE -s 2
same "unbind of a slot that is not bound" clevis luks unbind -f -d IMAGE -s 0
same "unbind of a slot that is free" clevis luks unbind -f -d IMAGE -s 6

# --- regen and edit, by which the slot stays and the key does not ---

before=$(theirs clevis luks pass -d "$tmp/two" -s 1)
printf %s "$before" >"$tmp/old"
for command in "regen -q -s 1" "edit -s 1 -f -c $tang"; do
	differs "${command%% *}" ours clevis luks $command -d IMAGE
	ok "${command%% *} ends well" assert_rc 0
	ok "and its slot opens by Clevis" opens_by_binding "$tmp/ours.image" 1
	ok "with another key" not opens "$tmp/ours.image" "$tmp/old"
	ok "the other binding as before" opens_by_binding "$tmp/ours.image" 2
	ok "and the passphrase" opens "$tmp/ours.image" "$passphrase"
	ok "no more keyslots than before" assert_equal "$(cryptsetup luksDump "$tmp/ours.image" | grep ENABLED)" \
		"$(cryptsetup luksDump "$tmp/two" | grep ENABLED)"
	ok "nothing more in luksmeta" diff <(luksmeta show -d "$tmp/ours.image") <(luksmeta show -d "$tmp/two")
done
volume=$tmp/full
cp "$tmp/full" "$tmp/before"
differs "regen without a free keyslot" ours clevis luks regen -q -s 1 -d IMAGE
ok "regen without a free keyslot is refused" not assert_rc 0
ok "and nothing is written" cmp "$tmp/ours.image" "$tmp/before"

# --- each other's ---

cp "$tmp/plain" "$tmp/mine"
ours clevis luks bind -f -k "$passphrase" -d "$tmp/mine" tang "$tang" 2>/dev/null
volume=$tmp/mine
same "what we bound: list" clevis luks list -d IMAGE
same "what we bound: pass" clevis luks pass -d IMAGE -s 1
same "what we bound: report" clevis luks report -d IMAGE -s 1 -q
same "what we bound: bind again" clevis luks bind -f -k "$passphrase" -d IMAGE sss "$sss"
same "what we bound: unbind" clevis luks unbind -f -d IMAGE -s 1
theirs clevis luks regen -q -d "$tmp/mine" -s 1 >/dev/null 2>&1
ok "what we bound is regenerated by Clevis" opens_by_binding "$tmp/mine" 1

# --- damage ---

damaged() { # NAME AT HEX
	cp "$tmp/bound" "$tmp/damaged"
	printf "\\x$3" | dd of="$tmp/damaged" bs=1 seek=$((4096 + 8 * 258048 + $2)) conv=notrunc status=none
	cp "$tmp/damaged" "$tmp/before"
	volume=$tmp/damaged
	for command in "bind -f -k $passphrase tang $tang" "unbind -f -s 1" "regen -q -s 1"; do
		differs "${command%% *} with $1" ours clevis luks ${command%% *} -d IMAGE ${command#* }
		ok "${command%% *} with $1 is refused" not assert_rc 0
		ok "in words" grep -qE 'damaged|reaches into the data' "$tmp/err"
		ok "and nothing is written" cmp "$tmp/ours.image" "$tmp/before"
	done
}
damaged "a damaged index" 20 ff
damaged "a damaged JWE" 4200 00

sides_done
done_testing
