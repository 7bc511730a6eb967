#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands that encrypt and decrypt, side by side with Debian's: the same status, output and policy, and
# each opens what the other sealed.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
. "$(dirname "$0")/side.sh"

printf 'a secret\0with \xff bytes\n' >"$tmp/plain"
trust='[ynYN] '
question="Do you wish to trust these keys? [ynYN] "

# At a terminal, where both streams are shown, our sentence comes last.
normal() { # SIDE
	sed "s|$tmp/$1.image|IMAGE|g; /^clevis-[a-z0-9-]*: /d" "$tmp/$1.out" | "$src/tests/clevis/policy.py"
}

# What tpm2-tools leave in a TPM without a resource manager.
after_theirs() {
	[ -z "${servers[tpm]:-}" ] || close_all
}

# What SIDE sealed in the last case opens on OTHER.
opens_on() { # SIDE OTHER
	"$2" clevis decrypt <"$tmp/$1.sealed" | cmp - "$input" || return
	[ "$2" = ours ] || after_theirs
}

each_opens() {
	opens_on ours theirs && opens_on theirs ours && opens_on ours ours
}

# A case of encryption: the same policy, and each opens the other's.
sealed() { # NAME CMD…
	local name=$1
	input=$tmp/plain
	same "$name" "${@:2}"
	mv "$tmp/theirs.out" "$tmp/theirs.sealed"
	mv "$tmp/ours.out" "$tmp/ours.sealed"
	cases+=("$(printf '%-8s %3s  %s' crossed 0 "$name, each opened by the other")")
	ok "$name: each opens the other's" each_opens
}

# A case that fails on both sides.
refused() { # NAME CMD…
	same "$@"
	ok "$1: it is refused, in one line at least" test "$(cat "$tmp/ours.rc")" != 0 -a -s "$tmp/ours.err"
}

# The command CMD of a shell at a terminal, where its standard input is INPUT and its output goes to IMAGE.jwe,
# which is shown at the end.
at_terminal() { # [EXPECT SEND]… -- CMD
	local talk=()
	while [ "$1" != -- ]; do
		talk+=("$1")
		shift
	done
	terminal=("$src/tests/terminal.py" "${talk[@]}" -- sh -c "$2")
}

# --- names, lists, usage ---

# The names that are installed are those that the program answers to.
table=$(sed -n 's/^\t{"\([a-z0-9-]*\)".*/\1/p' "$src/enroll/clevis/commands.c")
names=$(find "$ours" -lname '*cotter-clevis' -name 'clevis-*' -printf '%f\n' | sed 's/^clevis-//' | sort)
ok "each command has its name in the folder of programs" assert_equal "$names" "$table"

for command in decrypt 'encrypt tang' 'encrypt tpm2' 'encrypt sss'; do
	same "$command has a summary" clevis $command --summary
	same "so it has by its own name" "clevis-${command// /-}" --summary
	grep -qF "  clevis $command" <(theirs clevis 2>&1)
done
for pin in tang tpm2 sss null; do
	same "decrypt-$pin has none" "clevis-decrypt-$pin" --summary
done
same "nor has encrypt-null" clevis-encrypt-null --summary
same "the list without a command" clevis
listed() {
	local command
	for command in decrypt 'encrypt tang' 'encrypt tpm2' 'encrypt sss'; do
		grep -qF "  clevis $command " "$tmp/ours.err" || return 1
	done
}
ok "has the commands" listed
same "the list after a word that is none" clevis no such
ok "says so" grep -qxF "Command 'clevis no such' is invalid" "$tmp/ours.err"
same "an option is no command" clevis --help
same "half a command is none" clevis encrypt
same "nor is a pin that nobody has" clevis encrypt nosuch '{}'
same "arguments after decrypt are ignored" clevis decrypt tang
for command in 'decrypt' 'decrypt-tang' 'decrypt-tpm2' 'decrypt-sss' 'encrypt-tang' 'encrypt-tpm2' 'encrypt-sss'; do
	at_terminal -- "clevis-$command 2>IMAGE.usage"
	same "$command at a terminal" "${terminal[@]}"
	same "its usage" grep -o "^Usage: clevis ${command//-/ }.*" IMAGE.usage
