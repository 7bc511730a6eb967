#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-enroll and the plugin against the real tangd: every form of URL, https, rotation, saved
# advertisements, several signing keys.
. "$(dirname "$0")/../lib.sh"

make_image base
image=$tmp/image

# On a copy of one volume, which is quicker than making another.
enroll() { # OPTION…
	cp --sparse=always "$tmp/base" "$image"
	run "$cotter_enroll" --unlock-key-file="$passphrase" "$@" "$image"
}

by_thumbprint() { # URL [OPTION…]
	local url=$1
	shift
	enroll --tang="$url" --tang-thumbprint="$tang_thumbprint" "$@"
}

binds_and_opens() { # URL [OPTION…]
	by_thumbprint "$@"
	assert_rc 0
	assert_equal "$(token_json "$image" 0 | jq -r '.jwe.protected' |
		jose b64 dec -i- | jq -r .clevis.tang.url)" "$1"
	opens_by_token "$image"
}

# Refused in one sentence that has WORDS, the volume being as before to the byte.
refuses() { # WORDS URL [OPTION…]
	local words=$1
	shift
	by_thumbprint "$@"
	assert_one_sentence
	assert_error_has "$words"
	assert_same_file "$tmp/base" "$image"
}

# The token of $image does not open it any more, and the plugin says so in WORDS.
token_fails() { # WORDS
	run opens_by_token "$image"
	assert_rc 1
	assert_error_has "$1"
	assert_error_has 'Token 0 (cotter-tang)'
	opens_by_passphrase "$image"
}

# --- forms of URL ---

if [ -e /proc/net/if_inet6 ] && grep -q '^0*1 ' /proc/net/if_inet6; then
	start_tangd tang6 0 '[::1]'
	ok "IPv6 address" binds_and_opens "http://[::1]:$tang_port"
	ok "IPv6 address, long, with a slash" binds_and_opens "http://[0:0:0:0:0:0:0:1]:$tang_port/"
	stop_tangd tang6
else
	skip "IPv6 address" "there is no ::1 here"
fi

start_tangd
ok "host name" binds_and_opens "http://localhost:$tang_port"
ok "IPv4 address" binds_and_opens "http://127.0.0.1:$tang_port"
ok "no scheme" binds_and_opens "127.0.0.1:$tang_port"
ok "scheme in capitals" binds_and_opens "HTTP://127.0.0.1:$tang_port"
ok "trailing slash" binds_and_opens "http://127.0.0.1:$tang_port/"
ok "trailing slashes" binds_and_opens "http://127.0.0.1:$tang_port//"
ok "a path where tangd has none" refuses "has no signing key" "http://127.0.0.1:$tang_port/prefix"

# tangd 11 knows no prefix: this takes it off, and knows nothing else.
cat >"$tmp/below-prefix" <<'END'
#!/usr/bin/python3
import subprocess, sys
line = sys.stdin.buffer.readline()
head, length = b"", 0
while (field := sys.stdin.buffer.readline()).strip():
    head += field
    if field.lower().startswith(b"content-length:"):
        length = int(field.split(b":")[1])
if b" /some/prefix/" not in line:
    sys.exit(print("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", end="", flush=True))
line = line.replace(b" /some/prefix/", b" /")
subprocess.run(["/usr/libexec/tangd", sys.argv[1]],
               input=line + head + b"\r\n" + sys.stdin.buffer.read(length))
END
chmod +x "$tmp/below-prefix"

start_listener() { # NAME SOCAT-ADDRESS PROGRAM: sets $listener, HOST:PORT
	start_server "$1" socat -d -d "$2,bind=127.0.0.1,reuseaddr,fork,backlog=64" "EXEC:$3"
	wait_until 60 grep -qE 'listening on .*:[0-9]+$' "$tmp/$1.log"
	listener=127.0.0.1:$(sed -n 's/.* listening on .*:\([0-9]*\)$/\1/p' "$tmp/$1.log")
}

start_listener prefix TCP4-LISTEN:0 "$tmp/below-prefix $tmp/tang"
ok "path prefix" binds_and_opens "http://$listener/some/prefix"
ok "path prefix with a slash" binds_and_opens "http://$listener/some/prefix/"
ok "another prefix" refuses "has no signing key" "http://$listener/other/prefix"
stop_server prefix

