#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the token module promises to libcryptsetup and its hosts, shown through the real libcryptsetup:
# return codes, one attempt a failure, bounded waits, quiet success, one clear line a failure.
#
# The module is that of cotter-tang, or of the type in $token_type.
. "$(dirname "$0")/../lib.sh"

type=${token_type:-cotter-tang}
[ "$type" = cotter-tang ] || our_plugins="libcryptsetup-token-$type.so"
host=$build/tests/host
enoent=-2 eagain=-11

# Adds the binding in $image that a host then opens; its keyslot is the next free one.
bind() { # URL ADVERTISEMENT [OPTION…]
	local url=$1 adv=$2
	shift 2
	"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$url" \
		--tang-advertisement="$adv" "$@" "$image"
	retype
}

# Gives tokens of cotter-tang in $image the type that is tested.
retype() {
	local id
	[ "$type" != cotter-tang ] || return 0
	for id in $(cryptsetup luksDump --disable-external-tokens --dump-json-metadata "$image" |
		jq -r '.tokens | to_entries[] | select(.value.type == "cotter-tang") | .key'); do
		edit_token "$id" ".type = \"$type\""
	done
}

# Rewrites token ID of $image through the jq filter.
edit_token() { # ID FILTER
	token_json "$image" "$1" | jq -c "$2" >"$tmp/edited.json"
	cryptsetup token import --disable-external-tokens --token-replace --token-id "$1" \
		--json-file "$tmp/edited.json" "$image"
}

# Gives token ID of $image another server; its JWE then opens nowhere, but that is never reached.
move_token() { # ID URL
	local jwe
	jwe=$(token_json "$image" "$1" | jq -r .jwe.protected | jose b64 dec -i- |
		jq -c --arg url "$2" '.clevis.tang.url = $url' | jose b64 enc -I-)
	edit_token "$1" ".jwe.protected = \"$jwe\""
}

run_host() { # [OPTION…] IMAGE TOKEN…
	run with_plugins "$host" "$@"
}

# Of the last run_host: the result of the Nth token, the time it took.
result() { # N
	sed -n 's/^result \(-*[0-9]*\) .*/\1/p' "$tmp/out" | sed -n "$1p"
}

assert_result() { # N RESULT
	assert_equal "$(result "$1")" "$2" || { show_run; return 1; }
}

assert_ms() { # N MIN MAX
	local ms
	ms=$(sed -n 's/^result .* ms \([0-9]*\) .*/\1/p' "$tmp/out" | sed -n "$1p")
	[ "$ms" -ge "$2" ] && [ "$ms" -le "$3" ] || { show_run; return 1; }
}

assert_requests() { # LOG COUNT
	assert_equal "$(wc -l <"$1")" "$2"
}

no_normal_lines() {
	! grep -q '^NORMAL' "$tmp/out" || { show_run; return 1; }
}

one_error_line() { # TEXT
	[ "$(grep -c '^ERROR' "$tmp/out")" = 1 ] && assert_output_has "$1"
}

start_tangd
curl -sSf "$tang_url/adv" >"$tmp/adv"
start_hostile 404 --mode=404 --log="$tmp/404.requests"
gone_url=$hostile_url
start_hostile silent --mode=silent --log="$tmp/silent.requests"
silent_url=$hostile_url

# --- a token that opens ---

make_image good
bind "$tang_url" "$tmp/adv" --token-id=3 --label='rack 1'
good=$image

run_host "$good" any
ok "opens in a host that does not link libcryptsetup" assert_result 1 1
ok "says nothing while it opens" no_normal_lines
ok "leaves no thread behind" assert_output_has "threads 1"
run_host "$good" 3
ok "opens as token 3 by its number" assert_result 1 1
run_host --mlockall "$good" 3
ok "opens under mlockall" assert_result 1 1

run with_plugins cryptsetup open --test-passphrase --token-only "$good"
ok "opens through the system's cryptsetup" assert_rc 0
ok "prints nothing to the host's stdout" assert_equal "$(cat "$tmp/out")" ""

run with_plugins cryptsetup luksDump "$good"
ok "dump shows the server" assert_output_has "$tang_url"
ok "dump shows the signing key" assert_output_has "$tang_thumbprint"
ok "dump shows the label" assert_output_has "rack 1"

# --- a token that fails ---

make_image failing
bind "$tang_url" "$tmp/adv"
move_token 0 "$gone_url"
run_host "$image" 0 0
ok "a definite no is -ENOENT" assert_result 1 $enoent
ok "a failed token is not asked again" assert_requests "$tmp/404.requests" 1
ok "and answers at once as before" assert_result 2 $enoent
ok "one line names token, server and cause" \
	one_error_line "Token 0 ($type): $gone_url does not have the key"

