#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian's Clevis against cotter-tangd, and our client against Debian's tangd: one folder of keys, which each
# server serves in turn, on every curve; rotation; and servers of which one may be missing.
. "$(dirname "$0")/../lib.sh"

command -v clevis >/dev/null || skip_all "clevis is not installed"

make_small_image plain

signing_alg() { # CURVE
	case $1 in P-256) echo ES256 ;; P-384) echo ES384 ;; P-521) echo ES512 ;; esac
}

# One server at a time on one port, with the keys in $tang_keys.
serve() { # debian|cotter
	[ -z "${servers[server]-}" ] || stop_tangd server
	tangd=$1 start_tangd server "$port"
}

# A port outside of the range from which the kernel gives ports to others while nobody listens there.
pick_port() {
	port=$((20000 + RANDOM % 10000))
}

# Of the signing key that is advertised.
config() { # [S256|S1]
	local thumbprint
	thumbprint=$(curl -sSf "$tang_url/adv" | jose fmt -j- -g payload -yo- | jose jwk use -i- -r -u verify -o- |
		jose jwk thp -i- -a "${1:-S256}" | head -n 1)
	jq -nc --arg url "$tang_url" --arg thp "$thumbprint" '{$url, $thp}'
}

# --- what clients do: each leaves something by NAME, and opens it later ---

clevis_encrypts() { # NAME [HASH]
	echo "a secret of $1" >"$tmp/$1.secret"
	clevis encrypt tang "$(config "${2:-S256}")" <"$tmp/$1.secret" >"$tmp/$1.jwe"
}

clevis_decrypts() { # NAME
	clevis decrypt <"$tmp/$1.jwe" | cmp - "$tmp/$1.secret"
}

clevis_binds() { # NAME
	cp "$tmp/plain" "$tmp/$1.clevis"
	clevis luks bind -y -k "$passphrase" -d "$tmp/$1.clevis" tang "$(config)"
}

clevis_unlocks() { # NAME
	clevis luks unlock -d "$tmp/$1.clevis" -t 1
}

cotter_binds() { # NAME
	cp "$tmp/plain" "$tmp/$1.cotter"
	"$cotter_enroll" --quiet --unlock-key-file="$passphrase" --tang="$tang_url" \
		--tang-thumbprint="$(config | jq -r .thp)" "$tmp/$1.cotter"
}

cotter_opens() { # NAME
	opens_by_token "$tmp/$1.cotter"
}

clevis_reports_nothing() { # NAME
	run clevis luks report -q -d "$tmp/$1.clevis" -s 1
	assert_rc 0 && assert_equal "$(cat "$tmp/out" "$tmp/err")" ""
}

cotter_reports() { # NAME STATUS
	run "$cotter_enroll" --report "$tmp/$1.cotter"
	assert_rc "$2"
}

leaves_all() { # NAME
	clevis_encrypts "$1" && clevis_binds "$1" && cotter_binds "$1"
}

opens_all() { # NAME
	clevis_decrypts "$1" && clevis_unlocks "$1" && cotter_opens "$1"
}

# --- the same keys at one server and the other ---

declare -A name=([debian]=tangd [cotter]=cotter-tangd)

for curve in P-256 P-384 P-521; do
	# Made by jose, with names as a person gives them.
	tang_keys=$tmp/keys-$curve
	mkdir "$tang_keys"
	jose jwk gen -i "{\"alg\":\"$(signing_alg "$curve")\"}" -o "$tang_keys/signing.jwk"
	jose jwk gen -i "{\"alg\":\"ECMR\",\"crv\":\"$curve\"}" -o "$tang_keys/exchange.jwk"
	pick_port

	serve cotter
	config >"$tmp/config"
	ok "$curve: Clevis and cotter bind to cotter-tangd" leaves_all "$curve-ours"
	ok "$curve: and open" opens_all "$curve-ours"
	ok "$curve: Clevis encrypts by a SHA-1 thumbprint" clevis_encrypts "$curve-sha1" S1
	ok "$curve: Clevis reports nothing" clevis_reports_nothing "$curve-ours"
	ok "$curve: nor does cotter" cotter_reports "$curve-ours" 0

	serve debian
	ok "$curve: tangd has the same signing key" assert_equal "$(config)" "$(cat "$tmp/config")"
	ok "$curve: tangd opens them" opens_all "$curve-ours"
	ok "$curve: and that by a SHA-1 thumbprint" clevis_decrypts "$curve-sha1"
	ok "$curve: cotter binds to tangd" cotter_binds "$curve-theirs"
	ok "$curve: so does Clevis" clevis_encrypts "$curve-theirs"

	serve cotter
	ok "$curve: what was bound to tangd opens by cotter-tangd" eval \
		'cotter_opens "$curve-theirs" && clevis_decrypts "$curve-theirs"'
	ok "$curve: and that by a SHA-1 thumbprint" clevis_decrypts "$curve-sha1"
	stop_tangd server
done

# --- rotation ---

clevis_reports_rotation() { # NAME
	run clevis luks report -q -d "$tmp/$1.clevis" -s 1
	assert_output_has "were probably rotated"
}

clevis_regenerates() { # NAME
	clevis luks regen -q -d "$tmp/$1.clevis" -s 1
}

cotter_renews() { # NAME
	run setsid -w "$cotter_enroll" --renew --json=short "$tmp/$1.cotter" </dev/null
	assert_rc 0 && assert_json '.tokens[0].state == "renewed"'
}

