#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who calls Clevis: Cockpit, stratisd, Ignition, the nbde_client role, osbuild, Anaconda's kickstarts, initramfs
# hooks, resource-agents, NixOS, and scripts. Each part does what one of them does, with Debian's Clevis and with
# ours on copies of the same volume, and what the caller reads must be the same; so must be what it finds in the
# header with cryptsetup, luksmeta and jose.
if [ -z "${IN_NAMESPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP only root can mount"; exit 0; }
	IN_NAMESPACE=1 exec unshare -m "$0" "$@"
fi
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/side.sh"

# What is played below runs in a shell of its own with the side's Clevis first on PATH: $dev is its copy of the
# volume, and standard output is what is compared.
play() { # SIDE N FUNCTION
	local path=$their_path folder=$tmp/play/$2.$1
	[ "$1" = theirs ] || path=$our_path
	mkdir -p "$folder"
	cp --sparse=always "$volume" "$folder/device"
	(set +eu +o pipefail; cd "$folder" && PATH=$path && TMPDIR=$folder && dev=$folder/device &&
		export PATH TMPDIR dev && "$3") <"$input" 2>"$folder.err" | sed "s|$folder|PLAY|g" >"$folder.out" || true
}

# Both sides play FUNCTION on a copy of the volume; ours must have the same to show, and what is shown must have
# LAST as its last line, so that two failures do not count.
plays=()
callers() { # NAME FUNCTION LAST
	plays+=("same|$format|$1|$3")
	begin theirs "$2"
	begin ours "$2"
}

# Ours alone plays, where Debian's 19 has not what is called (22), or where we differ (ours).
alone() { # NAME WHY FUNCTION LAST
	plays+=("$2|$format|$1|$4")
	begin ours "$3"
}

