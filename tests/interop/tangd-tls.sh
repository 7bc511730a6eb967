#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cotter-tangd over https and with certificates of clients, met by curl and by our own client.
. "$(dirname "$0")/../lib.sh"

cd "$tmp"
tangd=$build/tang/server/cotter-tangd
mkdir keys
/usr/libexec/tangd-keygen keys
thumbprints() { # USE
	cat keys/*.jwk | jq -cs '{keys: .}' | jose jwk use -i- -r -u "$1" -o- | jose jwk thp -i- -a S256
}
signing=$(thumbprints verify)
exchange=$(thumbprints deriveKey)
jose jwk gen -i '{"alg": "ECMR"}' | jose jwk pub -i- -o request

# --- certificates ---

new_key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)

make_ca() { # NAME
	openssl req -x509 "${new_key[@]}" -subj "/CN=CA $1" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}

make_certificate() { # NAME CA SUBJECT EXTENSION [DAYS]
	openssl req "${new_key[@]}" -subj "$3" -keyout "$1.key" -out "$1.csr" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days "${5:-30}" \
		-extfile <(echo "$4") -out "$1.pem" 2>/dev/null
}

make_ca ca
make_ca clients
make_ca others
make_certificate server ca /CN=127.0.0.1 subjectAltName=IP:127.0.0.1
make_certificate good clients '/O=Farm/CN=node 17' extendedKeyUsage=clientAuth
make_certificate foreign others '/O=Farm/CN=node 17' extendedKeyUsage=clientAuth
make_certificate purpose clients '/CN=a server' extendedKeyUsage=serverAuth
make_certificate control clients $'/CN=a\tb' extendedKeyUsage=clientAuth
openssl req -x509 "${new_key[@]}" -subj '/CN=CA clients' -keyout self.key -out self.pem 2>/dev/null
touch index.txt
openssl req "${new_key[@]}" -subj /CN=late -keyout late.key -out late.csr 2>/dev/null
openssl ca -batch -notext -config <(printf '%s\n' '[ca]' 'default_ca=own' '[own]' 'database=index.txt' 'rand_serial=yes' \
	'default_md=sha256' 'policy=any' 'new_certs_dir=.' '[any]' 'commonName=supplied') -cert clients.pem -keyfile clients.key \
	-startdate 20200101000000Z -enddate 20200102000000Z -in late.csr -out late.pem 2>/dev/null

serve() { # NAME OPTION…
	start_server "$1" "$tangd" --listen=127.0.0.1:0 --tls-certificate=server.pem --tls-key=server.key "${@:2}" keys
	wait_until 60 grep -q ' listening on ' "$1.log" || { cat "$1.log" >&2; return 1; }
	url=https://127.0.0.1:$(sed -n 's/.* listening on .*:\([0-9]*\)$/\1/p' "$1.log")
}

# What curl gets: a status, 000 where there is none.
gets() { # STATUS PATH [CURL-OPTION…]
	local got
	got=$(curl -s -o /dev/null -w '%{http_code}' --cacert ca.pem "${@:3}" "$url$2") || true
	assert_equal "$got" "$1"
}

# --- https ---

serve plain
ok "an advertisement over https" gets 200 /adv
ok "over TLS 1.2" gets 200 /adv --tls-max 1.2
ok "over TLS 1.3" gets 200 /adv --tlsv1.3
ok "not over TLS 1.1" gets 000 /adv --tls-max 1.1 --ciphers DEFAULT@SECLEVEL=0
ok "a recovery" gets 200 "/rec/$exchange" --data-binary @request
ok "several requests on one connection" assert_equal \
	"$(curl -s --cacert ca.pem -o /dev/null -o /dev/null -w '%{num_connects}' "$url/adv" "$url/healthz")" 10
ok "not for who trusts another CA" gets 000 /adv --cacert others.pem
ok "nor without TLS" assert_equal "$(curl -s -o /dev/null -w '%{http_code}' "http${url#https}/adv" || true)" 000

make_image base
image=$tmp/image

bind() { # OPTION…
	cp --sparse=always base "$image"
	run "$cotter_enroll" --unlock-key-file="$passphrase" --tang="$url" --tang-thumbprint="$signing" "$@" "$image"
}

binds_and_opens() { # OPTION…
	bind "$@"
	assert_rc 0
	opens_by_token "$image"
}

ok "our client binds to it and opens" binds_and_opens --tang-ca="$tmp/ca.pem"
bind --tang-ca="$tmp/others.pem"
ok "but not by another CA" assert_error_has "certificate problem"
stop_server plain

# --- certificates of clients ---

serve mutual --tls-client-ca=clients.pem

with() { # NAME CURL-OPTION…
	gets "$2" "$3" --cert "$1.pem" --key "$1.key" "${@:4}"
}

for version in 1.2 1.3; do
	tls=(--tlsv$version --tls-max $version)
	ok "TLS $version: a client of the CA" with good 200 /adv "${tls[@]}"
	ok "TLS $version: recovers" with good 200 "/rec/$exchange" --data-binary @request "${tls[@]}"
	ok "TLS $version: of another CA" with foreign 403 /adv "${tls[@]}"
	ok "TLS $version: does not recover" with foreign 403 "/rec/$exchange" --data-binary @request "${tls[@]}"
	ok "TLS $version: its own CA" with self 403 /adv "${tls[@]}"
	ok "TLS $version: a certificate for servers" with purpose 403 /adv "${tls[@]}"
	ok "TLS $version: one that is too old" with late 403 /adv "${tls[@]}"
	ok "TLS $version: none" gets 403 /adv "${tls[@]}"
	ok "TLS $version: not even health" gets 403 /healthz "${tls[@]}"
done
ok "who recovered is in the log" grep -qF "recovery by key $exchange for 127.0.0.1 (CN=node 17,O=Farm): HTTP 200" mutual.log
ok "and that others were refused" grep -qF "no recovery by key $exchange for 127.0.0.1: HTTP 403" mutual.log
with control 200 "/rec/$exchange" --data-binary @request
ok "a name in one's log is one line" grep -qF '(CN=a' mutual.log
ok "of what can be printed" not grep -q $'\t' mutual.log
bind --tang-ca="$tmp/ca.pem"
ok "our client, which has none, is refused" assert_error_has "answered HTTP 403"
ok "and the volume is as it was" assert_same_file base "$image"
stop_server mutual

# --- what is wrong with the files ---

not_started() { # TEXT OPTION…
	run timeout 20 "$tangd" --listen=127.0.0.1:0 "${@:2}" keys </dev/null
	assert_one_sentence && assert_error_has "$1"
}

ok "a key without its certificate" not_started "go together" --tls-key=server.key
ok "a CA without them" not_started "needs --tls-certificate" --tls-client-ca=clients.pem
ok "another's key" not_started "do not match" --tls-certificate=server.pem --tls-key=good.key
ok "a missing file" not_started "cannot be read" --tls-certificate=server.pem --tls-key=none.key
ok "no PEM" not_started "no certificate and its key" --tls-certificate=request --tls-key=server.key
ok "a CA without certificates" not_started "holds no certificate" --tls-certificate=server.pem \
	--tls-key=server.key --tls-client-ca=request

ok "the servers' key is in no log" not grep -F "$(sed -n 2p server.key)" plain.log mutual.log
ok "no sanitizer had anything to say" not grep -E 'Sanitizer|runtime error' plain.log mutual.log
done_testing
