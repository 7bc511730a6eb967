# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the static analysers are run on. To be sourced after lib.sh.

rooms=(crypto sss tang tpm pkcs11 token units enroll)

# How the product's files are compiled, one a line, each file once, without ccache: as JSON.
product_commands() {
	jq '[.[] | select(.file | test("/tests/") | not)
		| .command |= (sub("^(\\S*/)?ccache "; "") | sub(" -fdiagnostics-color=\\S+"; ""))]
		| unique_by(.file)' "$build/compile_commands.json"
}
