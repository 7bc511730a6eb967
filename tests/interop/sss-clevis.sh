#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Clevis and cotter open each other's policies: random ones, of several depths, thresholds, pins and
# curves, in both directions by turns. SEED=N repeats the run that printed it; BOTH_WAYS=1 takes each
# policy both ways.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"

command -v clevis >/dev/null || skip_all "clevis is not installed"

seed=${SEED:-$RANDOM}
count=${COUNT:-200}     # policies over Tang servers
tpm_count=${TPM_COUNT:-6} # and such with a TPM too, which takes Clevis seconds
workers=$(nproc)
per_policy=$((${BOTH_WAYS:-0} + 1))
secret=$tmp/secret
head -c 100 /dev/urandom >"$secret"
echo "# SEED=$seed"

# A Tang server, called CURVE, whose keys are all on this curve. Adds to the array `leaves`.
start_tangd_on() { # CURVE SIGNING-ALGORITHM
	mkdir "$tmp/$1"
	jose jwk gen -i "{\"alg\":\"$2\"}" -o "$tmp/$1/signing.jwk"
	jose jwk gen -i "{\"alg\":\"ECMR\",\"crv\":\"$1\"}" -o "$tmp/$1/exchange.jwk"
	start_tangd "$1"
	leaves+=("tang=$(jq -nc --arg url "$tang_url" --arg thp "$tang_thumbprint" '{$url, $thp}')")
}

# Each of these leaves a JWE in $tmp/WORKER.jwe and says by its status whether the other opens it.

theirs_to_us() { # WORKER CONFIG
	clevis encrypt sss "$2" <"$secret" >"$tmp/$1.jwe" &&
		"$pin_helper" open <"$tmp/$1.jwe" | cmp - "$secret"
}

ours_to_them() { # WORKER CONFIG
	"$pin_helper" seal sss "$2" <"$secret" >"$tmp/$1.jwe" &&
		clevis decrypt <"$tmp/$1.jwe" | cmp - "$secret"
}

ways() { # NUMBER
	if [ "${BOTH_WAYS:-0}" = 1 ]; then
		echo theirs_to_us ours_to_them
	elif [ $(($1 % 4)) -lt 2 ]; then
		echo theirs_to_us
	else
		echo ours_to_them
	fi
}

# Takes every Nth of the policies in $tmp/policies; appends to $tmp/good and $tmp/bad.
work() { # WORKER
	local number=0 config
	while read -r config; do
		number=$((number + 1))
		[ $((number % workers)) = "$1" ] || continue
		for way in $(ways "$number"); do
			if $way "$1" "$config" >"$tmp/$1.log" 2>&1; then
				echo "$way $config" >>"$tmp/good"
			else
				{ echo "$way, policy $number: $config"; cat "$tmp/$1.log"; } >>"$tmp/bad"
			fi
			cp "$tmp/$1.jwe" "$tmp/jwes/$number"
		done
	done <"$tmp/policies"
}

work_all() {
	local worker pids=()
	for ((worker = 0; worker < workers; worker++)); do
		work $worker &
		pids+=($!)
	done
	wait "${pids[@]}"
}

none_is_bad() {
	[ ! -s "$tmp/bad" ] || { head -n 20 "$tmp/bad"; return 1; }
}

good() { # WAY
	grep -c "^$1 " "$tmp/good"
}

mkdir "$tmp/jwes"
leaves=()
start_tangd_on P-256 ES256
start_tangd_on P-384 ES384
start_tangd_on P-521 ES512

"$src/tests/policies.py" "$seed" "$count" "${leaves[@]}" >"$tmp/policies"
work_all
ok "nothing went wrong" none_is_bad
ok "all of $count policies were tried" assert_equal "$(cut -d' ' -f2- "$tmp/good" | wc -l)" $((count * per_policy))
ok "we open policies of Clevis's" test "$(good theirs_to_us)" -ge $((count * per_policy / 2))
ok "Clevis opens policies of ours" test "$(good ours_to_them)" -ge $((count * per_policy / 2))
ok "their thresholds differ" test "$(jq -r '.. | .t? // empty' "$tmp/policies" | sort -u | wc -l)" -ge 3
ok "as do their depths" test "$(grep -c '"sss".*"sss"' "$tmp/policies")" -ge $((count / 20))

# --- with a server missing, by the same JWEs ---

opens_as() { # WANT NUMBER BY CMD…
	local want=$1 what="policy $2 by $3" status=0
	"${@:4}" <"$tmp/jwes/$2" 2>/dev/null | cmp -s - "$secret" || status=1
	assert_equal "$what: $status" "$what: $want"
}

# Whether both open exactly those that hold without the last server.
agree_without_server() {
	local number=0 config want
	while read -r config; do
		number=$((number + 1))
		[ $number -le $((count / 20)) ] || break
		want=0
		"$src/tests/policies.py" --holds "$config" "${leaves[@]:0:2}" || want=1
		opens_as $want $number us "$pin_helper" open
		opens_as $want $number Clevis clevis decrypt
	done <"$tmp/policies"
}

stop_tangd P-521
ok "without one server, both open just those that hold" agree_without_server

# --- with a TPM ---

start_tpm tpm
leaves=("${leaves[@]:0:2}" 'tpm2={"pcr_bank":"sha256","pcr_ids":"7"}' 'tpm2={}')
"$src/tests/policies.py" "$seed" 400 "${leaves[@]}" >"$tmp/all"
# Clevis opens all leaves at once, and two of them get in each other's way in a TPM without resource manager.
jq -c 'select([.. | .tpm2? // empty | if type == "array" then .[] else . end] | length == 1)' "$tmp/all" |
	sed -n "1,${tpm_count}p" >"$tmp/policies"
rm "$tmp/good"

# One after the other: Clevis leaves a session in the TPM each time.
work_with_tpm() {
	local config way
	while read -r config; do
		for way in theirs_to_us ours_to_them; do
			if $way 0 "$config" >"$tmp/0.log" 2>&1; then
				echo "$way $config" >>"$tmp/good"
			else
				{ echo "$way: $config"; cat "$tmp/0.log"; } >>"$tmp/bad"
			fi
			close_all >/dev/null 2>&1 || true
		done
	done <"$tmp/policies"
}

work_with_tpm
ok "nothing went wrong with a TPM" none_is_bad
ok "we open $tpm_count policies of Clevis's with a TPM" assert_equal "$(good theirs_to_us)" "$tpm_count"
ok "Clevis opens $tpm_count of ours with a TPM" assert_equal "$(good ours_to_them)" "$tpm_count"
done_testing
