#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a program at a terminal of its own and types what a person would.

    terminal.py [EXPECT SEND]... -- CMD...

Waits until the terminal shows EXPECT, then types SEND, and so on with what is shown after that. What
the terminal showed goes to standard output; a line on standard error says whether the program left
the terminal's settings as they were. Exits as the program did: 128 and the number of a signal that
ended it; 124 where 60 s were not enough, 125 where it ended before all was typed.
"""
import os
import pty
import select
import signal
import sys
import termios
import time

SECONDS = 60


def start(cmd, slave):
    pid = os.fork()
    if pid == 0:
        os.login_tty(slave)
        os.execvp(cmd[0], cmd)
    return pid


def converse(pid, master, pairs):
    """Types what is to be typed; returns what was shown, and what was not typed."""
    shown, seen, left = b"", 0, list(pairs)
    ended = os.pidfd_open(pid)
    deadline = time.monotonic() + SECONDS
    while True:
        while left and (at := shown.find(left[0][0], seen)) >= 0:
            seen = at + len(left[0][0])
            os.write(master, left.pop(0)[1])
        ready, _, _ = select.select([master, ended], [], [], max(deadline - time.monotonic(), 0))
        if master in ready:
            shown += os.read(master, 65536)
        elif ended in ready:
            return shown, left
        else:
            os.kill(pid, signal.SIGKILL)
            sys.stdout.buffer.write(shown)
            sys.exit(124)


def main(args):
    end = args.index("--")
    texts = [os.fsencode(arg) for arg in args[:end]]
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    pid = start(args[end + 1:], slave)
    shown, left = converse(pid, master, zip(texts[::2], texts[1::2]))
    _, status = os.waitpid(pid, 0)

    sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
    same = termios.tcgetattr(slave) == before
    print("terminal as before" if same else "terminal changed", file=sys.stderr)
    if left:
        print("ended before it showed: %s" % left[0][0].decode(), file=sys.stderr)
        return 125
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


sys.exit(main(sys.argv[1:]))
