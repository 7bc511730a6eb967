#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The cotter-sss module through the real libcryptsetup: what it opens, returns, reports and dumps, with
# Tang servers, a TPM and a PIN as leaves.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
. "$(dirname "$0")/../sss.sh"

host=$build/tests/host
enoent=-2 eagain=-11 enoano=-55

run_host() { # [OPTION…] IMAGE TOKEN…
	run with_plugins "$host" "$@"
}

# The lines of the last failure without their tails: whether an answer came just in time is "done".
lines_begin() { # TEXT…
	diff <(printf 'Token 0 (cotter-sss): %s\n' "$@") \
		<(errors_of_run | sed -E 's/(: .*): (recovered|not needed)$/\1: done/; s/ (does not|it accepted) .*//
			s/sss: [01] of 2 needed parts (was|were) recovered/sss: too few/')
}

start_tangd a
a=$tang_url
start_tangd b
b=$tang_url
curl -sSf "$a/adv" >"$tmp/a.adv"
curl -sSf "$b/adv" >"$tmp/b.adv"
start_hostile silent --mode=silent --log="$tmp/silent.requests"
start_hostile gone --mode=404
start_tpm tpm
tpm='{"pcr_bank":"sha256","pcr_ids":"7"}'
leaf_a=$(tang_leaf "$a" "$tmp/a.adv")
leaf_b=$(tang_leaf "$b" "$tmp/b.adv")
silent=http://127.0.0.1:$(cat "$tmp/silent.out")
gone=http://127.0.0.1:$(cat "$tmp/gone.out")
leaf_silent=$(tang_leaf "$silent" "$tmp/a.adv")
leaf_gone=$(tang_leaf "$gone" "$tmp/a.adv")

policy() { # T TANG-LEAVES [TPM2-LEAF [SSS-NODE]]
	jq -nc --argjson t "$1" --argjson tang "[${2:-}]" --argjson tpm2 "${3:-null}" \
		--argjson sss "${4:-null}" '{$t, pins: ({} + if $tpm2 then {$tpm2} else {} end
		+ if $tang != [] then {$tang} else {} end + if $sss then {$sss} else {} end)}'
}

# --- what opens ---

make_image good
bind_policy 0 "$(policy 2 "$leaf_a,$leaf_b" "$tpm")"
run_host "$image" any
ok "two of three open, the TPM and the servers being there" assert_result 1 1
ok "nothing is said" assert_equal "$(grep -cE '^(ERROR|NORMAL)' "$tmp/out")" 0
ok "and no thread is left" assert_output_has "threads 1"
run_host --mlockall "$image" 0
ok "they do under mlockall" assert_result 1 1
ok "through the system's cryptsetup" opens_by_token "$image"
run opens_by_token "$image"
ok "whose output stays empty" assert_equal "$(cat "$tmp/out")" ""
good=$image

make_image nested
bind_policy 0 "$(policy 2 "$leaf_a" "" "$(policy 1 "$leaf_silent" "" "$(policy 2 "$leaf_b" "$tpm")")")"
run_host "$image" 0
ok "a nested policy opens" assert_result 1 1
ok "without waiting for who is not needed" assert_ms 1 0 1500

# A keyslot's own path: tokens of other types beside it, and each type its own module.
make_image mixed
bind_policy 0 "$(policy 1 "$leaf_gone")"
bind_policy 1 "$(policy 1 "$leaf_a")"
ok "a token that fails does not keep the next one from opening" opens_by_token "$image"

# --- what fails ---

make_image failing
bind_policy 0 "$(policy 2 "$leaf_gone,$leaf_gone,$leaf_a")"
run_host "$image" 0 0
ok "a policy that can never hold is -ENOENT" assert_result 1 $enoent
ok "each leaf is told with its cause, and the whole" lines_begin \
	"share 1 of 3: tang $gone:" "share 2 of 3: tang $gone:" "share 3 of 3: tang $a: done" \
	"sss: too few"
ok "in these words" assert_output_has "share 1 of 3: tang $gone: does not have the key"
ok "it is not tried again" assert_result 2 $enoent