done

# What bash offers after these words.
completed() { # WORD…
	PATH=$our_path bash -c '. "$1"; shift; COMP_WORDS=(clevis "$@"); COMP_CWORD=$#
		_clevis clevis "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		echo "${COMPREPLY[*]}"' completed "$src/enroll/clevis/clevis.bash" "$@"
}
ok "bash completes commands" assert_equal "$(completed '')" "decrypt encrypt luks"
ok "and what they begin with" assert_equal "$(completed encrypt t)" "tang tpm2"
ok "nothing after an option" assert_equal "$(completed luks list -s '')" ""
ok "but files" assert_equal "$(completed luks list -d "$tmp/pl")" "$tmp/plain"

# --- null ---

sealed "null" clevis encrypt null '{}'
sealed "null by its own name" clevis-encrypt-null '{}'
sealed "null, with a member that says nothing" clevis encrypt null '{"fail":false}'
same "null that fails" clevis encrypt null '{"fail":true}'
ours clevis encrypt null '{"fail":true}' <"$tmp/plain" >"$tmp/fails"
input=$tmp/fails
refused "opens never again" clevis decrypt
input=$tmp/plain
echo '{}' >"$tmp/config"
sealed "a configuration in a file" clevis encrypt null "$tmp/config"
for config in '' '{' '[]' '"x"' 'no-such-file'; do
	refused "null with the configuration '$config'" clevis encrypt null "$config"
done
refused "null without one" clevis encrypt null
head -c 3000000 /dev/urandom >"$tmp/large"
plain=$tmp/plain
cp "$plain" "$tmp/kept"
cp "$tmp/large" "$plain"
sealed "a large plaintext" clevis encrypt null '{}'
head -c 67108865 /dev/zero >"$tmp/huge"
input=$tmp/huge
differs "a plaintext of more than 64 MiB" ours clevis encrypt null '{}'
ok "there is an end to what is encrypted" assert_rc 1
ok "which is said" assert_error_has "longer than 64 MiB"
rm "$tmp/huge"
: >"$plain"
sealed "an empty plaintext" clevis encrypt null '{}'
cp "$tmp/kept" "$plain"

# --- tang ---

start_tangd
curl -sSf "$tang_url/adv" >"$tmp/adv"
adv=$(cat "$tmp/adv")
s1=$(jose fmt -j- -g payload -yo- <"$tmp/adv" | jose jwk use -i- -r -u verify -o- | jose jwk thp -a S1 -i-)
wrong=$(jose jwk gen -i '{"alg":"ES512"}' | jose jwk thp -i-)
url="\"url\":\"$tang_url\""

sealed "tang, whoever answers" clevis encrypt tang "{$url}" -y
sealed "tang by its own name" clevis-encrypt-tang "{$url}" -y
sealed "tang with a thumbprint" clevis encrypt tang "{$url,\"thp\":\"$tang_thumbprint\"}"
sealed "tang with a thumbprint of SHA-1" clevis encrypt tang "{$url,\"thp\":\"$s1\"}"
sealed "tang with a thumbprint and -y" clevis encrypt tang "{$url,\"thp\":\"$tang_thumbprint\"}" -y
sealed "tang with an advertisement in a file" clevis encrypt tang "{$url,\"adv\":\"$tmp/adv\"}"
sealed "tang with an advertisement" clevis encrypt tang "{$url,\"adv\":$adv}"
sealed "tang with an advertisement and -y" clevis encrypt tang "{$url,\"adv\":$adv}" -y
sealed "tang with an advertisement and its thumbprint" \
	clevis encrypt tang "{$url,\"adv\":$adv,\"thp\":\"$tang_thumbprint\"}"
