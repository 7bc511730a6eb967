#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What must hold before the TPM unseals: PCRs, PIN, signed policies, and that it is the same TPM.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

secret=$tmp/secret jwe=$tmp/jwe
echo "not much of a secret" >"$secret"
start_tpm tpm

member() { # JWE NAME
	header "$1" | jq -r ".clevis.tpm2.$2"
}

# --- parent ---

persistent_key_is() { # JWE
	local handle
	handle=$(member "$1" parent)
	[ "$(tpm2_getcap handles-persistent)" = "- $handle" ]
	tpm2_readpublic -Q -c "$handle" -n "$tmp/name"
	assert_equal "$(member "$1" name)" "$(jose b64 enc -I "$tmp/name")"
}

seal "$jwe" '{}'
ok "without PIN and signed policy nothing persistent is made" \
	assert_equal "$(tpm2_getcap handles-persistent)" ""
seal "$jwe" '{"parent":"0x81000001"}'
ok "a storage root key is made where it is wanted and missing" persistent_key_is "$jwe"
ok "what is sealed under it opens" opens "$jwe"
name=$(member "$jwe" name)
seal "$jwe" '{"parent":"0x81000001"}'
ok "the one that is there is used" assert_equal "$(member "$jwe" name)" "$name"

# As systemd and others make it: the TCG's template has empty coordinates of zeros.
tpm2_evictcontrol -Q -C o -c 0x81000001
tpm2_createprimary -Q -C o -G ecc -c "$tmp/srk" \
	-a 'restricted|decrypt|fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda'
tpm2_evictcontrol -Q -C o -c "$tmp/srk" 0x81000001
tpm2_flushcontext -t
ok "it is the key that others make by the same template" opens "$jwe"

seals_nowhere() {
	run seal "$tmp/none" '{"parent":"0x81000077"}'
	# provokes: parent_open -EINVAL
	assert_failed EINVAL "the TPM has no key 0x81000077 to seal under"
	nothing_open
}
ok "another persistent key must be there" seals_nowhere
tpm2_createprimary -Q -C o -G rsa -c "$tmp/other"
tpm2_evictcontrol -Q -C o -c "$tmp/other" 0x81000077
tpm2_flushcontext -t
seal "$tmp/other.jwe" '{"parent":"0x81000077","pin":true}' --pin=1
ok "and is used then" opens "$tmp/other.jwe" --pin=1

# --- PCRs ---

seal "$jwe" '{"pcrs":"7+11:sha384"}'
ok "two banks" opens "$jwe"
extend_pcr 7:sha1
ok "other banks of these PCRs do not matter" opens "$jwe"
extend_pcr 11:sha384
ok "the PCR that changed is named" fails "$jwe" EKEYREJECTED \
	"PCR 11 (sha384, kernel-boot) changed since enrollment"
extend_pcr 7:sha256
ok "so are two" fails "$jwe" EKEYREJECTED \
	"PCR 7 (sha256, secure-boot-policy), 11 (sha384, kernel-boot) changed since enrollment"
restart_tpm tpm
ok "it opens when they are as before" opens "$jwe"

# The values that they will have once one more event was measured.
extended=$({ head -c 63 /dev/zero; printf '\001'; } | sha256sum | cut -d' ' -f1)
seal "$jwe" "{\"pcrs\":\"16=$extended\"}"
ok "a value given does not hold yet" fails "$jwe" EKEYREJECTED "PCR 16 (sha256, debug) changed"
extend_pcr 16:sha256
ok "and holds once it is reached" opens "$jwe"

bank_is() { # PCRS BANK
	seal "$tmp/bank" "{\"pcrs\":\"$1\"}"
	assert_equal "$(member "$tmp/bank" pcr_bank)" "$2"
}

restart_tpm tpm
ok "sha256 is the best bank where nothing is measured" bank_is 7 sha256
extend_pcr 7:sha384
ok "or else the one that the firmware uses" bank_is 7 sha384
extend_pcr 7:sha1
ok "of several the better one" bank_is 7 sha384
extend_pcr 7:sha256
ok "which is sha256" bank_is 7 sha256

