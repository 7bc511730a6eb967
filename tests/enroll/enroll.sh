#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The normal life of a binding: made in every way that options offer, listed, tested, replaced; and
# through all of it the passphrase goes on to open the volume.
. "$(dirname "$0")/../lib.sh"

# Binds by the passphrase to the server that runs, trusted by its thumbprint.
bind() { # [OPTION…] IMAGE
	run "$cotter_enroll" --unlock-key-file="$passphrase" --tang="$tang_url" \
		--tang-thumbprint="$tang_thumbprint" "$@"
}

# A fresh copy of the volume that only the passphrase opens.
fresh() { # NAME
	image=$tmp/$1
	cp "$tmp/plain" "$image"
}

add_key() { # KEY-FILE
	cryptsetup luksAddKey --batch-mode --key-file "$passphrase" --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 "$image" "$1"
}

# FILTER holds for the metadata of the header of $image.
header_has() { # FILTER
	cryptsetup luksDump --dump-json-metadata "$image" | jq -e "$1"
}

opens_both_ways() { # [OPTION…]
	opens_by_passphrase "$@" "$image" && opens_by_token "$@" "$image"
}

nothing_said() {
	[ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ] || { show_run; return 1; }
}

one_line_of_json() {
	assert_json 'type == "object"' && assert_equal "$(wc -l <"$tmp/out")" 1
}

make_small_image plain

# --- what takes long, meanwhile ---

# Provisioned while the server is away, which is waited for.
start_tangd away
away_port=$tang_port away_url=$tang_url
curl -sSf "$away_url/adv" >"$tmp/away.adv"
stop_tangd away
offline=("$cotter_enroll" --unlock-key-file="$passphrase" --tang="$away_url"
	--tang-advertisement="$tmp/away.adv")
fresh offline
run_later offline "${offline[@]}" --quiet "$image"
fresh offline-json
run_later offline-json "${offline[@]}" --json=short "$image"

start_tangd
curl -sSf "$tang_url/adv" >"$tmp/adv"
server_url=$tang_url server_thumbprint=$tang_thumbprint

# Argon2id's cost is measured first, so that takes seconds.
fresh argon
argon=$image
run_later argon "$cotter_enroll" --unlock-key-file="$passphrase" --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" --pbkdf=argon2id "$argon"

# --- a volume without tokens ---

fresh image
run "$cotter_enroll" "$image"
ok "listing is what happens without a pin" assert_rc 0
ok "a new volume has a passphrase in keyslot 0" assert_output_has "0     -      passphrase"
cp "$tmp/out" "$tmp/default.out"
run "$cotter_enroll" --list "$image"
ok "--list shows the same" assert_same_file "$tmp/out" "$tmp/default.out"
run "$cotter_enroll" --test "$image"
ok "there is nothing to test" assert_rc 1
ok "and that is said" assert_error_has "has no cotter token to test"
ok "none of it changes the volume" assert_same_file "$image" "$tmp/plain"

# --- one binding ---

bind --label='rack 1' "$image"
ok "a binding is made" assert_rc 0
ok "and proven" assert_error_has "bound $image: token 0, keyslot 1, proven"
ok "with nothing on standard output" assert_equal "$(cat "$tmp/out")" ""
ok "passphrase and token open it" opens_both_ways
ok "its keyslot has PBKDF2 at its minimum" \
	header_has '.keyslots["1"].kdf | .type == "pbkdf2" and .iterations == 1000'
ok "keyslot 1 is the token's, keyslot 0 is not" header_has '.tokens["0"].keyslots == ["1"]'
ok "no keyslot is preferred" header_has '[.keyslots[].priority // 1] | unique == [1]'

run "$cotter_enroll" --list "$image"
ok "--list shows the token with its label" assert_output_has "1     0      cotter-tang  rack 1"
ok "and the server" assert_output_has "url: $tang_url"
ok "and its signing key" assert_output_has "signing_keys: $tang_thumbprint"
run "$cotter_enroll" --list --json=pretty "$image"
ok "--list --json has the keyslots" assert_json '.keyslots == [
	{keyslot: 0, state: "active", tokens: []}, {keyslot: 1, state: "active", tokens: [0]}]'