# --- https ---

make_ca() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj "/CN=$1" \
		-keyout "$tmp/$1.key" -out "$tmp/$1.pem" 2>/dev/null
}

# NAME.pem, key and certificate, for the key in KEY.key, made where it is missing.
make_certificate() { # NAME KEY CA SUBJECT-ALT-NAME
	[ -e "$tmp/$2.key" ] ||
		openssl ecparam -genkey -noout -name prime256v1 -out "$tmp/$2.key"
	openssl req -new -key "$tmp/$2.key" -subj "/CN=$1" -out "$tmp/request"
	openssl x509 -req -in "$tmp/request" -CA "$tmp/$3.pem" -CAkey "$tmp/$3.key" -days 2 \
		-extfile <(echo "subjectAltName=$4") -out "$tmp/certificate" 2>/dev/null
	cat "$tmp/certificate" "$tmp/$2.key" >"$tmp/$1.pem"
}

pin_of() { # KEY
	echo "sha256//$(openssl pkey -in "$tmp/$1.key" -pubout -outform der |
		openssl dgst -sha256 -binary | base64)"
}

# tangd behind TLS, called tls. Sets $https and $listener.
start_tls() { # CERTIFICATE [PORT]
	start_listener tls "OPENSSL-LISTEN:${2:-0},cert=$tmp/$1.pem,verify=0" \
		"/usr/libexec/tangd $tmp/tang"
	https=https://$listener
}

restart_tls() { # CERTIFICATE
	stop_server tls
	start_tls "$1" "${listener##*:}"
}

make_ca ca
make_ca other-ca
make_certificate server server ca IP:127.0.0.1,DNS:localhost
make_certificate renewed server ca IP:127.0.0.1
make_certificate rekeyed rekeyed ca IP:127.0.0.1
make_certificate elsewhere elsewhere ca DNS:elsewhere.test
ca=--tang-ca=$tmp/ca.pem
pin=--tang-pubkey=$(pin_of server)

start_tls server
ok "https: CA" binds_and_opens "$https" "$ca"
ok "https: CA, by host name" binds_and_opens "https://localhost:${listener##*:}/" "$ca"
ok "https: pinned key" binds_and_opens "$https" "$pin"
ok "https: CA and pinned key" binds_and_opens "$https" "$ca" "$pin"
ok "https: a CA that the system does not have" refuses "certificate problem" "$https"
ok "https: wrong CA" refuses "certificate problem" "$https" --tang-ca="$tmp/other-ca.pem"
ok "https: wrong pinned key" refuses "does not match the pinned one" "$https" \
	--tang-pubkey="$(pin_of rekeyed)"
ok "https: CA, wrong pinned key" refuses "does not match the pinned one" "$https" "$ca" \
	--tang-pubkey="$(pin_of rekeyed)"
ok "https: wrong CA, pinned key" refuses "certificate problem" "$https" "$pin" \
	--tang-ca="$tmp/other-ca.pem"
ok "https: no CA file" refuses "$tmp/missing.pem" "$https" --tang-ca="$tmp/missing.pem"
ok "https: at a server without TLS" refuses "TLS" "https://127.0.0.1:$tang_port" "$ca"
ok "http: at a server with TLS" refuses "$listener" "http://$listener"
ok "http: a CA is not for it" refuses "https" "http://127.0.0.1:$tang_port" "$ca"

# A token bound over https before the server's certificate changed.
bind_before() { # CERTIFICATE OPTION…
	by_thumbprint "$https" "${@:2}"
	restart_tls "$1"
}

bind_before renewed "$ca"
ok "https: another certificate by the CA opens" opens_by_token "$image"
restart_tls server
bind_before renewed "$pin"
ok "https: another certificate for the pinned key opens" opens_by_token "$image"
restart_tls server
bind_before rekeyed "$pin"
ok "https: another key than the pinned one does not" token_fails "does not match the pinned one"
restart_tls server
bind_before elsewhere "$ca"
ok "https: a certificate for another name does not" token_fails "certificate problem"
restart_tls server
by_thumbprint "$https" "$ca"
mv "$tmp/ca.pem" "$tmp/ca.pem.away"
ok "https: the token names the CA file that is missing" token_fails "$tmp/ca.pem"
mv "$tmp/ca.pem.away" "$tmp/ca.pem"
ok "https: and opens once it is back" opens_by_token "$image"
stop_server tls

