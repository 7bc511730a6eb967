#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The n-th allocation, the n-th call of a library and the n-th system call fails, for one n after the other, of a
# recovery, a binding, a renewal, a removal and a server: each ends as documented, with a sentence, in time; leaves no
# memory (in the sanitized build), no secret in freed memory and nothing in the TPM; and the header is sound.
#
# Of calls with one call stack the first is taken, and of these so many, evenly spread, that it is done in time.
# INJECT_ALL=1 takes all, INJECT_NAME=removal only what has that in its name.
. "$(dirname "$0")/../lib.sh"
. "$src/tests/tpm.sh"

[ "$(uname -m)" = x86_64 ] || skip_all "fault/inject.c is written for x86-64"

folder=$(mktemp -d -p /dev/shm cotter.XXXXXX)
end_inject() {
	rm -rf "$folder"
	cleanup
}
trap end_inject EXIT

cc -shared -fPIC -D_GNU_SOURCE -O1 -ftls-model=initial-exec -o "$tmp/inject.so" "$src/tests/fault/inject.c"
export INJECT_PRELOAD=$tmp/inject.so
if [ "$sanitized" = 0 ]; then
	cc -shared -fPIC -D_GNU_SOURCE -O1 -o "$tmp/freed.so" "$src/tests/fault/freed.c"
	INJECT_PRELOAD+=:$tmp/freed.so
else
	INJECT_PRELOAD+=:$(realpath "$(gcc -print-file-name=libasan.so)")
	ASAN_OPTIONS+=:verify_asan_link_order=0
fi

# --- what is tried, two at a time ---

names=() commands=()
try() { # NAME KIND MAX FOLDER JUDGE…
	local name=$1 kind=$2 max=$3 place=$folder/$4
	shift 4
	[[ $name = *${INJECT_NAME:-}* ]] || return 0
	# Sanitized, what we leave where a library fails as a whole says most.
	[ "$sanitized" = 0 ] || case $kind in lib) max=$((max / 2)) ;; *) max=$((max / 8)) ;; esac
	[ -z "${INJECT_ALL:-}" ] || max=0
	mkdir -p "$place"
	names+=("$name, $kind")
	commands+=("$(printf '%q ' "NEEDLES=${needles:-}" "INJECT_STDIN=${input:-/dev/null}" "INJECT_TPM=${tpm_socket:-}" \
		"INJECT_SKIP=${skipped:-}" \
		"$src/tests/fault/inject.py" "$name" "$kind" "$max" "$place" "$@")")
}

# Those of one lane, one after the other; what uses the one TPM is in the first.
run_lane() { # FIRST LAST
	local i
	for ((i = $1; i < $2; i++)); do
		eval "env ${commands[i]}" >"$tmp/result-$i" 2>&1 && echo 0 >"$tmp/status-$i" || echo $? >"$tmp/status-$i"
	done
}

went_well() { # I
	cat "$tmp/result-$1"
	[ "$(cat "$tmp/status-$1")" = 0 ]
}

# --- recovery ---

secret=$tmp/secret
echo "not much of a secret" >"$secret"
tangd=cotter
start_tangd tang
first_url=$tang_url
start_tpm tpm
leaf="{\"url\":\"$tang_url\",\"thp\":\"$tang_thumbprint\"}"
"$pin_helper" seal tang "$leaf" <"$secret" >"$tmp/tang.jwe"
"$pin_helper" seal tpm2 '{"pcrs":"7"}' <"$secret" >"$tmp/tpm2.jwe"
"$pin_helper" seal sss "{\"t\":2,\"pins\":{\"tang\":[$leaf,$leaf],\"sss\":{\"t\":1,\"pins\":{\"tang\":$leaf}}}}" \
	<"$secret" >"$tmp/sss.jwe"

recover() { # PIN MAX-ALLOC MAX-LIB MAX-SYS
	local needles input=$tmp/$1.jwe kind max
	needles=$(printf 'not much of' | hex):$("$pin_helper" key <"$input" | jose b64 dec -i- | hex)
	for kind in "alloc $2" "alloc+ $(($2 / 4))" "lib $3" "sys $4"; do
		read -r kind max <<<"$kind"
		try "recovery by $1" "$kind" "$max" "recover-$1" recover "$secret" -- "$pin_helper" --deadline=3 open
	done
}
# Where swtpm's TCTI cannot write, it leaves a connection open behind which the next one waits for ever.
tpm_socket=$tmp/tpm.tpm skipped=write recover tpm2 160 80 40
recover sss 160 120 60
recover tang 240 160 40
first_lane=${#names[@]}

# --- volumes ---

needles=$(hex <"$passphrase")
make_small_image none
bind=("$cotter_enroll" --unlock-key-file="$passphrase" --tang="$tang_url" --tang-thumbprint="$tang_thumbprint")
cp "$tmp/none" "$tmp/one"
"${bind[@]}" --quiet "$tmp/one"
cp "$tmp/one" "$tmp/two"
start_tangd other
"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$tang_url" --tang-thumbprint="$tang_thumbprint" \
	"$tmp/two"

change() { # NAME IMAGE MAX CMD…
	local name=$1 before=$2 max=$3 kind
	shift 3
	for kind in alloc lib sys; do
		try "$name" $kind "$max" "$before" volume "$tmp/$before" "$passphrase" -- "$@" "$folder/$before/image"
	done
}
change "a binding" none 60 "${bind[@]}"
change "a renewal" one 40 "$cotter_enroll" --renew=0 --force
change "a removal" two 60 "$cotter_enroll" --wipe-slot=tang

# --- a server ---

cp -r "$tmp/tang" "$tmp/keys"
exchange=$(curl -sS "$first_url/adv" | jose fmt -j- -g payload -yo- | jose jwk use -i- -r -u deriveKey -o- |
	jose jwk thp -i-)
jose jwk gen -i '{"alg":"ECMR"}' | jose jwk pub -i- >"$tmp/request"
skipped=getsockname # only the line that says where it listens is missing then, which we need
for kind in alloc lib sys; do
	try "a server" $kind 100 serve serve "/rec/$exchange" "$tmp/request" -- \
		"$cotter_tangd" --listen=127.0.0.1:0 "$tmp/keys"
done

# --- all of it ---

run_lane 0 "$first_lane" & lanes=($!)
run_lane "$first_lane" ${#names[@]} & lanes+=($!)
wait "${lanes[@]}"
for i in "${!names[@]}"; do
	sed -n 's/^\(.* points in .*\)$/# \1/p' "$tmp/result-$i"
	ok "${names[i]} failing at one call after the other" went_well "$i"
done
done_testing
