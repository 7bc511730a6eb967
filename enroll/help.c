/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of --help, in the order in which the options are documented, in parts that a C compiler must take. */
#include "enroll/help.h"

#include <stddef.h>

const char *const help_texts[] = {
	"cotter-enroll [OPTIONS] DEVICE-OR-IMAGE...\n"
	"cotter-enroll [OPTIONS] --all\n"
	"\n"
	"Binds a LUKS2 volume to Tang servers and to this machine's TPM 2.0, one or a number of\n"
	"several, and shows, tests and removes such bindings.\n"
	"\n"
	"A new binding:\n"
	"  --tang=URL                    bind to this Tang server\n"
	"    --tang-thumbprint=THP       whose advertisement must be signed by this key\n"
	"    --tang-advertisement=FILE   from this saved advertisement, without network\n"
	"    --tang-ca=FILE              over https, trusting this CA only\n"
	"    --tang-pubkey=sha256//...   over https, pinning the server's public key\n"
	"  --tpm2-device=auto            bind to this machine's TPM 2.0, or to the one at a PATH\n"
	"                                or TCTI; list: show the devices, and no more\n"
	"    --tpm2-pcrs=7+11            while these PCRs are as now (default: 7); each with\n"
	"                                :BANK and =VALUE where wanted; none where empty\n"
	"    --tpm2-with-pin=yes|no      and a PIN is given, which is asked for now\n"
	"    --tpm2-public-key=FILE      and this key's owner has signed the PCRs' values\n"
	"    --tpm2-public-key-pcrs=11   of these PCRs (default: 11)\n"
	"    --tpm2-signature=JSON       in this file, or where systemd looks for it\n"
	"    --tpm2-seal-key-handle=HANDLE   sealed under this persistent key\n"
	"  --threshold=T                 with several of --tang and --tpm2-device, each before\n"
	"                                its own options: T of them must hold\n"
	"  --policy=POLICY               instead of all these: 2 of (tpm2(pcrs=7), tang(URL),\n"
	"                                1 of (...)), or Clevis's configuration as JSON, or a\n"
	"                                file with one of them\n"
	"  --key-slot=N                  use this keyslot (default: the first free one)\n"
	"  --token-id=N                  use this token id (default: the first free one)\n"
	"  --label=TEXT                  a name that --list shows\n"
	"  --pbkdf=NAME                  pbkdf2, argon2i or argon2id at cryptsetup's cost; by\n"
	"                                default PBKDF2 at its minimum, as the key is random\n",

	"The credential that opens the volume now (default: ask at the terminal):\n"
	"  --unlock-key-file=FILE        a key file, newlines kept; - is standard input\n"
	"  --unlock-token                any token that opens the volume\n"
	"A new volume key first, as for a cloned image, while the volume is not in use:\n"
	"  --reencrypt-first             re-encrypt the data; given again, go on where it stopped\n"
	"    --keep-key-file=FILE        opens one more keyslot that is to stay; can be repeated\n"
	"    --force                     lose the keyslots and tokens that no credential opens\n"
	"\n",

	"Without a new binding:\n"
	"  --list                        show keyslots and tokens (the default)\n"
	"  --test                        recover through each cotter token now, or through\n"
	"                                --token-id=N alone, and say which work and why not\n"
	"  --report                      the same for every part of each token, and say too\n"
	"                                whether the servers still have the keys bound to\n"
	"  --renew[=TOKEN]               bind each token again, through itself, where servers\n"
	"                                have new keys that the old ones vouch for; for others\n"
	"                                add --tang=URL --tang-thumbprint=THP\n"
	"    --reseal                    and TPMs to the PCRs as they are, or to --tpm2-pcrs=LIST\n"
	"    --force                     also where that is not due\n"
	"  --import[=TOKEN]              make cotter's of Clevis's tokens, or of this one, or of\n"
	"                                that of --key-slot=N, once each is proven; with --label\n"
	"With a new binding, before anything is done, or alone for the volume's tokens:\n"
	"  --explain                     say who can open the volume, and do no more\n",

	"With a new binding:\n"
	"  --replace[=TOKEN]             in the place of this token, once the new one is proven\n"
	"With a new binding (after it succeeded) or alone:\n"
	"  --wipe-slot=LIST              remove keyslots together with their cotter tokens: N,\n"
	"                                tang, tpm2, sss, orphaned, all; several with commas;\n"
	"                                last label=TEXT\n"
	"  --force                       with --replace or --wipe-slot: also for a new binding\n"
	"                                that is unproven; alone with --wipe-slot: also the last\n"
	"                                way into the volume\n"
	"With a new binding (last of all) or alone, for a volume that is bound:\n"
	"  --reorder                     have tokens that need no network tried first, and those\n"
	"                                of systemd, which may keep it from others, last\n"
	"  --crypttab[=NAME]             add the volume's line to /etc/crypttab, or complete it\n"
	"\n",

	"  --all                         instead of devices: every LUKS2 volume of /etc/crypttab\n"
	"                                or in use, but those without a cotter token\n"
	"  --header=FILE                 the LUKS2 header, where it is not on the device\n"
	"  --json=off|short|pretty       write the result to standard output as JSON\n"
	"  --quiet                       say nothing but warnings and errors\n"
	"  --help  --version\n"
	"\n"
	"Exit status: 0 done; 1 failed, or nothing to test; 2 wrong usage; 3 a server or TPM is\n"
	"out of reach, or a PIN is wanted; 4 a tested token will not open the volume. --report:\n"
	"10 renewal is due; 11 a part fails, but the policy holds; 12 a policy fails. Of several\n"
	"volumes the worst counts.\n"
	"cotter-enroll(1) has the details.\n",

	NULL,
};
