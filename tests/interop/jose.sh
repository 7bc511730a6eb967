#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Our JOSE code and the jose program understand each other, in both directions and on all curves.
. "$(dirname "$0")/../lib.sh"

helper=$build/tests/jose-helper
curves='P-256 P-384 P-521'
agreement='{"alg":"ECDH-ES","enc":"A256GCM"}'
parties='{"apu":"QWxpY2U","apv":"Qm9i"}'
direct='{"alg":"dir","enc":"A256GCM"}'

cd "$tmp"
head -c 64 /dev/urandom >secret
: >empty
head -c 20000 /dev/urandom >long

signing_alg() { # CURVE
	case $1 in P-256) echo ES256 ;; P-384) echo ES384 ;; P-521) echo ES512 ;; esac
}

same_file_as() { # FILE CMD…: what CMD writes is what FILE holds
	local want=$1
	shift
	"$@" >got
	cmp "$want" got
}

same_key() { # JWK JWK: their public parts, in jose's eyes
	local one other
	one=$(jose jwk thp -i "$1")
	other=$(jose jwk thp -i "$2")
	[ -n "$one" ] && assert_equal "$one" "$other"
}

refused() { # CMD…: with our helper's own error, not by a crash
	run "$@"
	assert_rc 1
}

# --- keys ---

same_public() { # KEY: our public form is jose's, member by member
	"$helper" public "$1" >ours
	jose jwk pub -i "$1" -o theirs
	same_key ours theirs
	local member
	for member in crv kty x y; do
		assert_equal "$(jose fmt -j ours -g $member -u-)" "$(jose fmt -j theirs -g $member -u-)"
	done
	! grep -q '"d"' ours
}

same_thumbprint() { # ALG KEY
	assert_equal "$("$helper" thumbprint "$1" "$2")" "$(jose jwk thp -a "$1" -i "$2")"
}

# What jose can do with a key of ours, it can do only where d belongs to x and y.
jose_signs_with() { # KEY ALG
	jose jws sig -I secret -k "$1" -s "{\"protected\":{\"alg\":\"$2\"}}" -o signed
	jose jws ver -i signed -k "$1" -O- | cmp - secret
}

for curve in $curves; do
	jose jwk gen -i "{\"kty\":\"EC\",\"crv\":\"$curve\"}" -o "theirs-$curve"
	"$helper" generate "$curve" >"ours-$curve"
	for from in theirs ours; do
		ok "$curve, $from: public members" same_public "$from-$curve"
		ok "$curve, $from: thumbprint S256" same_thumbprint S256 "$from-$curve"
		ok "$curve, $from: thumbprint S1" same_thumbprint S1 "$from-$curve"
		jose jwk pub -i "$from-$curve" -o "$from-$curve.pub"
	done
	ok "$curve: jose signs with a key of ours" \
		jose_signs_with "ours-$curve" "$(signing_alg "$curve")"
done

# --- encryption ---

ours_to_jose() { # FORM HEADER SEALING-KEY OPENING-KEY PLAINTEXT
	"$helper" seal "$1" "$2" "$3" <"$5" >jwe
	same_file_as "$5" jose jwe dec -i jwe -k "$4"
}

jose_to_ours() { # FORM HEADER SEALING-KEY OPENING-KEY PLAINTEXT
	jose jwe enc -i "{\"protected\":$2}" -I "$5" -k "$3" -c -o jwe
	[ "$1" = compact ] || { jose jwe fmt -i jwe -o flattened && mv flattened jwe; }
	same_file_as "$5" "$helper" open "$4" <jwe
}

tampered_refused() { # OPENING-KEY: of the flattened JWE left by the check before
	local member value
	for member in ciphertext iv tag; do
		value=$(jose fmt -j jwe -g $member -u-)
		case $value in A*) value=B${value#?} ;; *) value=A${value#?} ;; esac
		jose fmt -j jwe -j "\"$value\"" -s $member -Uo tampered
		refused "$helper" open "$1" <tampered || return 1
	done
}

