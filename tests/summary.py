#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads meson's testlog.json files, prints what failed or was skipped and why, and the counts.

Each TAP line is a case of its own; a test without TAP, or one that died, is one case.
"""
import json
import re
import sys
from collections import Counter
from pathlib import Path

TAP = re.compile(r'(not )?ok\b\s*\d*\s*-?\s*([^#]*)(?:#\s*(SKIP)\S*\s*(.*))?', re.I)
TAIL = 40


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.skips = Counter()

    def skip(self, test, reason):
        self.skipped += 1
        self.skips[test, reason or 'no reason given'] += 1


def tail(text):
    lines = text.strip().splitlines()
    return ['…'] * (len(lines) > TAIL) + lines[-TAIL:]


def count_tap(count, name, stdout):
    """Counts the cases of a test; returns how many there were and the failed ones with their notes."""
    cases, failures, in_failure = 0, [], False
    for line in stdout.splitlines():
        match = TAP.match(line)
        if match:
            cases += 1
            failed, what, directive, reason = match.groups()
            in_failure = bool(failed) and not directive
            if directive:
                count.skip(name, reason)
            elif failed:
                count.failed += 1
                failures.append(line)
            else:
                count.passed += 1
        elif in_failure and line.startswith('#'):
            failures.append('    ' + line)
    return cases, failures


def count_test(count, build, test):
    name = build + ': ' + test['name'].split(' / ')[-1]
    stdout, stderr = test.get('stdout', ''), test.get('stderr', '')
    result = test['result']
    cases, failures = count_tap(count, name, stdout)

    if result == 'SKIP' and not cases:
        lines = re.sub(r'(?m)^1\.\.0.*?SKIP\S*\s*', '', stdout).strip().splitlines()
        count.skip(name, lines[-1] if lines else '')
    elif result in ('OK', 'EXPECTEDFAIL', 'SKIP'):
        count.passed += not cases
    else:
        if not failures:
            count.failed += 1
            failures = tail(stdout)
        print(f'\nFAILED {name} ({result.lower()}, exit status {test.get("returncode")})')
        for line in failures + tail(stderr):
            print('  ' + line)


def main(args):
    count = Count()
    for arg in args:
        log = Path(arg)
        if arg.startswith('--broken='):
            count.failed += 1
            print(f'\nFAILED {arg[9:]}: does not build')
        elif not log.exists():
            count.failed += 1
            print(f'\nFAILED {arg}: meson test wrote no results')
        else:
            for line in log.read_text().splitlines():
                count_test(count, log.parts[-3], json.loads(line))

    for (test, reason), times in count.skips.items():
        print(f'\nSKIPPED {test} ({times}): {reason}')
    if not count.passed + count.failed:
        print('\nNothing was tested: no such suite or test, or all of it was skipped.')
    print(f'\n{count.passed} passed, {count.failed} failed, {count.skipped} skipped')
    return 0 if count.passed and not count.failed else 1


sys.exit(main(sys.argv[1:]))
