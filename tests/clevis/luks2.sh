#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands about LUKS2 volumes, side by side with Debian's, on copies of the same volume: exit status, standard
# output and what the volume is bound to then. What Clevis 22 does otherwise than Debian's 19, and what we do
# otherwise on purpose, is run on our side alone.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../tpm.sh"
. "$(dirname "$0")/side.sh"

jobs=2

# Cases run in folders of their own, a few at once, as Clevis is slow; what they show is judged in their order.
queue=() running=()
later() { # NAME KIND CMD…
	local n=${#queue[@]} name=$1 kind=$2 dir
	shift 2
	dir=$tmp/case-$n
	mkdir "$dir"
	queue+=("$kind|$name")
	if [ ${#running[@]} -ge $jobs ]; then
		wait "${running[0]}" || true
		running=("${running[@]:1}")
	fi
	(
		case "$volume $*" in
		# One at a time: tpm2-tools take all of a TPM that has no resource manager, and leave sessions there where
		# Clevis ends them for a policy that is met.
		*tpm2* | *sss* | *several*) exec 9>"$tmp/tpm.lock"; flock 9; close_all || true ;;
		esac
		tmp=$dir
		[ "$kind" != same ] || run_side theirs "$@"
		run_side ours "$@"
		for side in theirs ours; do
			[ ! -e "$dir/$side.image" ] || volume_state "$side" >"$dir/$side.state"
		done
		rm -f "$dir"/*.image
	) </dev/null >/dev/null 2>&1 &
	running+=($!)
}

case_of() { # VOLUME INPUT NAME CMD…
	volume=$1 input=$2
	shift 2
	later "$1" same "${@:2}"
}

# One on our side alone, whose status and outputs are to be these; STDOUT "-" is not looked at.
ours_alone() { # WHY STATUS STDOUT VOLUME INPUT NAME CMD…
	local why=$1 status=$2 out=$3
	volume=$4 input=$5
	later "$6" "$why:$status:$out" "${@:7}"
}

# The keyslots, the tokens, and what they are bound to.
volume_state() { # SIDE
	cryptsetup luksDump --disable-external-tokens --dump-json-metadata "$tmp/$1.image" |
		jq -cS '([.keyslots | to_entries[] | [.key, .value.kdf.type, .value.kdf.iterations]] | sort),
			(.tokens | to_entries[] | [.key, .value.type, .value.keyslots, (.value | del(.jwe, .type, .keyslots)),
			(.value.jwe | if type == "object" then "\(.protected)..\(.iv).\(.ciphertext).\(.tag | sub("\n"; ""))" else . end)])' |
		"$src/tests/clevis/policy.py"
}

agree() { # DIR
	local side
	for side in theirs ours; do
		{
			echo "status $(cat "$1/$side.rc")"
			sed "s|$1/$side.image|IMAGE|g" "$1/$side.out"
			cat "$1/$side.state" 2>/dev/null || true
		} >"$1/$side.normal"
	done
	diff -u "$1/theirs.normal" "$1/ours.normal" || { tail -v -n +1 "$1/theirs.err" "$1/ours.err"; return 1; }
}

is_so() { # DIR STATUS STDOUT
	[ "$(cat "$1/ours.rc")" = "$2" ] && { [ "$3" = - ] || [ "$(sed "s|$1/ours.image|IMAGE|g" "$1/ours.out")" = "$3" ]; } ||
		{ cat "$1/ours.rc"; tail -v -n +1 "$1/ours.out" "$1/ours.err"; return 1; }
}

judge() {
	local i kind name rest
	wait "${running[@]}" || true
	for i in "${!queue[@]}"; do
		kind=${queue[$i]%%|*} name=${queue[$i]#*|}
		cases+=("$(printf '%-5s %3s  %s' "${kind%%:*}" "$(cat "$tmp/case-$i/ours.rc")" "$name")")
		if [ "$kind" = same ]; then
			ok "$name" agree "$tmp/case-$i"
		else
			rest=${kind#*:}
			ok "$name (${kind%%:*})" is_so "$tmp/case-$i" "${rest%%:*}" "${rest#*:}"
		fi
		rm -r "$tmp/case-$i"
	done
	queue=() running=()
}

# --- servers, keys and volumes ---

start_tangd on-tang
tang="{\"url\":\"$tang_url\"}" thp=$tang_thumbprint
curl -sSfg "$tang_url/adv" >"$tmp/adv"
start_tangd on-rotated
rotated="{\"url\":\"$tang_url\"}"
start_tangd on-replaced
replaced="{\"url\":\"$tang_url\"}"
start_tangd on-resigned
resigned="{\"url\":\"$tang_url\"}"
start_tangd on-dying
dying="{\"url\":\"$tang_url\"}"
start_tpm tpm
dead='{"url":"http://127.0.0.1:1"}'

none=/dev/null
printf 'correct horse' >"$tmp/key"
printf 'correct horse\n' >"$tmp/line"
printf 'wrong\n' >"$tmp/wrong-line"
printf 'wrong' >"$tmp/wrong-key"
printf 'y\n' >"$tmp/yes"
printf 'n\n' >"$tmp/no"
printf 'a\0b\nc\377' >"$tmp/binary"
head -c 4096 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$tmp/long" # 8192 characters, as Ignition has them
(cat "$tmp/long"; echo) >"$tmp/long-line"
printf 'two\nlines' >"$tmp/two-lines"

make_small_image plain
plain=$image
add_key() { # IMAGE KEY-FILE
	cryptsetup luksAddKey --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file "$tmp/key" "$1" "$2"
}
bind_theirs() { # IMAGE PIN CONFIG
	theirs clevis luks bind -y -k "$tmp/key" -d "$@" 2>"$tmp/bind.err" || { cat "$tmp/bind.err"; return 1; }
}
bound() { # NAME PIN CONFIG
	cp --sparse=always "$plain" "$tmp/$1"
	bind_theirs "$tmp/$1" "$2" "$3"
}
sss="{\"t\":1,\"pins\":{\"tang\":[$tang,$dead],\"sss\":{\"t\":1,\"pins\":{\"tang\":[$tang],\"tpm2\":[{}]}}}}"
sss_saved=$(jq -c --arg adv "$tmp/adv" '.pins.tang[1].adv = $adv' <<<"$sss")

bound tang tang "$tang"
bound tpm2 tpm2 '{"pcr_bank":"sha256","pcr_ids":"7"}'
bound sss sss "$sss_saved"
bound rotated tang "$rotated"
bound replaced tang "$replaced"
bound resigned tang "$resigned"
bound dying tang "$dying"
bound null null '{}'
stop_tangd on-dying

cp --sparse=always "$tmp/tang" "$tmp/several"
bind_theirs "$tmp/several" tpm2 '{}'
add_key "$tmp/several" "$tmp/two-lines"
cp --sparse=always "$plain" "$tmp/keys"
add_key "$tmp/keys" "$tmp/binary"
add_key "$tmp/keys" "$tmp/long"
add_key "$tmp/keys" "$tmp/two-lines"
cp --sparse=always "$tmp/tang" "$tmp/full"
for key in 1 2 3 4 5 6; do
	printf 'key %d' "$key" >"$tmp/fill"
	add_key "$tmp/full" "$tmp/fill"
done
head -c 65536 /dev/zero >"$tmp/zeros"

# New keys beside the old ones, which the server still uses, and, for the other, new ones instead.
new_keys() { # NAME
	/usr/libexec/tangd-keygen "$tmp/$1"
}
for key in "$tmp"/on-rotated/*.jwk; do
	mv "$key" "$tmp/on-rotated/.${key##*/}"
done
new_keys on-rotated
rm "$(grep -l ES512 "$tmp"/on-resigned/*.jwk)"
jose jwk gen -i '{"alg":"ES512"}' -o "$tmp/on-resigned/new.jwk"
rm "$tmp"/on-replaced/*.jwk
new_keys on-replaced
replaced_thp=$(curl -sSfg "$(jq -r .url <<<"$replaced")/adv" | jose fmt -j- -g payload -yo- |
	jose jwk use -i- -r -u verify -o- | jose jwk thp -i- | head -n 1)

# --- what is asked of each command ---

all=(bind edit list pass regen report unbind unlock)
with_slot=(edit pass regen report unbind)

for command in "${all[@]}"; do
	case_of "" $none "$command has a summary" clevis luks "$command" --summary
	case_of "" $none "$command without arguments" clevis luks "$command"
	case_of "" $none "$command with an unknown option" "clevis-luks-$command" -Z
	case_of "" $none "$command -h" clevis luks "$command" -h
	args=()
	[[ " ${with_slot[*]} " != *" $command "* ]] || args=(-s 1)
	[ "$command" != bind ] || args=(-k "$tmp/key" tang "$tang")
	case_of "" $none "$command of no such device" clevis luks "$command" -d "$tmp/no-such" "${args[@]}"
	case_of "$tmp/zeros" $none "$command of what is no LUKS volume" clevis luks "$command" -d IMAGE "${args[@]}"
done
for command in "${with_slot[@]}"; do
	case_of "$tmp/tang" $none "$command without a slot" clevis luks "$command" -d IMAGE
done
for command in list "${with_slot[@]}"; do
	args=()
	[ "$command" != unbind ] || args=(-f)
	case_of "$tmp/tang" $none "$command of a slot out of range" clevis luks "$command" "${args[@]}" -d IMAGE -s 32
	case_of "$tmp/tang" $none "$command of a slot that is no number" clevis luks "$command" "${args[@]}" -d IMAGE -s one
	case_of "$tmp/tang" $none "$command of a slot that is free" clevis luks "$command" "${args[@]}" -d IMAGE -s 5
	case_of "$tmp/tang" $none "$command of a slot that is not bound" clevis luks "$command" "${args[@]}" -d IMAGE -s 0
done
judge

# bind
case_of "$plain" $none "bind by a key file" clevis luks bind -y -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$plain" "$tmp/key" "bind by standard input without a newline" clevis luks bind -y -k - -d IMAGE tang "$tang"
case_of "$plain" "$tmp/line" "bind by standard input with a newline" clevis luks bind -y -k- -d IMAGE tang "$tang"
case_of "$plain" "$tmp/line" "bind by an answer" clevis luks bind -f -d IMAGE tang "{\"url\":\"${tang#*:\"}"
case_of "$plain" $none "bind with nobody to answer" clevis luks bind -f -d IMAGE tang "$tang"
case_of "$plain" "$tmp/wrong-line" "bind by a wrong passphrase" clevis luks bind -y -k - -d IMAGE tang "$tang"
case_of "$plain" $none "bind by a wrong key file" clevis luks bind -y -k "$tmp/wrong-key" -d IMAGE tang "$tang"
case_of "$plain" $none "bind by a key file with a newline too many" clevis luks bind -y -k "$tmp/line" -d IMAGE tang "$tang"
case_of "$plain" $none "bind by no such key file" clevis luks bind -y -k "$tmp/no-such" -d IMAGE tang "$tang"
case_of "$tmp/keys" $none "bind by a binary key file" clevis luks bind -y -k "$tmp/binary" -d IMAGE tang "$tang"
case_of "$tmp/keys" $none "bind by a key file of two lines" clevis luks bind -y -k "$tmp/two-lines" -d IMAGE tang "$tang"
case_of "$tmp/keys" "$tmp/two-lines" "bind by the first of two lines" clevis luks bind -y -k - -d IMAGE tang "$tang"
case_of "$tmp/keys" "$tmp/long-line" "bind by a line of 8192 characters" clevis luks bind -y -k - -d IMAGE tang "$tang"
case_of "$tmp/keys" $none "bind by a key file of as many" clevis luks bind -y -f -k "$tmp/long" -d IMAGE tang "$tang"
case_of "$tmp/tang" "$tmp/wrong-line" "bind by a binding that is there" clevis luks bind -y -k - -d IMAGE tpm2 '{}'
case_of "$plain" $none "bind to a slot" clevis luks bind -y -s 5 -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$plain" $none "bind with a token id" clevis luks bind -y -t 7 -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$plain" $none "bind with both" clevis luks bind -s 3 -y -t 9 -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$tmp/tang" $none "bind to a slot that is taken" clevis luks bind -y -s 1 -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$tmp/tang" $none "bind to the slot of a passphrase" clevis luks bind -y -s 0 -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$plain" $none "bind to a slot out of range" clevis luks bind -y -s 32 -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$tmp/tang" $none "bind with a token id that is taken" clevis luks bind -y -t 0 -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$plain" $none "bind with a token id out of range" clevis luks bind -y -t 32 -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$plain" $none "bind by a token that is not there" clevis luks bind -y -e 3 -d IMAGE tang "$tang"
case_of "$plain" $none "bind by a token and a key file" clevis luks bind -y -e 3 -k "$tmp/key" -d IMAGE tang "$tang"
if command -v keyctl >/dev/null; then
	cp --sparse=always "$plain" "$tmp/keyring"
	cryptsetup token add --token-id 5 --key-description cotter-test "$tmp/keyring"
	cat >"$tmp/with-key" <<'END'
#!/bin/sh
exec keyctl session - sh -c 'keyctl add user cotter-test "correct horse" @s >/dev/null; exec "$@"' sh "$@"
END
	chmod +x "$tmp/with-key"
	case_of "$tmp/keyring" $none "bind by a token of the kernel's keyring" \
		"$tmp/with-key" clevis luks bind -y -e 5 -d IMAGE tang "$tang"
	case_of "$tmp/keyring" $none "bind by such a token whose key is not there" \
		clevis luks bind -y -e 5 -d IMAGE tang "$tang"
fi
case_of "$plain" $none "bind without a pin" clevis luks bind -y -k "$tmp/key" -d IMAGE
case_of "$plain" $none "bind with an unknown pin" clevis luks bind -y -k "$tmp/key" -d IMAGE bogus '{}'
case_of "$plain" $none "bind without a configuration" clevis luks bind -y -k "$tmp/key" -d IMAGE tang
case_of "$plain" $none "bind with a malformed configuration" clevis luks bind -y -k "$tmp/key" -d IMAGE tang '{"url"'
case_of "$plain" $none "bind with a configuration that is no object" clevis luks bind -y -k "$tmp/key" -d IMAGE tang '["url"]'
case_of "$plain" $none "bind without the URL" clevis luks bind -y -k "$tmp/key" -d IMAGE tang '{}'
case_of "$plain" $none "bind to a server that is dead" clevis luks bind -y -k "$tmp/key" -d IMAGE tang "$dead"
case_of "$plain" $none "bind by its saved advertisement" clevis luks bind -f -k "$tmp/key" -d IMAGE tang "{\"url\":\"http://127.0.0.1:1\",\"adv\":\"$tmp/adv\"}"
case_of "$plain" $none "bind by an advertisement in line" clevis luks bind -f -k "$tmp/key" -d IMAGE tang "{\"url\":\"http://127.0.0.1:1\",\"adv\":$(cat "$tmp/adv")}"
case_of "$plain" $none "bind by the thumbprint" clevis luks bind -f -k "$tmp/key" -d IMAGE tang "${tang%\}},\"thp\":\"$thp\"}"
case_of "$plain" $none "bind by a wrong thumbprint" clevis luks bind -f -k "$tmp/key" -d IMAGE tang "${tang%\}},\"thp\":\"${thp:1}A\"}"
case_of "$plain" $none "bind to a server that nobody is there to trust" clevis luks bind -f -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$plain" $none "bind to nothing" clevis luks bind -f -k "$tmp/key" -d IMAGE null '{}'
case_of "$plain" $none "bind to the TPM" clevis luks bind -f -k "$tmp/key" -d IMAGE tpm2 '{}'
case_of "$plain" $none "bind to PCRs" clevis luks bind -f -k "$tmp/key" -d IMAGE tpm2 '{"pcr_bank":"sha256","pcr_ids":"0,7"}'
case_of "$plain" $none "bind to a policy" clevis luks bind -y -k "$tmp/key" -d IMAGE sss "$sss_saved"
case_of "$plain" $none "bind to a policy that cannot be met" clevis luks bind -y -k "$tmp/key" -d IMAGE sss "{\"t\":2,\"pins\":{\"tang\":$tang}}"
case_of "$tmp/full" $none "bind where all keyslots are taken" clevis luks bind -y -k "$tmp/key" -d IMAGE tang "$tang"
case_of "$plain" $none "options after the pin are none" clevis luks bind -y -k "$tmp/key" -d IMAGE tang "$tang" -s 5
judge

# list, pass, unlock
for name in plain tang tpm2 sss several keys; do
	case_of "$tmp/$name" $none "list $name" clevis luks list -d IMAGE
done
case_of "$tmp/several" $none "list one of several" clevis luks list -d IMAGE -s 2
for name in tang tpm2 sss null; do
	case_of "$tmp/$name" $none "pass of $name" clevis luks pass -d IMAGE -s 1
	case_of "$tmp/$name" $none "unlock, tested, of $name" clevis luks unlock -d IMAGE -t 1
done
case_of "$tmp/dying" $none "pass of a server that is dead" clevis luks pass -d IMAGE -s 1
case_of "$tmp/dying" $none "unlock, tested, of a server that is dead" clevis luks unlock -d IMAGE -t 1
case_of "$tmp/dying" $none "unlock by a server that is dead" clevis luks unlock -d IMAGE -n cotter-no-such
case_of "$tmp/rotated" $none "pass of keys that were rotated" clevis luks pass -d IMAGE -s 1
case_of "$plain" $none "unlock what is not bound" clevis luks unlock -d IMAGE -n cotter-no-such
case_of "$tmp/tang" $none "unlock, tested, of a slot that is not bound" clevis luks unlock -d IMAGE -t 0
case_of "$tmp/tang" $none "unlock, tested, of a slot that is no number" clevis luks unlock -d IMAGE -t x

# report and regen
for name in tang tpm2 null; do
	case_of "$tmp/$name" $none "report of $name" clevis luks report -q -d IMAGE -s 1
done
case_of "$tmp/rotated" $none "report of keys that were rotated" clevis luks report -q -d IMAGE -s 1
case_of "$tmp/rotated" "$tmp/no" "report and a no" clevis luks report -d IMAGE -s 1
case_of "$tmp/rotated" $none "report and nobody there" clevis luks report -d IMAGE -s 1
case_of "$tmp/rotated" "$tmp/yes" "report and a yes" clevis luks report -d IMAGE -s 1
case_of "$tmp/rotated" $none "report and regenerate" clevis luks report -r -d IMAGE -s 1
case_of "$tmp/replaced" $none "report of a server that was set up anew" clevis luks report -q -d IMAGE -s 1
case_of "$tmp/dying" $none "report of a server that is dead" clevis luks report -q -d IMAGE -s 1
for name in tang tpm2; do
	case_of "$tmp/$name" $none "regenerate $name" clevis luks regen -q -d IMAGE -s 1
done
case_of "$tmp/several" $none "regenerate the second of several" clevis luks regen -q -d IMAGE -s 2
case_of "$tmp/rotated" $none "regenerate where keys were rotated" clevis luks regen -q -d IMAGE -s 1
case_of "$tmp/tang" "$tmp/yes" "regenerate after a yes" clevis luks regen -d IMAGE -s 1
case_of "$tmp/tang" "$tmp/no" "regenerate after a no" clevis luks regen -d IMAGE -s 1
case_of "$tmp/tang" $none "regenerate with nobody there" clevis luks regen -d IMAGE -s 1
case_of "$tmp/dying" "$tmp/line" "regenerate with a server that is dead" clevis luks regen -q -d IMAGE -s 1
case_of "$tmp/sss" $none "regenerate a policy with a server that is dead" clevis luks regen -q -d IMAGE -s 1
judge

# unbind and edit
case_of "$tmp/tang" $none "unbind" clevis luks unbind -f -d IMAGE -s 1
case_of "$tmp/several" $none "unbind one of several" clevis luks unbind -d IMAGE -s 2 -f
case_of "$tmp/full" $none "unbind of a full volume" clevis luks unbind -d IMAGE -f -s 1
case_of "$tmp/tang" "$tmp/yes" "unbind with nobody at a terminal" setsid -w clevis luks unbind -d IMAGE -s 1
case_of "$tmp/tang" $none "edit to what it is" clevis luks edit -d IMAGE -s 1 -c "$tang"
case_of "$tmp/tang" $none "edit to what it is all the same" clevis luks edit -f -d IMAGE -s 1 -c "$tang"
case_of "$tmp/tang" $none "edit to a saved advertisement" clevis luks edit -d IMAGE -s 1 -c "${tang%\}},\"adv\":\"$tmp/adv\"}"
case_of "$tmp/tang" $none "edit to a malformed configuration" clevis luks edit -d IMAGE -s 1 -c '{"url"'
case_of "$tmp/tang" $none "edit to a server that is dead" clevis luks edit -d IMAGE -s 1 -c "$dead"
case_of "$tmp/tpm2" $none "edit the PCRs" clevis luks edit -d IMAGE -s 1 -c '{"hash":"sha256","key":"ecc","pcr_bank":"sha256","pcr_ids":"0"}'
editor() { # NAME SCRIPT
	printf '#!/bin/sh\n%s\n' "$2" >"$tmp/$1"
	chmod +x "$tmp/$1"
}
editor same-editor ':'
editor pcr-editor 'sed -i "s/\"7\"/\"1,7\"/" "$1"'
editor bad-editor 'echo "{" >"$1"'
case_of "$tmp/tpm2" "$tmp/yes" "edit in an editor" env "EDITOR=$tmp/pcr-editor" clevis luks edit -d IMAGE -s 1
case_of "$tmp/tpm2" "$tmp/no" "edit in an editor, and then not" env "EDITOR=$tmp/pcr-editor" clevis luks edit -d IMAGE -s 1
case_of "$tmp/tpm2" "$tmp/yes" "edit in an editor that changes nothing" env "EDITOR=$tmp/same-editor" clevis luks edit -d IMAGE -s 1
case_of "$tmp/tpm2" "$tmp/no" "edit in an editor, malformed" env "EDITOR=$tmp/bad-editor" clevis luks edit -d IMAGE -s 1
case_of "$tmp/tpm2" $none "edit in no such editor" env EDITOR=no-such-editor clevis luks edit -d IMAGE -s 1
judge

# --- at a terminal ---

printf '#!/bin/sh\nexec "%s/tests/terminal.py" "$@" >/dev/null\n' "$src" >"$tmp/terminal"
chmod +x "$tmp/terminal"
asked="trust these keys? [ynYN] " password="Enter existing LUKS password: "
case_of "$plain" $none "bind, a yes to the keys and the passphrase" \
	"$tmp/terminal" "$password" $'correct horse\n' "$asked" $'y\n' -- clevis luks bind -d IMAGE tang "$tang"
case_of "$plain" $none "bind and a no to the keys" \
	"$tmp/terminal" "$password" $'correct horse\n' "$asked" $'n\n' -- clevis luks bind -d IMAGE tang "$tang"
case_of "$plain" $none "bind with two wrong passphrases" \
	"$tmp/terminal" "$password" $'wrong\n' "$password" $'as wrong\n' -- clevis luks bind -y -d IMAGE tang "$tang"
case_of "$plain" $none "bind with the second passphrase" \
	"$tmp/terminal" "$password" $'wrong\n' "$password" $'correct horse\n' -- clevis luks bind -y -d IMAGE tang "$tang"
# cryptsetup, which Clevis runs for this, forgets at times what was typed at once.
ours_alone 22 0 - "$tmp/tang" $none "unbind, a yes and a passphrase that remains" \
	"$tmp/terminal" "[ynYN] " $'y\n' "passphrase: " $'correct horse\n' -- clevis luks unbind -d IMAGE -s 1
ours_alone 22 1 - "$tmp/tang" $none "unbind, a yes and three wrong passphrases" \
	"$tmp/terminal" "[ynYN] " $'Y\n' "passphrase: " $'wrong\n' "passphrase: " $'no\n' "passphrase: " $'no\n' \
	-- clevis luks unbind -d IMAGE -s 1
case_of "$tmp/tang" $none "unbind and a no" "$tmp/terminal" "[ynYN] " $'n\n' -- clevis luks unbind -d IMAGE -s 1
case_of "$tmp/dying" $none "regenerate by the passphrase with a server that is dead" \
	"$tmp/terminal" "$password" $'correct horse\n' -- clevis luks regen -q -d IMAGE -s 1
judge

# --- where Clevis 22 does otherwise than Debian's 19, and we than both ---

cp --sparse=always "$plain" "$tmp/empty"
printf '\n' | cryptsetup luksAddKey --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file "$tmp/key" "$tmp/empty"
echo >"$tmp/empty-line"

ours_alone 22 0 "1: tang" "$tmp/tang" $none "list -p" clevis luks list -p -d IMAGE
ours_alone 22 0 $'1: tang\n2: tpm2' "$tmp/several" $none "list -p of several" clevis luks list -d IMAGE -p
ours_alone 22 0 "2: tpm2" "$tmp/several" $none "list -p of one of several" clevis luks list -d IMAGE -p -s 2
ours_alone 22 0 "1: sss tang tpm2" "$tmp/sss" $none "list -p of a policy" clevis luks list -d IMAGE -p
ours_alone 22 0 "" "$plain" $none "list -p of what is not bound" clevis luks list -d IMAGE -p
ours_alone 22 0 "1: null '{}'" "$tmp/null" $none "list the null pin" clevis luks list -d IMAGE
ours_alone 22 0 "1: null" "$tmp/null" $none "list -p of the null pin" clevis luks list -p -d IMAGE
ours_alone 22 0 "" "$tmp/tang" $none "unlock with parameters for cryptsetup" \
	clevis luks unlock -d IMAGE -n cotter-no-such -o "--test-passphrase --readonly"
ours_alone 22 1 - "$tmp/tang" $none "unlock with one that it has not" clevis luks unlock -d IMAGE -n cotter-no-such -o --no-such
ours_alone 22 1 - "$tmp/dying" $none "unlock with parameters, a server being dead" clevis luks unlock -d IMAGE -o --test-passphrase
ours_alone 22 0 "" "$tmp/empty" "$tmp/empty-line" "bind by the empty passphrase" clevis luks bind -y -k - -d IMAGE tang "$tang"
ours_alone 22 0 - "$tmp/null" $none "regenerate the null pin" clevis luks regen -q -d IMAGE -s 1
ours_alone ours 0 "" "$plain" "$tmp/key" "bind by an answer without a newline" clevis luks bind -y -d IMAGE tang "$tang"
ours_alone ours 1 "" "$plain" $none "bind -y by a wrong thumbprint" \
	clevis luks bind -y -k "$tmp/key" -d IMAGE tang "${tang%\}},\"thp\":\"${thp:1}A\"}"
ours_alone ours 1 - "$tmp/replaced" "$tmp/line" "regenerate with keys that nothing vouches for" clevis luks regen -q -d IMAGE -s 1
ours_alone ours 1 - "$tmp/replaced" "$tmp/line" "report and regenerate with such" clevis luks report -r -d IMAGE -s 1
ours_alone ours 1 - "$tmp/resigned" $none "regenerate by itself with such" clevis luks regen -q -d IMAGE -s 1
ours_alone ours 0 - "$tmp/resigned" $none "regenerate by itself, a yes to the keys" \
	"$tmp/terminal" "$asked" $'y\n' -- clevis luks regen -q -d IMAGE -s 1
ours_alone ours 1 - "$tmp/tang" $none "edit to a server that nothing vouches for" clevis luks edit -d IMAGE -s 1 -c "$replaced"
ours_alone ours 0 - "$tmp/tang" $none "edit to it by its thumbprint" clevis luks edit -d IMAGE -s 1 -c "${replaced%\}},\"thp\":\"$replaced_thp\"}"
ours_alone ours 1 - "$tmp/tang" $none "edit to it by another's thumbprint" clevis luks edit -d IMAGE -s 1 -c "${replaced%\}},\"thp\":\"$thp\"}"
ours_alone ours 0 - "$tmp/replaced" $none "regenerate, a yes to the keys" \
	"$tmp/terminal" "$password" $'correct horse\n' "$asked" $'y\n' -- clevis luks regen -q -d IMAGE -s 1
ours_alone ours 1 - "$tmp/replaced" $none "regenerate and a no to the keys" \
	"$tmp/terminal" "$password" $'correct horse\n' "$asked" $'n\n' -- clevis luks regen -q -d IMAGE -s 1
ours_alone ours 0 - "$tmp/tang" $none "edit, a yes to the keys" \
	"$tmp/terminal" "$asked" $'y\n' -- clevis luks edit -d IMAGE -s 1 -c "$replaced"
judge

# --- what either made, in the hands of the other ---

bound_by_us() { # NAME PIN CONFIG
	cp --sparse=always "$plain" "$tmp/$1"
	ours clevis luks bind -y -k "$tmp/key" -d "$tmp/$1" "$2" "$3"
}
bound_by_us our-tang tang "$tang"
bound_by_us our-tpm2 tpm2 '{"pcr_bank":"sha256","pcr_ids":"7"}'
bound_by_us our-sss sss "{\"t\":2,\"pins\":{\"tang\":[$tang],\"tpm2\":[{}]}}"
for name in tang tpm2 sss; do
	case_of "$tmp/our-$name" $none "$name that we bound: list" clevis luks list -d IMAGE
	case_of "$tmp/our-$name" $none "$name that we bound: pass" clevis luks pass -d IMAGE -s 1
	case_of "$tmp/our-$name" $none "$name that we bound: unlock, tested" clevis luks unlock -d IMAGE -t 1
	case_of "$tmp/our-$name" $none "$name that we bound: report" clevis luks report -q -d IMAGE -s 1
	case_of "$tmp/our-$name" $none "$name that we bound: regenerate" clevis luks regen -q -d IMAGE -s 1
	case_of "$tmp/our-$name" $none "$name that we bound: unbind" clevis luks unbind -f -d IMAGE -s 1
done
judge

opens() { # BY IMAGE
	close_all
	"$1" clevis luks pass -d "$2" -s 1 >"$tmp/secret"
	cryptsetup open --test-passphrase --disable-external-tokens --key-slot 1 --key-file "$tmp/secret" "$2"
}
for name in tang tpm2 sss; do
	from=$name
	[ $name != sss ] || from=our-sss # of theirs a server is dead, which keeps both from it
	cp --sparse=always "$tmp/$from" "$tmp/ours-again"
	cp --sparse=always "$tmp/our-$name" "$tmp/theirs-again"
	close_all
	ok "$name that we regenerated opens to Debian's" eval \
		'ours clevis luks regen -q -d "$tmp/ours-again" -s 1; opens theirs "$tmp/ours-again"'
	ok "$name that Debian's regenerated opens to us" eval \
		'theirs clevis luks regen -q -d "$tmp/theirs-again" -s 1; opens ours "$tmp/theirs-again"'
	ok "and is regenerated by us again" eval 'ours clevis luks regen -q -d "$tmp/theirs-again" -s 1; opens ours "$tmp/theirs-again"'
done
ok "a secret that was regenerated is another one" eval 'ours clevis luks pass -d "$tmp/our-tang" -s 1 >"$tmp/secret"
	not cryptsetup open --test-passphrase --disable-external-tokens --key-file "$tmp/secret" "$tmp/theirs-again"'

ok "there are enough cases" [ ${#cases[@]} -ge 90 ]
sides_done
done_testing
