#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The examples of the manual pages, taken from them: each is run as it is written, with our servers, volumes and
# folders in the place of those that it names, or is run by another test, or it is said here why it is not.
. "$(dirname "$0")/../lib.sh"
. "$src/tests/softhsm.sh"
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # the leak detector is a tracer itself

declare -A elsewhere=( # page of an example, its name -> the test that runs it
	[cotter-tangd.8 firewall]=units/tangd.sh
	[cotter-tangd.8 haproxy]=interop/tangd-proxy.sh
	[cotter-tangd.8 metrics]=vm/tangd.sh
	[cotter-tangd.8 back]=vm/tangd.sh
	[cotter-tangd.8 nginx]=interop/tangd-proxy.sh
	[cotter-tangd.8 options]=units/tangd.sh
	[cotter-tangd.8 port]=units/tangd.sh
	[cotter-tangd.8 rotate]=vm/tangd.sh
	[cotter-tangd.8 start]=vm/tangd.sh
	[cotter-tangd.8 takeover]=vm/tangd.sh
	[cotter-tangd.8 tls]=units/tangd.sh
)
for name in $(/usr/bin/python3 "$src/tests/recipes.py" page "$src/man/cotter-provisioning.7"); do
	elsewhere[cotter-provisioning.7 $name]=interop/provisioning.sh
done
declare -A not_run=(
	[cotter-enroll.1 grammar]="is a grammar; unit/test-policy-text.c has its language"
	[cotter-renew.service.8 enable]="wants a running systemd; units/renew.sh has the service"
	[cotter-renew.service.8 journal]="wants a running journal; units/renew.sh has the message id"
	[cotter-tangd.8 copy]="wants a second machine; interop/tangd-proxy.sh has two servers with the same keys"
	[cotter-tangd.8 journal]="wants a running journal; vm/tangd.sh has the message id"
	[cotter-tangd.8 nftables]="is for the kernel's packet filter, and nothing of ours"
)

# --- what examples name, and what is there ---

declare -A ran=() # page of an example, its name -> that it was run