ok "and the token" assert_json ".tokens[0] | .token == 0 and .type == \"cotter-tang\" and
	.keyslots == [1] and .state == \"ok\" and .label == \"rack 1\" and
	.facts.url == \"$tang_url\" and .facts.signing_keys == [\"$tang_thumbprint\"]"
ok "and the volume" assert_json ".verb == \"list\" and .result == \"ok\" and
	.device == \"$image\" and .uuid == \"$(cryptsetup luksUUID "$image")\""

run "$cotter_enroll" --test "$image"
ok "--test recovers through it" assert_rc 0
ok "and says so with the time it took" \
	grep -qE '^token 0 \(cotter-tang\): opens the volume after [0-9.]+ ms$' "$tmp/out"
run "$cotter_enroll" --test --json=short "$image"
ok "--test --json says the same" assert_json '.verb == "test" and .result == "ok" and
	(.tokens[0] | .token == 0 and .keyslots == [1] and .result == "ok" and
	.milliseconds > 0 and (has("cause") | not))'

# --- the same binding again ---

bound=$tmp/bound
cp "$image" "$bound"
bind --label='rack 2' "$image"
ok "an equal binding is no failure" assert_rc 0
ok "but reported" assert_error_has "is already bound so by token 0"
ok "and nothing changes" assert_same_file "$image" "$bound"
bind --json=short "$image"
ok "--json reports it as present" \
	assert_json '.result == "ok" and .state == "present" and .token == 0 and .keyslot == 1'
run "$cotter_enroll" --unlock-key-file="$passphrase" --tang="${tang_url#http://}/" \
	--tang-advertisement="$tmp/adv" "$image"
ok "so is the same server written otherwise" assert_error_has "is already bound so by token 0"
ok "and nothing changes" assert_same_file "$image" "$bound"

# --- options of a binding ---

fresh options
bind --token-id=7 --key-slot=5 --json=short "$image"
ok "--token-id and --key-slot are used" header_has '.tokens["7"].keyslots == ["5"]'
ok "and reported" assert_json '.verb == "enroll" and .result == "ok" and .state == "proven" and
	.token == 7 and .keyslot == 5'
ok "passphrase and token open it" opens_both_ways

fresh block
if device=$(losetup --find --show "$image" 2>/dev/null); then
	bind "$device"
	ok "a block device is bound" assert_rc 0
	losetup --detach "$device"
	ok "passphrase and token open it" opens_both_ways
else
	skip "a block device is bound" "there are no loop devices here"
fi

fresh keyfile
printf 'one\0two\nthree\n\n' >"$tmp/binary.key"
add_key "$tmp/binary.key"
run "$cotter_enroll" --unlock-key-file="$tmp/binary.key" --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" "$image"
ok "a key file may hold NUL bytes and newlines" assert_rc 0
ok "passphrase and token open it" opens_both_ways

fresh keystdin
add_key "$tmp/binary.key"
run "$cotter_enroll" --unlock-key-file=- --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" "$image" <"$tmp/binary.key"
ok "so may a key on standard input" assert_rc 0
ok "passphrase and token open it" opens_both_ways

fresh newline
cp "$image" "$tmp/newline.before"
run "$cotter_enroll" --unlock-key-file=- --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" "$image" < <(cat "$passphrase"; echo)
ok "a newline at the end counts" assert_rc 1
ok "and is hinted at" assert_error_has "a newline at its end counts"
ok "nothing changes" assert_same_file "$image" "$tmp/newline.before"

truncate -s 4M "$tmp/data"
cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
	--key-file "$passphrase" --header "$tmp/header" "$tmp/data"
