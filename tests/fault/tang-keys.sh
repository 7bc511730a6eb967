#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-tang-keys ended by SIGKILL at every system call that changes the folder: before the call, in the middle of
# a write, and with a write lost that was not yet synced. A server, tangd's or ours, must then find what it
# found before, nobody a file that others may read, and the same command must end as if it had never been stopped.
# Then a folder that is full, that belongs to another or that may not be used, and one that is copied while its keys
# are rotated every few milliseconds.
. "$(dirname "$0")/../lib.sh"
. "$src/tests/points.sh"

helper=$build/tests/keys-helper
tool=$build/tang/server/cotter-tang-keys
umask 0 # which must not matter

build_stop

# --- what must hold of a folder ---

jose jwk gen -i '{"alg":"ECMR","crv":"P-256"}' | jose jwk pub -i- -o "$tmp/request"

names() { # FOLDER: of its keys, advertised and hidden
	find "$1" -maxdepth 1 -name '*.jwk' -printf '%f\n' | LC_ALL=C sort
}

advertised() { # FOLDER
	names "$1" | grep -v '^\.' || true
}

exchange_keys() { # FOLDER: their thumbprints
	find "$1" -maxdepth 1 -name '*.jwk' -exec grep -l ECMR {} + | while read -r key; do
		echo "$(jose jwk thp -i "$key")"
	done
}

tangd() { # FOLDER < REQUEST > ANSWER: with a copy, as tangd makes keys where it finds none
	rm -rf "$1-tangd"
	cp -a "$1" "$1-tangd"
	/usr/libexec/tangd "$1-tangd" 2>/dev/null || true
	rm -rf "$1-tangd"
}

tangd_recovers() { # FOLDER THUMBPRINT
	{ printf 'POST /rec/%s HTTP/1.1\r\nContent-Length: %d\r\n\r\n' "$2" "$(stat -c %s "$tmp/request")"
		cat "$tmp/request"; } | tangd "$1" | tail -n 1
}

# Both servers advertise both kinds of keys.
serves() { # FOLDER
	local adv
	"$helper" "$1" check
	adv=$(printf 'GET /adv HTTP/1.1\r\n\r\n' | tangd "$1" | tail -n 1)
	jose fmt -j "$adv" -g payload -yo- | jq -e '[.keys[].key_ops[]] | contains(["verify", "deriveKey"])'
}

# With each of the keys, all of which must be there.
recover() { # FOLDER THUMBPRINT…
	local folder=$1 thumbprint
	shift
	for thumbprint; do
		assert_equal "$("$helper" "$folder" rec "$thumbprint" <"$tmp/request")" \
			"$(tangd_recovers "$folder" "$thumbprint")"
	done
}

# No file is taken for a key that is none, and nobody else may read one.
is_sound() { # FOLDER
	"$helper" "$1" check >/dev/null 2>"$1-said" || true
	! grep skipped "$1-said"
	assert_equal "$(find "$1" -name '*.jwk*' -perm /0337)" ""
	names "$1" | sed "s|^|$1/|" | xargs -r jq -es 'all(.[]; .kty == "EC" and has("d"))'
}

no_leftovers() { # FOLDER
	assert_equal "$(find "$1" -mindepth 1 -not -name '*.jwk' -not -name usage.json)" ""
}

# --- the scenes, and what is done with them ---

