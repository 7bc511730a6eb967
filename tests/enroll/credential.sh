#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Passphrases and key files of every kind of byte, and of none: from a file, from standard input and, where it can be
# typed, at the terminal, each opens the volume for a binding, is left as it was, and is in no message; what is but
# nearly the same opens nothing and changes nothing.
. "$(dirname "$0")/../lib.sh"

start_tangd second
second=(--tang="$tang_url" --tang-thumbprint="$tang_thumbprint")
start_tangd
first=(--tang="$tang_url" --tang-thumbprint="$tang_thumbprint")
make_small_image plain

mkdir "$tmp/keys"
new_key() { # NAME: its bytes are standard input
	cat >"$tmp/keys/$1"
}

# The volume that this key alone opens, as $image.
volume_of() { # NAME
	image=$tmp/$1
	cp "$tmp/plain" "$image"
	cryptsetup luksChangeKey --batch-mode --key-file "$passphrase" --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 "$image" "$tmp/keys/$1"
	cp "$image" "$image.before"
}

opens_by_key() { # FILE
	cryptsetup open --test-passphrase --disable-external-tokens --key-file "$1" "$image"
}

# The last run bound the volume, which this key and the token open.
bound() { # NAME TOKEN-ID
	assert_rc 0 && assert_says "token $2, keyslot $(($2 + 1)), proven" && opens_by_key "$tmp/keys/$1" &&
		opens_by_token "$image" --token-id "$2"
}

assert_says() { # TEXT
	grep -qF -e "$1" "$tmp/out" "$tmp/err" || { show_run; return 1; }
}

# Nothing longer than a few bytes that could be there by chance.
is_in_no_message() { # NAME
	/usr/bin/python3 - "$tmp/keys/$1" "$tmp/out" "$tmp/err" <<-'END'
	import sys
	key, *said = [open(name, 'rb').read() for name in sys.argv[1:]]
	sys.exit(len(key) > 3 and any(part in text for text in said for part in (key, key.strip())))
	END
}

changes_nothing() {
	assert_rc 1 && assert_same_file "$image" "$image.before"
}

# --- every kind, from a file and from standard input ---

# Each byte there is, newlines and NULs among them, 32 times over in a random order.
/usr/bin/python3 -c 'import random, sys
key = bytearray(range(256)) * 32
random.shuffle(key)
sys.stdout.buffer.write(key)' | new_key 8KiB
new_key newline < <(printf 'two\nlines\n')
new_key null < <(printf 'before\0after')
new_key dollar < <(printf '%s' '$HOME ${x} $(id) `id` %s %n')
new_key backslash < <(printf '%s' '\n \\ \0 \')
new_key quotes < <(printf '%s' "it's \"quoted\" '")
new_key utf-8 < <(printf '%s' 'pässwörd пароль 密码 🔑')
new_key spaces < <(printf '%s' '  within and at both ends   ')
new_key tab < <(printf 'a\tb\t')
new_key latin-1 < <(printf 'caf\351 \377\376')
new_key dash < <(printf '%s' '-')
new_key long < <(printf '%0511dX' 0)
new_key empty </dev/null

for key in 8KiB newline null dollar backslash quotes utf-8 spaces tab latin-1 dash long empty; do
	volume_of $key
	file=$tmp/keys/$key
	run "$cotter_enroll" --unlock-key-file="$file" "${first[@]}" "$image"
	ok "$key: the key file binds" bound $key 0
	ok "$key: and is in no message" is_in_no_message $key
	run "$cotter_enroll" --unlock-key-file=- "${second[@]}" --wipe-slot=tang "$image" <"$file"
	ok "$key: from standard input it replaces a binding" bound $key 1
	ok "$key: and is in no message" is_in_no_message $key
	run "$cotter_enroll" --test "$image"
	ok "$key: the token opens the volume when tested" assert_rc 0
	run "$cotter_enroll" --unlock-key-file="$file" "${first[@]}" --wipe-slot=0 "$image"
	ok "$key: it may itself be replaced" assert_rc 0
	ok "$key: and opens nothing then" not opens_by_key "$file"
	ok "$key: but the tokens do" eval 'opens_by_token "$image" --token-id 0 && opens_by_token "$image" --token-id 1'
done

# --- what is nearly the same ---

nearly() { # NAME WHAT: its bytes are standard input
	cat >"$tmp/near"
	volume_of "$1"
	cmp -s "$tmp/near" "$tmp/keys/$1" && return 1
	run "$cotter_enroll" --unlock-key-file="$tmp/near" "${first[@]}" "$image"
	ok "$1: $2 is refused" changes_nothing
	ok "$1: in one sentence" assert_one_sentence
	ok "$1: that says so" assert_error_has "the key in $tmp/near opens no keyslot of $image"
	run "$cotter_enroll" --unlock-key-file=- "${first[@]}" "$image" <"$tmp/near"
	ok "$1: from standard input as well" changes_nothing
}

nearly 8KiB "all but the last byte" < <(head -c 8191 "$tmp/keys/8KiB")
nearly 8KiB "a byte more" < <(cat "$tmp/keys/8KiB"; printf '\0')
nearly newline "without the last newline" < <(printf 'two\nlines')
nearly newline "the first line" < <(printf two)
nearly null "what stands before the NUL" < <(printf before)
nearly backslash "with the backslashes read" < <(printf '\n \\ \0 \\')
nearly spaces "without the spaces at the end" < <(printf '%s' '  within and at both ends')
nearly utf-8 "in another form of Unicode" < <(printf '%s' $'pa\u0308sswo\u0308rd пароль 密码 🔑')
nearly empty "a newline" < <(echo)
nearly long "one byte less" < <(printf '%0511d' 0)
nearly dash "nothing" </dev/null

# --- typed ---

for key in dollar backslash quotes utf-8 spaces dash long empty; do
	volume_of $key
	text=$(cat "$tmp/keys/$key"; echo .)
	text=${text%.}
	prompt="Passphrase of $image: "
	run "$src/tests/terminal.py" "$prompt" "x${text#?}"$'\n' "$prompt" "$text"$'\n' -- \
		"$cotter_enroll" "${first[@]}" "$image"
	ok "$key: typed it binds" bound $key 0
	ok "$key: after another byte was not taken" assert_says "this passphrase opens no keyslot; try again"
	ok "$key: and is not shown" is_in_no_message $key
done

done_testing