# The commands of an example as a script, and what it shows besides in $tmp/shown.
script_of() { # PAGE NAME
	/usr/bin/python3 "$src/tests/recipes.py" page "$src/man/$1" "$2" >"$tmp/example"
	awk -v shown="$tmp/shown" '
		BEGIN { printf "" >shown }
		/^[#$] / || continued { print; continued = /\\$/; next }
		{ print >shown }' "$tmp/example" | sed -E 's/^[#$] //' | in_our_place
}

in_our_place() {
	sed -E "s#http://(tang|a)(\.example(\.com)?)?([,/) \"]|\$)#$tang_url\4#g
		s#http://(new|b)(\.example(\.com)?)?([,/) \"]|\$)#$second_url\4#g
		s#http://c\.example#$third_url#g
		s#(tang-thumbprint=|\"thp\":\")(THP|THUMBPRINT)#\1$tang_thumbprint#g
		s#tang\($tang_url, thp=THP#tang($tang_url, thp=$tang_thumbprint#
		s#tang\($second_url, thp=THP#tang($second_url, thp=$second_thumbprint#
		s#/dev/(sda2|sdb1|vda3|vdb)#$image#g
		s#/usr/lib/systemd/system-generators/#$build/units/#
		s#/tmp/units#$tmp/units#g
		s#^(cotter-tang-keys (rotate|list|prune.*))\$#\1 $tmp/tang#"
}

# Runs an example in $tmp/here at a terminal, where what is asked for is typed; /etc is one of its own.
example() { # PAGE NAME [EXPECT SEND]…
	local page=$1 name=$2
	shift 2
	ran[$page $name]=yes
	script_of "$page" "$name" >"$tmp/script"
	run env -C "$tmp/here" "$src/tests/terminal.py" "$@" -- unshare -m bash -euc '
		mount --bind "$1" /etc
		PATH=$2/enroll:$2/tang/server:$PATH
		export policy=${policy:-}
		. "$3"' example "$tmp/etc" "$build" "$tmp/script"
	cat "$tmp/script" >>"$tmp/err"
}

copy() { # FROM
	image=$tmp/here/image
	cp "$tmp/$1" "$image"
	asked="Passphrase of $image: "
}
typed=$(cat "$passphrase")$'\n'
trust='[y/N]'

binds() {
	assert_rc 0 && opens_by_passphrase "$image" && opens_by_token "$image"
}
shows_as_written() {
	assert_rc 0 && assert_output_has "$(tail -n 1 "$tmp/shown" | words)"
}
# Without what is another volume's. A file has no name but its path.
words() {
	sed -E "s#UUID=[0-9a-f-]{36}|$image#VOLUME#; s/[ \t]+/ /g"
}

mkdir "$tmp/here"
cp -a /etc "$tmp/etc"
rm -f "$tmp/etc/crypttab"
for name in third second tang; do
	[ $name != tang ] || { tangd=cotter tangd_options=(--usage="$tmp/tang/usage.json"); }
	start_tangd $name
	declare "${name}_url=$tang_url" "${name}_thumbprint=$tang_thumbprint"
done
start_tpm tpm
make_small_image plain

# --- cotter-enroll(1) ---

copy plain
example cotter-enroll.1 bind "$asked" "$typed"
ok "cotter-enroll(1), bind" binds
cp "$image" "$tmp/bound"

cotter-enroll() { "$cotter_enroll" "$@"; }
for name in policy configuration; do
	script_of cotter-enroll.1 $name >/dev/null
	ran[cotter-enroll.1 $name]=yes
	run cotter-enroll --policy="$(cat "$tmp/example")" --explain
	ok "cotter-enroll(1), $name, is one" assert_rc 0
	mv "$tmp/out" "$tmp/$name.explained"
done
ok "and both are the same" assert_same_file "$tmp/policy.explained" "$tmp/configuration.explained"

copy bound
example cotter-enroll.1 replace "$trust" $'y\n'
ok "cotter-enroll(1), replace" binds
ok "and the old binding is gone" assert_equal \
	"$(cotter-enroll --list --json=short "$image" | jq -r '[.tokens[].facts.url] | join(" ")')" "$second_url"

copy bound
example cotter-enroll.1 renew
ok "cotter-enroll(1), renew" binds
echo "bound $image none" >"$tmp/etc/crypttab"
example cotter-enroll.1 test
ok "cotter-enroll(1), test" assert_rc 0
rm -f "$tmp/etc/crypttab"

copy plain
cp "$passphrase" "$tmp/here/image.key"
example cotter-enroll.1 reencrypt "$trust" $'y\n'
ok "cotter-enroll(1), reencrypt" binds

copy plain
cp "$passphrase" "$tmp/here/first.key"
cp "$image" "$tmp/here/image.raw"
image=$tmp/here/image.raw
example cotter-enroll.1 image
ok "cotter-enroll(1), image" binds

copy plain
example cotter-enroll.1 crypttab "$asked" "$typed"
words <"$tmp/out" >"$tmp/out.words" && mv "$tmp/out.words" "$tmp/out"
ok "cotter-enroll(1), crypttab" shows_as_written
rm -f "$tmp/etc/crypttab"

copy plain
example cotter-enroll.1 explain "$asked" "$typed"
ok "cotter-enroll(1), explain" binds
policy=$(sed -n "s/^policy='\(.*\)'\$/\1/p" "$tmp/script")
cp "$image" "$tmp/by-policy"

export policy
copy bound
example cotter-enroll.1 in-place
ok "cotter-enroll(1), in-place" binds
ok "there is the policy alone" assert_equal \
	"$(cotter-enroll --list --json=short "$image" | jq -r '[.tokens[].type] | join(" ")')" cotter-sss

copy plain
run cotter-enroll --unlock-key-file="$passphrase" --threshold=1 --tpm2-device=auto --tpm2-pcrs=23 \
	--tang="$tang_url" --tang-thumbprint="$tang_thumbprint" "$image"
extend_pcr 23:sha256
example cotter-enroll.1 reseal
ok "cotter-enroll(1), reseal" binds
stop_tangd
ok "opens by the TPM alone then" opens_by_token "$image"
start_tangd tang "${tang_url##*:}"

copy plain
example cotter-enroll.1 pin "New PIN: " $'1234\n' "The same again: " $'1234\n' "$asked" "$typed"
ok "cotter-enroll(1), pin" assert_rc 0

# --- cotter-policy(7), cotter-generator(8) ---

copy plain
example cotter-policy.7 tang "$trust" $'y\n' "$asked" "$typed"
ok "cotter-policy(7), tang" binds
ran[cotter-policy.7 line]=yes
script_of cotter-policy.7 line >/dev/null
# Ours is not below the root, and the image needs to be told only of what is.
ok "makes the line" assert_equal "$(tail -n 1 "$tmp/etc/crypttab" | words),x-initrd.attach" "$(words <"$tmp/shown")"
rm -f "$tmp/etc/crypttab"

copy plain
example cotter-policy.7 tpm "$asked" "$typed"
ok "cotter-policy(7), tpm" binds
rm -f "$tmp/etc/crypttab"

copy plain
make_card card
make_key card rsa:2048 01 disk
example cotter-policy.7 card "PIN of the card: " $card_pin$'\n' "$asked" "$typed"
ok "cotter-policy(7), card" assert_rc 0
ran[cotter-policy.7 card-line]=yes
script_of cotter-policy.7 card-line >/dev/null
ok "makes the line" assert_equal "$(tail -n 1 "$tmp/etc/crypttab" | words),x-initrd.attach" "$(words <"$tmp/shown")"
rm -f "$tmp/etc/crypttab"

copy plain
example cotter-policy.7 both "$trust" $'y\n' "$trust" $'y\n' "$asked" "$typed"
ok "cotter-policy(7), both" binds
rm -f "$tmp/etc/crypttab"

copy plain
example cotter-policy.7 data "$trust" $'y\n' "$asked" "$typed"
ok "cotter-policy(7), data" binds
ran[cotter-generator.8 line]=yes
script_of cotter-generator.8 line >/dev/null
ok "makes the line of cotter-generator(8)" assert_equal \
	"$(tail -n 1 "$tmp/etc/crypttab" | words)" "$(words <"$tmp/shown")"

example cotter-generator.8 run
ok "cotter-generator(8), run" assert_rc 0
ran[cotter-generator.8 path]=yes
script_of cotter-generator.8 path >/dev/null
ok "cotter-generator(8), path" assert_output_has "$(sed 's/VOLUME/data/' "$tmp/shown")"

copy plain
example cotter-policy.7 pcr15 "$asked" "$typed"
ok "cotter-policy(7), pcr15" binds

# --- cotter-tang-keys(8), cotter-tangd(8), cotter-token(5) ---

copy bound
example cotter-tang-keys.8 years
ok "cotter-tang-keys(8), years, but for the years" assert_output_has "stays: it has recovered within this time"
example cotter-enroll.1 health
ok "cotter-enroll(1), health" shows_as_written

start_tangd tang2
declare "tang_url=$tang_url"
copy plain
example cotter-tangd.8 bind "$asked" "$typed" "password: " "$typed"
ok "cotter-tangd(8), bind" binds
ok "by both programs" assert_equal \
	"$(cryptsetup luksDump --dump-json-metadata "$image" | jq -r '[.tokens[].type] | sort | join(" ")')" \
	"clevis cotter-tang"

copy plain
example cotter-tangd.8 servers "$trust" $'y\n' "$trust" $'y\n' "$trust" $'y\n' "$asked" "$typed"
ok "cotter-tangd(8), servers" binds

ran[cotter-token.5 token]=yes
script_of cotter-token.5 token >/dev/null
shape() {
	jq -c '[paths | map(tostring) | join(".")] - ["keyslots.0"] | sort'
}
run cotter-enroll --unlock-key-file="$passphrase" --tang="$second_url" --tang-thumbprint="$second_thumbprint" \
	--label='rack 4' "$image"
ok "cotter-token(5), token, has the members that a token has" assert_equal \
	"$(shape <"$tmp/example")" "$(token_json "$image" 1 | shape)"

# --- is that all? ---

examples() {
	local page name
	for page in "$src"/man/*.[0-9]; do
		grep -q '^\.EX' "$page" || continue
		for name in $(/usr/bin/python3 "$src/tests/recipes.py" page "$page"); do
			echo "${page##*/} $name"
		done
	done
}
unaccounted() {
	local name
	while read -r name; do
		[ -n "${ran[$name]:-}${elsewhere[$name]:-}${not_run[$name]:-}" ] || echo "$name"
	done < <(examples)
}
ok "each example of each page was run, is run elsewhere, or has its reason" assert_equal "$(unaccounted)" ""
gone() {
	printf '%s\n' "${!ran[@]}" "${!elsewhere[@]}" "${!not_run[@]}" | sort | comm -23 - <(examples | sort)
}
ok "and those that are accounted for are there" assert_equal "$(gone)" ""
names_of_others() {
	local name
	for name in "${!elsewhere[@]}"; do
		grep -qw -e "${name#* }" "$src/tests/${elsewhere[$name]}" || echo "$name: not in ${elsewhere[$name]}"
	done
}
ok "those that are run elsewhere are" assert_equal "$(names_of_others)" ""

done_testing