sealed "tang without a scheme" clevis encrypt tang "{\"url\":\"${tang_url#http://}\"}" -y
sealed "tang with an unknown member" clevis encrypt tang "{$url,\"colour\":\"blue\"}" -y
ok "which is named in a warning" grep -qF 'warning: tang: "colour"' "$tmp/ours.err"
refused "tang with a member that is almost thp" clevis encrypt tang "{$url,\"tph\":\"$tang_thumbprint\"}"
refused "tang with another's thumbprint" clevis encrypt tang "{$url,\"thp\":\"$wrong\"}"
refused "tang with an advertisement and another's thumbprint" \
	clevis encrypt tang "{$url,\"adv\":$adv,\"thp\":\"$wrong\"}"
refused "tang without a terminal to ask at" setsid clevis encrypt tang "{$url}"
refused "tang without a URL" clevis encrypt tang '{}' -y
refused "tang with a URL that is none" clevis encrypt tang '{"url":7}' -y
refused "tang with a dead server" clevis encrypt tang '{"url":"http://127.0.0.1:1"}' -y
refused "tang with a server that is none" clevis encrypt tang "{\"url\":\"$tang_url/no/such\"}" -y
refused "tang with an advertisement that is not there" clevis encrypt tang "{$url,\"adv\":\"$tmp/none\"}"
refused "tang with an advertisement that is none" clevis encrypt tang "{$url,\"adv\":\"$tmp/config\"}"
refused "tang with an advertisement that nobody signed" \
	clevis encrypt tang "{$url,\"adv\":$(jq -c 'del(.signatures, .signature)' "$tmp/adv")}"
refused "tang with an advertisement that others signed" \
	clevis encrypt tang "{$url,\"adv\":$(jq -c '.payload |= "eyJrZXlzIjpbXX0"' "$tmp/adv")}"
refused "tang with a configuration that is none" clevis encrypt tang '{' -y
refused "tang without one" clevis encrypt tang

# -y is -y there alone.
refused "tang with -y before its configuration" setsid clevis encrypt tang -y "{$url}"

at_terminal "$trust" $'y\n' -- "clevis encrypt tang '{$url}' <'$plain' >IMAGE.jwe; s=\$?; cat IMAGE.jwe; exit \$s"
same "tang, trusted by a person" "${terminal[@]}"
ok "is asked in Clevis's words" grep -qF "$question" "$tmp/ours.out"
ok "with the thumbprint" grep -qF "$tang_thumbprint" "$tmp/ours.out"
cp "$tmp/theirs.image.jwe" "$tmp/theirs.sealed"
cp "$tmp/ours.image.jwe" "$tmp/ours.sealed"
ok "and opens" each_opens
for answer in n x ''; do
	at_terminal "$trust" "$answer"$'\n' -- "clevis encrypt tang '{$url}' <'$plain' >IMAGE.jwe"
	same "tang, not trusted by a person who says '$answer'" "${terminal[@]}"
	ok "writes nothing" test ! -s "$tmp/ours.image.jwe"
done
at_terminal -- "clevis encrypt tang '{$url}' -y <'$plain'"
same "with -y nobody is asked" "${terminal[@]}"
ok "and a person's terminal gets a newline" test "$(tail -c 1 "$tmp/ours.out" | hex)" = 0a

# The first difference: a thumbprint in the configuration binds, -y or not.
start_hostile rogue --adv "$tmp/adv"
input=$plain
differs "tang with another's thumbprint and -y" ours clevis encrypt tang "{$url,\"thp\":\"$wrong\"}" -y
ok "a thumbprint binds in spite of -y" assert_rc 1
ok "says so in one sentence" assert_one_sentence
run_side theirs clevis encrypt tang "{$url,\"adv\":$adv,\"thp\":\"$wrong\"}" -y
ok "where Clevis would bind" test "$(cat "$tmp/theirs.rc")" = 0
differs "tang with an advertisement, another's thumbprint and -y" ours \
	clevis encrypt tang "{$url,\"adv\":$adv,\"thp\":\"$wrong\"}" -y
