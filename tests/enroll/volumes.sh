#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Several volumes in one call, and those of the machine: each has its turn, one that fails keeps none from
# it, and the worst counts.
if [ -z "${IN_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP only root can mount"; exit 0; }
	IN_NAMESPACE=1 exec unshare -m "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"

own_etc
mkdir "$tmp/block"
mount --bind "$tmp/block" /sys/block

bind() { # OPTION… DEVICE…
	run "$cotter_enroll" --unlock-key-file="$passphrase" --tang="$tang_url" \
		--tang-thumbprint="$tang_thumbprint" "$@"
}

errors_are() { # LINE…
	printf '%s\n' "$@" | diff - "$tmp/err"
}

output_is() { # LINE…
	printf '%s\n' "$@" | diff - "$tmp/out"
}

devices_are() { # DEVICE…
	assert_equal "$(jq -r '.[].device' "$tmp/out")" "$(printf '%s\n' "$@")"
}

start_tangd
make_small_image a
make_small_image b
make_small_image c
make_small_image plain
a=$tmp/a b=$tmp/b c=$tmp/c plain=$tmp/plain none=$tmp/none
echo "no volume" >"$tmp/text"

# --- a new binding ---

bind --json=short "$a" "$b"
ok "two volumes are bound in one call" assert_json '[.[] | .verb, .device, .result, .state, .token] ==
	["enroll", "'"$a"'", "ok", "proven", 0, "enroll", "'"$b"'", "ok", "proven", 0]'
ok "each line says of which it is" errors_are \
	"cotter-enroll: $a: bound $a: token 0, keyslot 1, proven by opening it in a fresh process" \
	"cotter-enroll: $b: bound $b: token 0, keyslot 1, proven by opening it in a fresh process"
ok "each opens by its own" opens_by_token "$a"
ok "and the other" opens_by_token "$b"
ok "with secrets of their own" not assert_equal "$(token_secret "$a" 0)" "$(token_secret "$b" 0)"
ok "and an exit status of 0" assert_rc 0

cp "$a" "$tmp/before.a"
cp "$b" "$tmp/before.b"
bind --label=new "$a" "$none" "$tmp/text" "$c"
ok "one that fails has the others done" assert_rc 1
ok "up to the last" opens_by_token "$c"
ok "and the causes are told" errors_are \
	"cotter-enroll: $a: $a is already bound so by token 0 (test it with --test); nothing was changed" \
	"cotter-enroll: $none: $none does not exist" \
	"cotter-enroll: $tmp/text: $tmp/text is not a LUKS volume" \
	"cotter-enroll: $c: bound $c: token 0, keyslot 1, proven by opening it in a fresh process"
ok "where it is bound nothing changes" assert_same_file "$a" "$tmp/before.a"

# --- one after the other ---

run "$cotter_enroll" --json=short "$a"
ok "one volume has one object" assert_json '.device == "'"$a"'" and .verb == "list"'
run "$cotter_enroll" --json=pretty "$a" "$none"
ok "several have an array" assert_json '[.[] | .device, .result] == ["'"$a"'", "ok", "'"$none"'", "failed"]'
ok "with the causes of each" assert_json '.[0].errors == null and .[1].errors == ["'"$none"' does not exist"]'
ok "indented where asked" grep -q '^        "verb": "list",$' "$tmp/out"

run "$cotter_enroll" --list "$a" "$plain"
ok "each table has its device above" assert_equal "$(grep -n ':$' "$tmp/out" | head -n 1)" "1:$a:"
ok "and a line between" assert_equal "$(grep -B1 -F "$plain:" "$tmp/out")" $'\n'"$plain:"

run "$cotter_enroll" --test "$a" "$none" "$b"
ok "a test goes on behind a failure" assert_equal "$(grep -c 'opens the volume' "$tmp/out")" 2
ok "which counts" assert_rc 1
ok "and has no heading" not grep -qF "$none" "$tmp/out"
run "$cotter_enroll" --test --quiet "$a" "$b"
ok "a quiet test of good ones says nothing" not grep -q . "$tmp/out" "$tmp/err"
ok "and is one" assert_rc 0

cryptsetup token export --disable-external-tokens --token-id 0 "$b" | jq -c 'del(.jwe.tag)' >"$tmp/broken.json"
cp "$b" "$tmp/broken"
cryptsetup token import --disable-external-tokens --token-replace --token-id 0 \
	--json-file "$tmp/broken.json" "$tmp/broken"
stop_tangd
run "$cotter_enroll" --test --quiet "$a" "$c"
ok "what is out of reach counts as such" assert_rc 3
ok "under its device" assert_equal "$(grep -c ':$' "$tmp/out")" 2
run "$cotter_enroll" --test "$a" "$tmp/broken" "$c"
ok "a token that will not open counts more" assert_rc 4
run "$cotter_enroll" --test "$a" "$none" "$tmp/broken"
ok "and what could not be looked at most" assert_rc 1
start_tangd tang "$tang_port"

run "$cotter_enroll" --report "$a" "$b"
ok "a report has its headings too" assert_equal "$(grep -c ':$' "$tmp/out")" 2
ok "and its status" assert_rc 0
run "$cotter_enroll" --report --json=short "$a" "$tmp/broken" "$b"
ok "of which the worst counts" assert_rc 12
ok "between good ones" assert_json '[.[].health] == ["ok", "failed", "ok"]'
cp "$a" "$tmp/before.a"
run "$cotter_enroll" --renew --json=short "$a" "$tmp/broken" "$b"
ok "a renewal looks at each" assert_json '[.[].tokens[0].state] == ["not-due", "failed", "not-due"]'
ok "where it is not due, nothing changes" assert_same_file "$a" "$tmp/before.a"

