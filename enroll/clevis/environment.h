/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the drop-in takes from its environment, as Clevis does. */
#pragma once

/* What the variable says, or `otherwise` where it says nothing; borrowed. */
const char *environment_value(const char *variable, const char *otherwise);

/* PATH, or what stands for it where there is none. */
const char *environment_path(void);

/* The TPM that tpm2-tools are told of is ours too, unless we are told of another. */
void environment_take_tpm(void);
