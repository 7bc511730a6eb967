#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a virtual machine whose console is its standard input and output, and types at that console.

    console.py SECONDS LOG QUESTION [EXPECT SEND]... -- CMD...

Waits until the console shows EXPECT, types SEND and a return, and so on with what is shown after that; of
an EXPECT with an empty SEND it only takes the time. What is shown goes to LOG. For each EXPECT a line
"SECONDS EXPECT" goes to standard output, counted from the start. Exits 0 when the machine ended and all
was shown; 124 where that took more than SECONDS, 125 where it ended before, or waits at a QUESTION that is
not what was expected next.
"""
import os
import select
import signal
import subprocess
import sys
import time


def converse(machine, pairs, seconds, question, log):
    """Returns whether the time was enough, and the pairs that are left."""
    begin, seen, shown, left = time.monotonic(), 0, b"", list(pairs)
    console = machine.stdout.fileno()
    while True:
        while left and (at := shown.find(left[0][0], seen)) >= 0:
            expected, answer = left.pop(0)
            seen = at + len(expected)
            print("%.1f %s" % (time.monotonic() - begin, expected.decode()), flush=True)
            if answer:
                os.write(machine.stdin.fileno(), answer + b"\r")
        if question in shown[seen:]:
            return True, left or [(b"an end without a question", b"")]
        rest = begin + seconds - time.monotonic()
        if not select.select([console], [], [], max(rest, 0))[0]:
            return False, left
        more = os.read(console, 65536)
        if not more:
            return True, left
        shown += more
        log.write(more)
        log.flush()


def main(args):
    end = args.index("--")
    seconds, texts = float(args[0]), [os.fsencode(arg) for arg in args[2:end]]
    machine = subprocess.Popen(args[end + 1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with open(args[1], "wb") as log:
            ended, left = converse(machine, zip(texts[1::2], texts[2::2]), seconds, texts[0], log)
    finally:
        machine.kill()
        machine.wait()
    if left:
        print("not shown: %s" % left[0][0].decode(), file=sys.stderr)
    return 124 if not ended else 125 if left else 0


sys.exit(main(sys.argv[1:]))