cp "$tmp/data" "$tmp/data.before"
image=$tmp/data
bind --header="$tmp/header" "$image"
ok "a detached header is bound" assert_rc 0
ok "passphrase and token open it" opens_both_ways --header "$tmp/header"
ok "the device itself is not written to" assert_same_file "$tmp/data" "$tmp/data.before"
run "$cotter_enroll" --header="$tmp/header" --list "$image"
ok "--list reads it" assert_output_has "1     0      cotter-tang"
run "$cotter_enroll" --header="$tmp/header" --test --json=short "$image"
ok "--test reads it" assert_json ".result == \"ok\" and .header == \"$tmp/header\""
run "$cotter_enroll" --header="$tmp/header" --wipe-slot=tang "$image"
ok "--wipe-slot changes it" assert_error_has "removed keyslot 1, token 0"

# Over https, with a relay that speaks TLS for the same server.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$tmp/tls.key" -out "$tmp/tls.crt" 2>/dev/null
start_server tls socat -d -d \
	"OPENSSL-LISTEN:0,bind=127.0.0.1,reuseaddr,fork,cert=$tmp/tls.crt,key=$tmp/tls.key,verify=0" \
	"TCP4:${tang_url#http://}"
wait_until 60 grep -qE 'listening on .*:[0-9]+$' "$tmp/tls.log"
tang_url=https://127.0.0.1:$(sed -n 's/.* listening on .*:\([0-9]*\)$/\1/p' "$tmp/tls.log")
pubkey=sha256//$(openssl x509 -in "$tmp/tls.crt" -pubkey -noout | openssl pkey -pubin -outform DER |
	openssl dgst -sha256 -binary | base64)

fresh https
cd "$tmp"
bind --tang-ca=tls.crt "$image"
cd - >/dev/null
ok "--tang-ca binds over https" assert_rc 0
ok "and is kept as an absolute path" assert_equal "$tmp/tls.crt" \
	"$("$cotter_enroll" --json=short "$image" | jq -r '.tokens[0].facts.ca')"
ok "passphrase and token open it" opens_both_ways
bind --tang-pubkey="$pubkey" "$image"
ok "--tang-pubkey binds over https" assert_rc 0
ok "as another binding, in which it is kept" assert_equal "$pubkey" \
	"$("$cotter_enroll" --json=short "$image" | jq -r '.tokens[1].facts.pubkey')"
ok "passphrase and token open it" opens_both_ways --token-id 1
tang_url=$server_url

finish argon
image=$argon
ok "--pbkdf=argon2id is used" assert_rc 0
ok "for the keyslot" header_has '.keyslots["1"].kdf.type == "argon2id"'
ok "passphrase and token open it" opens_both_ways

# --- a second server, with a token as the credential ---

start_tangd second
image=$bound
run "$cotter_enroll" --unlock-token --tang="$tang_url" --tang-thumbprint="$tang_thumbprint" "$image"
ok "--unlock-token opens the volume for a second binding" assert_rc 0
ok "in a keyslot of its own" header_has \
	'.tokens["0"].keyslots == ["1"] and .tokens["1"].keyslots == ["2"]'
ok "passphrase and first token open it" opens_both_ways --token-id 0
ok "so does the second token" opens_by_token "$image" --token-id 1
run "$cotter_enroll" --test --json=short "$image"
ok "--test tries both" assert_json '[.tokens[] | [.token, .result]] == [[0, "ok"], [1, "ok"]]'
run "$cotter_enroll" --test --token-id=1 --json=short "$image"
ok "--test --token-id tries that one" assert_json '[.tokens[].token] == [1]'

image=$tmp/ignored
cp "$bound" "$image"
cryptsetup config --priority ignore --key-slot 1 "$image"
cryptsetup config --priority ignore --key-slot 2 "$image"
cp "$image" "$tmp/ignored.before"
run "$cotter_enroll" --unlock-token --tang="$tang_url" --tang-thumbprint="$tang_thumbprint" \
	--label=third --wipe-slot=tang "$image"
