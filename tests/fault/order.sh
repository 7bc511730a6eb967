#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# --reorder ended before each of its writes to the header, by SIGKILL, by a signal that it can hold, and by a
# write that fails: every token is there whole, the passphrase opens the volume, and the next run ends the work.
. "$(dirname "$0")/../lib.sh"

export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # the leak detector is a tracer itself

metadata() { # IMAGE
	cryptsetup luksDump --disable-external-tokens --dump-json-metadata "$1"
}

# The tokens' contents in the header's order, as one line without repetitions.
contents() { # IMAGE
	metadata "$1" | jq -c '[.tokens[] | tojson] | unique'
}

types() { # IMAGE
	metadata "$1" | jq -r '[.tokens[].type] | join(" ")'
}

# With a fresh copy, whose write N meets INJECTION.
reorder() { # N INJECTION
	cp "$tmp/wrong" "$image"
	run strace -f -o "$tmp/trace" -P "$image" -e trace=write -e "inject=write:$2:when=$1" \
		"$cotter_enroll" --reorder "$image"
}

nothing_lost() {
	assert_equal "$(contents "$image")" "$(contents "$tmp/wrong")" || { show_run; return 1; }
	opens_by_passphrase "$image"
	"$cotter_enroll" --test --quiet --token-id="$(metadata "$image" |
		jq -r '[.tokens | to_entries[] | select(.value.type == "cotter-tang")][0].key')" "$image"
}

ended() { # by the next run
	"$cotter_enroll" --quiet --reorder "$image"
	assert_equal "$(types "$image")" "cotter-tpm2 cotter-tang systemd-tpm2"
	assert_equal "$(contents "$image")" "$(contents "$tmp/wrong")"
}

start_tangd
start_tpm tpm
make_small_image plain
"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tpm2-device=auto --token-id=4 "$image"
"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" --token-id=1 "$image"
token_json "$image" 4 >"$tmp/local.json"
cryptsetup token import --disable-external-tokens --token-id 0 --json-file - "$image" \
	<<<'{"type":"systemd-tpm2","keyslots":["0"],"tpm2-blob":"AAAA","tpm2-pcrs":[7],"tpm2-policy-hash":"00"}'
cryptsetup token remove --token-id 4 "$image"
cryptsetup token import --disable-external-tokens --token-id 4 --json-file "$tmp/local.json" "$image"
cp "$image" "$tmp/wrong"
image=$tmp/image
ok "tokens in the wrong order" assert_equal "$(types "$tmp/wrong")" "cotter-tang systemd-tpm2 cotter-tpm2"

reorder 1000 error=EIO
writes=$(grep -c ' write(' "$tmp/trace")
echo "# $writes writes move two tokens"
ok "are brought right in four commits" eval 'assert_rc 0 && [ "$writes" -ge 12 ] && ended'

step=1
[ "$sanitized" = 0 ] || step=5
for ((n = 1; n <= writes; n += step)); do
	reorder "$n" signal=KILL 2>/dev/null # where bash tells of it
	ok "killed before write $n" assert_rc 137
	ok "no token is lost" nothing_lost
	ok "and the next run ends the work, without a copy left" ended
done
for ((n = 1; n <= writes; n += 5)); do
	reorder "$n" signal=TERM 2>/dev/null
	ok "stopped by SIGTERM before write $n" assert_rc 143
	ok "no token is lost, nor there twice" eval \
		'nothing_lost && assert_equal "$(metadata "$image" | jq ".tokens | length")" 3'
	ok "and the next run ends the work" ended
	reorder "$n" error=EIO
	ok "write $n fails, which is told" eval 'assert_rc 1 && assert_error_has "could not be"'
	ok "no token is lost" nothing_lost
	ok "and the next run ends the work" ended
done

done_testing
