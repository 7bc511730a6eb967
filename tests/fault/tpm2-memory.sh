#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the TPM unseals and what PINs become is nowhere in the memory that is freed, not even by tpm2-tss.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

[ "$sanitized" = 0 ] || skip_all "the address sanitizer has a free() of its own"

secret=$tmp/secret jwe=$tmp/jwe
echo "not much of a secret" >"$secret"
cc -shared -fPIC -D_GNU_SOURCE -O1 -o "$tmp/freed.so" "$src/tests/fault/freed.c"
start_tpm tpm

# The key's bytes, its text in the sealed JWK, the authorization value.
needles() { # JWE [PIN]
	local key
	key=$("$pin_helper" --pin="${2:-}" key <"$1")
	printf '%s:%s' "$(printf %s "$key" | jose b64 dec -i- | hex)" "$(printf %s "$key" | hex)"
	[ -z "${2:-}" ] || printf ':%s' "$(auth_value "$1" "$2")"
}

watched() { # NEEDLES STDIN CMD…
	local needles=$1 input=$2
	shift 2
	run env NEEDLES="$needles" LD_PRELOAD="$tmp/freed.so" "$@" <"$input"
	assert_rc 0
}

found() {
	grep -q '^freed:' "$tmp/err"
}

leaves_nothing() { # NEEDLES STDIN CMD…
	watched "$@"
	! found || { show_run; return 1; }
}

sees_what_is_freed() {
	watched "$(printf 'the needle' | hex)" /dev/null bash -c 'x="the needle"; echo "$x" "$x"'
	found
}

ok "what is freed is looked at" sees_what_is_freed
seal "$jwe" '{}'
ok "unsealing leaves nothing" leaves_nothing "$(needles "$jwe")" "$jwe" "$pin_helper" open
seal "$jwe" '{"pcrs":"7","pin":true}' --pin=483921
ok "nor with a PIN" leaves_nothing "$(needles "$jwe" 483921)" "$jwe" "$pin_helper" --pin=483921 open
jwk=$(printf '{"k":"' | hex) # how what is sealed begins
ok "sealing leaves nothing" leaves_nothing "$jwk" "$secret" "$pin_helper" seal tpm2 '{}'
ok "nor with a PIN" leaves_nothing "$jwk" "$secret" "$pin_helper" --pin=483921 seal tpm2 '{"pin":true}'
done_testing
