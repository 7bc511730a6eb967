#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Calls that we do not make, words that we do not leave, and files and functions that grew too long.
. "$(dirname "$0")/../lib.sh"
cd "$src"

modules=(crypto pkcs11 sss tang tpm token) # what runs inside other people's programs
rooms=("${modules[@]}" enroll units)
readers=(tang-server tpm units) # of the environment
others=(crypto pkcs11 sss tang token enroll)
programs=(enroll tang-server units)
environment=enroll/clevis/environment.c

files() { # FOLDER…
	{ find "$@" -name '*.[ch]' 2>/dev/null || true; } | sort
}

# The code without its comments, which may say what they like.
for file in $(files "${rooms[@]}"); do
	code=$tmp/code/${file/#tang\/server\//tang-server/} # which is a room of its own, and no module
	mkdir -p "${code%/*}"
	gcc -w -fpreprocessed -dD -E -P "$file" >"$code"
done

# Prints FILE:TEXT of each call of one of NAMES, a pattern.
calls() { # NAMES FOLDER…
	local names=$1
	shift
	(cd "$tmp/code" && grep -rE "(^|[^[:alnum:]_>.])($names)[[:space:]]*\(" "$@" 2>/dev/null) || true
}

nothing() { # CMD…
	local found
	found=$("$@")
	[ -z "$found" ] || { echo "$found"; return 1; }
}

too_long() { # LINES FOLDER…
	local lines=$1
	shift
	files "$@" | xargs wc -l | awk -v max="$lines" '$2 != "total" && $1 > max'
}

long_functions() { # LINES FOLDER…
	local lines=$1
	shift
	files "$@" | xargs awk -v max="$lines" '
		/^\{/ { start = FNR }
		/^\}/ { if (start && FNR - start - 1 > max)
				print FILENAME ":" start ": " FNR - start - 1 " lines"
			start = 0 }'
}

leftovers() {
	grep -rnwE --include='*.[ch]' --include='*.sh' --include='*.py' --include='meson*' \
		--exclude=banned.sh 'TODO|FIXME|XXX|HACK' "${rooms[@]}" tests man check quickstart meson.build \
		2>/dev/null || true
}

ok "no unbounded string functions" \
	nothing calls 'v?sprintf|strcpy|stpcpy|strcat|gets|alloca' "${modules[@]}" "${programs[@]}"
ok "no numbers read without an error check" nothing calls 'ato(i|l|ll|f)|s?scanf' "${modules[@]}" "${programs[@]}"
ok "no realloc, which leaves copies of secrets" nothing calls 'realloc|reallocarray' "${modules[@]}" "${programs[@]}"
ok "no shell" nothing calls 'system|popen|wordexp' "${modules[@]}" "${programs[@]}"
ok "the environment is read only by tang/server/, tpm/, units/ and one file of enroll/clevis/" \
	nothing calls '(secure_)?getenv' "${others[@]}" --exclude="${environment##*/}"
ok "and there by secure_getenv alone" nothing calls 'getenv' "${readers[@]}" "$environment"
ok "modules do not end their host" \
	nothing calls 'assert|abort|_?exit|_Exit|raise|kill|fork' "${modules[@]}"
ok "modules do not print" \
	nothing calls 'v?f?printf|v?dprintf|f?puts|f?putc|putchar|perror' "${modules[@]}"
ok "modules leave signals alone" nothing calls 'signal|sigaction' "${modules[@]}"
ok "modules leave the host's allocators alone" nothing calls \
	'json_set_alloc_funcs|CRYPTO_set_mem_functions|CRYPTO_secure_malloc_init' "${modules[@]}"
ok "the search for calls finds one" grep -q . <(calls 'explicit_bzero' crypto)
ok "nothing is left over" nothing leftovers
ok "files have at most 420 lines" nothing too_long 420 "${rooms[@]}"
ok "functions have at most 60 lines" nothing long_functions 60 "${rooms[@]}"
done_testing
