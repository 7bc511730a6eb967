#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The key of a policy, the shares of it and the keys of its leaves are nowhere in the memory that is freed.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../sss.sh"

[ "$sanitized" = 0 ] || skip_all "the address sanitizer has a free() of its own"

# Of the JWEs in the files NAME.*, the first being the root: their keys, and the shares in the others.
needles() { # NAME
	local jwe needles=
	for jwe in "$1".*; do
		needles+=:$("$pin_helper" key <"$jwe" | jose b64 dec -i- | hex)
		[ "$jwe" = "$1.0" ] || needles+=:$("$pin_helper" open <"$jwe" | tail -c 32 | hex)
	done
	printf %s "${needles#:}"
}

# The JWE of a policy as NAME.0, those of its shares as NAME.1, NAME.2 and so on.
take_apart() { # NAME
	local i=0 share
	while read -r share; do
		i=$((i + 1))
		printf %s "$share" >"$1.$i"
	done < <(header "$1.0" | jq -r '.clevis.sss.jwe[]')
}

watched() { # NEEDLES STDIN CMD…
	local needles=$1 input=$2
	shift 2
	run env NEEDLES="$needles" LD_PRELOAD="$tmp/freed.so" "$@" <"$input"
	assert_rc 0
}

leaves_nothing() { # NEEDLES STDIN CMD…
	watched "$@"
	! grep '^freed:' "$tmp/err" || return 1
}

sees_what_is_freed() {
	watched "$(printf 'the needle' | hex)" /dev/null bash -c 'x="the needle"; echo "$x" "$x"'
	grep -q '^freed:' "$tmp/err"
}

cc -shared -fPIC -D_GNU_SOURCE -O1 -o "$tmp/freed.so" "$src/tests/fault/freed.c"
secret=$tmp/secret
head -c 48 /dev/urandom >"$secret"
start_tangd a
curl -sSf "$tang_url/adv" >"$tmp/a.adv"
a=$(tang_leaf "$tang_url" "$tmp/a.adv")
start_tangd b
curl -sSf "$tang_url/adv" >"$tmp/b.adv"
b=$(tang_leaf "$tang_url" "$tmp/b.adv")

ok "what is freed is looked at" sees_what_is_freed
ok "sealing leaves no plaintext" leaves_nothing "$(hex <"$secret")" "$secret" \
	"$pin_helper" seal sss "$(tang_policy 2 "$a" "$b")"
for threshold in 1 2 3; do
	"$pin_helper" seal sss "$(tang_policy $threshold "$a" "$b" "$a")" <"$secret" >"$tmp/$threshold.0"
	take_apart "$tmp/$threshold"
	needles=$(needles "$tmp/$threshold")
	ok "$threshold of 3: seven secrets are looked for" \
		assert_equal "$(tr : '\n' <<<"$needles" | grep -cE '^[0-9a-f]{64}$')" 7
	ok "$threshold of 3: recovering leaves none" \
		leaves_nothing "$needles:$(hex <"$secret")" "$tmp/$threshold.0" "$pin_helper" open
done

stop_tangd b
"$pin_helper" seal sss "$(tang_policy 2 "$a" "$b")" <"$secret" >"$tmp/failing.0"
take_apart "$tmp/failing"
needles=$("$pin_helper" open <"$tmp/failing.1" | tail -c 32 | hex)
fails_and_leaves_nothing() {
	run env NEEDLES="$needles" LD_PRELOAD="$tmp/freed.so" "$pin_helper" open <"$tmp/failing.0"
	! assert_rc 0 && ! grep '^freed:' "$tmp/err"
}
ok "a failure leaves none of the shares that were good" fails_and_leaves_nothing
done_testing
