#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Where secrets must not go: while cotter-enroll binds and tests, no system call but those that read
# carries the passphrase, the token's secret or the volume key, be it to a file, a server, a terminal, or
# a child's arguments or environment; and what stays in memory is kept out of core files and swap.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../trace.sh"

# Both the tool and the fresh process that proves the binding.
every_process_has_called() { # REGEX
	assert_equal "$(processes "$1")" "$(processes 'execve\(')"
}

line_of() { # TEXT
	grep -nF -m 1 -e "$1" "$tmp/trace" | cut -d : -f 1
}

start_tangd
head -c 48 /dev/urandom | base64 -w 0 >"$passphrase"
make_small_image plain
cryptsetup luksDump --batch-mode --dump-volume-key --key-file "$passphrase" \
	--volume-key-file "$tmp/volume.key" "$image" >/dev/null
cp "$image" "$tmp/image"
image=$tmp/image

# --- binding ---

traced "$cotter_enroll" --unlock-key-file="$passphrase" --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" "$image"
ok "binds under strace" assert_rc 0
token_secret "$image" 0 >"$tmp/token.secret"
jose b64 dec -i "$tmp/token.secret" -O "$tmp/token.bytes"
token_json "$image" 0 | jq -j .jwe.protected >"$tmp/public"
ok "the token's secret is known here" cryptsetup open --test-passphrase --disable-external-tokens \
	--key-slot 1 --key-file "$tmp/token.secret" "$image"
ok "the volume key is known here" \
	cryptsetup open --test-passphrase --volume-key-file "$tmp/volume.key" "$image"
ok "the trace shows what is read" crosses "$passphrase" "$tmp/trace.in"
ok "the trace shows what is written" crosses "$tmp/public" "$tmp/trace.out"
for secret in passphrase token.secret token.bytes volume.key; do
	ok "binding, the $secret goes nowhere" goes_nowhere "$tmp/$secret"
done
ok "a fresh process proved it" [ "$(processes 'execve\(' | wc -l)" = 2 ]
ok "it creates no file" creates_no_file
ok "and leaves none" no_file_is_left

ok "no process can be dumped" every_process_has_called \
	'prctl\(PR_SET_DUMPABLE, SUID_DUMP_DISABLE\) += 0'
ok "or leaves a core file" every_process_has_called \
	'prlimit64\(0, RLIMIT_CORE, \{rlim_cur=0, rlim_max=0\}, NULL\) += 0'
ok "which is so before the key is read" [ "$(line_of PR_SET_DUMPABLE)" -lt \
	"$(line_of "$(printf %s "$passphrase" | in_hex)\", O_RDONLY")" ]
if [ "$sanitized" = 1 ]; then
	skip "memory is locked" "the address sanitizer does not let it"
elif (ulimit -l unlimited) 2>/dev/null; then
	ok "memory is locked" every_process_has_called 'mlockall\(MCL_CURRENT\|MCL_FUTURE\) += 0'
else
	skip "memory is locked" "the limit on locked memory cannot be raised here"
fi

# --- testing and replacing ---

for verb in test report; do
	traced "$cotter_enroll" "--$verb" "$image"
	ok "--$verb recovers under strace" assert_rc 0
	for secret in token.secret token.bytes volume.key; do
		ok "with it the $secret goes nowhere" goes_nowhere "$tmp/$secret"
	done
done

traced "$cotter_enroll" --unlock-token --tang="$tang_url" --tang-thumbprint="$tang_thumbprint" \
	--wipe-slot=tang "$image"
ok "a token unlocks and is replaced under strace" assert_rc 0
token_secret "$image" 1 >"$tmp/new.secret"
for secret in token.secret token.bytes new.secret volume.key; do
	ok "replacing, the $secret goes nowhere" goes_nowhere "$tmp/$secret"
done
ok "it creates no file" creates_no_file
ok "and leaves none" no_file_is_left

# --- the plugin ---

run with_plugins cryptsetup --debug open --test-passphrase --token-only "$image"
ok "the plugin opens the volume with debug output" assert_rc 0
ok "which has its lines" assert_output_has "Token 1 (cotter-tang)"
ok "but not the secret" eval '! grep -qF "$(cat "$tmp/new.secret")" "$tmp/out" "$tmp/err"'

# --- a crash, and a user without rights ---

start_hostile silent --mode=silent --log="$tmp/requests"
mkdir "$tmp/crash"
(
	ulimit -c unlimited 2>/dev/null || true
	cd "$tmp/crash"
	exec "$cotter_enroll" --unlock-key-file="$passphrase" --tang="$hostile_url" \
		--tang-thumbprint="$tang_thumbprint" "$image"
) 2>/dev/null &
pid=$!
wait_until 60 test -s "$tmp/requests"
ok "while it waits for a server, its limit for core files is 0" \
	grep -qE '^Max core file size +0 +0 ' "/proc/$pid/limits"
kill -SEGV $pid
rc=0
wait $pid 2>/dev/null || rc=$?
ok "a crash then" [ "$rc" != 0 ]
ok "leaves no core file" assert_equal "$(ls "$tmp/crash")" ""

cp "$tmp/plain" "$image"
run bash -c 'ulimit -l 64; exec "$@"' limited setpriv --bounding-set=-all --inh-caps=-all \
	"$cotter_enroll" --unlock-key-file="$passphrase" --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" "$image"
ok "where memory may not be locked, it binds all the same" assert_rc 0
ok "and the volume opens" opens_by_token "$image"

done_testing
