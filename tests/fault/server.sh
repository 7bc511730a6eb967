#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Servers that do what no server should, met by cotter-enroll, by its --test and by the plugin: each
# failure is bounded in time, told in one sentence, and changes nothing.
. "$(dirname "$0")/../lib.sh"

names=()                # of runs in the background, in order
declare -A sentences=() # what each must say

# Starts to bind a fresh copy of the volume, in the background.
try() { # NAME TEXT URL [CMD-PREFIX…]
	local name=$1 text=$2 url=$3
	shift 3
	names+=("$name")
	sentences[$name]=$text
	cp "$tmp/plain" "$tmp/$name"
	run_later "$name" "$@" timeout 30 "$cotter_enroll" --unlock-key-file="$passphrase" \
		--tang="$url" --tang-thumbprint="$thumbprint" "$tmp/$name"
}

# Of the last run.
refused() { # TEXT IMAGE
	assert_rc 1 && assert_one_sentence && assert_error_has "$1" &&
		assert_equal "$(cat "$tmp/out")" "" && assert_same_file "$2" "$tmp/plain"
}

make_small_image plain
start_tangd
curl -sSf "$tang_url/adv" >"$tmp/adv"
thumbprint=$tang_thumbprint
start_hostile hostile --adv="$tmp/adv" --log="$tmp/requests"

# --- binding ---

try refused "connection refused (tried for " http://127.0.0.1:1
try network "network unreachable (tried for " http://192.0.2.1 unshare -n
try nohost "its name cannot be resolved (tried for " http://no-such-host.invalid
start_hostile mute --mode=mute
try mute "stayed silent for 5 s" "$hostile_url"
start_hostile reset --mode=reset
try reset "closed the connection without an answer (tried for " "$hostile_url"
hostile_url=http://127.0.0.1:$(cat "$tmp/hostile.out")
while IFS='|' read -r mode text; do
	try "$mode" "$text" "$hostile_url/$mode"
