#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The commands that encrypt and decrypt, side by side with Debian's.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/side.sh"

same "decrypt has a summary" clevis decrypt --summary
same "so it has by its own name" clevis-decrypt --summary
same "there is a list without a command" clevis
same "and with an unknown one" clevis no such

sides_done
done_testing
