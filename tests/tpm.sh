# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# More of a stage with TPMs: what goes wrong with them, the proxy in front of one, one as a device, and our
# pins alone as a filter. To be sourced after lib.sh.

for program in swtpm tpm2_getcap; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done

pin_helper=$build/tests/pin-helper
errno_names=(EIO=5 ENODEV=19 EINVAL=22 ENOANO=55 EPROTO=71 EBADMSG=74 EKEYREJECTED=129)

# The machine is started again: its PCRs are new.
restart_tpm() { # NAME
	use_tpm "$1"
	tpm2_shutdown --clear
	stop_server "$1"
	start_tpm "$1"
}

# Keys and sessions in the TPM.
nothing_open() {
	local open
	open=$(tpm2_getcap handles-transient; tpm2_getcap handles-loaded-session)
	[ -z "$open" ] || { echo "still open: $open"; return 1; }
}

# What others left there.
close_all() {
	tpm2_flushcontext --transient-object
	tpm2_flushcontext --loaded-session
}

wrong_pins() {
	tpm2_getcap properties-variable | sed -n 's/TPM2_PT_LOCKOUT_COUNTER: //p'
}

# --- the proxy ---

# Our programs now reach the TPM called NAME through a proxy; $proxy is its folder.
start_proxy() { # NAME
	proxy=$tmp/proxy
	mkdir "$proxy"
	start_server proxy "$src/tests/tpmproxy.py" "$tmp/proxy.tpm" "$tmp/$1.tpm" "$proxy"
	wait_until 60 test -S "$tmp/proxy.tpm" -a -S "$tmp/proxy.tpm.ctrl"
	export COTTER_TPM2_TCTI=swtpm:path=$tmp/proxy.tpm
}

forget_traffic() {
	: >"$proxy/traffic"
	: >"$proxy/commands"
}

count_commands() {
	wc -l <"$proxy/commands"
}

# Whether the bytes that the hexadecimal digits are crossed the connection.
traffic_has() { # HEX
	/usr/bin/python3 -c 'import sys
sys.exit(bytes.fromhex(sys.argv[2]) not in open(sys.argv[1], "rb").read())' "$proxy/traffic" "$1"
}

# --- TPMs as devices ---

# Runs the test in a mount namespace of its own, where it can make_dev.
in_own_dev() { # [ARGUMENT…]
	[ -z "${IN_NAMESPACE:-}" ] || return 0
	[ "$(id -u)" = 0 ] || skip_all "only root can make a /dev"
	rm -rf "$tmp"
	IN_NAMESPACE=1 exec unshare -m "$0" "$@"
}

# A /dev with the few devices that programs need, and the rest of /sys/class hidden. It is moved to its
# place: what is left in $tmp is removed at the end.
make_dev() {
	local name
	mkdir "$tmp/dev"
	mount -t tmpfs dev "$tmp/dev"
	mkdir "$tmp/dev/pts"
	for name in null zero random urandom tty; do
		touch "$tmp/dev/$name"
		mount --bind "/dev/$name" "$tmp/dev/$name"
	done
	mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 pts "$tmp/dev/pts"
	ln -s pts/ptmx "$tmp/dev/ptmx"
	ln -s /proc/self/fd "$tmp/dev/fd"
	mount --move "$tmp/dev" /dev
	mount -t tmpfs class /sys/class
}

# A device called NAME that is the TPM at SOCKET. Something must always have it open, but it must not become
# anybody's terminal.
start_device() { # NAME SOCKET
	start_server "$1" socat "PTY,link=/dev/$1,raw,echo=0" "UNIX-CONNECT:$2"
	wait_until 60 test -e "/dev/$1"
	start_server "$1-open" /usr/bin/python3 -c 'import os, signal, sys
os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
open(sys.argv[2], "w").close()
signal.pause()' "/dev/$1" "$tmp/$1.is_open"
	wait_until 60 test -e "$tmp/$1.is_open"
}

stop_device() { # NAME
	stop_server "$1-open"
	stop_server "$1"
	rm -f "/dev/$1"
}

# --- signed policies ---

# A key, and its public part, in $tmp/NAME.pem and $tmp/NAME.pub.
make_policy_key() { # NAME [BITS]
	openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:${2:-2048}" -out "$tmp/$1.pem" 2>/dev/null
	openssl pkey -in "$tmp/$1.pem" -pubout -out "$tmp/$1.pub"
}

# The key's signature of the PCRs' present values, as systemd-measure writes it.
sign_pcrs() { # NAME BANK:IDS
	tpm2_startauthsession -S "$tmp/session" --policy-session
	tpm2_policypcr -Q -S "$tmp/session" -l "$2" -L "$tmp/policy"
	tpm2_flushcontext "$tmp/session"
	openssl dgst -sha256 -sign "$tmp/$1.pem" "$tmp/policy" | base64 -w0 >"$tmp/sig"
	jq -n --arg bank "${2%%:*}" --argjson pcrs "[${2#*:}]" --rawfile sig "$tmp/sig" \
		--arg pol "$(hex <"$tmp/policy")" \
		--arg pkfp "$(openssl rsa -in "$tmp/$1.pem" -RSAPublicKey_out -outform DER 2>/dev/null |
			sha256sum | cut -d' ' -f1)" \
		'{($bank): [{$pcrs, $pkfp, $pol, $sig}]}'
}

# --- our pins ---

seal() { # JWE CONFIG [OPTION…]
	local jwe=$1 config=$2
	shift 2
	"$pin_helper" "$@" seal tpm2 "$config" <"$secret" >"$jwe"
}

# Whether it opens, to the secret.
opens() { # JWE [OPTION…]
	local jwe=$1
	shift
	"$pin_helper" "$@" open <"$jwe" | cmp - "$secret"
}

# Whether the last run failed with this error and said these words in one line.
assert_failed() { # ERRNO WORDS
	local name
	for name in "${errno_names[@]}"; do
		[ "${name%=*}" != "$1" ] || break
	done
	assert_rc "${name#*=}" && assert_error_has "$2"
	assert_equal "$(wc -l <"$tmp/err")" 1
}

# Whether it fails so, and leaves nothing in the TPM.
fails() { # JWE ERRNO WORDS [OPTION…]
	local jwe=$1 errno=$2 words=$3
	shift 3
	run "$pin_helper" "$@" open <"$jwe"
	assert_failed "$errno" "$words"
	nothing_open
}

# Puts another protected header into a JWE; only pins look at it then.
with_header() { # JWE JQ-FILTER
	printf '%s.%s' "$(header "$1" | jq -cj "$2" | jose b64 enc -I-)" "$(cut -d. -f2- "$1")"
}

# What the PIN becomes for the TPM, in hexadecimal.
auth_value() { # JWE PIN
	header "$1" | /usr/bin/python3 -c 'import base64, hashlib, json, sys
salt = base64.urlsafe_b64decode(json.load(sys.stdin)["clevis"]["tpm2"]["salt"] + "=")
print(hashlib.pbkdf2_hmac("sha256", sys.argv[1].encode(), salt, 10000).rstrip(bytes(1)).hex())' "$2"
}
