#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# clevis luks regen of a LUKS1 volume, ended by SIGKILL before and in the middle of every write: the volume opens by
# the old binding or by the new one, and the same command ends as if it had never been stopped.
. "$(dirname "$0")/../lib.sh"
. "$src/tests/points.sh"

for program in luksmeta clevis; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done
uuid=cb6e8904-81ff-40da-a84a-07ab9ab5715e # Clevis's

ours() { # CMD…
	PATH=$build/enroll/clevis/bin:$PATH "$@"
}

# Keyslots, and who keeps something for each.
state_of() { # IMAGE
	cryptsetup luksDump "$1" | grep '^Key Slot'
	luksmeta show -d "$1"
}

opens() { # IMAGE FILE [OPTION…]
	cryptsetup open --test-passphrase --key-file "$2" "${@:3}" "$1"
}

opens_by_binding() { # IMAGE SLOT
	luksmeta load -d "$1" -s "$2" -u $uuid | ours clevis decrypt >"$tmp/passed"
	opens "$1" "$tmp/passed" --key-slot "$2"
}

start_tangd live
tang="{\"url\":\"$tang_url\",\"thp\":\"$tang_thumbprint\"}"
image=$tmp/bound
truncate -s 4M "$image"
cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 --key-file "$passphrase" "$image"
ours clevis luks bind -f -k "$passphrase" -d "$image" tang "$tang" 2>/dev/null

build_stop
stopping() { # IMAGE COMMAND…
	STOP_FILES=$1 STOP_LOG=$1.calls LD_PRELOAD=$preload ours clevis luks "${@:2}" -d "$1"
}

stop_regen() { # N HOW
	local rc=0 slot found=false
	local tmp=$tmp/$1-$2
	mkdir "$tmp"
	cp "$tmp/../bound" "$tmp/stopped"
	STOP_AT=$1 STOP_HOW=$2 stopping "$tmp/stopped" regen -q -s 1 >/dev/null 2>&1 || rc=$?
	assert_equal $rc 137
	opens "$tmp/stopped" "$passphrase"
	ours clevis luks pass -d "$tmp/stopped" -s 1 >"$tmp/passed" && opens "$tmp/stopped" "$tmp/passed" || {
		# Its keyslot is half gone; what comes for it is whole, beside it.
		for slot in 2 3 4; do
			ours clevis luks pass -d "$tmp/stopped" -s $slot >"$tmp/passed" 2>/dev/null || continue
			! opens "$tmp/stopped" "$tmp/passed" || found=true
		done
		$found
	}
	ours clevis luks regen -q -s 1 -d "$tmp/stopped"
	opens_by_binding "$tmp/stopped" 1
	opens "$tmp/stopped" "$passphrase"
	diff <(state_of "$tmp/stopped") <(state_of "$tmp/../bound")
}

cp "$tmp/bound" "$tmp/whole"
stopping "$tmp/whole" regen -q -s 1
hows_of() { # N CALL
	case $2 in *write*) echo before half ;; *) echo before ;; esac
}
points "$tmp/whole.calls" "a regeneration" stop_regen

# Of many that are alike, as those that overwrite a keyslot's area, every few are taken.
step=$((${#jobs[@]} / 60 + 1))
echo "# every ${step}th of them is taken"
try_points $step
done_testing