# As many at once as there are processors: what takes the time is one process of Clevis's after the other.
begin() { # SIDE FUNCTION
	while [ "$(jobs -pr | wc -l)" -gt "$(nproc)" ]; do
		sleep 0.02
	done
	play "$1" ${#plays[@]} "$2" &
	players+=($!)
}

players=()
compare() {
	local n=0 why of name last player
	for player in "${players[@]}"; do
		wait "$player" 2>/dev/null || true # bash forgets some that ended long ago
	done
	for play in "${plays[@]}"; do
		n=$((n + 1))
		IFS='|' read -r why of name last <<<"$play"
		cases+=("$(printf '%-6s %-6s %s' "$why" "$of" "$name")")
		ok "$of: $name" plays_agree $n "$why" "$last"
	done
}

plays_agree() { # N WHY LAST
	local at=$tmp/play/$1
	{ [ "$2" != same ] || diff -u "$at.theirs.out" "$at.ours.out"; } &&
		assert_equal "$(tail -n 1 "$at.ours.out")" "$3" ||
		{ cat "$at.ours.out"; tail -v -n +1 "$at".*.err; return 1; }
}

# --- what callers use beside Clevis ---

status() {
	echo "status $?"
}

opens() { # KEY-FILE [OPTION…]
	cryptsetup open --test-passphrase --disable-external-tokens --key-file "$1" "${@:2}" "$dev" 2>/dev/null
	echo "opens $?"
}

# The token's or luksmeta's JWE of a slot, as those who do not ask Clevis read it.
jwe_of() { # SLOT
	if [ "$format" = luks2 ]; then
		cryptsetup token export --token-id 0 "$dev" | jose fmt -j- -Og jwe -o- | jose jwe fmt -i- -c
	else
		luksmeta load -d "$dev" -s "$1" -u cb6e8904-81ff-40da-a84a-07ab9ab5715e
	fi
}

# Which slots have a binding, as Cockpit and nbde_client find it in dumps.
bound() {
	if [ "$format" = luks2 ]; then
		cryptsetup luksDump "$dev" | grep -E '^  [0-9]+: clevis$' || echo "no token"
		cryptsetup luksDump "$dev" | grep -E '^[[:space:]]+Keyslot:' | tr -d '[:space:]'
		echo
	else
		luksmeta show -d "$dev" | grep cb6e8904 || echo "no metadata"
	fi
}

keyslots() {
	cryptsetup luksDump "$dev" | sed -n 's/^Key Slot \([0-7]\): ENABLED$/\1/p; s/^  \([0-9]*\): luks2$/\1/p' | tr '\n' ' '
	echo
}

# --- Cockpit ---

cockpit_bind() {
	printf '%s' "$words" | clevis luks bind -f -k - -d "$dev" "$@"
}

cockpit() {
	cockpit_bind tang "{\"url\":\"$tang_url\",\"adv\":$adv}"
	status
	bound
	jwe_of 1 | head -c 3
	echo
	jwe_of 1 | tr -d '\n' >jwe
	clevis decrypt <jwe >secret
	status
	opens secret
	keyslots
}

cockpit_unbind() {
	cockpit_bind tang "{\"url\":\"$tang_url\",\"adv\":$adv}"
	"$src/tests/terminal.py" -- clevis luks unbind -d "$dev" -s 1 -f
	status
	bound
	keyslots
}

cockpit_wrong_passphrase() {
	printf 'wrong' | clevis luks bind -f -k - -d "$dev" tang "{\"url\":\"$tang_url\",\"adv\":$adv}"
	status
	cmp "$volume" "$dev" >&2
	keyslots
}

# --- stratisd ---

stratis() {
	printf '%s\n' "$words" | clevis luks bind -d "$dev" tang "{\"url\":\"$tang_url\",\"thp\":\"$tang_thumbprint\"}"
	status
	keyslots
	clevis luks regen -d "$dev" -s 1 -q
	status
	jwe_of 1 | tr -d '\n' | clevis decrypt >secret
	opens secret --key-slot 1
	clevis luks unbind -d "$dev" -s 1 -f
	status
	bound
	keyslots
}

stratis_trusting() {
	printf '%s\n' "$words" | clevis luks bind -y -d "$dev" tang "{\"url\":\"$tang_url\"}"
	status
	bound
	clevis luks list -d "$dev" | sed "s|$tang_url|URL|"
}

stratis_token() {
	printf '%s\n' "$words" | clevis luks bind -y -d "$dev" -t 7 tang "{\"url\":\"$tang_url\"}"
	status
	bound
	keyslots
}

# What opens the volume is in the kernel's keyring, where the token says.
stratis_keyring() {
	cryptsetup token add --key-description stratis-key --token-id 3 "$dev"
	with_key stratis-key "$passphrase" clevis luks bind -y -d "$dev" -e 3 -t 5 tang "{\"url\":\"$tang_url\"}" </dev/null
	status
	bound
	keyslots
}

# --- Ignition ---

ignition_config() {
	printf '{"pins":{"tang":[{"url":"%s","thp":"%s","adv":%s},{"url":"%s","thp":"%s"}]},"t":2}' \
		"$tang_url" "$tang_thumbprint" "$adv" "$tang_url" "$tang_thumbprint"
}

ignition() {
	head -c 4096 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >keyfile
	cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file "$passphrase" "$dev" keyfile
	wc -c <keyfile
	clevis luks bind -f -k keyfile -d "$dev" sss "$(ignition_config)"
	status
	cryptsetup luksRemoveKey -q "$dev" keyfile
	status
	clevis luks unlock -d "$dev" -t 2
	status
	clevis luks pass -d "$dev" -s 2 >secret
	opens secret
	opens keyfile
	keyslots
}

# --- nbde_client ---

nbde_client() {
	pwmake 256 | tr -d '\n' >key
	clevis encrypt tang "{\"url\":\"$tang_url\",\"thp\":\"$tang_thumbprint\"}" <key >jwe
	status
	[ "$(wc -l <jwe)" = 0 ] && echo "no newline"
	clevis decrypt <jwe | cmp - key
	status
	cryptsetup open --test-passphrase --key-file "$passphrase" "$dev"
	status
	cryptsetup luksAddKey -q --key-file "$passphrase" --key-slot 3 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
		"$dev" key
	if [ "$format" = luks2 ]; then
		printf '{"type":"clevis","keyslots":["3"],"jwe":%s}' "$(jose jwe fmt -i jwe)" |
			cryptsetup token import --token-id 0 "$dev"
	else
		luksmeta init -f -d "$dev"
		luksmeta save -d "$dev" -s 3 -u cb6e8904-81ff-40da-a84a-07ab9ab5715e <jwe
	fi
	bound
	clevis luks list -d "$dev" | sed "s|$tang_url|URL|"
	clevis luks pass -d "$dev" -s 3 | cmp - key
	status
	clevis luks unlock -d "$dev" -t 3
	status
	clevis encrypt sss "{\"t\":1,\"pins\":{\"tang\":[{\"url\":\"$tang_url\",\"adv\":$adv}]}}" <key | clevis decrypt | cmp - key
	status
}

# --- osbuild ---

osbuild() {
	printf '%s' "$words" | clevis luks bind -k- -y -f -d "$dev" null '{}'
	status
	clevis luks pass -d "$dev" -s 1 >secret
	opens secret
	clevis luks unlock -d "$dev" -t 1
	status
}

# --- kickstarts ---

kickstart() {
	clevis luks bind -f -k- -d "$dev" tang "{\"url\":\"$tang_url\",\"thp\":\"$tang_thumbprint\"}" <<<"$words"
	status
	clevis luks bind -y -k "$passphrase" -d "$dev" tpm2 '{"pcr_ids":"7"}'
	status
	clevis luks list -d "$dev" | sed "s|$tang_url|URL|"
	clevis luks pass -d "$dev" -s 2 >secret
	opens secret
	clevis luks unlock -d "$dev" -t 2
	status
}

kickstart_key_file() {
	printf 'a \\ $key \377\nof two lines\n' >keyfile
	cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file "$passphrase" "$dev" keyfile
	clevis luks bind -y -k keyfile -d "$dev" tang "{\"url\":\"$tang_url\"}"
	status
	keyslots
}

# --- resource-agents ---

resource_agent() {
	clevis luks list -d "$dev" | grep '^[[:digit:]]\+:'
	echo "detected $?"
	cockpit_bind tang "{\"url\":\"$tang_url\",\"adv\":$adv}"
	clevis luks list -d "$dev" | grep -q '^[[:digit:]]\+:'
	echo "detected $?"
}

# Where nothing answers, the start of the resource must fail before the cluster fences the node.
resource_agent_in_vain() {
	local begun=$SECONDS
	printf '%s' "$words" | clevis luks bind -y -k - -d "$dev" tang "{\"url\":\"http://127.0.0.1:1\",\"adv\":$adv}"
	status
	clevis luks unlock -d "$dev" -n data 2>&1 | grep -o 'could not be opened'
	[ $((SECONDS - begun)) -lt 18 ] && echo "in time"
}

# --- NixOS ---

nixos() {
	printf 'a secret\nof two lines' >secret
	clevis encrypt tang "{\"url\":\"$tang_url\",\"adv\":$adv}" <secret >tang.jwe
	clevis encrypt tpm2 '{}' <secret >tpm2.jwe
	clevis encrypt null '{}' <secret >null.jwe
	clevis encrypt sss "{\"t\":2,\"pins\":{\"tang\":{\"url\":\"$tang_url\",\"adv\":$adv},\"tpm2\":{}}}" <secret >sss.jwe
	for name in tang tpm2 null sss; do
		clevis decrypt <$name.jwe | cmp - secret
		status
	done
}

# --- scripts ---

cli() {
	printf '%s' "$words" | clevis luks bind -y -k - -s 4 -d "$dev" tang "{\"url\":\"$tang_url\"}"
	status
	clevis luks list -d "$dev" | sed -n "s/^4: tang '\(.*\)'\$/\1/p" | jq -r '.url' | sed "s|$tang_url|URL|"
	clevis luks list -d "$dev" -s 4 | cut -d ' ' -f 1,2
	clevis luks pass -d "$dev" -s 4 >before
	clevis luks regen -q -d "$dev" -s 4
	status
	clevis luks pass -d "$dev" -s 4 >after
	cmp -s before after || echo "another secret"
	opens before
	opens after
	clevis luks report -q -d "$dev" -s 4
	status
	clevis luks edit -f -d "$dev" -s 4 -c "{\"url\":\"$tang_url\"}"
	status
	clevis luks unlock -d "$dev" -t 4
	status
	clevis luks unlock -d "$dev" -t 5
	status
	clevis luks unbind -f -d "$dev" -s 4
	status
	keyslots
}

# --- initramfs hooks ---

functions() {
	. clevis-luks-common-functions
	clevis_luks_type "$dev"
	clevis_luks_used_slots "$dev"
	clevis_luks_first_free_slot "$dev"
	[ $format != luks1 ] || luksmeta init -f -d "$dev"
	clevis_luks_do_bind "$dev" "" "" tang "{\"url\":\"$tang_url\"}" -y "" "$words" "" "" >&2
	echo "bound $?"
	bound
	clevis_luks_used_slots "$dev"
	clevis_luks_read_slot "$dev" 1 | tr -d '\n' >jwe
	clevis_luks_read_slot "$dev" 0 || echo "no slot of Clevis's"
	clevis_luks_read_slot "$dev" 99 || echo "no slot"
	clevis decrypt <jwe >secret
	clevis_luks_unlock_device_by_slot "$dev" 1 | cmp - secret
	clevis_luks_unlock_device "$dev" | cmp - secret
	opens secret
	clevis_luks_decode_jwe "$(cat jwe)" | jq -r .clevis.pin
	clevis_luks_read_pins_from_slot "$dev" 1 | sed "s|$tang_url|URL|"
	clevis_luks_token_id_by_slot "$dev" 1
	echo
	clevis_luks_check_valid_key_or_keyfile "$dev" "$words"
	clevis_luks_check_valid_key_or_keyfile "$dev" "" "$passphrase" 0
	clevis_luks_check_valid_key_or_keyfile "$dev" "" "$passphrase" 1 || echo "not of this slot"
	clevis_luks_check_valid_key_or_keyfile "$dev" wrong || echo "wrong"
	clevis_luks_check_valid_key_or_keyfile "$dev" || echo "no key"
	valid_slot 31 32 && echo "valid"
	valid_slot 32 32 || valid_slot x 32 || valid_slot "" 32 || echo "not valid"
	clevis_map_device UUID=0-0 || echo "no device"
	clevis_is_luks_device_by_uuid_open "$(cryptsetup luksUUID "$dev")" || echo "closed"
	echo "$CLEVIS_UUID"
}

# Fedora CoreOS and NixOS.
functions_pipe() {
	cockpit_bind tang "{\"url\":\"$tang_url\",\"adv\":$adv}"
	bash -e -c '. clevis-luks-common-functions; clevis_luks_unlock_device "$1"' bash "$dev" >secret
	status
	opens secret
	bash -e -c '. clevis-luks-common-functions; clevis_luks_unlock_device /dev/null' >nothing
	status
	wc -c <nothing
}

functions_crypttab() {
	. clevis-luks-common-functions
	exec 8>"$tmp/crypttab.lock"
	flock 8
	rm -f /etc/crypttab
	clevis_devices_to_unlock || echo "no crypttab"
	printf '# comment\n\none UUID=11-11 none\n  two /dev/nowhere none luks\nthree\t/dev/mapper/absent none\n' >/etc/crypttab
	clevis_devices_to_unlock
	clevis_devices_to_unlock open
}

# The shells of initramfs images, with a volume whose name has to be quoted.
functions_dash() {
	functions_in dash
}

functions_busybox() {
	functions_in busybox sh
}

functions_in() { # SHELL…
	mv "$dev" "a volume" && dev="a volume"
	"$@" -euc '. clevis-luks-common-functions
		clevis_luks_do_bind "$1" 3 "" null "{}" "" "" "$2"
		clevis_luks_used_slots "$1"
		clevis_luks_unlock_device "$1" >secret
		clevis_luks_first_free_slot "$1"
		clevis_luks_used_pins "$1"
		clevis_luks_read_slot "$1" 3 | cut -c 1-3
		clevis_luks_token_id_by_slot "$1" 3
		echo
		clevis_luks_generate_key | wc -c
		printf "wrong\n" | clevis_luks_get_existing_key "$1" "Key: " || echo "wrong key"
		printf "%s\n" "$2" | clevis_luks_get_existing_key "$1" "Key: "
		echo
		clevis_luks_get_existing_key "$1" "Key: " recover | cmp - secret
		clevis_luks_do_bind "$1" 3 "" null "{}" "" overwrite "$2" || echo "no overwriting"
		clevis_luks_read_slot "$1" 0 2>/dev/null || echo "no binding"
		clevis_devices_to_unlock >/dev/null || :
		' sh "$dev" "$words"
	opens secret
}

list_pins() {
	printf '%s' "$words" | clevis luks bind -y -k - -d "$dev" sss \
		"{\"t\":1,\"pins\":{\"tang\":[{\"url\":\"$tang_url\"}],\"null\":{}}}"
	status
	clevis luks list -d "$dev" -p
}

# --- the scene ---

words='correct horse'
own_etc
start_tangd
start_tpm tpm
adv=$(curl -sSf "$tang_url/adv")
make_small_image plain2
plain2=$image
plain1=$tmp/plain1
truncate -s 4M "$plain1"
cryptsetup luksFormat --batch-mode --type luks1 --pbkdf-force-iterations 1000 --key-file "$passphrase" "$plain1"
export passphrase words adv tang_url tang_thumbprint

# Other keyrings than this one's are no business of a test.
with_key() { # DESCRIPTION KEY-FILE CMD…
	/usr/bin/python3 -c 'import ctypes, os, sys
add_key, keyctl = {"x86_64": (248, 250)}.get(os.uname().machine, (217, 219))
libc, key = ctypes.CDLL(None), open(sys.argv[2], "rb").read()
libc.syscall(keyctl, 1, None)
libc.syscall(add_key, b"user", sys.argv[1].encode(), key, len(key), ctypes.c_int(-3))
os.execvp(sys.argv[3], sys.argv[3:])' "$@"
}

play_all() {
	callers "Cockpit binds with an advertisement given, reads the dump, decrypts" cockpit "0 1 "
	callers "Cockpit unbinds at a terminal" cockpit_unbind "0 "
	callers "Cockpit's wrong passphrase changes nothing" cockpit_wrong_passphrase "0 "
	callers "stratisd trusts a URL" stratis_trusting "1: tang '{\"url\":\"URL\"}'"
	callers "Ignition binds a policy by a long key file and takes that away" ignition "0 2 "
	callers "nbde_client makes its own metadata" nbde_client "status 0"
	callers "osbuild binds null without a server" osbuild "status 0"
	callers "a kickstart binds Tang and the TPM" kickstart "status 0"
	callers "a kickstart has a key file of two lines" kickstart_key_file "0 1 2 "
	callers "a resource agent detects bindings" resource_agent "detected 0"
	alone "a resource agent learns in time that nothing answers" ours resource_agent_in_vain "in time"
	callers "scripts use every option" cli "0 "
	callers "initramfs hooks call the functions" functions cb6e8904-81ff-40da-a84a-07ab9ab5715e
	alone "dash calls them" ours functions_dash "opens 0"
	alone "busybox calls them" ours functions_busybox "opens 0"
	callers "others pipe what a function recovers" functions_pipe "0"
	alone "pins are listed alone" 22 list_pins "1: null sss tang"
}

format=luks2 volume=$plain2
play_all
# Which knows LUKS2 alone.
callers "stratisd binds, regenerates, unbinds" stratis "0 "
callers "stratisd chooses the token" stratis_token "0 1 "
callers "stratisd has its key in the kernel's keyring" stratis_keyring "0 1 "
callers "NixOS decrypts files" nixos "status 0"
callers "hooks ask for the devices in crypttab" functions_crypttab "UUID=11-11 /dev/nowhere /dev/mapper/absent"

# LUKS1 takes luksmeta, which a build may lack.
cp "$plain1" "$tmp/has-luksmeta"
run ours clevis luks bind -f -k "$passphrase" -d "$tmp/has-luksmeta" null '{}'
format=luks1 volume=$plain1
if [ "$rc" = 0 ]; then
	play_all
else
	skip "LUKS1" "this build has no luksmeta"
fi
compare

# --- what is installed ---

# stratisd starts only where these are (but for null and edit); jose, jq, curl and tpm2-tools are others'.
names=(clevis clevis-decrypt clevis-luks-{bind,common-functions,edit,list,pass,regen,report,unbind,unlock}
	clevis-{de,en}crypt-{null,sss,tang,tpm2})

# What is installed with the tag clevis alone; what was built is taken from here, so that nothing is built again.
install_drop_in() { # OPTION
	local farm=$tmp/farm.$1 file
	meson setup "$farm" "$src" --prefix=/usr "-Dclevis=$1" -Dtests=false >"$tmp/setup.log" || { cat "$tmp/setup.log"; return 1; }
	for file in enroll/clevis/cotter-clevis token/libcryptsetup-token-clevis.so units/cotter-udisks; do
		mkdir -p "$farm/${file%/*}"
		cp "$build/$file" "$farm/$file"
	done
	DESTDIR=$farm/root meson install -C "$farm" --no-rebuild --tags clevis >"$tmp/install.log" || { cat "$tmp/install.log"; return 1; }
}

all_names_are_there() {
	local name
	for name in "${names[@]}"; do
		[ -x "$tmp/farm.enabled/root/usr/bin/$name" ] || [ "$(readlink "$tmp/farm.enabled/root/usr/bin/$name")" = \
			/usr/libexec/cotter-clevis ] || { echo "no $name"; return 1; }
		PATH=$our_path
		[ "$(command -v "$name")" = "$ours/$name" ] || { echo "$name is not ours here"; return 1; }
	done
	[ -x "$tmp/farm.enabled/root/usr/libexec/cotter-clevis" ]
}

# One page, which every command's name leads to.
all_pages_are_there() {
	local name pages=$tmp/farm.enabled/root/usr/share/man/man1
	for name in "${names[@]}"; do
		[ "$name" = clevis-luks-common-functions ] || [ -s "$pages/$name.1" ] || { echo "no $name.1"; return 1; }
	done
	groff -man -ww -z -Tutf8 "$pages/clevis.1" >"$tmp/warnings" 2>&1
	assert_equal "$(cat "$tmp/warnings")" ""
}

# Each option that a command's usage has is in the page's synopsis.
options_are_told() {
	local name option
	for name in bind edit list pass regen report unbind unlock; do
		{ ours "clevis-luks-$name" -x 2>&1 || true; } | sed -n 's/^  \(-[a-z]\).*/\1/p' | sort -u >"$tmp/options"
		[ -s "$tmp/options" ] || { echo "$name has no usage"; return 1; }
		awk -v command="luks\\\\ $name" '/^\.(SY|YS)/ { on = index($0, command) } on' "$src/man/clevis.1" >"$tmp/synopsis"
		while read -r option; do
			grep -q '\\-[a-z]*'"${option#-}" "$tmp/synopsis" || { echo "$name: $option is not in clevis(1)"; return 1; }
		done <"$tmp/options"
	done
}

nothing_of_it_is_there() {
	assert_equal "$(find "$tmp/farm.disabled/root" ! -type d)" ""
}

ok "every option is in clevis(1)" options_are_told
if [ "$sanitized" = 0 ]; then
	ok "the drop-in can be installed alone" install_drop_in enabled
	ok "with all of Clevis's names" all_names_are_there
	ok "and a page for each" all_pages_are_there
	install_drop_in disabled
	ok "where it is not wanted, nothing of it is installed" nothing_of_it_is_there
fi
sides_done
done_testing
