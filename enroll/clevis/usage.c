/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The texts of the commands that encrypt and decrypt. */
#include "enroll/clevis/usage.h"

#include <stddef.h>

const char *const usage_decrypt[] = {
	"\n"
	"Usage: clevis decrypt < JWE > PLAINTEXT\n"
	"\n"
	"Decrypts using the policy defined at encryption time\n"
	"\n",
	NULL,
};

const char *const usage_decrypt_pkcs11[] = {
	"\n"
	"Usage: clevis decrypt pkcs11 < JWE > PLAINTEXT\n"
	"\n",
	NULL,
};

const char *const usage_decrypt_sss[] = {
	"\n"
	"Usage: clevis decrypt sss < JWE > PLAINTEXT\n"
	"\n",
	NULL,
};

const char *const usage_decrypt_tang[] = {
	"\n"
	"Usage: clevis decrypt tang < JWE > PLAINTEXT\n"
	"\n",
	NULL,
};

const char *const usage_decrypt_tpm2[] = {
	"\n"
	"Usage: clevis decrypt tpm2 < JWE > PLAINTEXT\n"
	"\n",
	NULL,
};

const char *const usage_encrypt_pkcs11[] = {
	"\n"
	"Usage: clevis encrypt pkcs11 CONFIG < PLAINTEXT > JWE\n"
	"\n"
	"Encrypts using a PKCS#11 token\n"
	"\n"
	"CONFIG is a JSON object, all of whose members may be left out:\n"
	"\n"
	"  uri: <string>        The token, its module and its PIN (default: pkcs11:, the one that\n"
	"                       is here); without a PIN it is asked for at the terminal, as the\n"
	"                       token is to prove at once that it can decrypt\n"
	"\n"
	"  mechanism: <string>  How the key is encrypted: RSA-PKCS (default), RSA-PKCS-OAEP or\n"
	"                       ECDH1-DERIVE; other Clevis reads the first\n"
	"\n",
	NULL,
};

const char *const usage_encrypt_sss[] = {
	"\n"
	"Usage: clevis encrypt sss CONFIG [-y] < PLAINTEXT > JWE\n"
	"\n"
	"Encrypts using a Shamir's Secret Sharing policy\n"
	"\n"
	"  -y    Trust whatever keys a Tang server without \"thp\" or \"adv\" advertises\n"
	"\n"
	"CONFIG is a JSON object:\n"
	"\n"
	"     t: <integer>  How many of the parts are needed (default: 1)\n"
	"\n"
	"  pins: <object>   The parts: a pin's name, and its configuration or an array of\n"
	"                   them (REQUIRED)\n"
	"\n"
	"One of two servers will do:\n"
	"\n"
	"  {\"t\":1,\"pins\":{\"tang\":[{\"url\":\"http://a.example\"},{\"url\":\"http://b.example\"}]}}\n"
	"\n",
	NULL,
};

const char *const usage_encrypt_tang[] = {
	"\n"
	"Usage: clevis encrypt tang CONFIG [-y] < PLAINTEXT > JWE\n"
	"\n"
	"Encrypts using a Tang binding server policy\n"
	"\n"
	"  -y    Trust whatever keys the server advertises; a thumbprint in CONFIG must\n"
	"        match all the same\n"
	"\n"
	"CONFIG is a JSON object:\n"
	"\n"
	"  url: <string>   The address of the Tang server (REQUIRED)\n"
	"\n"
	"  thp: <string>   The thumbprint of a trusted signing key, which tang-show-keys\n"
	"                  prints on the server\n"
	"\n"
	"  adv: <string>   A file with a trusted advertisement\n"
	"  adv: <object>   The advertisement itself\n"
	"\n"
	"An advertisement can be saved with:\n"
	"\n"
	"    $ curl -sf $URL/adv > adv.jws\n"
	"\n",
	NULL,
};

const char *const usage_encrypt_tpm2[] = {
	"\n"
	"Usage: clevis encrypt tpm2 CONFIG < PLAINTEXT > JWE\n"
	"\n"
	"Encrypts using a TPM2.0 chip binding policy\n"
	"\n"
	"CONFIG is a JSON object, all of whose members may be left out:\n"
	"\n"
	"  hash: <string>        Hash of the sealed object's name (default: sha256)\n"
	"\n"
	"  key: <string>         Type of the primary key: ecc or rsa (default: ecc)\n"
	"\n"
	"  pcr_bank: <string>    Bank of the PCRs (default: the first that the TPM has)\n"
	"\n"
	"  pcr_ids: <string>     PCRs that must have these values to decrypt, as \"0,7\"; without,\n"
	"                        whoever has the machine can decrypt\n"
	"  pcr_ids: <array>      The same, as [\"0\", \"7\"]\n"
	"\n"
	"  pcr_digest: <string>  The PCRs' values, one after the other, in base64url (default:\n"
	"                        the present ones)\n"
	"\n",
	NULL,
};
