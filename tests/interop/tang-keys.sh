#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The same folders of keys, read by tangd and by us: the same is advertised, with signatures that José takes, and the
# same requests get the same answers, or the status that goes with our error. Where we differ on purpose,
# the difference is printed and what we do is checked.
. "$(dirname "$0")/../lib.sh"

helper=$build/tests/keys-helper
tool=$build/tang/server/cotter-tang-keys
algorithms='S1 S224 S256 S384 S512'

# --- what each of the two says; tangd gets a copy, as it makes keys where it finds none ---

tangd() { # FOLDER < REQUEST > ANSWER
	rm -rf "$tmp/copy"
	cp -a "$1" "$tmp/copy"
	/usr/libexec/tangd "$tmp/copy" 2>/dev/null || true
}

status_of() { # < HTTP-ANSWER
	sed -n '1s/^HTTP\/1.1 \([0-9]*\) .*/\1/p'
}

their_adv() { # FOLDER [THUMBPRINT]
	printf 'GET /adv/%s HTTP/1.1\r\n\r\n' "${2-}" | tangd "$1" >"$tmp/theirs"
}

their_rec() { # FOLDER THUMBPRINT REQUEST-FILE
	{ printf 'POST /rec/%s HTTP/1.1\r\nContent-Length: %d\r\n\r\n' "$2" "$(stat -c %s "$3")"; cat "$3"; } |
		tangd "$1" >"$tmp/theirs"
}

# Sets $ours to the status that our server gives for what the helper says, and leaves the answer in $tmp/ours.
our_status() { # HELPER-ARGUMENT…
	local code=0
	"$helper" "$@" >"$tmp/ours" 2>"$tmp/warnings" || code=$?
	[ $code = 0 ] && { ours=200; return; }
	case $(cat "$tmp/ours") in
	EBADMSG | E2BIG) ours=400 ;;
	EKEYREJECTED) ours=403 ;;
	ENOENT) ours=404 ;;
	ENOKEY) ours=500 ;;
	*) ours=$(cat "$tmp/ours") ;;
	esac
}