# The volumes of NAME after the keys were rotated, at WHOSE server.
renewed_after_rotation() { # NAME WHOSE
	ok "$2: all opens after the rotation" opens_all "$1"
	ok "$2: clevis luks report tells of it" clevis_reports_rotation "$1"
	ok "$2: so does cotter-enroll --report" cotter_reports "$1" 10
	ok "$2: clevis luks regen" clevis_regenerates "$1"
	ok "$2: cotter-enroll --renew" cotter_renews "$1"
	rm "$tang_keys"/.*.jwk
	ok "$2: Clevis's volume opens by the new keys alone" clevis_unlocks "$1"
	ok "$2: so does cotter's" cotter_opens "$1"
	ok "$2: Clevis reports nothing any more" clevis_reports_nothing "$1"
	ok "$2: nor does cotter" cotter_reports "$1" 0
	ok "$2: a secret that was not encrypted again is lost" wait_until 2 not clevis_decrypts "$1"
}

advertises() { # URL THUMBPRINTS
	assert_equal "$(curl -sSf "$1/adv" | jose fmt -j- -g payload -yo- | jose jwk use -i- -r -u verify -o- |
		jose jwk thp -i- | sort)" "$2"
}

shown() {
	"$cotter_tang_keys" show "$tang_keys" | sort
}

tang_keys=$tmp/keys-rotated
pick_port
serve cotter
leaves_all rotated
"$cotter_tang_keys" rotate --curve=P-256 "$tang_keys" >/dev/null
ok "a rotation by cotter-tang-keys is seen" wait_until 2 advertises "$tang_url" "$(shown)"
ok "which shows the thumbprints that tang-show-keys does" assert_equal "$(shown)" \
	"$(tang-show-keys "$port" | sort)"
renewed_after_rotation rotated cotter-tangd

leaves_all rotated-again
/usr/libexec/tangd-rotate-keys -d "$tang_keys"
ok "so is one by tangd-rotate-keys" wait_until 1 advertises "$tang_url" "$(shown)"
serve debian
renewed_after_rotation rotated-again tangd
stop_tangd server

# --- several servers, of which one may be missing ---

tang_keys=
configs=()
for server in one two three; do
	tangd=cotter
	[ $server != three ] || tangd=debian
	start_tangd $server
	configs+=("$(config)")
done
sss=$(jq -nc '{t: 2, pins: {tang: $ARGS.positional}}' --jsonargs "${configs[@]}")

two_of_three_bind() {
	echo "a secret by three" >"$tmp/sss.secret"
	clevis encrypt sss "$sss" <"$tmp/sss.secret" >"$tmp/sss.jwe"
	make_image sss.cotter --luks2-metadata-size=64k
	"$cotter_enroll" --unlock-key-file="$passphrase" --policy="$sss" "$image"
}

sss_opens() {
	clevis_decrypts sss && cotter_opens sss
}

ok "two of three servers: Clevis encrypts, cotter binds" two_of_three_bind
ok "and open" sss_opens
stop_tangd one
ok "without one of ours" sss_opens
stop_tangd three
ok "without tangd besides: neither" eval 'not clevis_decrypts sss && not cotter_opens sss'
stop_tangd two

# --- one folder of keys at several servers, behind a balancer ---

# To one and the other by turns; to the other where one does not answer.
cat >"$tmp/balance" <<-'END'
	#!/bin/sh
	[ $(($$ % 2)) = 0 ] || set -- "$2" "$1"
	socat - "TCP4:127.0.0.1:$1" || exec socat - "TCP4:127.0.0.1:$2"
END
chmod +x "$tmp/balance"

tang_keys=$tmp/keys-shared
tangd=cotter
for server in left right; do
	pick_port
	start_tangd $server "$port"
	declare "${server}_url=$tang_url" "${server}_port=$port"
done
start_server balancer socat -d -d TCP4-LISTEN:0,bind=127.0.0.1,fork,backlog=64 \
	"EXEC:$tmp/balance $left_port $right_port"
wait_until 60 grep -qE 'listening on .*:[0-9]+$' "$tmp/balancer.log"
balancer=127.0.0.1:$(sed -n 's/.* listening on .*:\([0-9]*\)$/\1/p' "$tmp/balancer.log")
tang_url=http://$balancer

# The farm does not try again.
recover_balanced() {
	"$build/tests/farm" -n 100 -c 4 "$balancer" "$tang_keys"/*.jwk | tee "$tmp/out"
	assert_json '.failed == 0'
}

both_advertise() {
	advertises "$left_url" "$1" && advertises "$right_url" "$1"
}

ok "behind a balancer, Clevis and cotter bind" leaves_all shared
ok "and open" opens_all shared
ok "clients recover by both servers" recover_balanced
stop_tangd left
ok "by one while the other is away" eval 'recover_balanced && opens_all shared'
"$cotter_tang_keys" rotate "$tang_keys" >/dev/null
start_tangd left "$left_port"
tang_url=http://$balancer
stop_tangd right
ok "and by one that came back, of keys rotated meanwhile" eval 'recover_balanced && opens_all shared'
start_tangd right "$right_port"
tang_url=http://$balancer
"$cotter_tang_keys" rotate "$tang_keys" >/dev/null
ok "a rotation is seen by both" wait_until 2 both_advertise "$(shown)"
ok "after which what was bound before opens" opens_all shared
ok "and both recover by the new keys" recover_balanced
stop_tangd left
ok "as does one" recover_balanced
done_testing