for curve in $curves; do
	for form in compact flattened; do
		ok "$curve: ours to jose, $form" ours_to_jose $form "{}" \
			"theirs-$curve.pub" "theirs-$curve" secret
		ok "$curve: jose to ours, $form" jose_to_ours $form "$agreement" \
			"ours-$curve.pub" "ours-$curve" secret
		ok "$curve: ours to jose, $form, with apu and apv" ours_to_jose $form \
			"$parties" "theirs-$curve.pub" "theirs-$curve" secret
		ok "$curve: jose to ours, $form, with apu and apv" jose_to_ours $form \
			"${agreement%\}},${parties#\{}" "ours-$curve.pub" "ours-$curve" secret
	done
	ok "$curve: jose's JWE tampered with" tampered_refused "ours-$curve"
done

another_key_refused() {
	jose jwe enc -i "{\"protected\":$agreement}" -I secret -k ours-P-256.pub -c -o jwe
	refused "$helper" open theirs-P-256 <jwe
}
ok "another key than the one it was encrypted to" another_key_refused

# Left to itself, jose's flattened form has the ephemeral key in the unprotected header.
unprotected_refused() {
	jose jwe enc -i "{\"protected\":$agreement}" -I secret -k ours-P-256.pub -o jwe
	grep -q '"header"' jwe
	refused "$helper" open ours-P-256 <jwe
}
ok "an ephemeral key that is not protected" unprotected_refused

# What jose can make and we do not take. jose 11 does not read all of it back.
foreign_refused() { # HEADER KEY-TEMPLATE
	jose jwk gen -i "$2" -o foreign
	jose jwe enc -i "{\"protected\":$1}" -I secret -k foreign -c -o jwe
	head -c 32 /dev/urandom | "$helper" oct >any
	refused "$helper" open any <jwe
	assert_error_has EOPNOTSUPP
}
ok "compressed (zip)" foreign_refused \
	'{"alg":"dir","enc":"A256GCM","zip":"DEF"}' '{"alg":"A256GCM"}'
ok "A128GCM" foreign_refused '{"alg":"dir","enc":"A128GCM"}' '{"alg":"A128GCM"}'
ok "A256CBC-HS512" foreign_refused '{"alg":"dir","enc":"A256CBC-HS512"}' '{"alg":"A256CBC-HS512"}'
ok "A256KW" foreign_refused '{"alg":"A256KW","enc":"A256GCM"}' '{"alg":"A256KW"}'
ok "ECDH-ES+A256KW" foreign_refused '{"alg":"ECDH-ES+A256KW","enc":"A256GCM"}' \
	'{"alg":"ECDH-ES+A256KW"}'
ok "RSA1_5" foreign_refused '{"alg":"RSA1_5","enc":"A256GCM"}' '{"alg":"RSA1_5"}'

two_recipients_refused() {
	jose jwe enc -i '{"protected":{"enc":"A256GCM"}}' -I secret \
		-r '{"header":{"alg":"ECDH-ES+A256KW"}}' -k ours-P-256.pub \
		-r '{"header":{"alg":"ECDH-ES+A256KW"}}' -k theirs-P-256.pub -o jwe
	grep -q '"recipients"' jwe
	refused "$helper" open ours-P-256 <jwe
}
ok "several recipients" two_recipients_refused

# --- symmetric keys ---

head -c 32 /dev/urandom >key
"$helper" oct <key >ours-oct
jose jwk gen -i '{"alg":"A256GCM"}' -o theirs-oct

