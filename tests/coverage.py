#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints how much of the product the tests ran that were run in a build with gcc --coverage: lines and branches of each
folder, with those of the folders in it, and of each file. Fails where a folder that must be tested well has fewer lines
than that. What a process ran counts where it ends by exit() or becomes another program: not where it is killed, or ends
by _exit().

    coverage.py SOURCE BUILD
"""
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOMS = ("crypto", "sss", "tang", "tpm", "pkcs11", "token", "enroll", "units")
FLOOR = {"crypto": 90, "sss": 90, "tang": 90, "token": 90}  # percent of lines


def measured(source, build):
    """For each file: lines run, lines, branches taken, branches."""
    report = subprocess.run(
        ["gcovr", "--root", source, "--object-directory", build, "--json-summary", "-j", str(os.cpu_count()),
         "--exclude-throw-branches", *[f"--filter={re.escape(source)}/{room}/" for room in ROOMS], build],
        check=True, stdout=subprocess.PIPE).stdout
    for file in json.loads(report)["files"]:
        yield file["filename"], [file[name] for name in ("line_covered", "line_total", "branch_covered", "branch_total")]


def percent(part, whole):
    return 100 * part / whole if whole else 100.0


def line(name, counts):
    lines, all_lines, branches, all_branches = counts
    return (f"{name:<40}{lines:>7} of {all_lines:<6}{percent(lines, all_lines):>6.1f} %"
            f"{branches:>8} of {all_branches:<6}{percent(branches, all_branches):>6.1f} %")


def main(source, build):
    files, folders = {}, defaultdict(lambda: [0, 0, 0, 0])
    for name, counts in measured(source, build):
        files[name] = counts
        parts = Path(name).parts[:-1]
        for folder in {parts[0], "/".join(parts)}:
            folders[folder] = [a + b for a, b in zip(folders[folder], counts)]

    print(f"\n{'':<40}{'lines':>23}{'branches':>24}")
    for folder in sorted(folders):
        print(line(folder + "/", folders[folder]))
        for name in sorted(files):
            if str(Path(name).parent) == folder:
                print(line("  " + name, files[name]))

    reached = {room: percent(folders[room][0], folders[room][1] or 1) for room in FLOOR}
    low = [room for room in FLOOR if reached[room] < FLOOR[room]]
    print()
    for room in low:
        print(f"FAILED {room}: {reached[room]:.1f} % of its lines were run, which must be {FLOOR[room]} %")
    return 1 if low else 0


sys.exit(main(*sys.argv[1:]))
