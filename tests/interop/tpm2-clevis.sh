#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Clevis and cotter open each other's tpm2 JWEs: all that Clevis writes, and of ours all that Clevis can.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

command -v clevis-encrypt-tpm2 >/dev/null || skip_all "Clevis's tpm2 pin is not installed"

secret=$tmp/secret
echo "not much of a secret" >"$secret"

# Clevis leaves its sessions in a TPM without a resource manager.
close_sessions() {
	tpm2_flushcontext --loaded-session
}

clevis_seals() { # JWE CONFIG
	clevis encrypt tpm2 "$2" <"$secret" >"$1"
	close_sessions
}

clevis_opens() { # JWE
	local status=0
	clevis decrypt <"$1" 2>"$tmp/clevis.err" | cmp - "$secret" || status=1
	close_sessions
	return $status
}

clevis_fails() { # JWE
	! clevis_opens "$1" || { echo "Clevis can do this by now"; return 1; }
}

both_open() { # JWE
	opens "$1"
	nothing_open
	clevis_opens "$1"
}

config() { # HASH KEY [BANK PCR-IDS]
	jq -nc --arg hash "$1" --arg key "$2" --arg bank "${3:-}" --argjson ids "${4:-null}" \
		'{$hash, $key} + if $ids then {pcr_bank: $bank, pcr_ids: $ids} else {} end'
}

theirs=$tmp/theirs ours=$tmp/ours

check_without_policy() { # HASH KEY
	clevis_seals "$theirs" "$(config "$1" "$2")"
	ok "theirs: $1, $2" opens "$theirs"
	seal "$ours" "$(config "$1" "$2")"
	ok "ours: $1, $2" both_open "$ours"
}

# Clevis's policy sessions are of sha256, whatever the object's hash.
check_with_policy() { # HASH KEY BANK PCR-IDS
	clevis_seals "$theirs" "$(config "$@")"
	ok "theirs: $1, $2, PCRs $4 of $3" opens "$theirs"
	seal "$ours" "$(config "$@")"
	if [ "$1" = sha256 ]; then
		ok "ours: $1, $2, PCRs $4 of $3" both_open "$ours"
	else
		ok "ours: $1, $2, PCRs $4 of $3" opens "$ours"
	fi
}

start_tpm tpm
for bank in sha1 sha256 sha384 sha512; do
	extend_pcr "7:$bank"
done

for hash in sha1 sha256 sha384 sha512; do
	for key in ecc rsa; do
		check_without_policy $hash $key
		check_with_policy $hash $key sha1 '"7"'
		check_with_policy $hash $key sha256 '["7","0"]'
		check_with_policy $hash $key sha384 '"0,7,23"'
		check_with_policy $hash $key sha512 '[7]'
	done
done
check_without_policy sha256 ecc384
ok "nothing is open after all that" nothing_open

for hash in sha1 sha384 sha512; do
	clevis_seals "$theirs" "$(config $hash ecc sha256 '"7"')"
	ok "Clevis does not open its own: $hash with PCRs" clevis_fails "$theirs"
	ok "we do" opens "$theirs"
done

# Clevis's header as others wrote it, with an array, which only the header's author may authenticate.
clevis_seals "$theirs" "$(config sha256 ecc sha256 '"7"')"
with_header "$theirs" '.clevis.tpm2.pcr_ids = ["7"]' >"$tmp/array"
ok "a header with pcr_ids as an array unseals to the same key" \
	assert_equal "$("$pin_helper" key <"$tmp/array")" "$("$pin_helper" key <"$theirs")"

# --- values that are not the present ones, as Clevis's pcr_digest ---

zeros=$(head -c 32 /dev/zero | jose b64 enc -I-)
with_digest=$(config sha256 ecc sha256 '"16"' | jq -c --arg v "$zeros" '.pcr_digest = $v')
clevis_seals "$theirs" "$with_digest"
seal "$ours" "$with_digest"
ok "theirs with pcr_digest" both_open "$theirs"
ok "ours with pcr_digest" both_open "$ours"
extend_pcr 16:sha256
ok "theirs does not open once that PCR changed" fails "$theirs" EKEYREJECTED \
	"at least one of the PCRs sha256:16 changed since enrollment"
ok "ours does not, and says which PCR" fails "$ours" EKEYREJECTED \
	"PCR 16 (sha256, debug) changed since enrollment"

# --- what crosses the connection ---

# Neither the key's bytes nor its text in the sealed JWK.
key_crossed() { # JWE [OPTION…]
	local jwe=$1 key
	shift
	key=$(COTTER_TPM2_TCTI=$TPM2TOOLS_TCTI "$pin_helper" "$@" key <"$jwe")
	traffic_has "$(printf %s "$key" | hex)" ||
		traffic_has "$(printf %s "$key" | jose b64 dec -i- | hex)"
}

key_stayed() { # JWE [OPTION…]
	[ "$(count_commands)" -ge 4 ] || { echo "the proxy saw nothing"; return 1; }
	! key_crossed "$@" || { echo "the key crossed the connection"; return 1; }
}

start_proxy tpm
proxied=$COTTER_TPM2_TCTI
for config in '{}' '{"pcr_bank":"sha256","pcr_ids":"7"}'; do
	forget_traffic
	TPM2TOOLS_TCTI=$proxied clevis encrypt tpm2 "$config" <"$secret" >"$theirs"
	close_sessions
	ok "$config: the key crosses when Clevis seals" key_crossed "$theirs"
	forget_traffic
	TPM2TOOLS_TCTI=$proxied clevis decrypt <"$theirs" >/dev/null
	close_sessions
	ok "$config: and when Clevis unseals" key_crossed "$theirs"
	forget_traffic
	opens "$theirs"
	ok "$config: it does not when we unseal that" key_stayed "$theirs"
	forget_traffic
	seal "$ours" "$config"
	ok "$config: nor when we seal" key_stayed "$ours"
	forget_traffic
	opens "$ours"
	ok "$config: nor when we unseal" key_stayed "$ours"
done

pin_stayed() { # JWE PIN
	! traffic_has "$(printf %s "$2" | hex)" && ! traffic_has "$(auth_value "$1" "$2")" ||
		{ echo "the PIN crossed the connection"; return 1; }
	key_stayed "$1" --pin="$2"
}

forget_traffic
seal "$ours" '{"pin":true}' --pin=483921
ok "neither key nor PIN crosses when we seal with a PIN" pin_stayed "$ours" 483921
forget_traffic
opens "$ours" --pin=483921
ok "nor when we unseal" pin_stayed "$ours" 483921
done_testing
