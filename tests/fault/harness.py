#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Draws from seeds what is wrong with servers, TPMs and clients, and what is wanted of our programs meanwhile, and
looks whether they keep what they promise. hostile.sh starts it on a stage whose facts are in its environment.

    harness.py SEED...          these seeds
    harness.py FIRST- SECONDS   those from FIRST on until the time is over
"""
import collections
import importlib
import json
import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import meddler
from meddler import FATAL, MAYBE, NONE, Fault, Meddler

sys.path.insert(0, str(Path(__file__).parent.parent))
import policies  # noqa: E402  tests/policies.py

http_cases = importlib.import_module("http-cases")

TMP = Path(os.environ["tmp"])
BUILD = Path(os.environ["build"])
SANITIZED = os.environ["sanitized"] != "0"
PRELOAD = os.environ["preload"]
UPSTREAMS = os.environ["upstreams"].split()  # host:port of real servers
THUMBPRINTS = os.environ["thumbprints"].split()
CLIENTS = os.environ["clients"]  # host:port of the server that hostile clients meet
CLIENTS_PID = int(os.environ["clients_pid"])
WORLDS = int(os.environ["worlds"])

DEADLINE = 6  # of each token, longer than a server may stay silent
SLACK = 20 if SANITIZED else 8
LINE_MAX = 600
PIN = "pin-of-these-tests-83651"
PASSPHRASE = (TMP / "passphrase").read_text()

# Exit statuses of tests/pin-helper: the errors of pin_recover().
RECOVER_ERRORS = {5, 7, 12, 19, 55, 71, 74, 95, 101, 110, 111, 113, 129}
OPEN_RESULTS = {-2, -11, -55}


class Wrong(Exception):
    """A promise that was not kept."""


class Run:
    """One run of a program, which must end in time and not by a signal."""

    def __init__(self, world, limit, *cmd, env=None, stdin=b""):
        # A session of its own: there is no terminal that anything could be asked at.
        process = subprocess.Popen([str(word) for word in cmd], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env={**os.environ, **world.env, **(env or {})},
                                   start_new_session=True)
        start = time.monotonic()
        try:
            self.out, self.err = process.communicate(stdin, timeout=limit + SLACK)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            self.out, self.err = process.communicate()
            raise Wrong(f"did not end within {limit + SLACK} s\n{self.said()}") from None
        self.seconds = time.monotonic() - start
        self.rc = process.returncode

    def said(self):
        return (self.out + self.err).decode("utf-8", "backslashreplace")[-4000:]

    def check(self, statuses, secrets):
        for word in ("Sanitizer", "runtime error:"):
            if word in self.said():
                raise Wrong(f"a sanitizer's report\n{self.said()}")
        if self.rc not in statuses:
            raise Wrong(f"status {self.rc}\n{self.said()}")
        for secret in secrets:
            if secret.encode() in self.out + self.err:
                raise Wrong(f"a secret was written: {secret}\n{self.said()}")
        for line in self.err.decode("utf-8", "backslashreplace").splitlines():
            if len(line) > LINE_MAX or not line.isprintable():
                raise Wrong(f"not a line for people: {line!r}")


class TpmFault:
    """What goes wrong at the TPM, at which of its commands."""

    CODES = (0x101, 0x98e, 0x902, 0x921, 0x12f, 0x1df, 0x99d, 0x922, 0x923, 0x128, 0x18b, 0x9a2, 0x000f0001)

    def __init__(self, rng):
        n = rng.randint(1, rng.choice((5, 12, 20, 60)))
        at, bits = rng.choice((rng.randrange(14), rng.randrange(400))), rng.choice((0xff, 1 << rng.randrange(8)))
        self.plan = rng.choice((
            f"error {n} {rng.choice(self.CODES + (rng.randrange(1, 4096),))}", f"lie {n}", f"noise {n}", f"cut {n}",
            f"late {n}", *[f"flip {n} {at}:{bits}"] * 6, f"short {n} {rng.choice((1, 2, 40, 4000))}",
            f"long {n} {rng.choice((1, 40, 4000))}",
            f"size {n} {rng.choice((0, 9, 10, 11, 4096, 4097, 65536, 2**31, 2**32 - 1))}", f"stale {n}",
            f"slow {n} {rng.randrange(300)}", "gone", "stranger", "changed"))

    def __str__(self):
        return self.plan

    def effect(self, leaf):
        word = self.plan.split()[0]
        if word == "changed":
            return FATAL if leaf.get("pcr_ids") == "16" else NONE
        return {"slow": NONE, "gone": FATAL, "stranger": FATAL}.get(word, MAYBE)


class World:
    """What one seed at a time has for itself: the fronts of servers, a TPM, volumes."""

    def __init__(self, number):
        self.dir = TMP / f"world{number}"
        self.dir.mkdir()
        self.tpm, self.proxy = f"swtpm:path={TMP}/tpm{number}.tpm", TMP / f"proxy{number}"
        tls = self.certificate("good")
        self.fronts = [Meddler(UPSTREAMS[i], UPSTREAMS[:i] + UPSTREAMS[i + 1:], tls if i == 3 else None)
                       for i in range(4)]
        self.stolen = [self.certificate(name) for name in ("other", "expired", "self")]
        self.env = {"TSS2_LOG": "all+none", "TPM2TOOLS_TCTI": self.tpm}
        self.leaves = []
        for front, upstream, thumbprint in zip(self.fronts, UPSTREAMS, THUMBPRINTS):
            adv = json.loads(front.ask(upstream, {"method": "GET", "path": "/adv"})[1])
            leaf = {"url": front.url, "adv": adv, "thp": thumbprint}
            self.leaves.append(("tang", {**leaf, "ca": f"{TMP}/ca.pem"} if front.tls else leaf))
        self.leaves += [("tpm2", {}), ("tpm2", {"pcr_ids": "7"}), ("tpm2", {"pcr_ids": "16"})]
        self.volumes = {}
        self.calm()

    @staticmethod
    def certificate(name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TMP / f"{name}.pem", TMP / f"{name}.key")
        return context

    def calm(self):
        """Nothing is wrong now."""
        for front in self.fronts:
            front.set(None)
        self.tpm_fault = None
        (self.proxy / "plan").write_text("")
        self.env["COTTER_TPM2_TCTI"] = f"swtpm:path={TMP}/{self.proxy.name}.tpm"

    def tool(self, *cmd):
        """A program of others that must succeed."""
        return subprocess.run([str(word) for word in cmd], env={**os.environ, **self.env}, check=True,
                              capture_output=True).stdout

    def draw_faults(self, rng, pin, config):
        """Something wrong with many of the leaves of a policy."""
        leaves, share = list(leaves_of(pin, config)), rng.choice((0.3, 0.7, 1))
        urls = {leaf.get("url") for _, leaf in leaves}
        for front in self.fronts:
            fault = Fault(rng) if rng.random() < share else None
            stolen = rng.choice(self.stolen) if rng.random() < share / 3 else None
            if front.url in urls:
                front.set(fault, stolen if front.tls else None)
        fault = TpmFault(rng) if rng.random() < share else None
        self.tpm_fault = fault if "tpm2" in [name for name, _ in leaves] else None

    def begin_tpm_fault(self):
        (self.proxy / "commands").write_text("")
        (self.proxy / "traffic").write_text("")
        plan = str(self.tpm_fault or "")
        if plan == "gone":
            self.env["COTTER_TPM2_TCTI"] = f"swtpm:path={TMP}/nothing"
        elif plan == "stranger":
            self.env["COTTER_TPM2_TCTI"] = f"swtpm:path={TMP}/stranger.tpm"
        elif plan == "changed":
            self.tool("tpm2_pcrextend", f"16:sha1={'01' * 20},sha256={'01' * 32}")
        else:
            (self.proxy / "plan").write_text(plan)

    def end_tpm_fault(self):
        """What the TPM holds afterwards is closed; nothing may be where it did not lie itself."""
        fault, self.tpm_fault = str(self.tpm_fault or ""), None
        self.calm()
        left = self.tool("tpm2_getcap", "handles-transient") + self.tool("tpm2_getcap", "handles-loaded-session")
        for kind in ("--transient-object", "--loaded-session"):
            self.tool("tpm2_flushcontext", kind)
        self.tool("tpm2_dictionarylockout", "--clear-lockout")
        if fault == "changed":
            self.tool("tpm2_pcrreset", "16")
        if left and fault.split()[:1] in ([], ["error"], ["slow"], ["changed"]):
            raise Wrong(f"left open in the TPM: {left.decode()}")

    def story(self):
        parts = [f"server {i}: {front.fault}{' with a stolen certificate' if front.stolen else ''}"
                 for i, front in enumerate(self.fronts) if front.fault or front.stolen]
        return "; ".join(parts + [f"TPM: {self.tpm_fault}"] * bool(self.tpm_fault)) or "nothing is wrong"

    def effect(self, pin, leaf, request="rec"):
        if pin == "tpm2":
            return self.tpm_fault.effect(leaf) if self.tpm_fault else NONE
        front = next(front for front in self.fronts if front.url == leaf["url"])
        return FATAL if front.stolen else front.fault.effect(request) if front.fault else NONE

    def holds(self, pin, config, worst, request="rec"):
        """Whether a policy does by the leaves of which no more than this is known to be wrong."""
        if pin != "sss":
            return self.effect(pin, config, request) <= worst
        parts = [self.holds(name, part, worst, request) for name, listed in config["pins"].items()
                 for part in (listed if isinstance(listed, list) else [listed])]
        return sum(parts) >= config.get("t", 1)

    # --- what is opened ---

    def seal(self, pin, config, secret):
        run = Run(self, 20, BUILD / "tests/pin-helper", f"--pin={PIN}", "seal", pin, json.dumps(config),
                  stdin=secret.encode())
        run.check({0}, ())
        return run.out

    def policy(self, rng):
        """One of those that volumes have, by its number."""
        a, b, c, s = [leaf for _, leaf in self.leaves[:4]]
        tpm, pcr7, pcr16 = [leaf for _, leaf in self.leaves[4:]]
        pcr16 = {**pcr16, "pcr_bank": "sha256"}
        number = rng.randrange(9)
        return number, [
            ("tang", a), ("tang", s), ("tpm2", pcr7), ("tpm2", {"pcr_ids": "16", "pin": True}),
            ("sss", {"t": 1, "pins": {"tang": [a, b, s]}}),
            ("sss", {"t": 2, "pins": {"tang": [a, b, c]}}),
            ("sss", {"t": 2, "pins": {"tpm2": pcr7, "tang": [s, b]}}),
            ("sss", {"t": 2, "pins": {"tang": [c], "sss": [{"t": 1, "pins": {"tpm2": pcr16, "tang": b}}]}}),
            ("sss", {"t": 1, "pins": {"tpm2": tpm, "sss": [{"t": 2, "pins": {"tang": [a, c, s]}}]}}),
        ][number]

    def volume(self, number, pin, config):
        """A volume that this policy opens, made where it is new: the image, the token's secret."""
        if number not in self.volumes:
            image, secret = self.dir / f"volume{number}", b64_random()
            shutil.copy(TMP / "plain", image)
            (self.dir / "secret").write_text(secret)
            jwe = self.seal(pin, config, secret).decode()
            self.tool("cryptsetup", "luksAddKey", "--disable-external-tokens", "--batch-mode", "--key-file",
                      TMP / "passphrase", "--key-slot", 1, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", 1000,
                      image, self.dir / "secret")
            (self.dir / "token").write_text(json.dumps({"type": f"cotter-{pin}", "keyslots": ["1"], "jwe": jwe,
                                                        "cotter": {"deadline": DEADLINE}}))
            self.tool("cryptsetup", "token", "import", "--disable-external-tokens", "--token-id", 0, "--json-file",
                      self.dir / "token", image)
            self.volumes[number] = image, secret
        return self.volumes[number]