done <<-END
	silent|stayed silent for 5 s
	close|closed the connection without an answer (tried for 
	abort|closed the connection without an answer (tried for 
	garbage|does not speak HTTP
	nothttp|does not speak HTTP
	drip|its reply did not come to an end
	endless|its reply is longer than 65536 bytes
	headers|its reply is longer than 65536 bytes
	longheader|its reply is longer than 65536 bytes
	big|its reply is longer than 65536 bytes
	truncated|closed the connection in the middle of its reply
	chopped|closed the connection in the middle of its reply
	redirect|answered HTTP 302 instead of an advertisement
	empty|this is not a Tang advertisement
	404|has no signing key with the thumbprint $thumbprint
	500|answered HTTP 500 instead of an advertisement
END
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$tmp/tls.key" -out "$tmp/tls.crt" 2>/dev/null
start_hostile tls --adv="$tmp/adv" --cert="$tmp/tls.crt" --key="$tmp/tls.key"
try certificate "certificate problem" "https://127.0.0.1:$hostile_port"
try nottls "does not speak TLS" "https://127.0.0.1:$tang_port"

# A server that is gone once it was bound to: what was written is taken back, which a second line says.
start_hostile fading --adv="$tmp/adv" --relay="$tang_url" --answers=2
cp "$tmp/plain" "$tmp/fading-image"
run_later fading timeout 30 "$cotter_enroll" --unlock-key-file="$passphrase" --tang="$hostile_url" \
	--tang-thumbprint="$thumbprint" "$tmp/fading-image"
fading=$hostile_url

# --- recovering: the server of a good binding was replaced by a bad one ---

jose jwk gen -i '{"alg": "ECMR"}' | jose jwk pub -i- -o "$tmp/another.rec"
jose jwk gen -i '{"kty": "EC", "crv": "P-256"}' | jose jwk pub -i- -o "$tmp/curve.rec"
jq -c '.x = .y' "$tmp/another.rec" >"$tmp/offcurve.rec"
jq -c '.x = "" | .y = ""' "$tmp/another.rec" >"$tmp/nopoint.rec"
echo '{"kty": "EC"' >"$tmp/chopped.rec"

recoveries=()         # likewise
declare -A statuses=() # of --test

# Opens and tests a volume bound to a good server whose place HOSTILE-OPTION takes; in the background.
replace() { # NAME STATUS TEXT [HOSTILE-OPTION…]
	local name=bound-$1 status=$2 text=$3
	shift 3
	recoveries+=("$name")
	sentences[$name]=$text
	statuses[$name]=$status
	start_tangd "$name"
	cp "$tmp/plain" "$tmp/$name-image"
	"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$tang_url" \
		--tang-thumbprint="$tang_thumbprint" "$tmp/$name-image"
	cp "$tmp/$name-image" "$tmp/$name-before"
	stop_tangd "$name"
	[ $# = 0 ] || start_hostile "$name" --port="$tang_port" "$@"
	run_later "$name-open" with_plugins timeout 30 cryptsetup open --test-passphrase --token-only \
		"$tmp/$name-image"
	run_later "$name-test" timeout 30 "$cotter_enroll" --test --json=short "$tmp/$name-image"
}

prepare_plugins
replace silent 3 "stayed silent for 5 s" --mode=silent
replace drip 3 "its reply did not come to an end" --mode=drip
replace gone 3 "connection refused (tried for "
replace 404 4 "does not have the key" --mode=404
replace 500 4 "answered HTTP 500" --mode=500
replace garbage 4 "does not speak HTTP" --mode=garbage
replace endless 4 "its reply is longer than 65536 bytes" --mode=endless
replace redirect 4 "answered HTTP 302" --mode=redirect --log="$tmp/requests"
replace lying 4 "the key recovered does not open this token" --rec="$tmp/another.rec"
replace curve 4 "did not answer with a point on the curve" --rec="$tmp/curve.rec"
replace offcurve 4 "did not answer with a point on the curve" --rec="$tmp/offcurve.rec"
replace nopoint 4 "did not answer with a point on the curve" --rec="$tmp/nopoint.rec"
replace chopped 4 "did not answer with a point on the curve" --rec="$tmp/chopped.rec"

# --- what came of it ---

for name in "${names[@]}"; do
	finish "$name"
	ok "binding fails in time and changes nothing: $name" refused "${sentences[$name]}" "$tmp/$name"
done

finish fading
ok "a new binding that its server does not prove has failed" assert_rc 1
ok "as it says" assert_error_has "the new binding was not proven, so it is removed again: $fading: "
ok "and that the volume is as before" assert_error_has "$tmp/fading-image is as it was before"
ok "which it is" assert_equal "$(cryptsetup luksDump --dump-json-metadata "$tmp/fading-image" |
	jq -c '[.tokens, (.keyslots | keys)]')" '[{},["0"]]'

not_opened() { # TEXT
	[ "$rc" != 0 ] && [ "$rc" != 124 ] && assert_error_has "$1"
}

not_recovered() { # NAME
	assert_rc "${statuses[$1]}" && assert_json '.result == "failed"' &&
		assert_equal "$(jq -r '.tokens[0].cause' "$tmp/out" | grep -cF "${sentences[$1]}")" 1
}

for name in "${recoveries[@]}"; do
	finish "$name-open"
	ok "cryptsetup is told in time: ${name#bound-}" not_opened "Token 0 (cotter-tang): "
	ok "in these words: ${sentences[$name]}" assert_error_has "${sentences[$name]}"
	finish "$name-test"
	ok "so is --test" not_recovered "$name"
	ok "the passphrase still opens the volume" opens_by_passphrase "$tmp/$name-image"
	ok "which is unchanged" assert_same_file "$tmp/$name-image" "$tmp/$name-before"
done

ok "no redirect is followed" eval '! grep -q elsewhere "$tmp/requests"'
ok "though the servers that redirect were asked" eval \
	'grep -q "/redirect/adv/" "$tmp/requests" && grep -q "\"/rec/" "$tmp/requests"'

done_testing