cryptsetup config --priority prefer --key-slot 1 "$image"
: >"$tmp/404.requests"
run with_plugins cryptsetup open --test-passphrase --token-only "$image"
ok "a failed token on a preferred keyslot is asked once" assert_requests "$tmp/404.requests" 1

: >"$tmp/404.requests"
token_json "$image" 0 | jq -c '.cotter.label = "changed"' >"$tmp/changed.json"
run_host --replace-json "$tmp/changed.json" "$image" 0 0
ok "a changed token is asked again" assert_requests "$tmp/404.requests" 2

: >"$tmp/404.requests"
run_host "$image" 0 fresh:0
ok "another device with the same token is asked" assert_requests "$tmp/404.requests" 2

# --- waiting, side by side ---

wait_for_host() { # NAME [OPTION…] IMAGE TOKEN…
	run_later "$1" with_plugins "$host" "${@:2}"
}

make_image dead
bind "$tang_url" "$tmp/adv"
move_token 0 "http://127.0.0.1:1"
cp "$image" "$tmp/one-good"
image=$tmp/one-good bind "$tang_url" "$tmp/adv"
wait_for_host dead "$image" 0
run_later one-good with_plugins cryptsetup open --test-passphrase --token-only "$tmp/one-good"

make_image silent
bind "$tang_url" "$tmp/adv"
move_token 0 "$silent_url"
cp "$image" "$tmp/deadline"
cp "$image" "$tmp/short-deadline"
image=$tmp/deadline edit_token 0 '.cotter.deadline = 1'
image=$tmp/short-deadline edit_token 0 '.cotter.deadline = -5'
# Two tokens for one keyslot: libcryptsetup tries each.
token_json "$image" 0 >"$tmp/second.json"
cryptsetup token import --disable-external-tokens --token-id 1 --json-file "$tmp/second.json" "$image"
wait_for_host silent "$image" 0 1
wait_for_host alarm --alarm 500 "$image" 0
wait_for_host deadline "$tmp/deadline" 0
wait_for_host short-deadline "$tmp/short-deadline" 0

finish dead
ok "a dead server is -EAGAIN" assert_result 1 $eagain
ok "and is given 3 seconds to restart" assert_ms 1 2900 4500
finish one-good
ok "one dead and one good token open the volume" assert_rc 0

finish silent
ok "a silent server is given up after 5 seconds" assert_ms 1 4900 6500
ok "as something missing: -EAGAIN" assert_result 1 $eagain
ok "a later network token gets 3 seconds" assert_ms 2 2900 4500

finish alarm
ok "a signal ends the wait" assert_ms 1 400 2000
ok "as something missing: -EAGAIN" assert_result 1 $eagain

finish deadline
ok "the token's own deadline holds" assert_ms 1 900 2500
finish short-deadline
ok "a deadline below 1 s is 1 s" assert_ms 1 900 2500

# --- validate: what open cannot use is refused, without a packet ---

refused() { # FILTER
	jq -c "$1" "$tmp/good.json" >"$tmp/bad.json"
	! with_plugins cryptsetup token import --json-file "$tmp/bad.json" "$image"
}

make_image validate
token_json "$good" 3 | jq -c '.keyslots = []' >"$tmp/good.json"
: >"$tmp/silent.requests"
ok "validate accepts a token" \
	with_plugins cryptsetup token import --json-file "$tmp/good.json" "$image"
while IFS='|' read -r name filter; do
	ok "validate refuses $name" refused "$filter"
done <<-'EOF'
	a token without a JWE|del(.jwe)
	a JWE that is a number|.jwe = 7
	a JWE without header|del(.jwe.protected)
	a JWE without tag|del(.jwe.tag)
	a short tag|.jwe.tag = "AAAA"
	a JWE that is not base64url|.jwe.iv = "+/=="
	a shared unprotected header|.jwe.unprotected = {"zip": "DEF"}
	a label that is no string|.cotter.label = 1
	an empty label|.cotter.label = ""
	a deadline that is no number|.cotter.deadline = "15"
	a version to come|.cotter.version = 2
	extras that are no object|.cotter = []
EOF
ok "validate sends nothing" assert_requests "$tmp/silent.requests" 0

# --- a volume whose encryption was taken away ---

cp "$good" "$tmp/null"
"$src/tests/edit-header.py" "$tmp/null" '.segments["0"].encryption = "cipher_null-ecb"'
run_host "$tmp/null" 3
ok "a volume without encryption gets no key" assert_result 1 $enoent
ok "and the line says so" one_error_line "null cipher"

cp "$good" "$tmp/null"
"$src/tests/edit-header.py" "$tmp/null" '.keyslots["1"].area.encryption = "cipher_null-ecb"'
run_host "$tmp/null" 3
ok "nor does a keyslot without" assert_result 1 $enoent
ok "and the line says so" one_error_line "null cipher"

done_testing