ok "nor does an advertisement help" assert_rc 1
differs "sss with another's thumbprint and -y" ours \
	clevis encrypt sss "{\"t\":1,\"pins\":{\"tang\":{$url,\"adv\":$adv,\"thp\":\"$wrong\"}}}" -y
ok "nor within a policy" assert_rc 1

# --- tpm2 ---

start_tpm tpm
sealed "tpm2" clevis encrypt tpm2 '{}'
sealed "tpm2 by its own name" clevis-encrypt-tpm2 '{}'
sealed "tpm2 with PCRs" clevis encrypt tpm2 '{"pcr_bank":"sha256","pcr_ids":"0,7"}'
sealed "tpm2 with PCRs in an array" clevis encrypt tpm2 '{"pcr_bank":"sha256","pcr_ids":["0","7"]}'
sealed "tpm2 with PCRs that are numbers" clevis encrypt tpm2 '{"pcr_bank":"sha256","pcr_ids":[0,7]}'
sealed "tpm2 with spaces among them" clevis encrypt tpm2 '{"pcr_bank":"sha256","pcr_ids":" 0, 7 "}'
sealed "tpm2 with PCRs in another order" clevis encrypt tpm2 '{"pcr_bank":"sha256","pcr_ids":"7,0"}'
sealed "tpm2 with PCRs of no bank" clevis encrypt tpm2 '{"pcr_ids":"7"}'
sealed "tpm2 with no PCRs" clevis encrypt tpm2 '{"pcr_ids":""}'
sealed "tpm2 with a bank alone" clevis encrypt tpm2 '{"pcr_bank":"sha256"}'
sealed "tpm2 with SHA-1" clevis encrypt tpm2 '{"hash":"sha1"}'
sealed "tpm2 with RSA" clevis encrypt tpm2 '{"key":"rsa"}'
sealed "tpm2 with an unknown member" clevis encrypt tpm2 '{"colour":"blue"}'
sealed "tpm2 with an option, which is ignored" clevis encrypt tpm2 '{}' -y
digest=$(tpm2_pcrread -Q sha256:7 -o "$tmp/digest" && jose b64 enc -I "$tmp/digest")
sealed "tpm2 with a digest" clevis encrypt tpm2 \
	"{\"pcr_bank\":\"sha256\",\"pcr_ids\":\"7\",\"pcr_digest\":\"$digest\"}"
echo '{"pcr_bank":"sha256","pcr_ids":"7"}' >"$tmp/config"
sealed "tpm2 with a configuration in a file" clevis encrypt tpm2 "$tmp/config"
# Debian's knows no other variable; ours takes it where its own is not set.
sealed "tpm2 at the place that tpm2-tools are told of" env -u COTTER_TPM2_TCTI clevis encrypt tpm2 '{}'
refused "tpm2 with PCRs that no TPM has" clevis encrypt tpm2 '{"pcr_bank":"sha256","pcr_ids":"99"}'
refused "tpm2 with a number alone" clevis encrypt tpm2 '{"pcr_ids":7}'
refused "tpm2 with a bank that is none" clevis encrypt tpm2 '{"pcr_bank":"none","pcr_ids":"7"}'
refused "tpm2 with a hash that is none" clevis encrypt tpm2 '{"hash":"none"}'
refused "tpm2 with a key type that is none" clevis encrypt tpm2 '{"key":"none"}'
refused "tpm2 with a configuration that is none" clevis encrypt tpm2 '{'
refused "tpm2 without one" clevis encrypt tpm2

theirs clevis encrypt tpm2 '{"pcr_bank":"sha256","pcr_ids":"16"}' <"$plain" >"$tmp/pcr16"
after_theirs
extend_pcr 16:sha256
input=$tmp/pcr16
refused "tpm2 does not open with other PCRs" clevis decrypt
ok "says which" grep -q 'PCR' "$tmp/ours.err"
input=$plain

# --- sss ---

