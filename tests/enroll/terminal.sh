#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a person at a terminal is asked, and what comes of the answers; and what comes of there being no
# terminal. Whatever is not a clear yes changes nothing, and leaves the terminal as it was.
. "$(dirname "$0")/../lib.sh"

trust='[y/N] '
ctrl_c=$'\x03' ctrl_d=$'\x04' ctrl_z=$'\x1a'

# The tool at a terminal, on a fresh volume.
at_terminal() { # [EXPECT SEND]… -- [OPTION…]
	local talk=()
	while [ "$1" != -- ]; do
		talk+=("$1")
		shift
	done
	cp "$tmp/plain" "$image"
	run "$src/tests/terminal.py" "${talk[@]}" -- "$cotter_enroll" --tang="$tang_url" "${@:2}" "$image"
}

# The last run changed nothing and left the terminal as it was.
refused() { # STATUS
	assert_rc "$1" && unharmed
}

unharmed() {
	assert_same_file "$image" "$tmp/plain" && assert_error_has "terminal as before"
}

bound() {
	assert_rc 0 && assert_output_has "token 0, keyslot 1, proven" &&
		assert_error_has "terminal as before" && opens_by_passphrase "$image" && opens_by_token "$image"
}

never_shown() { # TEXT
	! grep -qF -e "$1" "$tmp/out" || { show_run; return 1; }
}

start_tangd
curl -sSf "$tang_url/adv" >"$tmp/adv"
make_small_image plain
image=$tmp/image
prompt="Passphrase of $image: "
key=(--unlock-key-file="$passphrase")
trusted=(--tang-thumbprint="$tang_thumbprint")

# --- whether the server is trusted ---

at_terminal "$trust" $'y\n' -- "${key[@]}"
ok "y binds" bound
ok "the question names the server" assert_output_has "The Tang server at $tang_url signs with the keys"
ok "and each signing key's thumbprint" grep -q "^ *$tang_thumbprint$" "$tmp/out"
at_terminal "$trust" $'Y\n' -- "${key[@]}"
ok "so does Y" bound
at_terminal "$trust" $'yes\n' -- "${key[@]}"
ok "so does yes" bound

while IFS='|' read -r name escaped; do
	printf -v answer "$escaped"
	at_terminal "$trust" "$answer" -- "${key[@]}"
	ok "$name refuses" refused 1
	ok "and that is told" assert_output_has "the keys of $tang_url are not trusted"
done <<-END
	n|n\n
	an empty line|\n
	another word|yesterday\n
	y and a space|y \n
	the end of input|\x04
	a line of 600 characters|$(printf '%0600d' 0)\n
END
at_terminal "" $'y\n' "$trust" $'\n' -- "${key[@]}"
ok "what was typed before the question is no answer" refused 1
at_terminal "$trust" "$ctrl_c" -- "${key[@]}"
ok "Ctrl-C at the question ends it" refused 130

mkdir "$tmp/two"
/usr/libexec/tangd-keygen "$tmp/two"
/usr/libexec/tangd-keygen "$tmp/two"
one_url=$tang_url
start_tangd two
curl -sSf "$tang_url/adv" | jose fmt -j- -g payload -yo- | jose jwk use -i- -r -u verify -o- |
	jose jwk thp -i- | sort >"$tmp/thumbprints"
at_terminal "$trust" $'n\n' -- "${key[@]}"
ok "a server may sign with two keys" assert_equal "$(wc -l <"$tmp/thumbprints")" 2
ok "and both are shown" assert_equal "$(sed -n 's/^    //p' "$tmp/out" | sort)" \
	"$(cat "$tmp/thumbprints")"
tang_url=$one_url

# --- the passphrase ---

at_terminal "$prompt" $'correct horse\n' -- "${trusted[@]}"
ok "a passphrase that was typed binds" bound
ok "and is not shown" never_shown "horse"
ok "a thumbprint that was given needs no question" never_shown "$trust"
at_terminal "$trust" $'y\n' "$prompt" $'correct horse\n' --
ok "trust is asked first, then the passphrase" bound

at_terminal "$prompt" $'wrong one\n' "$prompt" $'\n' "$prompt" $'correct horse\n' -- "${trusted[@]}"
ok "the third passphrase may be the right one" bound
ok "a wrong one is told" assert_output_has "this passphrase opens no keyslot; try again"
ok "and not shown" never_shown "wrong one"
at_terminal "$prompt" $'wrong one\n' "$prompt" $'wrong two\n' "$prompt" $'wrong three\n' -- \
	"${trusted[@]}"
ok "three wrong passphrases end it" refused 1
ok "and that is told" assert_output_has "the passphrase opens no keyslot of $image"

at_terminal "$prompt" "$ctrl_c" -- "${trusted[@]}"
ok "Ctrl-C at the passphrase ends it" refused 130
at_terminal "$prompt" "half of it$ctrl_c" -- "${trusted[@]}"
ok "also after half of it" refused 130
ok "which is not shown" never_shown "half of it"
at_terminal "$prompt" $'\x1c' -- "${trusted[@]}"
ok 'so does Ctrl-\' refused 131
at_terminal "$prompt" "$ctrl_d" -- "${trusted[@]}"
ok "the end of input ends it" refused 1
ok "and that is told" assert_output_has "no passphrase was entered"

# What is too long must not go on to whatever reads the terminal next.
cp "$tmp/plain" "$image"
run "$src/tests/terminal.py" "$prompt" "$(printf '%0600d' 7)"$'\n' "next> " $'empty\n' -- \
	bash -c '"$@"; read -rp "next> " line; echo "read: $line"' bash \
	"$cotter_enroll" --tang="$tang_url" "${trusted[@]}" "$image"
ok "a passphrase of 600 characters changes nothing" unharmed
ok "is not shown" never_shown "00000"
ok "and nothing of it is left to read" assert_output_has "read: empty"

# In a shell with job control, as a stop needs one to return to.
cp "$tmp/plain" "$image"
run env TERM=dumb HISTFILE= PS1='shell> ' "$src/tests/terminal.py" \
	'shell> ' "$cotter_enroll --tang=$tang_url ${trusted[*]} $image"$'\n' \
	"$prompt" "half of it$ctrl_z" \
	'shell> ' $'stty -a | tr " " "\\n" | grep "echo$"; fg\n' \
	"$prompt" $'correct horse\n' \
	'shell> ' $'exit\n' -- bash --norc --noprofile -i
ok "Ctrl-Z at the passphrase stops it, and it asks anew" bound
ok "meanwhile the terminal echoes" grep -qx echo "$tmp/out"
ok "nothing that was typed is shown" never_shown "half of it"

# --- no terminal ---

without_terminal() { # [OPTION…]
	cp "$tmp/plain" "$image"
	run setsid -w "$cotter_enroll" --tang="$tang_url" "$@" "$image"
}

changed_nothing() {
	assert_rc 1 && assert_same_file "$image" "$tmp/plain"
}

without_terminal "${key[@]}"
ok "without a terminal nobody is asked" changed_nothing
ok "and the way out is named" assert_error_has "give --tang-thumbprint=THP"
without_terminal "${trusted[@]}"
ok "without a terminal no passphrase is asked for" changed_nothing
ok "and the way out is named" assert_error_has "give --unlock-key-file=FILE"
ok "in one sentence" assert_one_sentence
without_terminal "${key[@]}" "${trusted[@]}"
ok "with both given none is needed" assert_rc 0
ok "and the volume is bound" opens_by_token "$image"

done_testing
