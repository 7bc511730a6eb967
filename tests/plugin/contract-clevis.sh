#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The module for Clevis's own tokens promises the same as that for ours.
token_type=clevis
. "$(dirname "$0")/contract.sh"
