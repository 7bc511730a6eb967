#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every verb that writes, ended by SIGKILL at every system call that changes the volume or crypttab: before
# the call, in the middle of a write, and with a write lost that was not yet synced. The volume must then open
# with all that opened it before or, where a binding was to be replaced, with the old or the new one; and the
# same command must end as if it had never been stopped.
#
# Sanitized programs are slow: with them every ninth point is taken.
. "$(dirname "$0")/../lib.sh"
. "$src/tests/points.sh"

build_stop

# Where the build looks for units; libsystemd's own stay out of sight.
units_dir=$(meson introspect "$build" --buildoptions |
	jq -r '.[] | select(.name == "systemd-units-dir") | .value')
[ -n "$units_dir" ] || units_dir=$(pkg-config --variable=systemdsystemunitdir systemd 2>/dev/null ||
	echo /usr/lib/systemd/system)
mkdir "$tmp/units"
cp "$src/units/cotter-key@.socket" "$tmp/units"

# A scene is a folder: an image, maybe its detached header, maybe an /etc whose crypttab has SCENE for the folder.
copy_scene() { # SCENE TO
	cp -r "$1" "$2"
	[ ! -e "$2/etc" ] || sed -i "s|SCENE|$2|" "$2/etc/crypttab"
}

header_of() { # SCENE
	if [ -e "$1/header" ]; then echo "$1/header"; else echo "$1/image"; fi
}

