#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every errno that the header of a room documents for a function is provoked by a test. One of these shows it:

  - a statement of a unit test that has the call and the errno;
  - a row of tests/unit/test-scarce*.c, for what is returned without memory (-ENOMEM) or randomness (-EIO);
  - a comment anywhere in tests: "provokes: FUNCTION -ERRNO...", beside what does it by another way.
"""
import re
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
HEADERS = ("crypto/*.h", "pkcs11/pkcs11.h", "tang/tang.h", "tpm/*.h", "sss/*.h", "token/token.h")
DOCUMENTED = re.compile(r"/\*((?:[^*]|\*(?!/))*)\*/\n((?:[^\n]+\n)+)")
FUNCTION = re.compile(r"^(?:MUST )?int (\w+)\(", re.M)
NO_ERROR = re.compile(r"but for\s+(?:\*\s+)?-E\w+")
ERRNO = re.compile(r"-(E[A-Z0-9]{2,})\b")
SCARCE_ROW = re.compile(r'\{"([\w ]+)", try_\w+,\s+(true|false),\s+(?:true|false)\}')
PROVOKES = re.compile(r"provokes:((?:\s+[\w-]+)+)")


def documented():
    """(header, function, errno) of all headers."""
    for pattern in HEADERS:
        for path in sorted(SOURCE.glob(pattern)):
            for comment, code in DOCUMENTED.findall(path.read_text(encoding="utf-8")):
                for function in FUNCTION.findall(code):
                    for errno in sorted(set(ERRNO.findall(NO_ERROR.sub("", comment)))):
                        yield path.relative_to(SOURCE), function, errno


def in_statement(text, function, errno):
    for match in re.finditer(rf"\b{function}\(", text):
        begin, end = text.rfind(";", 0, match.start()), text.find(";", match.start())
        if errno in ERRNO.findall(text[begin:end]):
            return True
    return False


def annotated():
    """(function, errno) of the comments and of the table of what runs out."""
    for path in sorted((SOURCE / "tests").rglob("*")):
        if path.suffix not in (".c", ".h", ".sh", ".py") or path.parent.name == "lint":
            continue
        for words in PROVOKES.findall(path.read_text(encoding="utf-8")):
            function = None
            for word in words.split():
                if word.startswith("-E"):
                    yield function, word[1:]
                else:
                    function = word
    for path in sorted((SOURCE / "tests/unit").glob("test-scarce*.c")):
        for names, randomness in SCARCE_ROW.findall(path.read_text(encoding="utf-8")):
            for name in names.split():
                yield name, "ENOMEM"
                if randomness == "true":
                    yield name, "EIO"


def ok(number, name, faults):
    for fault in faults:
        print(f"# {fault}")
    print(f"{'not ' * bool(faults)}ok {number} - {name}")
    return not faults


def main():
    units = "".join(path.read_text(encoding="utf-8") for path in sorted((SOURCE / "tests/unit").glob("*.c")))
    shown = set(annotated())
    all_errnos = {(function, errno): header for header, function, errno in documented()}
    missing = {pair for pair in all_errnos if pair not in shown and not in_statement(units, *pair)}
    good = ok(1, "there are headers with errnos", [] if len(all_errnos) > 100 else ["too few"])
    good &= ok(2, f"each of {len(all_errnos)} errnos is provoked by a test",
               [f"{all_errnos[pair]}: {pair[0]}() -{pair[1]}" for pair in sorted(missing)])
    good &= ok(3, "comments tell of errnos that are documented",
               [f"{name} {errno}" for name, errno in sorted(shown - set(all_errnos)) if errno not in ("ENOMEM", "EIO")])
    print("1..3")
    return 0 if good else 1


sys.exit(main())