tpm2_pcrallocate -Q sha256:all+sha1:none+sha384:none+sha512:none
restart_tpm tpm
seals_without_bank() { # PCRS
	run seal "$tmp/none" "{\"pcrs\":\"$1\"}"
	# provokes: bank_read -EINVAL
	assert_failed EINVAL "the TPM has no PCR 7 in the bank sha384"
	nothing_open
}
ok "a bank that the TPM does not have" seals_without_bank 7:sha384
ok "with a value, too" seals_without_bank "7:sha384=$(printf '%096d' 0)"
seal "$jwe" '{"pcrs":"7"}'
tpm2_pcrallocate -Q sha384:all+sha1:all+sha256:none+sha512:all
restart_tpm tpm
ok "a bank that it has no more" fails "$jwe" EKEYREJECTED \
	"PCR 7 (sha256, secure-boot-policy) changed since enrollment"
tpm2_pcrallocate -Q sha1:all+sha256:all+sha384:all+sha512:all
restart_tpm tpm

# --- PIN ---

seals_and_opens() { # PIN
	seal "$tmp/pin.jwe" '{"pin":true}' --pin="$1"
	opens "$tmp/pin.jwe" --pin="$1"
}

refuses_empty_pin() {
	run seal "$tmp/none" '{"pin":true}' --pin=
	assert_failed EINVAL "an empty PIN protects nothing"
}