tang1="{$url,\"thp\":\"$tang_thumbprint\"}"
sealed "sss, one of one" clevis encrypt sss "{\"t\":1,\"pins\":{\"tang\":$tang1}}"
sealed "sss by its own name" clevis-encrypt-sss "{\"t\":1,\"pins\":{\"tang\":$tang1}}"
sealed "sss, one of two" clevis encrypt sss "{\"t\":1,\"pins\":{\"tang\":[$tang1,$tang1]}}"
sealed "sss, two of two kinds" clevis encrypt sss "{\"t\":2,\"pins\":{\"tang\":[$tang1],\"tpm2\":{}}}"
sealed "sss without a threshold" clevis encrypt sss "{\"pins\":{\"tang\":$tang1,\"null\":{}}}"
sealed "sss within sss" clevis encrypt sss \
	"{\"t\":2,\"pins\":{\"null\":{},\"sss\":{\"t\":1,\"pins\":{\"tang\":[$tang1,$tang1]}}}}"
sealed "sss of an array of sss" clevis encrypt sss \
	'{"t":2,"pins":{"sss":[{"t":1,"pins":{"null":{}}},{"t":1,"pins":{"null":[{},{}]}}]}}'
sealed "sss with -y" clevis encrypt sss "{\"t\":1,\"pins\":{\"tang\":{$url}}}" -y
sealed "sss with an empty option" clevis encrypt sss '{"t":1,"pins":{"null":{}}}' ''
sealed "sss with an empty list of parts" clevis encrypt sss '{"t":1,"pins":{"null":{},"tang":[]}}'
sealed "sss with an unknown member" clevis encrypt sss '{"t":1,"pins":{"null":{}},"colour":"blue"}'
for config in '{"t":0,"pins":{"null":{}}}' '{"t":2,"pins":{"null":{}}}' '{"t":1}' '{"t":1,"pins":{}}' \
	'{"t":1,"pins":{"null":7}}' '{"t":1,"pins":{"nosuch":{}}}' '{"t":"1","pins":{"null":{}}}' '{' ''; do
	refused "sss with the configuration '$config'" clevis encrypt sss "$config"
done
same "sss without one" clevis encrypt sss
same "sss with an option that is none" clevis encrypt sss '{"t":1,"pins":{"null":{}}}' -x
same "sss with too many arguments" clevis encrypt sss '{"t":1,"pins":{"null":{}}}' -y -y
refused "sss without a terminal to ask at" setsid clevis encrypt sss "{\"t\":1,\"pins\":{\"tang\":{$url}}}"
refused "sss with a dead server" clevis encrypt sss '{"t":1,"pins":{"tang":{"url":"http://127.0.0.1:1"}}}' -y

# --- what is no JWE, or not for this pin ---

theirs clevis encrypt null '{}' <"$plain" >"$tmp/null"
theirs clevis encrypt tang "{$url}" -y <"$plain" >"$tmp/jwe"
opens_as() { # NAME FILE
	input=$2
	same "$1" clevis decrypt
	ok "$1: it opens" cmp "$tmp/ours.out" "$plain"
}
opens_as "a JWE" "$tmp/jwe"
{ cat "$tmp/jwe"; echo; } >"$tmp/lines"
input=$tmp/lines
differs "a JWE and a newline" ours clevis decrypt
ok "a JWE and a newline is well; Debian's writes the same, but fails" assert_rc 0
ok "so" cmp "$tmp/out" "$plain"
input=$tmp/jwe
same "by its pin's own name" clevis-decrypt-tang
same "or as one of its words" clevis decrypt-tang
for pin in null tpm2 sss; do
	refused "not by the name of $pin" "clevis-decrypt-$pin"
done
same "sss takes no arguments" clevis-decrypt-sss none
jose jwe fmt -i "$tmp/jwe" -o "$tmp/flattened"
input=$tmp/flattened
refused "Clevis takes no flattened JWE" clevis decrypt
for text in '' 'x' 'x.y' 'e30..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA' \
	'eyJjbGV2aXMiOnsicGluIjoibm9zdWNoIn19..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA'; do
	printf %s "$text" >"$tmp/text"
	input=$tmp/text
	refused "'$text' is nothing to decrypt" clevis decrypt
