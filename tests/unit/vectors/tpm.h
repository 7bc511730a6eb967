/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tpm2-tools and swtpm make of a key and of policies, and what the tests of tpm/ share. */
#pragma once

#include "tests/unit/lines.h"

/* Made by "openssl genrsa 2048". */
#define RSA_PEM                                                              \
	"-----BEGIN PUBLIC KEY-----\n"                                       \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsa1oU6JvZ8O7PamkYIe7\n" \
	"sksZKAllhkxXP72kA+5XDjbiiwFVhwvjFMpS6porKR1SgzmwMKjEurWm5p9ZZ/qI\n" \
	"h050KYkU6kNVFuq9i4edDcDdbcZFCdhOpcERhOTKsBMAaC5b5VyWQfRgGk2njgup\n" \
	"Ck3hr+yfsLGWlJafZ9WkKsWwfl25sAHzbGVJUj4s7wSdaW3Hz0Ewr/iNJTdqrI9V\n" \
	"p7JsS5RZ52Ap0UcgNP9W8JzTgxpAGwlNdNMX38CFzWVBsLJPvqR5wEdQXenJxwpA\n" \
	"NCB7bie3sysqnubda9HKA61UomgnI5ElFi56KrYNXRwm0enpsTPv5s5akeCrh9Dv\n" \
	"ewIDAQAB\n"                                                         \
	"-----END PUBLIC KEY-----\n"

/* systemd's fingerprint: SHA-256 of its PKCS #1 form in DER. */
#define RSA_FINGERPRINT "b4a33a4026fea6bf98757f7bfa2c35d7ef27a83e8ba4f347ee18d88ef58c5d3b"

/* Its Name with the attributes sign and userWithAuth, and 0 for the exponent 65537. */
#define RSA_NAME "000b8df07445bb4f30634dc657893a992f7a636759513802896aa4fee95e6e7fe742"

/* What "clevis encrypt tpm2" of Clevis 19 wrote, with the PCRs 7 and 0 of sha256. */
#define CLEVIS_HEADER                                                                          \
	"{\"alg\":\"dir\",\"clevis\":{\"pin\":\"tpm2\",\"tpm2\":{\"hash\":\"sha256\",\"jwk_pr" \
	"iv\":\"AO4AIHgRbyyGKew9-d5pkU_Rq5bp11HnBJyPk-q4BzbiJZy3ABDnpJoU8cw75NZWfc208E0eHZxGM" \
	"nY1C_s4phFfeWuLiChWF7vJ1Iz8xjrM0RId9aLW2fZPbLx6P_8qGExDukFSy-MZyl255ftX7gWy8ktsxvi-X" \
	"p2hKgaGOyp5Cl3oDyk61LDp7ypj1gj-4HRhwNYK03DvQ3zlf0xpj8GYeRpNT3kudybBvtUIrd7GvU3YEcvov" \
	"XIE5HpbxbZVZaJMRuiok-_Rgku6wDk7czIsREiKmeklPb0MgVQjtmnYaVe4vEukS0TZ_oAzOYOK\",\"jwk_" \
	"pub\":\"AE4ACAALAAAEkgAgAuNkKz4p7sz__YAxwApvCg_r5c7qL272sDIv6BWYzzEAEAAgG67R6bR9l_eX" \
	"YCjuvnpRblxj2GnhN2l1_YvrM0znloU\",\"key\":\"ecc\",\"pcr_bank\":\"sha256\",\"pcr_ids"  \
	"\":\"7,0\"}},\"enc\":\"A256GCM\"}"

/* What the pin wrote with all that it can: two banks, a PIN, a signed policy. */
#define FULL_HEADER                                                                            \
	"{\"alg\":\"dir\",\"clevis\":{\"pin\":\"tpm2\",\"tpm2\":{\"jwk_priv\":\"AL0AIK3P4_7wA" \
	"yhcVtdnfIpFNS0Q7qSYzECN8lHDPKVqiSuNABD1NVzJnlN2ltVzT26M6FQkx2IrZbYTdSrEEY7Ps60_StLrH" \
	"bkw-TqG9Mf0RldpdZAC_r6AuOIbZ5DOq4C-SkPU3-f1VmfaVrv6t5c_ig_jV4qfTEssf0kH5L55kx7TdRsQ6" \
	"UQnOjbH55FCHDgCAfoFF9izPZdXi2vl9km-CQn0IyyuPURR9gwVzEWBGGrEp0bv4wWv6zrZ6z0\",\"jwk_p" \
	"ub\":\"AE4ACAALAAAAkgAg3nGT6b8VA96yLydIN3u5mNm6kH_95bz3Uwu6EFqgQ8QAEAAgdJP6Ekskn8X67" \
	"s0r--x8_1aupbzIR0Ry1bc9aFMd76w\",\"name\":\"AAt7aA2cf8etgpz15S7JQCI1nFZ230kX2iB40O-I" \
	"aOmVTw\",\"parent\":\"0x81000001\",\"pcr_values\":{\"sha256:7\":\"AAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAA\",\"sha384:4\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAA\"},\"pubkey\":\"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" \
	"sa1oU6JvZ8O7PamkYIe7sksZKAllhkxXP72kA-5XDjbiiwFVhwvjFMpS6porKR1SgzmwMKjEurWm5p9ZZ_qI" \
	"h050KYkU6kNVFuq9i4edDcDdbcZFCdhOpcERhOTKsBMAaC5b5VyWQfRgGk2njgupCk3hr-yfsLGWlJafZ9Wk" \
	"KsWwfl25sAHzbGVJUj4s7wSdaW3Hz0Ewr_iNJTdqrI9Vp7JsS5RZ52Ap0UcgNP9W8JzTgxpAGwlNdNMX38CF" \
	"zWVBsLJPvqR5wEdQXenJxwpANCB7bie3sysqnubda9HKA61UomgnI5ElFi56KrYNXRwm0enpsTPv5s5akeCr" \
	"h9DvewIDAQAB\",\"pubkey_pcrs\":\"sha256:11\",\"salt\":\"-d-93aygBp5VjdVm5u2V4t3vfQ1o" \
	"-QOFOpMEWCWpsII\",\"signature\":\"/etc/x.json\"}},\"enc\":\"A256GCM\"}"

/* Whether bytes are what hexadecimal digits say. */
static inline void assert_hex(const char *what, const uint8_t *bytes, size_t n, const char *want)
{
	char got[2 * 128 + 1] = "";

	assert_true(n <= 128);
	for (size_t i = 0; i < n; i++)
		(void)snprintf(got + 2 * i, 3, "%02x", bytes[i]);
	if (strcmp(got, want) != 0)
		fail_msg("%s: got %s, want %s", what, got, want);
}