ok "a PIN" seals_and_opens 1234
ok "a PIN of 200 characters" seals_and_opens "$(printf '%0200d' 7)"
ok "a PIN of any characters" seals_and_opens "$(printf '\xff \\"\x01$(')"
ok "no new PIN is empty" refuses_empty_pin

seal "$jwe" '{"pcrs":"7","pin":true}' --pin=1234
# provokes: unseal -ENOANO
ok "it is asked for" fails "$jwe" ENOANO "the TPM wants a PIN"
ok "an empty PIN is not tried" fails "$jwe" EKEYREJECTED "the PIN was empty, and the TPM was not asked" --pin=
ok "neither counted" assert_equal "$(wrong_pins)" 0x0
ok "a wrong one is" fails "$jwe" ENOANO "wrong PIN; the TPM takes 2 more before it locks itself" --pin=1
ok "and counted" assert_equal "$(wrong_pins)" 0x1
extend_pcr 7:sha256
for pin in --pin=1234 --pin=1 --deadline=5; do # the last is any option that gives none
	ok "where a PCR changed that is said first ($pin)" fails "$jwe" EKEYREJECTED "PCR 7 (sha256" $pin
done
ok "and costs nothing" assert_equal "$(wrong_pins)" 0x1
restart_tpm tpm

locked_words='the TPM is locked after too many wrong PINs: it allows one more try within 17 minutes'
ok "a first" fails "$jwe" ENOANO "the TPM takes 2 more" --pin=1
ok "and a second wrong PIN" fails "$jwe" ENOANO "the TPM takes 1 more" --pin=1
# provokes: unseal -EKEYREJECTED
ok "the third locks the TPM, which is no question" fails "$jwe" EKEYREJECTED "$locked_words" --pin=1
# provokes: auth_check_lockout -EKEYREJECTED
ok "then the right one does not help" fails "$jwe" EKEYREJECTED "$locked_words" --pin=1234
ok "and none is asked for" fails "$jwe" EKEYREJECTED "$locked_words"
seals_while_locked() {
	run seal "$tmp/none" '{}'
	assert_failed EKEYREJECTED "$locked_words"
	nothing_open
}
ok "nor is anything sealed under a primary key that counts, too" seals_while_locked
tpm2_dictionarylockout --clear-lockout
ok "until lockout is cleared" opens "$jwe" --pin=1234

# --- signed policies ---

signed_config() { # NAME [MORE]
	jq -nc --rawfile key "$tmp/$1.pub" --arg sig "$tmp/signature" --argjson more "${2:-{\}}" \
		'{pubkey: $key, pubkey_pcrs: "11", signature: $sig} + $more'
}

unsigned='the policy key has signed nothing for the PCRs sha256:11 as they are now'
make_policy_key key
make_policy_key stranger
seal "$jwe" "$(signed_config key)"
# provokes: satisfy -EKEYREJECTED
ok "no file of signatures" fails "$jwe" EKEYREJECTED "$unsigned"
sign_pcrs stranger sha256:11 >"$tmp/signature"
ok "another key's signature" fails "$jwe" EKEYREJECTED "$unsigned"
sign_pcrs key sha256:12 >"$tmp/signature"
ok "a signature of other PCRs" fails "$jwe" EKEYREJECTED "$unsigned"
sign_pcrs key sha256:11 >"$tmp/signature"
ok "the right signature" opens "$jwe"
extend_pcr 11:sha256
ok "which holds for these values alone" fails "$jwe" EKEYREJECTED "$unsigned"
sign_pcrs key sha256:11 >"$tmp/signature"
ok "until the next ones are signed" opens "$jwe"
jq -c '.sha256[0].sig = "AAAA"' "$tmp/signature" >"$tmp/forged"
cp "$tmp/forged" "$tmp/signature"
ok "a forged signature" fails "$jwe" EKEYREJECTED "is not the policy key's"
sign_pcrs key sha256:11 >"$tmp/signature"

measure=/usr/lib/systemd/systemd-measure
if [ -x $measure ]; then
	# What systemd-stub would measure of a kernel alone.
	restart_tpm tpm
	echo "not much of a kernel" >"$tmp/linux"
	$measure sign --tpm2-device="$TPM2TOOLS_TCTI" --bank=sha256 --linux="$tmp/linux" --phase=: \
		--private-key="$tmp/key.pem" --public-key="$tmp/key.pub" >"$tmp/signature"
	ok "systemd-measure's signature does not hold yet" fails "$jwe" EKEYREJECTED "$unsigned"
	tpm2_pcrextend "11:sha256=$(printf '.linux\0' | sha256sum | cut -d' ' -f1)"
	tpm2_pcrextend "11:sha256=$(sha256sum "$tmp/linux" | cut -d' ' -f1)"
	ok "and does once that kernel was measured" opens "$jwe"
else
	skip "systemd-measure's signature" "systemd-measure is not installed"
fi

make_policy_key large 3072
make_policy_key huge 4096
seals_with_huge_key() {
	run seal "$tmp/none" "$(signed_config huge)"
	assert_failed EIO "the policy key is not for this TPM"
	nothing_open
}
ok "a policy key larger than the TPM takes" seals_with_huge_key
seal "$jwe" "$(signed_config large '{"pin":true,"pcrs":"7"}')" --pin=1234
ok "signed PCRs, PCRs and PIN: the signature is missing" fails "$jwe" EKEYREJECTED "$unsigned" --pin=1
sign_pcrs large sha256:11 >"$tmp/signature"
ok "the PIN is wanted" fails "$jwe" ENOANO "the TPM wants a PIN"
ok "all three" opens "$jwe" --pin=1234
extend_pcr 7:sha256
ok "the PCR changed" fails "$jwe" EKEYREJECTED "PCR 7 (sha256" --pin=1
ok "none of this was counted" assert_equal "$(wrong_pins)" 0x0

# --- another TPM ---

restart_tpm tpm
for kind in '{}' '{"pcrs":"7"}' '{"pin":true}' '{"parent":"0x81000001"}'; do
	seal "$tmp/$kind" "$kind" --pin=1234
done
start_tpm other
# provokes: parent_open -EKEYREJECTED
ok "another TPM's primary key" fails "$tmp/{}" EKEYREJECTED \
	"this was sealed by another TPM, or the TPM was cleared since: its primary key is not"
ok "with PCRs, too" fails "$tmp/{\"pcrs\":\"7\"}" EKEYREJECTED "its primary key is not"
ok "a TPM without storage root key" fails "$tmp/{\"pin\":true}" EKEYREJECTED \
	"this was sealed by another TPM, or the TPM was cleared since: it has no key 0x81000001" --pin=1
seal "$jwe" '{"pin":true}' --pin=1234
ok "another TPM's storage root key" fails "$tmp/{\"pin\":true}" EKEYREJECTED \
	"its storage root key is not the one that the token names" --pin=1
ok "where no PIN is asked for" fails "$tmp/{\"pin\":true}" EKEYREJECTED "its storage root key is not"
ok "and none is counted" assert_equal "$(wrong_pins)" 0x0
with_header "$tmp/{}" 'del(.clevis.tpm2.name)' >"$tmp/unnamed"
ok "one whose header does not name it, as Clevis's" fails "$tmp/unnamed" EKEYREJECTED \
	"this was sealed by another TPM, or the TPM was cleared since, or the token was altered"
use_tpm tpm
ok "at home it opens" opens "$tmp/{\"pin\":true}" --pin=1234
tpm2_clear -Q
ok "until that TPM is cleared" fails "$tmp/{}" EKEYREJECTED "or the TPM was cleared since"

# --- an altered header ---

seal "$jwe" '{"pcrs":"7"}'
seal "$tmp/pin.jwe" '{"pin":true}' --pin=1234
swap() { # JWE JQ-FILTER
	with_header "$1" "$2" >"$tmp/swapped"
}
swap "$jwe" '.clevis.tpm2.pcr_ids = "8" | del(.clevis.tpm2.pcr_values)'
ok "other PCRs" fails "$tmp/swapped" EKEYREJECTED "at least one of the PCRs sha256:8 changed"
swap "$jwe" '.clevis.tpm2.pcr_bank = "sha1" | del(.clevis.tpm2.pcr_values)'
ok "another bank" fails "$tmp/swapped" EKEYREJECTED "at least one of the PCRs sha1:7 changed"
swap "$jwe" 'del(.clevis.tpm2.pcr_ids, .clevis.tpm2.pcr_bank, .clevis.tpm2.pcr_values)'
ok "no PCRs" fails "$tmp/swapped" EBADMSG "the sealed key has a policy that the token does not name"
swap "$jwe" '.clevis.tpm2.key = "rsa"'
ok "another key type" fails "$tmp/swapped" EKEYREJECTED "its primary key is not"
swap "$jwe" '.clevis.tpm2.hash = "sha1"'
ok "another hash" fails "$tmp/swapped" EKEYREJECTED "its primary key is not"
swap "$jwe" ".clevis.tpm2.jwk_priv = \"$(member "$tmp/pin.jwe" jwk_priv)\""
# provokes: unseal -EBADMSG
ok "another object's private part" fails "$tmp/swapped" EBADMSG "it was altered"
swap "$jwe" '.clevis.tpm2.name |= .[0:9] + (if .[9:10] == "A" then "B" else "A" end) + .[10:]'
ok "another name" fails "$tmp/swapped" EKEYREJECTED "its primary key is not"
swap "$tmp/pin.jwe" 'del(.clevis.tpm2.salt)'
ok "no salt" fails "$tmp/swapped" EBADMSG "the sealed key has a policy that the token does not name" --pin=1234
swap "$jwe" '.clevis.tpm2.salt = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"'
ok "a salt too many" fails "$tmp/swapped" EBADMSG "it was altered" --pin=1234
ok "none of this was counted, either" assert_equal "$(wrong_pins)" 0x0
swap "$tmp/pin.jwe" '.clevis.tpm2.salt = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"'
ok "another salt is as a wrong PIN" fails "$tmp/swapped" ENOANO "wrong PIN" --pin=1234
done_testing