ok "--unlock-token leaves out keyslots to be ignored" assert_error_has "no token opens $image now"
ok "and nothing changes" assert_same_file "$image" "$tmp/ignored.before"

# --- servers that changed or went away ---

fresh lonely
bind "$image"
cp "$image" "$tmp/lonely.before"
rm "$(grep -l ECMR "$tmp"/second/*.jwk)"
jose jwk gen -i '{"alg": "ECMR"}' -o "$tmp/second/new.jwk"
run "$cotter_enroll" --test "$image"
ok "a server that lost the key is a broken token" assert_rc 4
ok "told with the cause" grep -qE \
	"^token 0 \(cotter-tang\): failed after [0-9.]+ ms: $tang_url does not have the key" "$tmp/out"
run "$cotter_enroll" --test --json=short "$image"
ok "--json tells it too" assert_json '.result == "failed" and .tokens[0].result == "failed" and
	(.tokens[0].cause | contains("does not have the key"))'
run "$cotter_enroll" --test "$bound"
ok "one broken token of two decides the exit status" assert_rc 4
ok "and both are told" grep -q 'token 0 .*: opens the volume' "$tmp/out"
run "$cotter_enroll" --unlock-token --tang="$server_url" \
	--tang-thumbprint="$server_thumbprint" "$image"
ok "--unlock-token fails where no token opens" assert_rc 1
ok "and says why" assert_error_has "no token opens $image now"
ok "none of it changes the volume" assert_same_file "$image" "$tmp/lonely.before"
bind --json=short "$image"
ok "a new key of the same server is a new binding" assert_json '.state == "proven" and .token == 1'
cp "$tmp/lonely.before" "$image"
stop_tangd second
run "$cotter_enroll" --test "$image"
ok "a server out of reach is another exit status" assert_rc 3
ok "told as that" assert_output_has "unreachable after"
ok "and why" assert_output_has "connection refused"
tang_url=$server_url tang_thumbprint=$server_thumbprint

# --- without the server ---

finish offline
image=$tmp/offline
ok "a saved advertisement needs no server" assert_rc 0
ok "even --quiet says that it is unproven" assert_error_has "unproven: $away_url: connection refused"
ok "passphrase opens it" opens_by_passphrase "$image"
finish offline-json
ok "--json says that it is unproven and why" assert_json '.result == "ok" and
	.state == "unproven" and (.cause | contains("connection refused"))'

fresh offline-wipe
bind "$image"
run_later offline-wipe "${offline[@]}" --wipe-slot=tang --json=short "$image"
run_later away-test "$cotter_enroll" --test "$tmp/offline"
run_later mistrusted "${offline[@]}" --tang-thumbprint="$tang_thumbprint" "$tmp/newline"
finish offline-wipe
ok "an unproven binding replaces nothing" assert_rc 3
ok "which is said" assert_error_has "was kept, because the binding is unproven"
ok "both are there" header_has '[.tokens[].keyslots] == [["1"], ["2"]]'
ok "passphrase and old token open it" opens_both_ways --token-id 0
finish away-test
ok "--test finds the server away" assert_rc 3
finish mistrusted
ok "a thumbprint given must match a saved advertisement too" \
	assert_error_has "is not signed by the key with the thumbprint $tang_thumbprint"
ok "nothing changes" assert_same_file "$tmp/newline" "$tmp/newline.before"

start_tangd away "$away_port"
image=$tmp/offline
run "$cotter_enroll" --test "$image"
ok "once the server is back, --test proves the binding" assert_rc 0
ok "passphrase and token open it" opens_both_ways
tang_url=$server_url tang_thumbprint=$server_thumbprint

# --- replaced ---

fresh replace
bind --label=old "$image"
old_secret=$(token_secret "$image" 0)
bind --label=new --wipe-slot=tang --json=short "$image"
ok "a new binding replaces what --wipe-slot selects" assert_json '.result == "ok" and
	.state == "proven" and .token == 1 and .keyslot == 2 and
	.wiped == {keyslots: [1], tokens: [0]}'