# --- trust, rotation ---

thumbprints() { # FOLDER USE: of the keys in it that are advertised
	cat "$tmp/$1"/*.jwk | jq -cs '{keys: .}' | jose jwk use -i- -r -u "$2" -o- | jose jwk thp -i-
}

old_thumbprint=$tang_thumbprint
tang_thumbprint=$(thumbprints tang deriveKey)
ok "the exchange key's thumbprint is no signing key's" refuses "has no signing key" "$tang_url"
tang_thumbprint=$old_thumbprint
by_thumbprint "$tang_url"
cp --sparse=always "$image" "$tmp/early"
/usr/libexec/tangd-rotate-keys -d "$tmp/tang"
ok "a token opens after the server's keys were rotated" opens_by_token "$tmp/early"
ok "the old signing key is not advertised any more" refuses "$old_thumbprint" "$tang_url"
tang_thumbprint=$(thumbprints tang verify)
ok "the new one is" binds_and_opens "$tang_url"
rm -f "$tmp"/tang/.*.jwk
image=$tmp/early
ok "a token whose key was deleted says so" token_fails "(HTTP 404)"
ok "and which key it was" token_fails "does not have the key $(token_json "$image" 0 |
	jq -r .jwe.protected | jose b64 dec -i- | jq -r .kid)"
image=$tmp/image

for curve in 256:P-256 384:P-384; do
	jose jwk gen -i "{\"alg\":\"ES${curve%%:*}\"}" -o "$tmp/tang/signing-${curve%%:*}.jwk"
	jose jwk gen -i "{\"alg\":\"ECMR\",\"crv\":\"${curve##*:}\"}" \
		-o "$tmp/tang/exchange-${curve##*:}.jwk"
done
signers=$(thumbprints tang verify)
ok "three signing keys on three curves" assert_equal "$(wc -l <<<"$signers")" 3
for tang_thumbprint in $signers; do
	ok "several signing keys: trusting ${tang_thumbprint:0:8}" binds_and_opens "$tang_url"
done
stop_tangd

# --- saved advertisements ---

binds_offline() { # OPTION…
	enroll --tang="$tang_url" --tang-advertisement="$tmp/adv.jws" "$@"
	assert_rc 0
	assert_equal "$(token_json "$image" 0 | jq -r .type)" cotter-tang
}

refuses_saved() { # WORDS FILE [OPTION…]
	enroll --tang="$tang_url" --tang-advertisement="$2" "${@:3}"
	assert_one_sentence
	assert_error_has "$1"
	assert_same_file "$tmp/base" "$image"
}

start_tangd far
curl -sSf "$tang_url/adv" >"$tmp/adv.jws"
stop_tangd far
ok "offline: binds from a saved advertisement" binds_offline
ok "offline: the token does not open while the server is away" token_fails "connection refused"
start_tangd far "$tang_port"
ok "offline: and does once it is there" opens_by_token "$image"
stop_tangd far
ok "offline: a thumbprint that matches" binds_offline --tang-thumbprint="$tang_thumbprint"
ok "offline: a thumbprint that does not" refuses_saved "$old_thumbprint" "$tmp/adv.jws" \
	--tang-thumbprint="$old_thumbprint"
head -c 500 "$tmp/adv.jws" >"$tmp/cut.jws"
ok "offline: an advertisement that was cut off" refuses_saved "$tmp/cut.jws" "$tmp/cut.jws"
jq -c '{payload}' "$tmp/adv.jws" >"$tmp/unsigned.jws"
ok "offline: an advertisement without signatures" refuses_saved "not signed" "$tmp/unsigned.jws"
ok "offline: no such file" refuses_saved "$tmp/missing.jws" "$tmp/missing.jws"
done_testing