run "$cotter_enroll" --wipe-slot=tang --json=short "$a" "$none" "$b"
ok "bindings of several are removed" assert_json '[.[].wiped.keyslots] == [[1], null, [1]]'
ok "though one was not there" assert_rc 1
ok "but not their passphrases" opens_by_passphrase "$b"
cp "$tmp/before.a" "$a"
cp "$tmp/before.b" "$b"

# --- those of the machine ---

cp "$a" "$tmp/header"
truncate -s 4M "$tmp/data"
ln -s "$a" "$tmp/link"
cat >/etc/crypttab <<-END
	# a remark
	b $b none token-type=cotter-tang,_netdev
	plain $plain none luks
	alone
	swap $tmp/text /dev/urandom swap
	usb $none none noauto
	detached $tmp/data none header=$tmp/header
	a $tmp/link none
	again $a none
	elsewhere $tmp/data none header=/header:LABEL=usb
END

in_use() { # NUMBER NAME IMAGE: as the kernel shows an open volume
	local folder=$tmp/block/dm-$1 uuid
	uuid=$(cryptsetup luksUUID "$3" | tr -d -)
	mkdir -p "$folder/dm" "$folder/slaves/shm!${tmp##*/}!${3##*/}"
	echo "CRYPT-LUKS2-$uuid-$2" >"$folder/dm/uuid"
	echo "$2" >"$folder/dm/name"
	mkdir -p "/dev/shm/${tmp##*/}"
	ln -sf "$3" "/dev/shm/${tmp##*/}/${3##*/}"
}
in_use 0 b "$b"
in_use 1 c "$c"
shm=/dev/shm/${tmp##*/}

run "$cotter_enroll" --list --all --json=short
ok "--all lists all of crypttab and in use, each once" devices_are "$b" "$plain" "$tmp/data" \
	"$tmp/link" "$shm/c"
ok "with the headers that crypttab names" assert_json '[.[].header] == [null, null, "'"$tmp/header"'", null, null]'
ok "and succeeds" assert_rc 0
ok "saying what it passes over" errors_are \
	"cotter-enroll: usb is passed over: $none is not there" \
	"cotter-enroll: elsewhere ($tmp/data) is passed over: where its header is, crypttab does not say; run it with --header="

run "$cotter_enroll" --test --all --json=short
ok "--all tests those with tokens of cotter's" devices_are "$b" "$tmp/data" "$tmp/link" "$shm/c"
ok "which open" assert_json 'all(.[]; .result == "ok" and .tokens[0].result == "ok")'
ok "and says that others have none" assert_error_has \
	"cotter-enroll: plain ($plain) has no cotter token and is passed over"
run "$cotter_enroll" --test --all --quiet
ok "quietly nothing is said" not grep -q . "$tmp/out" "$tmp/err"
ok "where all is well" assert_rc 0

cp "$tmp/broken" "$b"
run "$cotter_enroll" --test --all --quiet
ok "one that fails counts" assert_rc 4
ok "and is shown alone" assert_equal "$(grep ':$' "$tmp/out")" "$b:"

for all in a plain header; do cp "$tmp/$all" "$tmp/kept.$all"; done
run "$cotter_enroll" --wipe-slot=orphaned --all
ok "there is nothing orphaned" assert_rc 0
ok "so nothing is changed" assert_same_file "$a" "$tmp/kept.a"
run "$cotter_enroll" --wipe-slot=all --all --json=short
ok "all bindings are removed" assert_json '[.[].wiped.tokens] == [[0], [0], [0], [0]]'
ok "those of detached headers too" not grep -q cotter-tang "$tmp/header"
ok "and no other volume is touched" assert_same_file "$plain" "$tmp/kept.plain"
run "$cotter_enroll" --test --all --json=short
ok "then there is none, which is no failure" assert_rc 0
ok "and an empty array" output_is '[]'
ok "and is said" assert_error_has "neither crypttab nor what is open has a LUKS2 volume for this"

printf 'LUKS\xba\xbe\0\2 and no more' >"$tmp/damaged"
truncate -s 4M "$tmp/damaged"
echo "damaged $tmp/damaged" >/etc/crypttab
run "$cotter_enroll" --test --all
ok "a damaged header is not passed over" assert_rc 1
ok "but told of" assert_error_has "the LUKS2 header of $tmp/damaged cannot be used"

# --- what is of one volume ---

refused() { # WORDS
	assert_rc 2 && assert_one_sentence && assert_error_has "$1"
}

run "$cotter_enroll" --header="$tmp/header" "$a" "$b"
ok "a header is of one volume" refused "--header is of one volume"
run "$cotter_enroll" --tang="$tang_url" --unlock-key-file=- "$a" "$b" <"$passphrase"
ok "so is what standard input has" refused "standard input has the key of one volume"
run "$cotter_enroll" --wipe-slot=1 --all
ok "a keyslot's number is none for all" refused "takes no keyslot numbers with --all"
run "$cotter_enroll" --all "$a"
ok "all is all" refused "--all is about every volume of this machine"

rm -rf "$shm"
done_testing