# Payload and headers of an advertisement, in an order that does not depend on that of the folder's entries.
shape() { # < ADVERTISEMENT
	jq -cS '{payload: (.payload | gsub("-"; "+") | gsub("_"; "/") | @base64d | fromjson | .keys |= sort),
		headers: ([.signatures[]? // . | .protected] | sort), members: keys_unsorted}'
}

same_adv() { # FOLDER [THUMBPRINT]
	their_adv "$@"
	our_status "$1" adv ${2+"$2"}
	assert_equal "$ours" "$(status_of <"$tmp/theirs")"
	[ "$ours" = 200 ] || return 0
	assert_equal "$(shape <"$tmp/ours")" "$(tail -n 1 "$tmp/theirs" | shape)"
}

same_rec() { # FOLDER THUMBPRINT REQUEST-FILE
	their_rec "$@"
	our_status "$1" rec "$2" <"$3"
	assert_equal "$ours" "$(status_of <"$tmp/theirs")"
	[ "$ours" = 200 ] || return 0
	assert_equal "$(cat "$tmp/ours")" "$(tail -n 1 "$tmp/theirs")"
}

thumbprints() { # FOLDER
	local key algorithm
	for key in "$1"/*.jwk "$1"/.*.jwk; do
		[ -f "$key" ] || continue
		for algorithm in $algorithms; do
			jose jwk thp -i "$key" -a "$algorithm" 2>/dev/null || true
		done
	done
	echo bm8gc3VjaCBrZXk
}

# All that can be asked of a folder of good keys.
same_everywhere() { # FOLDER
	local thumbprint
	same_adv "$1"
	for thumbprint in $(thumbprints "$1"); do
		same_adv "$1" "$thumbprint"
		same_rec "$1" "$thumbprint" "$tmp/request.P-256"
		same_rec "$1" "$thumbprint" "$tmp/request.P-384"
		same_rec "$1" "$thumbprint" "$tmp/request.P-521"
	done
}

# Each advertised key that verifies has signed.
jose_verifies() { # FOLDER [THUMBPRINT]
	local key
	"$helper" "$1" adv ${2+"$2"} >"$tmp/jws"
	for key in $(jose fmt -j "$tmp/jws" -g payload -yo- | jose jwk use -i- -r -u verify -o- | jq -c '.keys[]? // .'); do
		jose jws ver -i "$tmp/jws" -k - <<<"$key"
	done
}

# --- requests ---

for curve in P-256 P-384 P-521; do
	jose jwk gen -i "{\"alg\":\"ECMR\",\"crv\":\"$curve\"}" -o "$tmp/private.$curve"
	jose jwk pub -i "$tmp/private.$curve" -o "$tmp/request.$curve"
done
request() { # NAME JQ-FILTER: changes the good one of P-521
	jq -c "$2" "$tmp/request.P-521" >"$tmp/bad.$1"
}
request no-alg 'del(.alg)'
request no-ops 'del(.key_ops)'
request bare 'del(.alg) | del(.key_ops)'
request more '.kid = "me" | .extra = [1, {"a": null}]'
request other-alg '.alg = "ECDH-ES"'
request sign '.key_ops = ["sign"]'
request empty-ops '.key_ops = []'
request use-sig 'del(.key_ops) | .use = "sig"'
request use-enc 'del(.key_ops) | .use = "enc"'
request no-kty 'del(.kty)'
request number-kty '.kty = 1'
request oct '{kty: "oct", k: "AAAA"}'
request rsa '{kty: "RSA", n: "AQAB", e: "AQAB"}'
request no-x 'del(.x)'
request no-y 'del(.y)'
request off-curve '.y = .x'
request zero '.x = ("A" * 88) | .y = ("A" * 88)'
request ones '.x = ("_" * 88) | .y = ("_" * 88)'
request other-curve '.crv = "P-256"'
request unknown-curve '.crv = "secp256k1"'
request padded '.x += "="'
request list '[.]'
jq -c . "$tmp/private.P-521" >"$tmp/bad.private"
head -c 100 "$tmp/request.P-521" >"$tmp/bad.truncated"
echo '"x"' >"$tmp/bad.string"
echo 'no JSON' >"$tmp/bad.text"
: >"$tmp/bad.nothing"

# --- folders of good keys ---

folder() { # NAME: sets $d
	d=$tmp/$1
	mkdir "$d"
}
put() { # FILE JWK-TEMPLATE: with a new key
	jose jwk gen -i "$2" -o "$d/$1"
}
sig521='{"alg":"ES512"}' exc521='{"alg":"ECMR"}'

folder keygen
/usr/libexec/tangd-keygen "$d"
folder rotated
/usr/libexec/tangd-keygen "$d"
/usr/libexec/tangd-rotate-keys -d "$d"
/usr/libexec/tangd-rotate-keys -d "$d"
for curve in P-256 P-384 P-521; do
	folder "ours-$curve"
	"$tool" generate --curve="$curve" "$d" >"$tmp/made"
	"$tool" rotate --curve="$curve" "$d" >"$tmp/made"
done
folder curves
put a.jwk '{"alg":"ES256"}'
put b.jwk '{"alg":"ES384"}'
put c.jwk "$sig521"
put d.jwk '{"alg":"ECMR","crv":"P-256"}'
put e.jwk '{"alg":"ECMR","crv":"P-384"}'
put f.jwk "$exc521"
put .g.jwk '{"alg":"ES384"}'
put .h.jwk '{"alg":"ECMR","crv":"P-384"}'
folder use
put a.jwk '{"kty":"EC","crv":"P-256","use":"sig"}'
put b.jwk '{"kty":"EC","crv":"P-256","key_ops":["deriveKey"]}'
put c.jwk '{"kty":"EC","crv":"P-256","key_ops":["verify","sign"],"kid":"c"}'
put d.jwk '{"kty":"EC","crv":"P-256","key_ops":["wrapKey"]}'
folder links
/usr/libexec/tangd-keygen "$tmp/links"
mkdir "$d/elsewhere"
for key in "$d"/*.jwk; do
	mv "$key" "$d/elsewhere"
	ln -s "elsewhere/${key##*/}" "$key"
done
folder signing-alone
put a.jwk "$sig521"
folder others-beside
/usr/libexec/tangd-keygen "$d"
echo junk >"$d/broken.jwk"
: >"$d/empty.jwk"
echo junk >"$d/.hidden.jwk"
cp "$(echo "$d"/[A-Z]*.jwk | cut -d' ' -f1)" "$d/a.jwk.new" 2>/dev/null || true
mkdir "$d/folder.jwk"
ln -s nowhere "$d/dangling.jwk"
echo '{"kty":"EC"' >"$d/half.jwk"

for name in keygen rotated ours-P-256 ours-P-384 ours-P-521 curves use links signing-alone others-beside; do
	ok "$name: as tangd answers" same_everywhere "$tmp/$name"
	ok "$name: José verifies" jose_verifies "$tmp/$name"
done
for key in "$tmp/curves"/.g.jwk "$tmp/curves"/a.jwk; do
	ok "José verifies what ${key##*/} signs in addition" \
		jose_verifies "$tmp/curves" "$(jose jwk thp -i "$key")"
done

# --- bad requests ---

exchange=$(jose jwk thp -i "$(grep -l ECMR "$tmp"/keygen/*.jwk)")
signing=$(jose jwk thp -i "$(grep -l ES512 "$tmp"/keygen/*.jwk)")
for bad in "$tmp"/bad.*; do
	for thumbprint in "$exchange" "$signing" bm8gc3VjaCBrZXk; do
		ok "the request ${bad##*.}, for ${thumbprint:0:8}, gets tangd's status" \
			same_rec "$tmp/keygen" "$thumbprint" "$bad"
	done
done

# --- where we differ ---

differs() { # WHAT STATUS HELPER-ARGUMENT…: after their_adv or their_rec
	local what=$1 want=$2
	shift 2
	our_status "$@"
	echo "# $what: tangd answers $(status_of <"$tmp/theirs"), we $ours"
	assert_equal "$ours" "$want"
}
differ() {
	ok "$1" assert_equal "$(differs "$@" >"$tmp/told" 2>&1 </dev/null && echo fine)" fine
	cat "$tmp/told"
}

folder empty
their_adv "$d"
differ "an empty folder, which tangd puts keys into" 500 "$d" adv

folder hidden-alone
put .a.jwk "$exc521"
their_rec "$d" "$(jose jwk thp -i "$d/.a.jwk")" "$tmp/request.P-521"
our_status "$d" rec "$(jose jwk thp -i "$d/.a.jwk")" <"$tmp/request.P-521"
ok "a folder of rotated keys alone recovers" assert_equal "$ours" 200
echo "# a folder of rotated keys alone, to which tangd adds a pair: tangd recovers with $(status_of <"$tmp/theirs"), we with $ours"

folder exchange-alone
put a.jwk "$exc521"
their_rec "$d" "$(jose jwk thp -i "$d/a.jwk")" "$tmp/request.P-521"
our_status "$d" rec "$(jose jwk thp -i "$d/a.jwk")" <"$tmp/request.P-521"
ok "an exchange key without any that signs recovers" assert_equal "$ours" 200
echo "# an exchange key without any that signs: tangd recovers with $(status_of <"$tmp/theirs"), we with $ours"

# Keys that are none for a Tang server: tangd fails as a whole, or tells them to clients who cannot use them.
for other in '{"kty":"oct","bytes":32}' '{"alg":"RS256"}' '{"kty":"EC","crv":"P-521","alg":"ES512","key_ops":["sign","verify"]}'; do
	folder "with-$RANDOM"
	/usr/libexec/tangd-keygen "$d"
	put z.jwk "$other"
	case $other in *EC*) jq -c 'del(.d)' "$d/z.jwk" >"$d/y" && mv "$d/y" "$d/z.jwk" ;; esac
	their_adv "$d"
	differ "beside a pair, a key of ${other:0:14}…" 200 "$d" adv
	ok "which is not told to clients" assert_equal "$(shape <"$tmp/ours" | jq '.payload.keys | length')" 2
	ok "but to the administrator" grep -q 'z.jwk is skipped' "$tmp/warnings"
done

# --- what nobody is told ---

secrets() { # FOLDER: the private parts in it
	{ cat "$1"/*.jwk "$1"/.*.jwk 2>/dev/null || true; } | grep -o '"d": *"[^"]*"' | cut -d'"' -f4
}
says_no_secret() { # FOLDER
	local thumbprint
	secrets "$1" >"$tmp/secrets"
	[ -s "$tmp/secrets" ]
	for thumbprint in '' $(thumbprints "$1"); do
		"$helper" "$1" adv ${thumbprint:+"$thumbprint"} && echo
		"$helper" "$1" rec "$thumbprint" <"$tmp/request.P-521" && echo
	done >"$tmp/said" 2>&1
	jq -Rr 'fromjson? | .payload? // empty | gsub("-"; "+") | gsub("_"; "/") | @base64d' "$tmp/said" >"$tmp/payloads"
	grep -q '"keys"' "$tmp/payloads"
	! grep -qFf "$tmp/secrets" "$tmp/said" "$tmp/payloads"
}
for name in keygen rotated curves use others-beside; do
	ok "$name: no private part is told" says_no_secret "$tmp/$name"
done

done_testing