def b64_random():
    return meddler.b64(os.urandom(32))


def opens_by_passphrase(world, image):
    run = Run(world, 20, "cryptsetup", "open", "--test-passphrase", "--disable-external-tokens", "--key-file",
              TMP / "passphrase", image)
    if run.rc != 0:
        raise Wrong(f"the passphrase does not open the volume any more\n{run.said()}")


def open_token(world, image, token, limit):
    """What libcryptsetup's attempt to open the volume by the plugin ended with."""
    preload = {"LD_PRELOAD": PRELOAD, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    run = Run(world, limit, BUILD / "tests/host", image, token, env=preload if PRELOAD else {})
    result = re.search(rb"^result (-?\d+) ms (\d+) threads", run.out, re.M)
    # Debug lines of libcryptsetup have raw text, which is not for people.
    run.out, run.err, err = run.out + run.err, b"", run.err
    if not result:
        raise Wrong(f"no result, status {run.rc}\n{run.said()}")
    return run, int(result[1]), b"\n".join(re.findall(rb"^ERROR (.*)$", run.out.replace(err, b""), re.M))


def metadata(world, image):
    return json.loads(world.tool("cryptsetup", "luksDump", "--dump-json-metadata", image))


# --- goals: each returns what happened in a word ---

def goal_recover(world, rng):
    config = policies.Tree(rng, world.leaves).node(1)
    secret = f"secret-{rng.getrandbits(128):032x}"
    jwe = world.seal("sss", config, secret)
    world.draw_faults(rng, "sss", config)
    must, may = world.holds("sss", config, NONE), world.holds("sss", config, MAYBE)
    yield f"recover from {shown('sss', config, world)}"
    world.begin_tpm_fault()
    run = Run(world, DEADLINE, BUILD / "tests/pin-helper", f"--deadline={DEADLINE}", "open", stdin=jwe)
    world.end_tpm_fault()
    if run.rc == 0 and run.out != secret.encode():
        raise Wrong(f"another secret was recovered\n{run.said()}")
    if run.rc != 0 and (run.out or len(run.err.splitlines()) != 1):
        raise Wrong(f"not one line, status {run.rc}\n{run.said()}")
    run.check({0} | RECOVER_ERRORS, (PASSPHRASE, *([secret] if run.rc else [])))
    expect(run.rc == 0, must, may, run)
    yield "recovered" if run.rc == 0 else "failed"


def goal_open(world, rng):
    number, (pin, config) = world.policy(rng)
    image, secret = world.volume(number, pin, config)
    before = image.read_bytes()
    world.draw_faults(rng, pin, config)
    must, may = world.holds(pin, config, NONE), world.holds(pin, config, MAYBE)
    yield f"open {shown(pin, config, world)}"
    world.begin_tpm_fault()
    run, result, errors = open_token(world, image, f"0={PIN}" if config.get("pin") else "0", DEADLINE)
    world.end_tpm_fault()
    run.check({0}, (PASSPHRASE, secret, PIN))
    if result < 0 and result not in OPEN_RESULTS:
        raise Wrong(f"the plugin returned {result}\n{run.said()}")
    if result in (-2, -11) and not errors:
        raise Wrong(f"nothing was said of the failure\n{run.said()}")
    for line in errors.decode("utf-8", "backslashreplace").splitlines():
        if len(line) > LINE_MAX or not line.isprintable():
            raise Wrong(f"not a line for people: {line!r}")
    expect(result >= 0, must, may, run)
    unchanged(world, image, before)
    yield "opened" if result >= 0 else "failed"


def goal_ask(world, rng, verb, statuses, good):
    """--test or --report, with the statuses that it may have, and those of a volume that would open."""
    number, (pin, config) = world.policy(rng)
    image, secret = world.volume(number, pin, config)
    before = image.read_bytes()
    world.draw_faults(rng, pin, config)
    must, may = world.holds(pin, config, NONE), world.holds(pin, config, MAYBE)
    yield f"--{verb} {shown(pin, config, world)}"
    world.begin_tpm_fault()
    run = Run(world, 3 * DEADLINE, BUILD / "enroll/cotter-enroll", f"--{verb}", "--json=short", image)
    world.end_tpm_fault()
    run.check(statuses, (PASSPHRASE, secret, PIN))
    json.loads(run.out)
    if not config.get("pin"):
        expect(run.rc in good, must, may, run)
    unchanged(world, image, before)
    yield f"status {run.rc}"


def goal_test(world, rng):
    yield from goal_ask(world, rng, "test", {0, 3, 4}, {0})


def goal_report(world, rng):
    yield from goal_ask(world, rng, "report", {0, 10, 11, 12}, {0, 10, 11})


def goal_bind(world, rng):
    pin, config = rng.choice((("tang", world.leaves[0][1]), ("tang", world.leaves[3][1]), ("tpm2", {"pcr_ids": "7"}),
                              world.policy(rng)[1]))
    if config.get("pin"):
        config = {"pcr_ids": "7"}
    image = world.dir / "bound"
    shutil.copy(TMP / "plain", image)
    world.draw_faults(rng, pin, config)
    if str(world.tpm_fault) in ("stranger", "changed"):
        world.tpm_fault = None
    good = all(world.holds(pin, config, NONE, request) for request in ("adv", "rec"))
    leaves = list(leaves_of(pin, config))
    may = all(world.effect(*leaf, "adv") != FATAL for leaf in leaves)
    must = good and all(world.effect(*leaf, "adv") == NONE for leaf in leaves)
    yield f"bind to {shown(pin, config, world)}"
    world.begin_tpm_fault()
    without_adv = json.dumps({"pins": {pin: config}} if pin != "sss" else config, default=str)
    run = Run(world, 45, BUILD / "enroll/cotter-enroll", f"--unlock-key-file={TMP}/passphrase",
              f"--policy={strip(without_adv)}", image)
    world.end_tpm_fault()
    run.check({0, 1}, (PASSPHRASE,))
    expect(run.rc == 0, must, may, run)
    opens_by_passphrase(world, image)
    if run.rc == 0:
        check_opens(world, image, run)
        yield "bound"
        return
    # Others warn of the policy, or tell of a header that was written to and put back.
    sentences = [line for line in run.err.decode().splitlines()
                 if ": warning: " not in line and not line.endswith(" is as it was before")]
    if len(sentences) != 1 or run.out:
        raise Wrong(f"not one sentence\n{run.said()}")
    left = metadata(world, image)
    if left["tokens"] or list(left["keyslots"]) != ["0"]:
        raise Wrong(f"left behind: {list(left['tokens'])} {list(left['keyslots'])}\n{run.said()}")
    yield "refused"


def goal_renew(world, rng):
    number, (pin, config) = world.policy(rng)
    if config.get("pin"):
        number, pin, config = 0, *world.leaves[0]
    source, secret = world.volume(number, pin, config)
    image = world.dir / "renewed"
    shutil.copy(source, image)
    world.draw_faults(rng, pin, config)
    may = world.holds(pin, config, MAYBE)
    yield f"renew {shown(pin, config, world)}"
    world.begin_tpm_fault()
    run = Run(world, 75, BUILD / "enroll/cotter-enroll", "--renew", "--force", image)
    world.end_tpm_fault()
    run.check({0, 1, 3}, (PASSPHRASE, secret))
    expect(run.rc == 0, False, may, run)
    opens_by_passphrase(world, image)
    check_opens(world, image, run)
    yield f"status {run.rc}"


def goal_clients(world, rng):
    """Requests that no client should send, some at once, and one that is good in the end."""
    yield "cotter-tangd and clients"
    keys = TMP / "clients"
    cases = [(name, data) for name, data in http_cases.cases(keys) if not name.startswith("cut-")]
    good = next(data for name, data in cases if name == "whole")
    chosen = [data if rng.random() < 0.4 else meddler.spoil_bytes(rng, data)
              for _, data in rng.choices(cases, k=rng.randint(5, 30))]
    secrets = [json.loads(path.read_text())["d"].encode() for path in keys.glob("*.jwk")]
    ends = [rng.choice(("wait", "close", "reset", "slow")) for _ in chosen]
    threads = [threading.Thread(target=talk, args=(data, end), daemon=True) for data, end in zip(chosen, ends)]
    for thread in threads:
        thread.start()
    reply = http_cases.talk(tuple(CLIENTS.rsplit(":", 1)), good)
    for thread in threads:
        thread.join(30)
    replies = [reply, http_cases.talk(tuple(CLIENTS.rsplit(":", 1)), good)]
    if any(not reply.startswith(b"HTTP/1.1 200 ") for reply in replies):
        raise Wrong(f"a good request was answered with {replies}")
    log = (TMP / "server-clients.log").read_text("utf-8", "backslashreplace")
    if any(secret in reply for reply in replies for secret in secrets):
        raise Wrong("a key was sent")
    if any(secret.decode() in log for secret in secrets) or "Sanitizer" in log or "runtime error:" in log:
        raise Wrong(f"its log: {log[-2000:]}")
    os.kill(CLIENTS_PID, 0)
    yield "served"


GOALS = {goal_recover: 6, goal_open: 6, goal_test: 2, goal_report: 2, goal_bind: 4, goal_renew: 3, goal_clients: 2}


def talk(data, end):
    host, port = CLIENTS.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=10) as sock:
            if end == "slow":
                for i in range(0, min(len(data), 400), 20):
                    sock.sendall(data[i:i + 20])
                    time.sleep(0.01)
            else:
                sock.sendall(data)
            if end == "reset":
                meddler.hostile.reset(sock)
            elif end == "wait":
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
    except OSError:
        pass


