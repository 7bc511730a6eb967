#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What an unlock through Tang costs: ours, Clevis's, and what no unlock can do without, on the same
# volume and server, the runs of all taking turns. Prints a table of medians.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/medians.sh"

rounds=${ROUNDS:-21}

# One volume with a cotter-tang token and a Clevis binding to the same server.
start_tangd
make_image
"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$tang_url" \
	--tang-thumbprint="$tang_thumbprint" "$image"
clevis luks bind -y -k "$passphrase" -d "$image" tang \
	"{\"url\":\"$tang_url\",\"thp\":\"$tang_thumbprint\"}" >/dev/null 2>&1
clevis_slot=$(clevis luks list -d "$image" | cut -d: -f1)

# What our unlock cannot do without: the keyslot, opened with the token's own secret, and one
# exchange with the server.
jwe=$(token_json "$image" 0 | jose fmt -j- -g jwe -o- | jose jwe fmt -i- -c)
keyslot=$(token_json "$image" 0 | jq -r '.keyslots[0]')
kid=$(jose fmt -q "${jwe%%.*}" -Sy -g kid -Su-)
printf %s "$jwe" | clevis decrypt >"$tmp/secret"
jose jwk gen -i '{"alg":"ECMR","crv":"P-521"}' | jose jwk pub -i- -o "$tmp/point"

# A volume with a systemd-tpm2 token. No TPM answers here: its libraries are loaded, then it gives up.
cotter_image=$image
make_image tpm2
tpm2_image=$image
cryptsetup token import --disable-external-tokens "$tpm2_image" <<-END
	{"type":"systemd-tpm2","keyslots":["0"],"tpm2-blob":"AAAA","tpm2-pcrs":[7],
	"tpm2-policy-hash":"$(printf '0%.0s' {1..64})","tpm2-pin":false}
END

by_cotter=(cryptsetup open --test-passphrase --token-only "$cotter_image")
by_clevis=(clevis luks unlock -d "$cotter_image" -t "$clevis_slot")
by_key_file=(cryptsetup open --test-passphrase --disable-external-tokens --key-slot "$keyslot"
	--key-file "$tmp/secret" "$cotter_image")
by_curl=(curl -sf -o /dev/null -H 'Content-Type: application/jwk+json'
	--data-binary "@$tmp/point" "$tang_url/rec/$kid")
by_tpm2=(cryptsetup open --test-passphrase --token-only "$tpm2_image")

# Clevis alone runs without our plugins: the cryptsetup that it calls would try our token first.
measure_all() {
	with_plugins "$measure" "$tmp/cotter.times" "${by_cotter[@]}" &&
		with_plugins "$measure" "$tmp/key_file.times" "${by_key_file[@]}" &&
		with_plugins "$measure" "$tmp/curl.times" "${by_curl[@]}" &&
		"$measure" "$tmp/clevis.times" "${by_clevis[@]}" &&
		! with_plugins "$measure" "$tmp/tpm2.times" "${by_tpm2[@]}"
}

measure_rounds() {
	for ((round = 0; round < rounds; round++)); do
		measure_all
	done
}

# How many libraries the dynamic linker loads into CMD.
objects() { # CMD…
	with_plugins env LD_DEBUG=files LD_DEBUG_OUTPUT="$tmp/objects" "$@" >/dev/null 2>&1 || true
	cat "$tmp"/objects.* | grep -c 'generating link map'
	rm "$tmp"/objects.*
}

row() { # NAME OBJECTS TITLE
	printf '# %-44s %9.1f %8.1f %9.1f %8s\n' "$3" "$(median "$1" 1)e-3" "$(median "$1" 2)e-3" \
		"$(($(median "$1" 3) * 10 / 1024))e-1" "$2"
}

ok "the secret is the keyslot's" "${by_key_file[@]}"
measure_all >/dev/null 2>&1 || true
rm "$tmp"/*.times
ok "all ways work, $rounds times" measure_rounds
[ $failures = 0 ] || done_testing

printf '# %-44s %9s %8s %9s %8s\n' "medians of $rounds runs" 'wall, ms' 'CPU, ms' 'peak, MiB' objects
row cotter "$(objects "${by_cotter[@]}")" 'cryptsetup open --token-only, cotter-tang'
row clevis - 'clevis luks unlock -t'
row key_file "$(objects "${by_key_file[@]}")" 'cryptsetup open --key-file, same keyslot'
row curl "$(objects "${by_curl[@]}")" 'curl, POST to /rec/KID'
row tpm2 "$(objects "${by_tpm2[@]}")" 'cryptsetup open, systemd-tpm2, no TPM'

# Round by round, so that what slows the machine for a while falls on all three alike.
overhead=$(paste -d' ' "$tmp/cotter.times" "$tmp/key_file.times" "$tmp/curl.times" |
	awk '{ print $1 - $4 - $7 }' | sort -n | sed -n "$((rounds / 2 + 1))p")
echo "# cotter-tang takes $overhead us more than the key file and curl together"
ok "takes at most a fifth of Clevis's time" test $((5 * $(least cotter 1))) -le "$(least clevis 1)"
# Clevis's is that of its processes, which cost much less on some machines than on others; the keyslot's is ours too.
ok "takes at most a sixth of Clevis's CPU time" test $((6 * $(least cotter 2))) -le "$(least clevis 2)"
ok "costs less than 10 ms over the keyslot and the exchange" test $overhead -lt 10000
done_testing
