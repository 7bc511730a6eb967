# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# A stage with TPMs: swtpm, the proxy in front of it, and our pins alone as a filter. To be sourced after
# lib.sh.

for program in swtpm tpm2_getcap; do
	command -v $program >/dev/null || skip_all "$program is not installed"
done

pin_helper=$build/tests/pin-helper
errno_names=(EIO=5 ENODEV=19 EINVAL=22 ENOANO=55 EPROTO=71 EBADMSG=74 EKEYREJECTED=129)

# A TPM called NAME, made where it is new, which our programs and tpm2-tools then use.
start_tpm() { # NAME
	mkdir -p "$tmp/$1.state"
	start_server "$1" swtpm socket --tpm2 --tpmstate "dir=$tmp/$1.state" \
		--server "type=unixio,path=$tmp/$1.tpm" --ctrl "type=unixio,path=$tmp/$1.tpm.ctrl" \
		--flags not-need-init,startup-clear
	wait_until 10 test -S "$tmp/$1.tpm" -a -S "$tmp/$1.tpm.ctrl"
	use_tpm "$1"
	# A TPM that was not shut down counts that as a wrong PIN.
	tpm2_dictionarylockout --clear-lockout
}

use_tpm() { # NAME
	export TPM2TOOLS_TCTI=swtpm:path=$tmp/$1.tpm
	export COTTER_TPM2_TCTI=$TPM2TOOLS_TCTI
}

# The machine is started again: its PCRs are new.
restart_tpm() { # NAME
	use_tpm "$1"
	tpm2_shutdown --clear
	stop_server "$1"
	start_tpm "$1"
}

extend_pcr() { # INDEX:BANK
	local digits
	case $1 in *sha1) digits=40 ;; *sha256) digits=64 ;; *sha384) digits=96 ;; *) digits=128 ;; esac
	tpm2_pcrextend "$1=$(printf "%0${digits}d" 1)"
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
	wait_until 10 test -S "$tmp/proxy.tpm" -a -S "$tmp/proxy.tpm.ctrl"
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

# --- signed policies ---

hex() {
	od -An -v -tx1 | tr -d ' \n'
}

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

# The protected header as JSON.
header() { # JWE
	cut -d. -f1 "$1" | jose b64 dec -i-
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
