#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Tokens of SoftHSM in the test's own folder, and what is sealed for them. Comes after lib.sh.

softhsm=/usr/lib/softhsm/libsofthsm2.so
card_pin=7391

[ -e "$softhsm" ] || skip_all "SoftHSM is not installed"
command -v pkcs11-tool >/dev/null || skip_all "pkcs11-tool is not installed"
mkdir "$tmp/softhsm"
printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$tmp/softhsm" >"$tmp/softhsm.conf"
export SOFTHSM2_CONF=$tmp/softhsm.conf

make_card() { # LABEL
	softhsm2-util --init-token --free --label "$1" --pin $card_pin --so-pin 12345678 >/dev/null
}

# pkcs11-tool, on SoftHSM.
p11() { # ARG…
	pkcs11-tool --module "$softhsm" "$@"
}

make_key() { # LABEL rsa:BITS|EC:CURVE ID NAME
	local usage=--usage-decrypt
	[[ "$2" != EC:* ]] || usage=--usage-derive
	p11 --token-label "$1" --login --pin $card_pin --keypairgen --key-type "$2" --id "$3" --label "$4" \
		$usage >/dev/null 2>&1
}

# A token's folder goes away, and comes back.
remove_cards() {
	mv "$tmp/softhsm" "$tmp/softhsm.away"
	mkdir "$tmp/softhsm"
}

return_cards() {
	rmdir "$tmp/softhsm"
	mv "$tmp/softhsm.away" "$tmp/softhsm"
}

# A URI's PATH on SoftHSM.
card_uri() { # PATH [QUERY]
	printf 'pkcs11:%s?module-path=%s%s' "$1" "$softhsm" "${2:+&$2}"
}

card_config() { # PATH [MECHANISM [QUERY]]
	jq -nc --arg uri "$(card_uri "$1" "${3:-}")" --arg mechanism "${2-none}" \
		'{$uri} + if $mechanism == "none" then {} else {$mechanism} end'
}
