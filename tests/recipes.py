#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Takes examples out of manual pages, and reads their formats as far as those of cotter-provisioning(7) use them.

What a format does not know is an error, so a mistyped word in a recipe is one, too.
"""
import argparse
import json
import os
import re
import shlex
import subprocess
import sys

ESCAPES = {"e": "\\", "-": "-", "&": "", "(aq": "'", "(dq": '"', "(ha": "^", "(ti": "~", "(ga": "`"}


def plain(line):
    """A line of an example as it is shown."""
    if macro := re.match(r"\.(B|RB) ", line):
        words = re.findall(r'"([^"]*)"|(\S+)', line[macro.end():])
        line = "".join(quoted or bare for quoted, bare in words)
    line = re.sub(r"\\f.", "", line)
    return re.sub(r"\\(\(..|.)", lambda escape: ESCAPES[escape[1]], line)


def recipes(page):
    """The examples of the page by name; each must have one."""
    found, name, lines = {}, None, None
    for line in page.splitlines():
        if line.startswith('.\\" recipe: '):
            name = line.split(": ")[1]
        elif line == ".EX":
            if not name or name in found:
                raise SystemExit(f"an example has no name of its own: {name}")
            lines = []
        elif line == ".EE":
            found[name] = "\n".join(lines) + "\n"
            name = lines = None
        elif lines is not None:
            lines.append(plain(line))
    return found


def continued(text):
    """The lines of a text in which a backslash at the end continues one."""
    return re.sub(r"\\\n\s*", " ", text).splitlines()


# Kickstart

SECTIONS = {"%pre": {"--erroronfail"}, "%post": {"--nochroot", "--erroronfail"}, "%packages": set()}


def kickstart(text):
    """Its sections, each as (options, lines), and its other lines under ""."""
    parts, now = {"": []}, ""
    for line in text.splitlines():
        words = line.split()
        if words and words[0] in SECTIONS:
            if now or not set(words[1:]) <= SECTIONS[words[0]]:
                raise SystemExit(f"not Kickstart: {line}")
            now = words[0]
            parts[now] = (words[1:], [])
        elif words == ["%end"] and now:
            now = ""
        elif now:
            parts[now][1].append(line)
        elif words:
            parts[""].append(line)
    if now:
        raise SystemExit(f"{now} has no %end")
    return parts


def autopart(text):
    """The passphrase of the one command that a file for %include holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--encrypted", action="store_true", required=True)
    parser.add_argument("--luks-version", choices=["luks2"], required=True)
    parser.add_argument("--passphrase", required=True)
    command, *words = shlex.split(text)
    if command != "autopart":
        raise SystemExit(f"not autopart: {command}")
    return parser.parse_args(words).passphrase


# Debian's preseed

def preseed(text, question):
    """The answer to a question, as debconf-set-selections reads it."""
    for line in continued(text):
        owner, name, kind, *value = line.split(None, 3)
        if owner != "d-i" or kind not in ("string", "password"):
            raise SystemExit(f"not an answer for d-i: {line}")
        if name == question:
            return value[0]
    raise SystemExit(f"{question} is not answered")


# Butane and Ignition

KNOWN = {
    "": {"variant", "version", "storage", "systemd"},
    "storage": {"luks", "filesystems"},
    "luks": {"name", "device", "wipe_volume"},
    "filesystems": {"device", "path", "format"},
    "systemd": {"units"},
    "units": {"name", "enabled", "contents"},
}


def translate(value, where=""):
    """A part of a Butane configuration as Ignition has it."""
    if isinstance(value, list):
        return [translate(item, where) for item in value]
    if not isinstance(value, dict):
        return value
    if not set(value) <= KNOWN[where]:
        raise SystemExit(f"not known in {where or 'Butane'}: {set(value) - KNOWN[where]}")
    return {re.sub("_(.)", lambda m: m[1].upper(), key): translate(item, key)
            for key, item in value.items()}


def ignition(text):
    """The Ignition configuration that a Butane one of version 1.4.0 becomes."""
    import yaml

    config = translate(yaml.safe_load(text))
    if (config.pop("variant"), config.pop("version")) != ("fcos", "1.4.0"):
        raise SystemExit("not Butane's variant fcos in version 1.4.0")
    return {"ignition": {"version": "3.3.0"}, **config}


# systemd

def commands(unit):
    """What a unit starts, each as words."""
    return [shlex.split(line.partition("=")[2]) for line in continued(unit)
            if line.startswith("ExecStart=")]


def run_unit(unit, at_most):
    """Starts a unit's first commands, where its condition holds; fails where one of them does."""
    for line in continued(unit):
        if line.startswith("ConditionPathExists="):
            path = line.partition("=")[2]
            if os.path.exists(path.lstrip("!")) == path.startswith("!"):
                print(f"{path}: the condition does not hold", flush=True)
                return 0
    for command in commands(unit)[:at_most]:
        status = subprocess.run(command, check=False).returncode
        if status:
            print(f"{command[0]}: status {status}", file=sys.stderr)
            return status
    return 0


# cloud-init

def cloud_check(text, schema):
    """Checks a cloud-config against cloud-init's own schema, whose words are the only ones."""
    import jsonschema
    import yaml

    config = yaml.safe_load(text)
    jsonschema.Draft4Validator(schema).validate(config)
    modules = [schema["$defs"][part["$ref"].rpartition("/")[2]] for part in schema["allOf"] if "$ref" in part]
    known = {name for part in [schema, *modules] for name in part.get("properties", {})}
    if not set(config) <= known:
        raise SystemExit(f"cloud-init does not know {set(config) - known}")


def cloud_write(text, root):
    """Writes the files of a cloud-config below `root`, and says what it runs."""
    import yaml

    if not text.startswith("#cloud-config\n"):
        raise SystemExit("the first line is not #cloud-config")
    config = yaml.safe_load(text)
    for file in config["write_files"]:
        path = root + file["path"]
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(file["content"])
        os.chmod(path, int(file["permissions"], 8))
    return "\n".join(shlex.join(command) for command in config["runcmd"])


def show_of_page(page, name=None):
    """One recipe, or the names of all."""
    found = recipes(page)
    return found[name].rstrip("\n") if name else "\n".join(found)


def show_unit(text, name):
    """A unit of an Ignition configuration."""
    units = {unit["name"]: unit for unit in json.loads(text)["systemd"]["units"]}
    if not units[name]["enabled"]:
        raise SystemExit(f"{name} is not enabled")
    return units[name]["contents"].rstrip("\n")


VERBS = {
    "page": show_of_page,
    "section": lambda text, name: "\n".join(kickstart(text)[name][1]),
    "includes": lambda text: "\n".join(kickstart(text)[""]),
    "autopart": autopart,
    "preseed": preseed,
    "ignition": lambda text: json.dumps(ignition(text)),
    "unit": show_unit,
    "count": lambda text: str(len(commands(text))),
    "run": lambda text, at_most="99": sys.exit(run_unit(text, int(at_most))),
    "cloud-check": lambda text, path: cloud_check(text, json.load(open(path, encoding="utf-8"))),
    "cloud-write": cloud_write,
}


def main():
    """recipes.py VERB FILE [ARGUMENT…]"""
    verb, path, *arguments = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        said = VERBS[verb](file.read(), *arguments)
    if said is not None:
        print(said)


main()
