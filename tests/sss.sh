# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Volumes with cotter-sss tokens, whose policies are Clevis's configurations. To be sourced after lib.sh.

pin_helper=$build/tests/pin-helper

# The leaf of a server that need not be there when it is sealed to. ADVERTISEMENT is a file.
tang_leaf() { # URL ADVERTISEMENT
	jq -c --arg url "$1" '{$url, adv: .}' "$2"
}

# The policy of these leaves of the tang pin.
tang_policy() { # THRESHOLD LEAF…
	local threshold=$1
	shift
	printf '%s\n' "$@" | jq -sc --argjson t "$threshold" '{$t, pins: {tang: .}}'
}

# Adds token ID, which opens keyslot ID + 1, to $image.
bind_policy() { # ID CONFIG [PIN-HELPER-OPTION…]
	local id=$1 config=$2
	shift 2
	head -c 32 /dev/urandom | jose b64 enc -I- >"$tmp/policy-secret"
	"$pin_helper" "$@" seal sss "$config" <"$tmp/policy-secret" >"$tmp/policy-jwe"
	cryptsetup luksAddKey --disable-external-tokens --batch-mode --key-file "$passphrase" \
		--key-slot $((id + 1)) --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$image" \
		"$tmp/policy-secret"
	jq -nc --rawfile jwe "$tmp/policy-jwe" --arg keyslot $((id + 1)) \
		'{type: "cotter-sss", keyslots: [$keyslot], $jwe}' |
		cryptsetup token import --disable-external-tokens --token-id "$id" --json-file - "$image"
}

# Rewrites token ID of $image through the jq filter.
edit_token() { # ID FILTER
	token_json "$image" "$1" | jq -c "$2" >"$tmp/edited.json"
	cryptsetup token import --disable-external-tokens --token-replace --token-id "$1" \
		--json-file "$tmp/edited.json" "$image"
}

# Of the last run of tests/plugin/host.c: the result of the Nth token, the time it took.
assert_result() { # N RESULT
	assert_equal "$(sed -n 's/^result \(-*[0-9]*\) .*/\1/p' "$tmp/out" | sed -n "$1p")" "$2" ||
		{ show_run; return 1; }
}

assert_ms() { # N MIN MAX
	local ms
	ms=$(sed -n 's/^result .* ms \([0-9]*\) .*/\1/p' "$tmp/out" | sed -n "$1p")
	[ "$ms" -ge "$2" ] && [ "$ms" -le "$3" ] || { show_run; return 1; }
}

errors_of_run() {
	sed -n 's/^ERROR //p' "$tmp/out"
}