make_image nested-failing
bind_policy 0 "$(policy 2 "$leaf_a" "" "$(policy 2 "$leaf_silent,$leaf_gone" "$tpm")")"
run_host "$image" 0
ok "what may hold at another time is -EAGAIN" assert_result 1 $eagain
ok "a silent server was waited for" assert_ms 1 4900 6500
ok "the lines say which share of which" lines_begin \
	"share 1 of 2: tang $a: done" "share 2 of 2, share 1 of 3: tpm2: done" \
	"share 2 of 2, share 2 of 3: tang $silent:" \
	"share 2 of 2, share 3 of 3: tang $gone:" \
	"sss: too few"

make_image certain
bind_policy 0 "$(policy 3 "$leaf_silent,$leaf_gone,$leaf_a")"
run_host "$image" 0
ok "a certain failure waits for nobody" assert_ms 1 0 2500
ok "and is -ENOENT" assert_result 1 $enoent
ok "who was not waited for is said" assert_output_has "share 1 of 3: tang $silent: not needed"

# --- a PIN ---

pin='{"pcr_bank":"sha256","pcr_ids":"7","pin":true}'
make_image pin
bind_policy 0 "$(policy 2 "$leaf_a" "$pin")" --pin=1234
run_host "$image" 0
ok "a PIN is asked for where it alone is missing" assert_result 1 $enoano
ok "without a word" assert_equal "$(errors_of_run)" ""
run_host "$image" 0=1234
ok "with it, it opens" assert_result 1 1
run_host "$image" 0=4321
ok "a wrong one is -ENOANO" assert_result 1 $enoano
ok "and told" assert_output_has "share 1 of 2: tpm2: wrong PIN"
run_host "$image" 0=4321 0=4321 0=4321
ok "the third wrong one is the last" assert_result 3 $enoent
restart_tpm tpm
run_host "$image" 0=
ok "an empty one is refused at once" assert_result 1 $enoent

make_image pin-away
bind_policy 0 "$(policy 2 "$leaf_silent" "$pin")" --pin=1234
run_host "$image" 0
ok "none is asked for where more is missing" assert_result 1 $eagain
ok "that leaf is told too" assert_output_has "share 1 of 2: tpm2: the TPM wants a PIN"

make_image pin-or-server
bind_policy 0 "$(policy 1 "$leaf_a" "$pin")" --pin=1234
run_host "$image" 0
ok "nor where the policy holds without" assert_result 1 1

run_host "$good" 0=1234
ok "a policy without a PIN leaf takes none" assert_result 1 $enoent

# --- which token has how long ---

make_image local-first
bind_policy 0 "$(policy 1 "" '{"pcr_bank":"sha256","pcr_ids":"16"}')"
bind_policy 1 "$(policy 1 "$leaf_silent")"
bind_policy 2 "$(policy 1 "$leaf_silent" '{"pcr_bank":"sha256","pcr_ids":"16"}')"
extend_pcr 16:sha256
run_host "$image" 0 1 2
ok "one without network leaves fails at once" assert_ms 1 0 1500
ok "and leaves the first one that has some its whole time" assert_ms 2 4900 6500
ok "the next one gets 3 seconds" assert_ms 3 2900 4500

# --- validate and dump ---

refused() { # FILTER
	jq -c "$1" "$tmp/good.json" >"$tmp/bad.json"
	! with_plugins cryptsetup token import --json-file "$tmp/bad.json" "$image"
}

make_image validate
token_json "$good" 0 | jq -c '.keyslots = []' >"$tmp/good.json"
ok "validate accepts a token" \
	with_plugins cryptsetup token import --json-file "$tmp/good.json" "$image"
ok "validate refuses a token of another type" refused '.type = "cotter-tang"'
ok "validate refuses a JWE that is none" refused '.jwe = "a.b.c.d.e"'

run with_plugins cryptsetup luksDump "$tmp/nested"
dumped() { # LINE
	grep -qxF "$(printf '%b' "$1")" "$tmp/out" || { show_run; return 1; }
}
ok "dump shows the threshold" dumped '\tthreshold:\t2'
ok "and each share" dumped '\tshare 1 of 2:'
ok "with its server" dumped "\\t  url:\\t$a"
ok "those of policies within, too" dumped '\t  share 2 of 2:'
ok "further in" dumped '\t    threshold:\t2'
ok "with their own" dumped "\\t      pcrs:\\tsha256:7"
done_testing
