#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a program within what a service's unit leaves it of the kernel, as systemd would.

    confined.py --list UNIT
    confined.py UNIT CMD...

The first form prints the system calls that SystemCallFilter= allows. The second runs CMD with that filter,
without sockets of families that RestrictAddressFamilies= does not name, and, where the kernel can, without
memory that is made executable (MemoryDenyWriteExecute=). User and capabilities are the caller's business.
"""
import ctypes
import errno
import os
import re
import socket
import struct
import subprocess
import sys

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_SET_MDWE = 22, 38, 65


def settings(unit, name):
    with open(unit, encoding="utf-8") as lines:
        return [line.strip().split("=", 1)[1] for line in lines if line.startswith(name + "=")]


def expand(word):
    """The system calls of a set, or the one itself."""
    if not word.startswith("@"):
        return {word}
    shown = subprocess.run(["systemd-analyze", "syscall-filter", word], check=True, capture_output=True, text=True)
    calls = set()
    for line in shown.stdout.splitlines()[1:]:
        if line.strip() and not line.lstrip().startswith("#"):
            calls |= expand(line.strip())
    return calls


def allowed(unit):
    calls = expand("@default")
    for value in settings(unit, "SystemCallFilter"):
        words = set().union(*map(expand, value.lstrip("~").split()))
        calls = calls - words if value.startswith("~") else calls | words
    return calls


def numbers():
    """Those of this architecture, by name."""
    text = subprocess.run(["gcc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"], check=True,
                          capture_output=True, text=True).stdout
    return {name: int(number) for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", text, re.M)}


def filter_of(unit):
    """A program in the kernel's language for filters."""
    number, steps = numbers(), []

    def step(code, value, if_so=0, if_not=0):
        steps.append(struct.pack("HBBI", code, if_so, if_not, value))

    families = {getattr(socket, name) for value in settings(unit, "RestrictAddressFamilies")
                for name in value.split()}
    step(LOAD, 0)
    step(EQUAL, number["socket"], 0, 2 + 2 * len(families))
    step(LOAD, 16)
    for family in families:
        step(EQUAL, family, 0, 1)
        step(RETURN, ALLOW)
    step(RETURN, FAIL | errno.EAFNOSUPPORT)
    for name in sorted(allowed(unit) & number.keys()):
        step(EQUAL, number[name], 0, 1)
        step(RETURN, ALLOW)
    step(RETURN, FAIL | errno.EPERM)
    return steps


def confine(unit):
    libc = ctypes.CDLL(None, use_errno=True)
    steps = filter_of(unit)
    code = ctypes.create_string_buffer(b"".join(steps))
    program = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(code)))
    libc.prctl(PR_SET_MDWE, 1, 0, 0, 0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, 2, program, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


if sys.argv[1] == "--list":
    print("\n".join(sorted(allowed(sys.argv[2]))))
else:
    confine(sys.argv[1])
    os.execv(sys.argv[2], sys.argv[2:])
