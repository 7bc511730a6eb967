#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rewrites the JSON of a LUKS2 header, as one who can write to the disk could, libcryptsetup's checks
being no obstacle to him.

    edit-header.py IMAGE JQ-FILTER

Both copies are written, with the checksums that the new text has.
"""
import hashlib
import subprocess
import sys

BINARY = 4096  # bytes before the JSON
CHECKSUM = slice(448, 512)  # LUKS2 on-disk format, section 2.1


def main(image, jq_filter):
    with open(image, "r+b") as f:
        size = int.from_bytes(f.read(16)[8:16], "big")
        for offset in (0, size):
            f.seek(offset)
            header = bytearray(f.read(size))
            text = header[BINARY:].rstrip(b"\0")
            text = subprocess.run(["jq", "-c", jq_filter], input=text, check=True,
                                  capture_output=True).stdout.strip()
            header[BINARY:] = text.ljust(size - BINARY, b"\0")
            header[CHECKSUM] = bytes(64)
            header[CHECKSUM] = hashlib.sha256(header).digest().ljust(64, b"\0")
            f.seek(offset)
            f.write(header)


main(*sys.argv[1:])
