#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The recipes of cotter-tangd(8) for servers that stand in front of it, taken from the page: nginx, which asks
# clients for certificates, and haproxy over two servers with the same keys. Both programs are unpacked and not
# installed.
. "$(dirname "$0")/../lib.sh"

# The libraries that PACKAGE… need and this machine has not.
missing_libraries() { # PACKAGE…
	apt-cache depends "$@" | sed -n 's/^ *Depends: \(lib[^<]*\)$/\1/p' | sort -u |
		while read -r library; do
			dpkg-query -W -f '${db:Status-Status}\n' "$library" 2>/dev/null |
				grep -x installed >/dev/null || echo "$library"
		done
}

# Unpacks PACKAGE, and what it needs, into $tmp/PACKAGE.
unpack() { # PACKAGE
	local libraries more=()
	mapfile -t libraries < <(missing_libraries "$1")
	[ ${#libraries[@]} = 0 ] || mapfile -t more < <(missing_libraries "${libraries[@]}")
	mkdir -p "$tmp/$1"
	(cd "$tmp/$1" && apt-get -qq -o APT::Sandbox::User=root download "$1" "${libraries[@]}" "${more[@]}" &&
		find . -name '*.deb' -exec dpkg -x {} . \;) >"$tmp/$1.unpack" 2>&1
}

# The recipe as it is for our ports and files.
recipe() { # NAME SED-SCRIPT
	/usr/bin/python3 "$src/tests/recipes.py" page "$src/man/cotter-tangd.8" "$1" | sed -E "$2"
}

free_port() {
	/usr/bin/python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# --- nginx ---

make_ca() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj "/CN=$1" \
		-keyout "$tmp/$1.key" -out "$tmp/$1.crt" 2>/dev/null
}

make_certificate() { # NAME CA [EXTENSION]
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$1" \
		-keyout "$tmp/$1.key" -out "$tmp/request" 2>/dev/null
	openssl x509 -req -in "$tmp/request" -CA "$tmp/$2.crt" -CAkey "$tmp/$2.key" -days 2 \
		-extfile <(echo "${3:-}") -out "$tmp/$1.crt" 2>/dev/null
}

# Sets $tls_port.
start_nginx() {
	local nginx=$tmp/nginx
	tls_port=$(free_port)
	mkdir -p "$nginx/cotter" "$nginx/tmp"
	cp "$tmp/tls.crt" "$tmp/tls.key" "$nginx/cotter"
	cp "$tmp/clients.crt" "$nginx/cotter/clients.crt"
	{
		echo "user root; daemon off; pid $nginx/pid; error_log $tmp/nginx.log; events {} http {"
		for kind in client_body proxy fastcgi uwsgi scgi; do
			echo "${kind}_temp_path $nginx/tmp/$kind;"
		done
		recipe nginx "s|/etc/cotter|$nginx/cotter|; s|/var/log/nginx|$nginx|; s|127\.0\.0\.1:80\b|127.0.0.1:$tang_port|
			s|listen 443|listen 127.0.0.1:$tls_port|"
		echo '}'
	} >"$nginx/conf"
	start_server nginx "$nginx/usr/sbin/nginx" -p "$nginx" -c "$nginx/conf"
	wait_until 60 curl -sk -o /dev/null "https://127.0.0.1:$tls_port"
}

# The status of a request through nginx, by whom has the certificate of NAME.
ask() { # NAME PATH [OPTION…]
	local who=()
	[ -z "$1" ] || who=(--cert "$tmp/$1.crt" --key "$tmp/$1.key")
	curl -sS --cacert "$tmp/servers.crt" "${who[@]}" -o "$tmp/answer" -w '%{http_code}\n' "${@:3}" \
		"https://127.0.0.1:$tls_port$2"
}

# A recovery's body, and its path.
prepare_recovery() {
	local key
	curl -sSf "$tang_url/adv" | jose fmt -j- -g payload -yo- | jose jwk use -i- -r -u deriveKey -o "$tmp/exchange"
	jose jwk gen -i '{"alg":"ECMR"}' -o "$tmp/own"
	jose jwk pub -i "$tmp/own" -o "$tmp/point"
	key=$(jose jwk thp -i "$tmp/exchange" | head -n 1)
	path=/rec/$key
	recovery=(-H 'Content-Type: application/jwk+json' -d "@$tmp/point")
}

# What the answer must be: the server multiplies, as we can with our own key.
is_recovered() {
	assert_equal "$(jose jwk exc -l "$tmp/own" -r "$tmp/exchange" | jq -r .x)" "$(jq -r .x "$tmp/answer")"
}

tangd=cotter
start_tangd
prepare_recovery
if unpack nginx; then
	make_ca servers
	make_ca clients
	make_ca others
	make_certificate tls servers 'subjectAltName=IP:127.0.0.1'
	make_certificate machine-7 clients
	make_certificate stranger others
	start_nginx
	ok "through nginx, an advertisement" assert_equal "$(ask machine-7 /adv)" 200
	ok "and a recovery" assert_equal "$(ask machine-7 "$path" "${recovery[@]}")" 200
	ok "that is right" is_recovered
	ok "whose client is in nginx's log" grep -E "^127\.0\.0\.1 \"CN=machine-7\" \"POST $path HTTP/[0-9.]+\" 200$" \
		"$tmp/nginx/tang.log"
	ok "without a certificate, none" assert_equal "$(ask '' "$path" "${recovery[@]}")" 400
	ok "nor with another CA's" assert_equal "$(ask stranger "$path" "${recovery[@]}")" 400
	ok "nothing else is passed on" assert_equal "$(ask machine-7 /healthz)" 404
	stop_server nginx
else
	skip "nginx" "its package cannot be had here"
fi

# --- haproxy ---

statuses() { # N
	local i
	for ((i = 0; i < $1; i++)); do
		curl -sS -m 10 -o /dev/null -w '%{http_code}\n' "${recovery[@]}" "http://127.0.0.1:$balancer_port$path"
	done | sort | uniq -c | tr -s ' '
}

start_haproxy() {
	balancer_port=$(free_port)
	recipe haproxy "s|bind :80|bind 127.0.0.1:$balancer_port|; s|a\.example:80|127.0.0.1:$first_port|
		s|b\.example:80|127.0.0.1:$tang_port|" >"$tmp/haproxy/conf"
	start_server haproxy env LD_LIBRARY_PATH="$(find "$tmp/haproxy/usr/lib" -name '*.so*' -printf '%h\n' |
		sort -u | paste -sd:)" "$tmp/haproxy/usr/sbin/haproxy" -db -f "$tmp/haproxy/conf"
	wait_until 60 curl -sf -o /dev/null "http://127.0.0.1:$balancer_port/adv" ||
		{ cat "$tmp/haproxy.log" >&2; return 1; }
}

first_port=$tang_port
cp -r "$tmp/tang" "$tmp/second"
start_tangd second
if unpack haproxy; then
	start_haproxy
	ok "through haproxy, recoveries by two servers with the same keys" assert_equal "$(statuses 20)" ' 20 200'
	stop_tangd second
	ok "and while one of them is away" assert_equal "$(statuses 20)" ' 20 200'
	stop_server haproxy
else
	skip "haproxy" "its package cannot be had here"
fi
done_testing
