#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which room may include which, and which files may include which library's headers."""
import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

# Arrows point up this list only, and never between siblings but from enroll to units, as what one writes
# the other reads; tests may include everything.
ROOMS = {
    'crypto': [],
    'pkcs11': ['crypto'],
    'sss': ['crypto'],
    'tang': ['crypto'],
    'tang/server': ['crypto'],
    'tpm': ['crypto'],
    'token': ['crypto', 'pkcs11', 'sss', 'tang', 'tpm'],
    'units': ['crypto', 'pkcs11', 'sss', 'tang', 'tpm', 'token'],
    'enroll': ['crypto', 'pkcs11', 'sss', 'tang', 'tpm', 'token', 'units'],
}

# Libraries' headers, and the files that may include them.
LIBRARIES = {
    'curl/*': ['tang/*'],
    'gnutls/*': ['tang/server/*'],
    'jansson.h': ['*'],
    'libcryptsetup.h': ['token/*', 'enroll/luks*', 'enroll/clevis/luks*'],
    'microhttpd.h': ['tang/server/*'],
    'openssl/*': ['crypto/*', 'sss/*'],
    'p11-kit/*': ['pkcs11/*'],
    'systemd/*': ['tang/server/*', 'units/*'],
    'tss2/*': ['tpm/*'],
}

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
ROOT = Path(os.environ.get('COTTER_SOURCE_ROOT', Path(__file__).parents[2]))


def room_of(path):
    """The innermost room that a file lies in."""
    return next((str(folder) for folder in Path(path).parents if str(folder) in ROOMS), None)


def matches(path, pattern):
    """A folder's pattern does not reach into the rooms inside it."""
    return fnmatch(str(path), pattern) and (pattern == '*' or room_of(path) == room_of(pattern))


def includes():
    """Yields (file, line number, bracket, included) for all C files of the rooms."""
    for room in ROOMS:
        for path in sorted((ROOT / room).glob('**/*.[ch]')):
            if room_of(path.relative_to(ROOT)) != room:
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if match := INCLUDE.match(line):
                    yield path.relative_to(ROOT), number, *match.groups()


def system_headers():
    """What libc, the kernel and the compiler bring."""
    listing = subprocess.run(['dpkg', '-L', 'libc6-dev', 'linux-libc-dev'], check=True,
                             capture_output=True, text=True).stdout
    found = re.findall(r'/usr/include/(?:[^/]+-linux-gnu[^/]*/)?(\S+\.h)$', listing, re.M)
    return {*found, 'stdalign.h', 'stdarg.h', 'stdatomic.h', 'stdbool.h', 'stddef.h', 'stdint.h'}


def room_fault(path, bracket, name):
    if bracket == '<':
        return None
    room, target = room_of(path), room_of(name)
    if '/' not in name or not (ROOT / name).exists():
        return f'"{name}" is not a path from the root of the project'
    if target != room and target not in ROOMS[room]:
        return f'{room}/ may not include "{name}"'
    return None


def library_fault(path, bracket, name, system):
    if bracket == '"':
        return None
    for header, files in LIBRARIES.items():
        if fnmatch(name, header):
            if not any(matches(path, pattern) for pattern in files):
                return f'only {", ".join(files)} may include <{name}>'
            return None
    return None if name in system else f'<{name}> is of no known library'


def report(number, what, faults):
    print(f'{"not " if faults else ""}ok {number} - {what}')
    for fault in faults:
        print(f'# {fault}')
    return not faults


def main():
    system = system_headers()
    found = list(includes())
    rooms = [f'{path}:{line}: {fault}' for path, line, bracket, name in found
             if (fault := room_fault(path, bracket, name))]
    libraries = [f'{path}:{line}: {fault}' for path, line, bracket, name in found
                 if (fault := library_fault(path, bracket, name, system))]

    results = [
        report(1, 'the includes of all rooms were read',
               [f'{room}/ includes nothing' for room in ROOMS if (ROOT / room).exists()
                if not any(room_of(path) == room for path, *_ in found)]),
        report(2, 'rooms include only what is below them', rooms),
        report(3, "libraries' headers are included only where they belong", libraries),
    ]
    print('1..3')
    return 0 if all(results) else 1


sys.exit(main())