ok "only the new one is there" header_has '(.tokens | keys) == ["1"] and
	(.keyslots | keys) == ["0", "2"] and .tokens["1"].cotter.label == "new"'
ok "passphrase and new token open it" opens_both_ways
old_secret_opens() {
	printf %s "$old_secret" |
		cryptsetup open --test-passphrase --disable-external-tokens --key-file - "$image"
}
ok "the old secret opens nothing" eval '! old_secret_opens'

bind --wipe-slot=orphaned "$image"
cp "$image" "$tmp/kept"
ok "an equal binding that is not replaced stays the only one" \
	assert_error_has "is already bound so by token 1"
ok "and what --wipe-slot selects is untouched" header_has '(.tokens | keys) == ["1"]'

# --- what is said ---

fresh quiet
bind --quiet "$image"
ok "--quiet says nothing of a binding" nothing_said
bind --quiet "$image"
ok "nor of an equal one" nothing_said
run "$cotter_enroll" --quiet --test "$image"
ok "nor of a token that works" nothing_said
run "$cotter_enroll" --quiet --wipe-slot=tang "$image"
ok "nor of a removal" nothing_said
ok "which was done" header_has '.tokens == {}'
run "$cotter_enroll" --quiet --test "$image"
ok "but of a failure" assert_one_sentence

fresh json
bind --json=short "$image"
ok "a binding is one line of JSON" one_line_of_json
for verb in --list --test --wipe-slot=tang; do
	run "$cotter_enroll" $verb --json=short "$image"
	ok "$verb is one line of JSON" one_line_of_json
done
run "$cotter_enroll" --test --json=short "$image"
ok "a failure is one line of JSON" one_line_of_json
ok "with the causes" assert_json '.result == "failed" and
	(.errors[0] | contains("has no cotter token to test"))'
run "$cotter_enroll" --list --json=pretty "$image"
ok "--json=pretty is indented" grep -q '^    "verb": "list",$' "$tmp/out"
run "$cotter_enroll" --list --json=off "$image"
ok "--json=off is text" assert_output_has "SLOT"

jq -cn '{type: "evil\u001b[2J\u202e", keyslots: []}' >"$tmp/evil.json"
cryptsetup token import --disable-external-tokens --json-file "$tmp/evil.json" "$image"
run "$cotter_enroll" --list "$image"
ok "a header's text cannot steer the terminal" assert_output_has 'evil?[2J?'
ok "in no byte" eval '! LC_ALL=C grep -q "[[:cntrl:]]" <(tr -d "\n" <"$tmp/out")'

# --- several at once, and odd names ---

fresh several
for i in 1 2 3; do
	run_later several$i "$cotter_enroll" --unlock-key-file="$passphrase" --tang="$tang_url" \
		--tang-thumbprint="$tang_thumbprint" --label=$i "$image"
done
made=0
for i in 1 2 3; do
	finish several$i
	[ $rc != 0 ] || made=$((made + 1))
done
run "$cotter_enroll" --wipe-slot=orphaned "$image"
ok "of several at once at least one binds" [ $made -gt 0 ]
ok "and no other leaves a binding" header_has "(.tokens | length) == $made"
run "$cotter_enroll" --test "$image"
ok "all that bound open the volume" assert_rc 0
ok "as does the passphrase" opens_by_passphrase "$image"

fresh -odd
cd "$tmp"
bind -- -odd
cd - >/dev/null
ok "a name may begin with a dash" opens_both_ways

run "$cotter_enroll" --help
ok "--help is no failure" assert_rc 0
for option in tang tang-thumbprint tang-advertisement tang-ca tang-pubkey unlock-key-file \
	unlock-token header key-slot token-id label pbkdf list test wipe-slot json quiet help version; do
	ok "--help has --$option" assert_output_has "--$option"
done
run "$cotter_enroll" --version
ok "--version names program and version" grep -qE '^cotter-enroll [0-9.]+$' "$tmp/out"

done_testing
