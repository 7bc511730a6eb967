#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes the seeds of all corpora anew, of what real tools write: FOLDER/TARGET/NAME. They differ from run to
# run, since keys do. What fuzzers found beyond them is in the corpora that are kept (see README).
#
#	tests/fuzz/seeds.sh FOLDER
src=$(realpath "$(dirname "$0")/../..")
[ $# = 1 ] || { echo "Usage: $0 FOLDER" >&2; exit 2; }
folder=$(realpath -m "$1")
. "$src/tests/lib.sh"
. "$src/tests/tpm.sh"
secret=$tmp/secret
printf 'not much of a secret' >"$secret"

# Keeps what CMD writes.
seed() { # TARGET NAME CMD…
	local file=$folder/$1/$2
	shift 2
	mkdir -p "${file%/*}"
	"$@" >"$file"
}

keep() { # TARGET FILE…
	local target=$1
	shift
	mkdir -p "$folder/$target"
	cp "$@" "$folder/$target/"
}

# --- keys, signatures and JWEs by José ---

# The key that fuzzers open JWEs with.
zeros=$(printf '{"kty":"oct","k":"%s"}' "$(printf 'A%.0s' {1..43})")
mkdir "$tmp/keys"
for alg in ES256 ES384 ES512; do
	jose jwk gen -i "{\"alg\":\"$alg\"}" -o "$tmp/keys/$alg"
	jose jwk pub -i "$tmp/keys/$alg" -o "$tmp/keys/$alg.pub"
	jose jws sig -I "$secret" -k "$tmp/keys/$alg" -o "$tmp/$alg.jws"
	keep jws "$tmp/$alg.jws"
done
for crv in P-256 P-384 P-521; do
	jose jwk gen -i "{\"alg\":\"ECMR\",\"crv\":\"$crv\"}" -o "$tmp/keys/$crv"
	jose jwk pub -i "$tmp/keys/$crv" -o "$tmp/keys/$crv.pub"
	seed request "$crv" jq -c '{alg: "ECMR", kty, crv, x, y}' "$tmp/keys/$crv"
	seed rec "$crv" jq -c '{alg: "ECMR", kty, crv, x, y}' "$tmp/keys/$crv"
done
jose jwk gen -i '{"kty":"oct","bytes":32}' -o "$tmp/keys/oct"
jose jwk gen -i '{"alg":"RSA1_5","bits":2048}' -o "$tmp/keys/rsa"
keep jwk "$tmp"/keys/*
keep key-file "$tmp"/keys/*
jose jws sig -I "$secret" -k "$tmp/keys/ES256" -k "$tmp/keys/ES512" -o "$tmp/two.jws"
keep jws "$tmp/two.jws"
for header in '{"alg":"dir","enc":"A256GCM"}' '{"alg":"dir","enc":"A256GCM","zip":"DEF"}'; do
	n=$((${n:-0} + 1))
	seed jwe-json "dir$n" jose jwe enc -I "$secret" -i "{\"protected\":$header}" -k <(echo "$zeros")
	seed jwe-text "dir$n" jose jwe enc -c -I "$secret" -i "{\"protected\":$header}" -k <(echo "$zeros")
done
for crv in P-256 P-521; do
	key=$(jq -c 'del(.alg, .key_ops)' "$tmp/keys/$crv.pub")
	template='{"protected":{"alg":"ECDH-ES","enc":"A256GCM"}}'
	seed jwe-json "ecdh-$crv" jose jwe enc -I "$secret" -i "$template" -k <(echo "$key")
	seed jwe-text "ecdh-$crv" jose jwe enc -c -I "$secret" -i "$template" -k <(echo "$key")
done
seed b64 text jose b64 enc -I "$secret"
seed b64 bytes printf 'AP__-_8'

# --- advertisements and recoveries by Tang ---

start_tangd one
url=$tang_url thp=$tang_thumbprint
seed adv tangd curl -sSf "$url/adv"
seed adv-keys tangd jose fmt -j "$folder/adv/tangd" -g payload -yo-
# With the keys that the fuzzer signs with, which are in tests/unit/vectors/jose.h.
published() { # NAME FILE
	/usr/bin/python3 -c 'import re, sys
print(re.search(r"#define " + sys.argv[1] + r"\s[\s\\]*\"(.*)\"", open(sys.argv[2]).read())[1])' \
		"$1" "$src/tests/unit/vectors/${2:-jose.h}"
}
seed adv-keys ours jq -c --arg x3 "$(published A3_X)" --arg y3 "$(published A3_Y)" \
	--arg x4 "$(published A4_X)" --arg y4 "$(published A4_Y)" \
	'.keys |= map(select(.key_ops | index("verify") | not)) + [
		{kty: "EC", alg: "ES256", crv: "P-256", x: $x3, y: $y3, key_ops: ["verify"]},
		{kty: "EC", alg: "ES512", crv: "P-521", x: $x4, y: $y4, key_ops: ["verify"]}]' \
	"$folder/adv-keys/tangd"
keep key-file "$tmp"/one/*.jwk
kid=$(jose jwk thp -i <(jq -c '.keys[] | select(.alg == "ECMR")' "$folder/adv-keys/tangd"))
curl -sSf -H 'Content-Type: application/jwk+json' --data-binary "@$folder/request/P-521" \
	"$url/rec/$kid" >"$tmp/reply"
keep rec "$tmp/reply"
seed rec not-found printf '404no such key'
for path in / //adv /adv /adv/ "/adv/$thp" "/rec/$kid" "/tang/adv" /healthz /metrics; do
	seed request "path$((n += 1))" printf %s "$path"
done

# What clients send to it: curl, and by hand.
capture() { # NAME CURL-ARGUMENT…
	local name=$1
	shift
	start_server capture socat -d -d -u "TCP4-LISTEN:0,bind=127.0.0.1,reuseaddr" "CREATE:$tmp/captured"
	wait_until 60 grep -q 'listening on' "$tmp/capture.log"
	curl -s --max-time 1 "$@" --connect-to "::127.0.0.1:$(sed -n 's/.*listening on .*://p' "$tmp/capture.log")" \
		>/dev/null || true
	wait "${servers[capture]}" || true
	keep tangd "$tmp/captured"
	mv "$folder/tangd/captured" "$folder/tangd/$name"
}
capture adv http://tang/adv
capture rec -H 'Content-Type: application/jwk+json' --data-binary "@$folder/request/P-521" "http://tang/rec/$kid"
capture chunked -H 'Transfer-Encoding: chunked' --data-binary "@$folder/request/P-521" "http://tang/rec/$kid"
capture expect -H 'Expect: 100-continue' --data-binary "@$folder/request/P-256" "http://tang/rec/$kid"
capture head -I "http://tang/adv/$thp"
capture put -T "$secret" http://tang/adv
seed tangd pipelined printf 'GET /adv HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
seed tangd old printf 'GET /adv HTTP/1.0\r\n\r\n'
seed tangd smuggle printf 'POST /rec/%s HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' "$kid"
seed tangd long printf 'POST /rec/%s HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n{}' "$kid"

# --- tokens and headers by Clevis and by us, under TPMs and Tang servers ---

# One JWE for all that reads one.
jwe() { # NAME FILE
	local json=$tmp/json
	seed jwe-text "$1" cat "$2"
	seed clevis-token "$1" cat "$2"
	jose jwe fmt -i "$2" -o "$json"
	keep jwe-json "$json"
	mv "$folder/jwe-json/json" "$folder/jwe-json/$1"
	pin=$(header "$2" | jq -r .clevis.pin)
	case $pin in
	tang | tpm2 | sss) seed "$pin" "$1" header "$2" ;;
	pkcs11) seed card "$1" header "$2" ;;
	esac
	seed clevis-token "$1.token" jq -c '{type: "clevis", keyslots: ["1"], jwe: .}' "$json"
	seed token "$1.clevis" cat "$folder/clevis-token/$1.token"
	seed token "$1" jq -c --arg type "cotter-$pin" '{type: $type, keyslots: ["1"], jwe: .,
		cotter: {version: 1, label: "a label", deadline: 20}}' "$json"
}

config() { # NAME PIN CONFIG: sealed by Clevis
	seed clevis-config "$1" printf %s "$3"
	seed js "$1" printf %s "$3"
	seed policy "$1.json" printf %s "$3"
	clevis encrypt "$2" "$3" <"$secret" >"$tmp/jwe"
	tpm2_flushcontext --loaded-session 2>/dev/null || true
	jwe "$1" "$tmp/jwe"
}

start_tpm tpm
tang="{\"url\":\"$url\",\"thp\":\"$thp\"}"
config tang tang "$tang"
config tpm2 tpm2 '{}'
config tpm2-pcrs tpm2 '{"pcr_bank":"sha256","pcr_ids":"0,7","key":"rsa"}'
config sss sss "{\"t\":2,\"pins\":{\"tang\":[$tang,$tang],\"tpm2\":{\"pcr_ids\":[7]}}}"
config nested sss "{\"t\":1,\"pins\":{\"sss\":{\"t\":1,\"pins\":{\"tang\":$tang}}}}"

make_policy_key key
ours() { # NAME PIN CONFIG [OPTION…]
	local name=$1 pin=$2 config=$3
	shift 3
	seed clevis-config "$name" printf %s "$config"
	"$pin_helper" "$@" seal "$pin" "$config" <"$secret" >"$tmp/jwe"
	jwe "$name" "$tmp/jwe"
}
ours our-pcrs tpm2 '{"pcrs":"7+11:sha256"}'
ours our-pin tpm2 '{"pin":true,"pcrs":"7"}' --pin=1234
ours our-signed tpm2 "$(jq -nc --rawfile key "$tmp/key.pub" \
	'{pubkey: $key, pubkey_pcrs: "11", signature: "/run/signature"}')"
sign_pcrs key sha256:11 >"$tmp/signature"
keep signature "$tmp/signature"
# One that the fuzzer's key and policy have.
seed signature found jq -c --arg pkfp "$(published RSA_FINGERPRINT tpm.h)" \
	'.sha256[0] += {$pkfp, pol: ("41" * 32)}' \
	"$tmp/signature"
keep rsa "$tmp/key.pub"
seed rsa key.der openssl pkey -pubin -in "$tmp/key.pub" -outform DER
seed rsa ec openssl pkey -pubout -in <(openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256)

# Both parts of an object, with the length of the first before it.
for name in tpm2 our-pin; do
	part() { jq -r ".clevis.tpm2.$1" "$folder/tpm2/$name" | jose b64 dec -i-; }
	part jwk_pub >"$tmp/pub"
	seed tpm2b "$name" bash -c 'printf "\\x$(printf %02x $(($1 / 256)))\\x$(printf %02x $(($1 % 256)))"' \
		- "$(stat -c %s "$tmp/pub")"
	cat "$tmp/pub" >>"$folder/tpm2b/$name"
	part jwk_priv >>"$folder/tpm2b/$name"
done

# Shares of ours and of Clevis's are in the seeds of sss; these are of numbers that one can count with.
seed shamir ours /usr/bin/python3 -c 'import sys
p = 2**256 - 189
f = lambda x: (5 + 7 * x) % p
sys.stdout.buffer.write(b"\x81\x00" + b"".join(n.to_bytes(32, "big") for x in (1, 2) for n in (x, f(x))))'
seed shamir other /usr/bin/python3 -c 'import sys
p, n = 2**127 - 1, 16
f = lambda x: (5 + 7 * x + x * x) % p
sys.stdout.buffer.write(b"\x02\x00" + p.to_bytes(n, "big") + b"".join(v.to_bytes(n, "big") for x in (1, 2, 3) for v in (x, f(x))))'

# --- cards by SoftHSM ---

. "$src/tests/softhsm.sh"
make_card card
make_key card rsa:2048 01 key
make_key card EC:prime256v1 02 key
for mechanism in RSA-PKCS RSA-PKCS-OAEP ECDH1-DERIVE; do
	ours "card-$mechanism" pkcs11 "$(jq -nc --arg uri "$(card_uri token=card)" --arg mechanism $mechanism \
		'{$uri, $mechanism} + if $mechanism == "RSA-PKCS-OAEP" then {hash: "sha1"} else {} end')" --pin=$card_pin
done
seed card uri printf 'pkcs11:token=a%%20b;manufacturer=m;serial=1;id=%%01%%02;object=o;type=private?module-path=/m.so&pin-value=1'
seed card clevis printf 'pkcs11:module-path=/m.so;slot-id=3;pin-source=file:///a;'

# --- volumes by cryptsetup and luksmeta ---

make_small_image luks2
seed luks2 header head -c 16384 "$image"
truncate -s 20M "$tmp/luks1"
"${luks_format[@]}" --type luks1 "$tmp/luks1"
seed luks1 header head -c 1024 "$tmp/luks1"
cryptsetup luksAddKey --batch-mode --pbkdf-force-iterations 1000 --key-slot 5 --key-file "$passphrase" \
	"$tmp/luks1" "$secret"
seed luks1 two head -c 1024 "$tmp/luks1"
luksmeta init -f -d "$tmp/luks1"
printf 'a text' | luksmeta save -d "$tmp/luks1" -s 0 -u cb6e8904-81ff-40da-a84a-07ab9ab5715e
at=$(LC_ALL=C grep -obUa LUKSMETA "$tmp/luks1" | head -n 1 | cut -d: -f1)
seed luksmeta saved dd if="$tmp/luks1" bs=4096 skip=$((at / 4096)) count=3 status=none

# --- images by cpio and what compresses them, libraries by gcc ---

tree=$tmp/tree
mkdir -p "$tree/etc/cmdline.d" "$tree/usr/lib/modules/6.1/kernel/drivers/char/tpm" "$tree/scripts"
ln -s usr/lib "$tree/lib"
ln -s ../usr/lib/./modules/6.1 "$tree/etc/modules"
echo 'root UUID=1 none token-type=cotter-tang,x-initrd.attach' >"$tree/etc/crypttab"
echo 'rd.neednet=1' >"$tree/etc/cmdline.d/50-cotter.conf"
echo '127.0.0.1 localhost tang' >"$tree/etc/hosts"
echo 'kernel/drivers/char/tpm/tpm.ko' >"$tree/usr/lib/modules/6.1/modules.builtin"
touch "$tree/usr/lib/modules/6.1/kernel/drivers/char/tpm/tpm_tis.ko.xz" "$tree/scripts/functions"
pack() { # FORMAT
	(cd "$tree" && find . | sort | cpio -o -H "$1" --quiet --reproducible)
}
seed cpio newc pack newc
seed cpio crc pack crc
seed cpio old pack odc
keep initrd "$folder/cpio/newc"
pack newc >"$tmp/archive"
for packer in 'gzip -9n' 'xz --check=crc32' 'xz --format=lzma' 'zstd -19q' 'lz4 -lq' bzip2 lzop; do
	# shellcheck disable=SC2086 # words
	seed initrd "${packer//[ =]/-}" $packer -c "$tmp/archive"
done
seed initrd two sh -c 'cat "$1"; head -c 512 /dev/zero; cat "$2"' two "$folder/cpio/crc" "$folder/initrd/gzip--9n"
library() { # OPTION…
	echo 'int answer(void); int answer(void) { return 42; }' |
		gcc -x c -shared -nostdlib -s -Wl,--build-id=none,-z,noseparate-code,--hash-style=gnu "$@" -
}
seed elf-needed one library -o /dev/stdout -Wl,--no-as-needed -lc
seed elf-needed two library -o /dev/stdout -Wl,--no-as-needed -lm -lc -Wl,-soname,libx.so.1
seed elf-needed none library -o /dev/stdout

# --- texts that people write, NULs between those of several files ---

seed policy tree printf '2 of (tpm2(pcrs=7), tang(http://a, thp=x), 1 of (tang("http://b"), tang(http://c)))'
seed policy leaf printf 'tpm2(pcrs="7+11:sha384", pin=yes)'
seed pcr people printf '7+secure-boot-policy:sha256,11:sha384'
seed pcr value printf '7:sha256=%064d' 0
seed pcr ids printf '0,7'
seed pcr array printf '{"ids":[0,"7"],"sha256:7":"%s"}' "$(printf 'A%.0s' {1..43})"
seed pcr values jq -c '.clevis.tpm2.pcr_values' "$folder/tpm2/our-pcrs"
crypttab='# comment\nroot UUID=1 none luks,discard\ndata\t/dev/sdb  -  _netdev,token-type=cotter-tang,x\\,y\nswap /dev/sdc /etc/key\n'
seed crypttab change printf "data\\0/dev/sdb\\0_netdev,tries=3\\0$crypttab"
seed crypttab add printf "new\\0UUID=2\\0luks\\0$crypttab"
seed crypttab busy printf "swap\\0/dev/sdc\\0luks\\0$crypttab"
seed generator boot printf "rd.luks.uuid=luks-1 luks.options=1=_netdev,token-type=cotter-tang rd.luks.name=2=x debug quiet\\0$crypttab\\0/dev/mapper/data /data ext4 _netdev 0 2\n/dev/mapper/swap none swap sw 0 0\n"
seed generator no printf "luks=no rd.luks=0 luks.crypttab=no luks.key=/a\\0$crypttab\\0/dev/mapper/data /data ext4 defaults\n"
seed question systemd printf '[Ask]\nPID=1\nSocket=/run/systemd/ask-password/sck.1\nAcceptCached=0\nEcho=0\nNotAfter=123\nMessage=Please enter passphrase:\nId=cryptsetup:/dev/disk/by-uuid/a\\x20b\n'
seed key-file usage printf '{"since":1,"started":2,"keys":{"%s":{"recoveries":3,"last":4,"recoveries_since_start":5}}}' "$thp"
for text in http://a https://tang.example:7500/prefix/ '[::1]:80' tang http://xn--a.example; do
	seed tang "url$((n += 1))" printf %s "$text"
done
for target in token tang tpm2 adv-keys jwe-json; do
	keep js "$(find "$folder/$target" -type f | sort | head -n 1)"
done
ended=true