# Runs the tool on SCENE, with the environment that is set before it.
enroll() { # SCENE [OPTION…]
	local scene=$1 wants=$1/etc/systemd/system/sysinit.target.wants place=()
	shift
	[ ! -e "$scene/header" ] || set -- --header="$scene/header" "$@"
	[ ! -e "$scene/etc" ] || place=(unshare -m sh -c 'mount --bind "$1" /etc && mount --bind "$2" "$3" ||
		exit 125; shift 3; exec "$@"' enroll "$scene/etc" "$tmp/units" "$units_dir")
	STOP_FILES="$scene/image:$scene/header:$scene/etc:$scene/etc/systemd/system:$wants" \
		"${place[@]}" env LD_PRELOAD="${STOP_PRELOAD:-}" "$cotter_enroll" "$@" "$scene/image"
}

# The same, with each change counted.
stopping() { # SCENE [OPTION…]
	STOP_LOG=$1/calls STOP_PRELOAD=$preload enroll "$@"
}

# What the header holds now, each thing a line of its own behind its name: jq starts slowly. What follows is about what
# was seen then.
look() { # SCENE
	cryptsetup luksDump --disable-external-tokens --dump-json-metadata "$(header_of "$1")" |
		jq -r 'def ours: .type | startswith("cotter-");
			(.tokens | to_entries[] | select(.value | ours and .keyslots != []) |
				"binding \(.value | tojson)", "id \(.key) \(.value | tojson)"),
			(.tokens[] | select((ours or .type == "clevis") | not) | "other \(tojson)"),
			(.tokens[] | select(ours or .type == "clevis") | "jwe \([.keyslots, .jwe] | tojson)"),
			(.tokens[] | select(.type == "clevis") | "clevis"),
			"shape \([(.keyslots | length), [.tokens[] | [.type, (.keyslots | length), .cotter.label // "",
				.cotter.unfinished // ""]]] | tojson)",
			"loose \((.keyslots | keys) - ["0", "1"] - [.tokens[] | .keyslots[],
				(.cotter.unfinished.keyslot // empty | tostring)] | tojson)",
			"whole \([.tokens[].keyslots | length] | all(. == 1))"' >"$1/seen"
}

seen() { # SCENE NAME
	sed -n "s/^$2 //p" "$1/seen"
}

# Tokens of cotter's that have a keyslot, and those of others, one a line.
bindings() { # SCENE
	seen "$1" binding
}

others() { # SCENE
	seen "$1" other | sort -u
}

# What an import leaves as it is of each binding, and those of Clevis's.
jwes() { # SCENE
	seen "$1" jwe | sort
}

has_clevis() { # SCENE
	grep -x clevis "$1/seen" >/dev/null
}

# In the order in which they are tried.
shape() { # SCENE
	seen "$1" shape
	[ ! -e "$1/etc" ] || (cd "$1/etc" && find . | sort && sed "s|$1|SCENE|" crypttab)
}

opens_by_key_files() { # SCENE
	local scene=$1 key
	for key in "$passphrase" "$tmp/binary.key"; do
		cryptsetup open --test-passphrase --disable-external-tokens --key-file "$key" \
			--header "$(header_of "$scene")" "$scene/image"
	done
}

# A binding, by whatever id it has now.
opens_by() { # SCENE TOKEN-JSON
	local id token
	while read -r id token; do
		[ "$token" = "$2" ] || continue
		! opens_by_token "$1/image" --header "$(header_of "$1")" --token-id "$id" </dev/null || return 0
	done < <(seen "$1" id)
	echo "opens nothing: $2"
	return 1
}

opens_by_one_of() { # SCENE FILE
	local token
	while read -r token; do
		! opens_by "$1" "$token" || return 0
	done <"$2"
	return 1
}

opens_by_each_of() { # SCENE FILE
	local token
	while read -r token; do
		opens_by "$1" "$token"
	done <"$2"
}

# No keyslot but those of the key files is without a token that has it or notes that it is to go; each token is
# whole or has no keyslot, and goes with --wipe-slot=orphaned then.
nothing_is_loose() { # SCENE
	assert_equal "$(seen "$1" loose)" '[]'
	enroll "$1" --list --json=short | jq -r '.tokens[].state' >"$1/states"
	not grep -vxE 'ok|orphaned|foreign' "$1/states"
	grep -x orphaned "$1/states" || return 0
	copy_scene "$1" "$1-wiped"
	enroll "$1-wiped" --wipe-slot=orphaned
	look "$1-wiped"
	assert_equal "$(seen "$1-wiped" whole)" true
	rm -r "$1-wiped"
}

# Both copies of the header are valid and the same.
is_sound() { # SCENE
	local header
	header=$(header_of "$1")
	[ -z "$(cryptsetup luksDump "$header" 2>&1 >/dev/null)" ]
	cmp -n 12288 -i 4096:20480 "$header" "$header"
}

# --- what is stopped ---

# From call FIRST on, where those before are another verb's as well.
names=() scenes=() firsts=() commands=()
verb() { # NAME SCENE FIRST [OPTION…]
	names+=("$1") scenes+=("$2") firsts+=("$3")
	commands+=("$(printf '%q ' "${@:4}")")
}

# One that is not stopped, which tells what is to be seen: the calls, the bindings that are kept, those that
# are gone, and those that come for them.
rehearse() { # VERB
	local scene=$tmp/whole-$1
	copy_scene "$tmp/${scenes[$1]}" "$scene"
	look "$scene"
	bindings "$scene" | sort >"$tmp/before-$1"
	others "$scene" >"$tmp/others-$1"
	! has_clevis "$scene" || jwes "$scene" >"$tmp/jwes-$1"
	eval "stopping $scene --quiet ${commands[$1]}"
	look "$scene"
	bindings "$scene" | sort >"$tmp/after-$1"
	comm -12 "$tmp/before-$1" "$tmp/after-$1" >"$tmp/kept-$1"
	comm -23 "$tmp/before-$1" "$tmp/after-$1" >"$tmp/gone-$1"
	comm -13 "$tmp/before-$1" "$tmp/after-$1" >"$tmp/new-$1"
	shape "$scene" >"$tmp/shape-$1"
	opens_by_each_of "$scene" "$tmp/after-$1"
}

stop_at() { # VERB N HOW
	local verb=$1 scene=$tmp/scene-$1-$2-$3 rc=0
	copy_scene "$tmp/${scenes[verb]}" "$scene"
	eval "STOP_AT=$2 STOP_HOW=$3 stopping $scene ${commands[verb]}" || rc=$?
	assert_equal $rc 137

	look "$scene"
	opens_by_key_files "$scene"
	opens_by_each_of "$scene" "$tmp/kept-$verb"
	if [ -s "$tmp/gone-$verb" ] && [ -s "$tmp/new-$verb" ]; then
		bindings "$scene" | grep -vxFf "$tmp/kept-$verb" >"$scene/any"
		opens_by_one_of "$scene" "$scene/any"
	fi
	assert_equal "$(others "$scene")" "$(cat "$tmp/others-$verb")"
	[ ! -e "$tmp/jwes-$verb" ] || assert_equal "$(jwes "$scene")" "$(cat "$tmp/jwes-$verb")"
	nothing_is_loose "$scene"

	eval "enroll $scene ${commands[verb]}"
	look "$scene"
	assert_equal "$(shape "$scene")" "$(cat "$tmp/shape-$verb")"
	opens_by_key_files "$scene"
	bindings "$scene" >"$scene/after"
	opens_by_each_of "$scene" "$scene/after"
	assert_equal "$(others "$scene")" "$(cat "$tmp/others-$verb")"
	is_sound "$scene"
	rm -r "$scene"
}

# --- the scenes ---

tang() { # NAME: its options as an array of this name
	start_tangd "$1"
	eval "$1=(--tang=$tang_url --tang-thumbprint=$tang_thumbprint)"
	eval "$1_part='tang($tang_url, thp=$tang_thumbprint)'"
}
tang first
tang second
key=(--unlock-key-file="$passphrase")

import() { # SCENE TOKEN-ID JSON
	cryptsetup token import --disable-external-tokens --token-id "$2" "$(header_of "$1")" <<<"$3"
}

# Two key files and a token of another program.
furnish() { # SCENE TYPE
	cryptsetup luksAddKey --batch-mode --key-file "$passphrase" --pbkdf pbkdf2 \
		--pbkdf-force-iterations 1000 "$(header_of "$1")" "$tmp/binary.key"
	import "$1" 0 "{\"type\":\"$2\",\"keyslots\":[\"1\"],\"tpm2-blob\":\"AAAA\"}"
}

printf 'one\0two\nthree\n\n' >"$tmp/binary.key"
make_small_image made
mkdir "$tmp"/{plain,detached,behind}
cp "$image" "$tmp/plain/image"
cp "$image" "$tmp/behind/image"
furnish "$tmp/plain" another
furnish "$tmp/behind" systemd-tpm2
truncate -s 1M "$tmp/detached/image"
cp "$tmp/plain/image" "$tmp/detached/header"
cp -r "$tmp/plain" "$tmp/bound"
enroll "$tmp/bound" --quiet "${key[@]}" "${first[@]}" --label=one
enroll "$tmp/behind" --quiet "${key[@]}" "${first[@]}" 2>/dev/null # with a warning
cp -r "$tmp/bound" "$tmp/two"
enroll "$tmp/two" --quiet "${key[@]}" "${second[@]}" --label=two
cp -r "$tmp/bound" "$tmp/full"
"$src/tests/edit-header.py" "$tmp/full/image" '.tokens += ([range(2; 32)] |
	map({key: tostring, value: {type: "another", keyslots: []}}) | from_entries)'
cp -r "$tmp/bound" "$tmp/table"
mkdir -p "$tmp/table/etc/systemd/system"
echo "data SCENE/image - tpm2-measure-pcr=yes" >"$tmp/table/etc/crypttab"

# As Clevis would have it.
cp -r "$tmp/two" "$tmp/clevis"
for id in 1 2; do
	token_json "$tmp/clevis/image" $id | jq -c '.type = "clevis" | del(.cotter)' >"$tmp/token.json"
	cryptsetup token import --disable-external-tokens --token-replace --token-id $id \
		--json-file "$tmp/token.json" "$tmp/clevis/image"
done

verb "a binding" bound 1 "${key[@]}" "${second[@]}" --label=new
verb "a binding to a policy" bound 1 "${key[@]}" --policy="2 of ($first_part, $second_part)"
verb "a binding in a detached header" detached 1 "${key[@]}" "${first[@]}"
verb "a replacement" bound 20 "${key[@]}" "${second[@]}" --wipe-slot=tang
verb "a replacement by keyslot" bound 20 "${key[@]}" "${second[@]}" --wipe-slot=2
verb "a replacement by token" bound 1 "${key[@]}" "${second[@]}" --replace=1
verb "a renewal" bound 1 --renew=1 --force
verb "a renewal without a free token id" full 1 --renew=1 --force
verb "a removal of two" two 11 --wipe-slot=tang
verb "a removal by keyslot" two 1 --wipe-slot=2
verb "a move" behind 1 --reorder
verb "an import" clevis 1 --import
verb "a binding's line in crypttab" table 1 --crypttab=data
verb "a binding with its line in crypttab" table 20 "${key[@]}" "${second[@]}" --crypttab=data

# --- all of it, in the background ---

# From the verb's first point that is not another's, too.
hows_of() { # N CALL stop_at VERB
	[ "$1" -lt "${firsts[$4]}" ] || case $2 in *write*) echo before half lost ;; *) echo before ;; esac
}

for i in "${!names[@]}"; do
	rehearse "$i"
	points "$tmp/whole-$i/calls" "${names[$i]}" stop_at "$i"
done
echo "# ${#jobs[@]} points in all"
ok "there are hundreds of points" [ ${#jobs[@]} -ge 600 ]

step=1
[ "$sanitized" = 0 ] || step=9
try_points $step

done_testing