done
sed 's/.$/A/; s/..$/BA/' "$tmp/jwe" >"$tmp/altered"
input=$tmp/altered
run_side ours clevis decrypt
ok "an altered JWE does not open, and nothing is written" test "$(cat "$tmp/ours.rc")" = 1 -a ! -s "$tmp/ours.out"
stop_tangd
input=$tmp/jwe
refused "nor one whose server is gone" clevis decrypt
ok "which is named" grep -qF "$tang_url" "$tmp/ours.err"
ours clevis encrypt sss '{"t":1,"pins":{"null":[{"fail":true},{}]}}' <"$plain" >"$tmp/one"
opens_as "sss with one part that fails" "$tmp/one"

# --- pins of others ---

# One that keeps its key in a file: jose makes and opens its JWEs.
mkdir "$tmp/others"
cat >"$tmp/others/clevis-encrypt-file" <<'END'
#!/bin/sh -e
[ "$1" != --summary ] || { echo "Encrypts with a key in a file"; exit 0; }
key=$(printf %s "$1" | jq -r .key)
echo "$2" >"$key.option"
[ -s "$key" ] || jose jwk gen -i '{"alg":"A256GCM"}' -o "$key"
hdr=$(printf %s "$1" | jq -c '{protected: {clevis: {pin: "file", file: {key}}}}')
{ printf %s "$hdr"; cat "$key"; cat; } | jose jwe enc -i- -k- -I- -c
END
cat >"$tmp/others/clevis-decrypt-file" <<'END'
#!/bin/sh -e
[ "$1" != --summary ] || exit 2
jwe=$(cat)
key=$(printf %s "${jwe%%.*}" | jose b64 dec -i- | jq -r .clevis.file.key)
{ cat "$key"; printf %s "$jwe"; } | jose jwe dec -k- -i-
END
chmod +x "$tmp"/others/*
their_path=$tmp/others:$their_path
our_path=$ours:$their_path
file="{\"key\":\"$tmp/key\"}"

input=$plain
sealed "another's pin" clevis encrypt file "$file"
sealed "by its own name" clevis-encrypt-file "$file"
sealed "as a part of a policy" clevis encrypt sss "{\"t\":2,\"pins\":{\"null\":{},\"file\":$file}}"
sealed "as two" clevis encrypt sss "{\"t\":2,\"pins\":{\"file\":[$file,$file]}}"
sealed "deep in it" clevis encrypt sss \
	"{\"t\":1,\"pins\":{\"sss\":{\"t\":2,\"pins\":{\"file\":$file,\"tpm2\":{}}}}}"
same "with -y, which it is told" clevis encrypt sss "{\"t\":1,\"pins\":{\"file\":$file}}" -y
ok "so" grep -qx -e -y "$tmp/key.option"
same "another's pin that fails" clevis encrypt sss '{"t":1,"pins":{"file":{"key":"/no/such"}}}'
same "its summary" clevis encrypt file --summary
same "is in the list" clevis
ok "so" grep -qF "Encrypts with a key in a file" "$tmp/ours.err"
ours clevis encrypt sss "{\"t\":1,\"pins\":{\"file\":$file}}" <"$plain" >"$tmp/of-file"
rm "$tmp/key"
input=$tmp/of-file
refused "its key is gone" clevis decrypt

# A name that leads back to ourselves is nobody's.
ln -s "$(realpath "$build/enroll/clevis/cotter-clevis")" "$tmp/others/clevis-decrypt-nosuch"
ln -s "$(realpath "$build/enroll/clevis/cotter-clevis")" "$tmp/others/clevis-encrypt-nosuch"
input=$tmp/text
run_side ours clevis decrypt
ok "we do not take ourselves for another's pin" test "$(cat "$tmp/ours.rc")" = 1
run_side ours clevis encrypt nosuch '{}'
ok "in neither direction" test "$(cat "$tmp/ours.rc")" = 2

sides_done
done_testing