mkdir "$tmp"/{nothing,pair,rotated}
"$tool" generate --curve=P-256 "$tmp/pair" >/dev/null
touch -d '100 days ago' "$tmp"/pair/*.jwk
cp -a "$tmp/pair/." "$tmp/rotated"
"$tool" rotate --curve=P-256 "$tmp/rotated" >/dev/null
jq -n '{since: 0, started: 0, keys: {}}' >"$tmp/rotated/usage.json"

# How many keys are advertised afterwards, and how many hidden.
names=() scenes=() commands=() advertised_after=() hidden_after=() serves=()
verb() { # NAME SCENE SERVES ADVERTISED HIDDEN COMMAND
	names+=("$1") scenes+=("$2") serves+=("$3") advertised_after+=("$4") hidden_after+=("$5") commands+=("$6")
}
verb "the first pair" nothing false 2 0 "generate --curve=P-256"
verb "another pair" pair true 4 0 "generate --curve=P-256 --add"
verb "a rotation" pair true 2 2 "rotate --curve=P-256"
verb "a second rotation" rotated true 2 4 "rotate --curve=P-256"
verb "a removal" rotated true 2 0 "prune"

change() { # FOLDER COMMAND
	$tool ${2} "$1"
}

stopping() { # FOLDER COMMAND
	STOP_FILES=$1 STOP_LOG=$1-calls LD_PRELOAD=$preload $tool ${2} "$1"
}

stop_at() { # VERB N HOW
	local verb=$1 folder=$tmp/scene-$1-$2-$3 rc=0 kept
	cp -a "$tmp/${scenes[verb]}" "$folder"
	kept=$(exchange_keys "$folder")
	[[ ${commands[verb]} != prune* ]] || kept=$(exchange_keys "$folder" |
		grep -Fxf <(advertised "$folder" | sed 's/\.jwk//'))
	STOP_AT=$2 STOP_HOW=$3 stopping "$folder" "${commands[verb]}" || rc=$?
	assert_equal $rc 137

	is_sound "$folder"
	! ${serves[verb]} || serves "$folder"
	recover "$folder" $kept

	# What is done again is done as if for the first time, but that another pair is then one more.
	change "$folder" "${commands[verb]}"
	is_sound "$folder"
	no_leftovers "$folder"
	serves "$folder"
	recover "$folder" $kept
	case ${commands[verb]} in
	*--add*) [ "$(advertised "$folder" | wc -l)" -ge 4 ] ;;
	rotate*)
		assert_equal "$(advertised "$folder" | wc -l)" "${advertised_after[verb]}"
		[ "$(names "$folder" | grep -c '^\.')" -ge "${hidden_after[verb]}" ] ;;
	*)
		assert_equal "$(advertised "$folder" | wc -l)" "${advertised_after[verb]}"
		assert_equal "$(names "$folder" | grep -c '^\.' || true)" "${hidden_after[verb]}" ;;
	esac
	rm -r "$folder" "$folder"-*
}

rehearse() { # VERB
	local folder=$tmp/whole-$1
	cp -a "$tmp/${scenes[$1]}" "$folder"
	stopping "$folder" "${commands[$1]}" >/dev/null
	points "$folder-calls" "${names[$1]}" stop_at "$1"
	echo "# which are $(awk '{ print $2 }' "$folder-calls" | paste -sd' ')"
}
for i in "${!names[@]}"; do
	rehearse "$i"
done
ok "there are many points" [ ${#jobs[@]} -ge 80 ]

step=1
[ "$sanitized" = 0 ] || step=3
try_points $step

# --- who may read a file at what time, as the kernel saw it ---

modes() { # FOLDER COMMAND: of each call that sets one, but for what gcc --coverage writes
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -o "$tmp/trace" \
		-e trace=open,openat,creat,chmod,fchmod,fchmodat,umask "$tool" $2 "$1" >/dev/null
	sed -nE '/\.gcda"/d; s/.*O_CREAT.*, ([0-7]+)\).*/\1/p; s/.*f?chmod(at)?\(.*, ([0-7]+)(, .*)?\).*/\2/p' "$tmp/trace"
}
cp -a "$tmp/pair" "$tmp/traced"
ok "files are made for their owner alone, and others' group lets in later" \
	assert_equal "$(modes "$tmp/traced" rotate | paste -sd' ')" "0400 0440 0400 0440"

# --- what stays in memory that is given back ---