def leaves_of(pin, config):
    if pin != "sss":
        yield pin, config
        return
    for name, listed in config["pins"].items():
        for part in listed if isinstance(listed, list) else [listed]:
            yield from leaves_of(name, part)


def strip(text):
    """A configuration without its advertisements, which are to be asked for."""
    def without(value):
        if isinstance(value, dict):
            return {key: without(part) for key, part in value.items() if key != "adv"}
        return [without(part) for part in value] if isinstance(value, list) else value
    return json.dumps(without(json.loads(text)))


def shown(pin, config, world):
    if pin == "tang":
        return f"tang {[front.url for front in world.fronts].index(config['url'])}"
    if pin != "sss":
        return f"tpm2 {json.dumps(config)}"
    parts = [shown(name, part, world) for name, listed in config["pins"].items()
             for part in (listed if isinstance(listed, list) else [listed])]
    return f"{config.get('t', 1)} of ({', '.join(parts)})"


def expect(opened, must, may, run):
    if must and not opened:
        raise Wrong(f"failed where nothing that is needed is wrong, after {run.seconds:.1f} s\n{run.said()}")
    if opened and not may:
        raise Wrong(f"succeeded where it cannot\n{run.said()}")


def unchanged(world, image, before):
    if image.read_bytes() != before:
        raise Wrong("the volume was changed")