same_oct() {
	jose fmt -j ours-oct -g k -u- | jose b64 dec -i- | cmp - key
}
ok "a symmetric key as we write it, read by jose" same_oct
for from in ours theirs; do
	for form in compact flattened; do
		for plain in secret empty long; do
			ok "dir, key of $from: ours to jose, $form, $plain" \
				ours_to_jose $form "$direct" $from-oct $from-oct $plain
			ok "dir, key of $from: jose to ours, $form, $plain" \
				jose_to_ours $form "$direct" $from-oct $from-oct $plain
		done
	done
	ok "dir, key of $from: jose's JWE tampered with" tampered_refused $from-oct
done

# --- signatures ---

verified() { # KEY…: the JWS in the file signed, by each
	local key
	for key; do
		same_file_as secret "$helper" verify "$key" <signed || return 1
	done
}

not_verified() { # KEY
	refused "$helper" verify "$1" <signed
	assert_error_has EKEYREJECTED
}

for curve in $curves; do
	jose jws sig -I secret -k "theirs-$curve" -o signed
	ok "$curve: jose's flattened signature" verified "theirs-$curve.pub"
	for other in $curves; do
		ok "$curve: not by our $other key" not_verified "ours-$other.pub"
	done

	jose jws sig -I secret -k "theirs-$curve" \
		-s "{\"protected\":{\"alg\":\"$(signing_alg "$curve")\",\"kid\":\"x\",\"cty\":\"jwk-set+json\"}}" \
		-o signed
	ok "$curve: with more in the header" verified "theirs-$curve.pub"
	jose fmt -j signed -j '"YW5vdGhlcg"' -s payload -Uo tampered && mv tampered signed
	ok "$curve: payload exchanged" not_verified "theirs-$curve.pub"
done

jose jws sig -I secret -k theirs-P-521 -k theirs-P-256 -k ours-P-256 -k theirs-P-384 -o signed
ok "jose's general form, signed by four keys" \
	verified theirs-P-256.pub theirs-P-384.pub theirs-P-521.pub ours-P-256.pub
ok "jose's general form, not signed by a fifth" not_verified ours-P-384.pub
jose fmt -j signed -j '"YW5vdGhlcg"' -s payload -Uo tampered && mv tampered signed
ok "jose's general form, payload exchanged" not_verified theirs-P-521.pub

jose jwk gen -i '{"alg":"RS256"}' -o rsa
jose jws sig -I secret -k rsa -k theirs-P-384 -o signed
ok "an RS256 signature beside ours" verified theirs-P-384.pub

# --- the McCallum-Relyea exchange ---

# jose adds where the remote key is private, subtracts where both are public, and multiplies where
# the local key is private; its local key must say ECMR.
jose_ecmr() { # LOCAL REMOTE
	jose fmt -j "$1" -j '"ECMR"' -s alg -Uo local
	jose jwk exc -i '{"alg":"ECMR"}' -l local -r "$2" -o-
}

agree() { # OUR-OPERATION OUR-A OUR-B JOSE-LOCAL JOSE-REMOTE NAME: both agree; the result is NAME
	"$helper" ecmr "$1" "$2" "$3" >"$6"
	jose_ecmr "$4" "$5" >"$6.theirs"
	same_key "$6" "$6.theirs"
}

for curve in $curves; do
	for name in s e t; do # server's, kept in the JWE, blinding
		jose jwk gen -i "{\"kty\":\"EC\",\"crv\":\"$curve\"}" -o $name
		jose jwk pub -i $name -o $name.pub
	done
	ok "$curve: X = E + tG" agree add e.pub t.pub e.pub t X
	ok "$curve: Y = sX" agree mul X s s X Y
	ok "$curve: tS" agree mul s.pub t t s.pub tS
	ok "$curve: Z = Y - tS" agree sub Y tS Y tS Z
	ok "$curve: Z = eS" agree mul s.pub e e s.pub eS
	ok "$curve: both ways give one Z" same_key Z eS
	ok "$curve: E - E is refused" refused "$helper" ecmr sub e.pub e.pub
done
ok "curves do not mix" refused "$helper" ecmr add ours-P-256 ours-P-384
done_testing