needles() { # FOLDER: its private keys in hexadecimal: as text, and as bytes in the one and the other order
	local d bytes
	for d in $(jq -r .d "$1"/*.jwk); do
		bytes=$(jose b64 dec -i- <<<"$d" | tail -c 32 | hex)
		printf ':%s:%s:%s' "$(printf %s "$d" | hex)" "$bytes" "$(fold -w 2 <<<"$bytes" | tac | tr -d '\n')"
	done | cut -c 2-
}
# OpenSSL's own code for P-256 and P-521 gives back the number that it multiplies by as it is, in this order.
without_numbers() { # NEEDLES
	cut -d: -f 1,2,4,5 <<<"$1"
}
leaves() { # NEEDLES STDIN CMD…
	local needles=$1 input=$2
	shift 2
	run env NEEDLES="$needles" LD_PRELOAD="$tmp/freed.so" "$@" <"$input"
	assert_rc 0
	! grep '^freed:' "$tmp/err" || return 1
}
if [ "$sanitized" = 0 ]; then
	cc -shared -fPIC -D_GNU_SOURCE -O1 -o "$tmp/freed.so" "$src/tests/fault/freed.c"
	for curve in P-256 P-384 P-521; do
		d=$tmp/wiped-$curve
		mkdir "$d"
		"$tool" generate --curve=$curve "$d" >/dev/null
		jose jwk gen -i "{\"alg\":\"ECMR\",\"crv\":\"$curve\"}" | jose jwk pub -i- -o "$tmp/request.$curve"
		needles=$(needles "$d")
		ok "$curve: the needles are found where they are" not leaves "$needles" /dev/null \
			bash -c 'x=$(cat "$1"/*.jwk); echo "$x" "$x"' cat "$d"
		signing=$("$tool" show "$d") exchange=$(exchange_keys "$d")
		ok "$curve: no private key is left by an advertisement" leaves "$needles" /dev/null "$helper" "$d" adv "$signing"
		[ $curve = P-384 ] || needles=$(without_numbers "$needles")
		ok "$curve: or by a recovery" leaves "$needles" "$tmp/request.$curve" "$helper" "$d" rec "$exchange"
		ok "$curve: or by a check" leaves "$needles" /dev/null "$helper" "$d" check
		ok "$curve: or by a rotation" leaves "$needles" /dev/null "$tool" rotate "$d"
	done
else
	skip "what stays in memory" "the address sanitizer has a free() of its own"
fi

# --- a folder in which nothing has room ---

if unshare -m true 2>/dev/null; then
	mkdir "$tmp/small"
	full() { # WHAT MOUNT-OPTIONS: a rotation that finds no room, and one after there is
		unshare -m bash -eu -c '
			mount -t tmpfs -o "$2" none "$1"
			cp -a "$4/." "$1"
			before=$(find "$1" | sort)
			head -c 1M /dev/zero >"$1/fill" 2>/dev/null || true
			rc=0
			"$3" rotate "$1" >"$5/out" 2>"$5/err" || rc=$?
			echo "$rc" >"$5/rc"
			"$6" "$1" check
			find "$1" -perm /0337 -name "*.jwk*" | grep -q . && exit 1
			rm -f "$1/fill"
			[ "$(find "$1" | sort)" = "$before" ]
			[ "$2" != "${2#*size}" ] || exit 0
			"$3" rotate "$1" >/dev/null
			[ "$(find "$1" -name "*.jwk" | wc -l)" = 4 ]
		' full "$tmp/small" "$2" "$tool" "$tmp/pair" "$tmp" "$helper"
		rc=$(cat "$tmp/rc")
	}
	ok "no room: nothing is changed" full "blocks" size=16k
	ok "no room: it says so" eval 'rc=$(cat "$tmp/rc"); assert_rc 1 && assert_one_sentence && assert_error_has "No space left"'
	ok "no inodes: nothing is changed" full "inodes" nr_inodes=4
	ok "no inodes: it says so" eval 'rc=$(cat "$tmp/rc"); assert_rc 1 && assert_one_sentence && assert_error_has "No space left"'
else
	skip "a full folder" "no mount namespaces here"
fi

# --- a folder of another, and none ---

owners() { # FOLDER
	stat -c '%u:%g %a' "$1"/*.jwk | sort -u
}
nobody() { # CMD…
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
if [ "$(id -u)" = 0 ]; then
	mkdir "$tmp/theirs"
	chown 12345:23456 "$tmp/theirs"
	run "$tool" generate "$tmp/theirs"
	ok "root makes keys for the folder's owner" assert_equal "$(owners "$tmp/theirs")" "12345:23456 440"
	run "$tool" rotate "$tmp/theirs"
	ok "and in a rotation" assert_equal "$(owners "$tmp/theirs")" "12345:23456 440"

	chmod 755 "$tmp"
	mkdir -m 777 "$tmp/everybodys"
	run nobody "$tool" generate "$tmp/everybodys"
	ok "another user makes keys for itself" assert_equal "$(owners "$tmp/everybodys")" "65534:65534 440"

	cp -a "$tmp/pair" "$tmp/firm"
	chmod 755 "$tmp/firm"
	chown 65534 "$tmp/firm"/*
	run nobody "$tool" rotate "$tmp/firm"
	ok "a folder that may not be written to" eval 'assert_rc 1 && assert_one_sentence && assert_error_has "Permission denied"'
	ok "is left as it is" diff -r "$tmp/pair" "$tmp/firm"
	mkdir -m 700 "$tmp/closed"
	for verb in generate rotate list show prune; do
		run nobody "$tool" $verb "$tmp/closed"
		ok "$verb: a folder that may not be read" eval 'assert_rc 1 && assert_one_sentence && assert_error_has "Permission denied"'
	done
else
	skip "folders of others" "this is not root"
fi
for verb in generate rotate list show prune; do
	run "$tool" $verb "$tmp/none"
	ok "$verb: no such folder" eval 'assert_rc 1 && assert_one_sentence && assert_error_has "No such file"'
done

# --- two at once, and a copy in between ---

mkdir "$tmp/busy"
for i in 1 2 3 4 5 6; do
	run_later "run-$i" "$tool" generate --curve=P-256 "$tmp/busy"
done
for i in 1 2 3 4 5 6; do finish "run-$i"; done
ok "six at once make one pair" assert_equal "$(names "$tmp/busy" | wc -l)" 2

mkdir "$tmp/turning"
"$tool" generate --curve=P-256 "$tmp/turning" >/dev/null
first=$(exchange_keys "$tmp/turning")
keep_rotating() {
	while [ ! -e "$tmp/enough" ]; do
		"$tool" rotate --curve=P-256 "$tmp/turning" >/dev/null
	done
}
turned() { # N: that many keys are there
	[ "$(names "$tmp/turning" | wc -l)" -ge "$1" ]
}
keep_rotating &
rotating=$!

# cp fails where a file was renamed between its listing and its turn; whoever copies then copies again.
copies=0 failed=0
while [ $copies -lt 20 ] && [ $failed -lt 2000 ]; do
	rm -rf "$tmp/copy-$copies"
	if cp -a "$tmp/turning" "$tmp/copy-$copies" 2>/dev/null; then
		copies=$((copies + 1))
		wait_until 60 turned $((4 * copies)) # or all were of the same folder
	else
		failed=$((failed + 1))
	fi
done
touch "$tmp/enough"
rotated=0
wait $rotating || rotated=$?
ok "rotation went well all the time" assert_equal $rotated 0
echo "# $(names "$tmp/turning" | grep -c '^\.') keys were rotated out while 20 copies were made and $failed were not whole"
copy_serves() { # FOLDER
	is_sound "$1"
	serves "$1"
	recover "$1" "$first"
}
for ((i = 0; i < copies; i++)); do
	ok "copy $i serves, with the first key too" copy_serves "$tmp/copy-$i"
done
ok "there were copies" [ "$copies" = 20 ]
ok "one pair is advertised in the end" assert_equal "$(advertised "$tmp/turning" | wc -l)" 2

done_testing