def check_opens(world, image, run):
    after, result, _ = open_token(world, image, "any", 20)
    if result < 0:
        raise Wrong(f"the binding does not open the volume: {result}\n{run.said()}\n{after.said()}")


# --- seeds ---

class Harness:
    def __init__(self, seeds, end):
        self.seeds, self.end = iter(seeds), end
        self.lock = threading.Lock()
        self.counts = collections.defaultdict(collections.Counter)
        self.failures = 0

    def next(self):
        with self.lock:
            return None if time.monotonic() > self.end else next(self.seeds, None)

    def work(self, number):
        world = World(number)
        while (seed := self.next()) is not None:
            self.one(world, seed)

    def one(self, world, seed):
        rng = random.Random(seed)
        goal = rng.choices(list(GOALS), list(GOALS.values()))[0]
        name, what, story = goal.__name__[len("goal_"):], "", ""
        try:
            world.calm()
            steps = goal(world, rng)
            what = next(steps)
            story = world.story()
            happened = next(steps)
            problem = None
        except Exception as e:  # pylint: disable=broad-except
            happened, problem = "broken", f"{type(e).__name__}: {e}"
        finally:
            if world.tpm_fault:
                try:
                    world.end_tpm_fault()
                except Exception as e:  # pylint: disable=broad-except
                    problem = f"{problem}; then {e}"
        with self.lock:
            self.counts[name][happened] += 1
            if os.environ.get("VERBOSE") or problem:
                print(f"# seed {seed}: {what}; {story}: {happened}", flush=True)
            if problem:
                self.failures += 1
                again = f"COTTER_BUILD_ROOT={BUILD} COTTER_SANITIZED={int(SANITIZED)} tests/fault/hostile.sh {seed}"
                print("".join(f"# {line}\n" for line in problem.splitlines()) + f"# again with: {again}", flush=True)

    def run(self):
        threads = [threading.Thread(target=self.work, args=(i,)) for i in range(WORLDS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in sorted(self.counts):
            counts = self.counts[name]
            broken = counts.pop("broken", 0)
            print(f"{'not ' if broken else ''}ok - {name}: {sum(counts.values()) + broken} seeds"
                  f" ({', '.join(f'{n} {word}' for word, n in sorted(counts.items()))}{f', {broken} BROKEN' * bool(broken)})")
        return 1 if self.failures else 0


def main():
    first = sys.argv[1]
    if first.endswith("-"):
        seeds, end = iter(range(int(first[:-1]), 2**63)), time.monotonic() + float(sys.argv[2])
    else:
        seeds, end = [int(word) for word in sys.argv[1:]], float("inf")
    sys.exit(Harness(seeds, end).run())


main()
