#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-enroll --reencrypt-first killed at each write and each fsync to the volume: before it, in the
# middle of it, and with what was written lost. Each time the volume opens by all that opened it, and
# the same command goes on to the end: a new volume key, the same data, the same ways in.
#
# Sanitized programs are slow: with them every eighth point is taken.
. "$(dirname "$0")/../lib.sh"
. "$src/tests/points.sh"
. "$src/tests/volume-key.sh"

build_stop
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0

start_tangd
second=$tmp/second
printf 'battery staple' >"$second"
binding=(--unlock-key-file="$passphrase" --tang="$tang_url" --tang-thumbprint="$tang_thumbprint")
first=("${binding[@]}" --reencrypt-first --keep-key-file="$second" --quiet)

# Four keyslots and room for a copy of a chunk, of which four make 2 MiB.
make_image orig --luks2-keyslots-size=$((4 * 258048 + 524288)) --sector-size 4096 2>/dev/null
truncate -s 4M "$image"
dd if=/dev/urandom of="$image" bs=1M seek=2 count=2 conv=notrunc status=none
add_key "$image" "$second"
orig=$image

volume_key "$orig"
plain=$(data_sum "$orig")

opens_by_both() { # IMAGE
	cp "$1" "$1.opened" # which is not to mend it
	opens_by_passphrase "$1.opened"
	opens_by "$second" "$1.opened"
	rm "$1.opened"
}

# Whether it is done, and nothing is left of it.
is_done() { # IMAGE
	opens_by_both "$1"
	volume_key "$1"
	! cmp "$1.key" "$orig.key"
	assert_equal "$(data_sum "$1")" "$plain"
	cryptsetup luksDump --dump-json-metadata "$1" | jq -e '
		(.keyslots | length == 3) and (.segments | length == 1) and (.digests | length == 1) and
		([.tokens[].type] == ["cotter-tang"]) and .config.requirements == null'
	"$cotter_enroll" --quiet --test "$1"
}

# libcryptsetup keeps from re-encrypting what is being re-encrypted by the UUID.
copy_orig() { # IMAGE
	cp "$orig" "$1"
	cryptsetup luksUUID --batch-mode --uuid "$(cat /proc/sys/kernel/random/uuid)" "$1"
}

stopped() { # HOW AT IMAGE
	copy_orig "$3"
	rc=0
	STOP_FILES=$3 STOP_HOW=$1 STOP_AT=$2 LD_PRELOAD=$preload \
		"$cotter_enroll" "${first[@]}" "$3" || rc=$?
	case $rc in 137 | 1) ;; *) echo "it ended with status $rc"; return 1 ;; esac
	opens_by_both "$3"
	"$cotter_enroll" "${first[@]}" "$3"
	is_done "$3"
	rm -f "$3" "$3.key"
}

# The second time, the recovery or the end is stopped as well.
stopped_again() { # AT SECOND-AT IMAGE
	copy_orig "$3"
	STOP_FILES=$3 STOP_HOW=half STOP_AT=$1 LD_PRELOAD=$preload \
		"$cotter_enroll" "${first[@]}" "$3" || true
	STOP_FILES=$3 STOP_HOW=half STOP_AT=$2 LD_PRELOAD=$preload \
		"$cotter_enroll" "${first[@]}" "$3" || true
	opens_by_both "$3"
	# Once the note is gone it is over: the second stop came in the binding, if at all.
	if metadata "$3" | jq -e '[.tokens[].type] | any(. == "cotter_reencryption")'; then
		"$cotter_enroll" "${first[@]}" "$3"
		is_done "$3"
	else
		volume_key "$3"
		! cmp "$3.key" "$orig.key"
		assert_equal "$(data_sum "$3")" "$plain"
	fi
	rm -f "$3" "$3.key"
}

cp "$orig" "$tmp/counted"
STOP_FILES=$tmp/counted STOP_LOG=$tmp/log LD_PRELOAD=$preload \
	run "$cotter_enroll" "${first[@]}" "$tmp/counted"
ok "re-encrypts and binds" assert_rc 0
ok "has a new key, the same data and the same ways in" is_done "$tmp/counted"
# The end is the commit of two copies of 16 KiB, the old key material, and a sync; then the note of it
# all is removed, which is 8. The binding comes behind that: it is kill.sh's.
end=$(awk '$2 == "pwrite" && $3 == 16384 {print $1; exit}' "$tmp/log")
points=$(awk '$2 == "pwrite" {last = $1} END {print last + 1 + 8}' "$tmp/log")
ok "there are more than a hundred writes and syncs" [ "$points" -ge 120 -a "$end" -ge 100 ]

step=1
[ "$sanitized" = 0 ] || step=8
for ((n = 1; n <= points; n += step)); do
	jobs+=("stopped before $n $tmp/before-$n")
	if sed -n "${n}p" "$tmp/log" | grep -q write; then
		jobs+=("stopped half $n $tmp/half-$n" "stopped lost $n $tmp/lost-$n")
	fi
done
# In the middle of the last chunk, and around the end.
for at in $((end - 14)) $((end - 1)) $((end + 2)); do
	for ((n = 1; n <= 32; n += step)); do
		jobs+=("stopped_again $at $n $tmp/again-$at-$n")
	done
done

run_lanes 1

all_went_well() { # FUNCTION-AND-HOW
	local i failed=0
	for i in "${!jobs[@]}"; do
		case ${jobs[i]} in "$1 "*) ;; *) continue ;; esac
		[ "$(cat "$tmp/status-$i")" != 0 ] || continue
		failed=$((failed + 1))
		echo "${jobs[i]}:"
		tail -n 12 "$tmp/log-$i"
	done
	[ $failed = 0 ] || { echo "$failed failed"; return 1; }
}
echo "# ${#jobs[@]} stops at $points writes and syncs, the end beginning at $end"
for how in before half lost; do
	ok "the volume opens and goes on where it was stopped ($how)" all_went_well "stopped $how"
done
ok "the same where it is stopped twice" all_went_well stopped_again

# Why the end is not left to libcryptsetup: where all is written, this one begins anew.
copy_orig "$tmp/written"
STOP_FILES=$tmp/written STOP_HOW=before STOP_AT=$end LD_PRELOAD=$preload \
	run "$cotter_enroll" "${first[@]}" "$tmp/written"
volume_key "$tmp/written"
ok "the data are all written before the end" assert_equal "$(data_sum "$tmp/written")" "$plain"
case $(cryptsetup --version) in
*" 2.6."*)
	cryptsetup reencrypt --batch-mode --resume-only --force-offline-reencrypt \
		--disable-external-tokens --key-file "$passphrase" "$tmp/written"
	volume_key "$tmp/written"
	ok "cryptsetup would encrypt them once more" not assert_equal "$(data_sum "$tmp/written")" "$plain"
	;;
*) skip "cryptsetup would encrypt them once more" "it is not cryptsetup 2.6" ;;
esac

done_testing
