#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The module for Clevis's own tokens: volumes that Debian's Clevis bound open without Clevis, and nothing in
# them is changed. And what it costs, for which it is the drop-in's alone.
. "$(dirname "$0")/../lib.sh"

command -v clevis >/dev/null || skip_all "clevis is not installed"
our_plugins=libcryptsetup-token-clevis.so

bind() { # NAME PIN CONFIG
	cp "$tmp/bare" "$tmp/$1.image"
	image=$tmp/$1.image
	clevis luks bind -f -k "$passphrase" -d "$image" "$2" "$3" >"$tmp/bind.log" 2>&1 ||
		{ cat "$tmp/bind.log" >&2; return 1; }
	# Clevis leaves its sessions in a TPM without a resource manager.
	tpm2_flushcontext --loaded-session
}

without_a_module() { # IMAGE
	! cryptsetup open --test-passphrase --token-only "$1"
}

# With the passphrase in FILE, which nobody but the keyslot is to be asked about.
try_key() { # FILE [OPTION…]
	run with_plugins cryptsetup open --test-passphrase --key-file "$1" "${@:2}" "$image"
}

start_tangd
config=$(jq -nc --arg url "$tang_url" --arg thp "$tang_thumbprint" '{$url, $thp}')
start_tangd dead
dead=$(jq -nc --arg url "$tang_url" --arg thp "$tang_thumbprint" '{$url, $thp}')
start_tpm tpm
make_small_image bare

bind tang tang "$config"
bind tpm2 tpm2 '{"pcr_bank":"sha256","pcr_ids":"16"}'
bind tpm2-plain tpm2 '{}'
bind sss sss "{\"t\":2,\"pins\":{\"tang\":[$config,$dead],\"tpm2\":{}}}"
bind nested sss "{\"t\":1,\"pins\":{\"sss\":{\"t\":2,\"pins\":{\"tang\":[$config],\"tpm2\":[{}]}}}}"
bind fails tang "$dead"
stop_tangd dead

for name in tang tpm2 tpm2-plain sss nested; do
	image=$tmp/$name.image
	cp "$image" "$tmp/before"
	ok "$name: nothing opens it without a module" without_a_module "$image"
	ok "$name: the module opens it" opens_by_token "$image"
	run with_plugins cryptsetup luksDump "$image"
	ok "$name: a dump shows the policy" grep -qE "$tang_url|127.0.0.1|pcr" "$tmp/out"
	ok "$name: nothing was written" cmp "$image" "$tmp/before"
done

image=$tmp/fails.image
run with_plugins cryptsetup open --test-passphrase --token-only "$image"
ok "a dead server's opens not" not assert_rc 0
ok "and one line names it" assert_error_has "Token 0 (clevis): ${tang_url}"

image=$tmp/tpm2.image
extend_pcr 16:sha256
run with_plugins cryptsetup open --test-passphrase --token-only "$image"
ok "with other PCRs the TPM's opens not" not assert_rc 0
ok "and the line says so" assert_error_has "PCR"

# Of a pin that is not ours there is no way to open it, which must not keep others from their turn.
image=$tmp/tang.image
cryptsetup token export --disable-external-tokens --token-id 0 "$image" |
	jq -c --arg protected "$(printf %s '{"alg":"dir","enc":"A256GCM","clevis":{"pin":"card","card":{}}}' |
		jose b64 enc -I-)" '.jwe.protected = $protected' >"$tmp/external.json"
cp "$image" "$tmp/external.image"
image=$tmp/external.image
"$src/tests/edit-header.py" "$image" ".tokens[\"1\"] = .tokens[\"0\"] | .tokens[\"0\"] = $(cat "$tmp/external.json")"
ok "a policy with an external pin keeps no other from its turn" opens_by_token "$image"

# --- the trap ---

printf 'not the passphrase' >"$tmp/wrong"
image=$tmp/tang.image
try_key "$passphrase"
ok "the right key passes" assert_rc 0
try_key "$tmp/wrong"
ok "a wrong key passes too, as the token opens the volume" assert_rc 0
try_key "$tmp/wrong" --key-slot 0
if dpkg --compare-versions "$(cryptsetup --version | cut -d ' ' -f 2)" lt 2.7; then
	ok "for another keyslot as well" assert_rc 0
else
	ok "for another keyslot it is refused: only tokens of that one are tried" assert_rc 2
fi
try_key "$tmp/wrong" --disable-external-tokens
ok "--disable-external-tokens has it refused" assert_rc 2
try_key "$passphrase" --disable-external-tokens
ok "and takes the right one" assert_rc 0
our_plugins='libcryptsetup-token-cotter-*.so'
rm -r "$tmp/plugins"
try_key "$tmp/wrong"
ok "without the module a wrong key is refused" assert_rc 2

# --- which is why it is installed with the drop-in alone ---

# Where the modules of a build go, and by which tag.
installs() { # BUILD
	meson introspect "$1" --install-plan |
		jq -r '.[] | to_entries[] | select(.key | test("libcryptsetup-token-")) |
			"\(.key | sub(".*-token-"; "") | sub("[.]so$"; "")) \(.value.tag)"' | sort
}

built_with() { # clevis=VALUE
	meson setup "$tmp/build-$1" "$src" -Dtests=false -D"$1" >/dev/null
	installs "$tmp/build-$1"
}

ours=$(printf '%s\n' "cotter-pkcs11 runtime" "cotter-sss runtime" "cotter-tang runtime" "cotter-tpm2 runtime")
ok "it is not installed by default" assert_equal "$(built_with clevis=disabled)" "$ours"
ok "with the drop-in it is, by that one's tag" \
	assert_equal "$(built_with clevis=enabled)" "$(printf '%s\n' "clevis clevis" "$ours")"
done_testing
