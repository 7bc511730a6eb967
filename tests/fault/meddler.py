# SPDX-License-Identifier: LGPL-2.1-or-later
"""What stands in front of a Tang server in tests and spoils its replies as a fault says.

A fault is drawn from a random generator alone, so that its seed makes it again. Its effect on a recovery is
known beforehand only in part:

    NONE     no client may notice
    FATAL    nothing is recovered from this server, and nothing bound to it
    MAYBE    either
"""
import argparse
import base64
import http.client
import json
import random
import socket
import ssl
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
import hostile  # noqa: E402  tests/hostile.py

NONE, MAYBE, FATAL = range(3)
RECORDS_MAX = 8

# Of tests/hostile.py, those that end soon more often.
QUICK_MODES = ("garbage", "nothttp", "endless", "headers", "longheader", "big", "truncated", "chopped", "redirect",
               "empty", "404", "500", "204", "301", "403", "429", "503", "999")
CONNECTION_MODES = ("mute", "reset")
SLOW_MODES = ("close", "abort", "silent", "drip", *CONNECTION_MODES)

FIELDS = {"P-256": 2**256 - 2**224 + 2**192 + 2**96 - 1, "P-384": 2**384 - 2**128 - 2**96 + 2**32 - 1,
          "P-521": 2**521 - 1}

WRONG_VALUES = (None, 0, -1, 1e300, True, "", "\0", "A" * 3000, [], {}, [[]] * 50, {"kty": "EC"}, "é", "AAAA", "=",
                "P-256", "P-521", "secp256k1", "oct", "ECMR", "ES256")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Fault:
    """What goes wrong at one server."""

    def __init__(self, rng):
        kinds = {"mode": 6, "bytes": 5, "body": 5, "tree": 6, "point": 4, "replay": 4, "other": 2, "cut": 3, "wait": 3,
                 "pieces": 2, "type": 2, "header": 2, "length": 3, "chunked": 2, "status": 2}
        self.seed = rng.getrandbits(32)
        self.kind = rng.choices(list(kinds), list(kinds.values()))[0]
        self.where = rng.choice(("rec", "rec", "adv", "any"))
        self.first = rng.choice((0, 0, 0, 1, 2))  # so many such requests are answered well before it
        self.times = rng.choice((1, 1000, 1000, 1000))  # and after so many it is over
        self.mode = None
        if self.kind == "mode":
            self.mode = rng.choice(QUICK_MODES if rng.random() < 0.85 else SLOW_MODES)
            if self.mode in CONNECTION_MODES:
                self.where = "any"

    def __str__(self):
        kind = f"mode {self.mode}" if self.mode else self.kind
        return f"{kind} at {self.where} {self.first}+{self.times} ({self.seed:#x})"

    def effect(self, request):
        """On the first request of this kind, and those that follow it where it fails."""
        if self.kind in ("wait", "pieces", "header"):
            return NONE
        if self.where not in (request, "any"):
            return NONE
        if self.first or self.times == 1 or self.kind != "mode":
            return MAYBE
        return FATAL


def spoil_bytes(rng, data):
    """Some bytes changed, left out, put in or repeated."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(data) + 1)
        what = rng.randrange(6)
        if what == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif what == 1 and data:
            data[at % len(data)] = rng.choice(b"\0\xff\"{}[],:\\\r\n 0-A")
        elif what == 2:
            del data[at:at + rng.choice((1, 2, 40))]
        elif what == 3:
            data[at:at] = rng.randbytes(rng.choice((1, 3, 100)))
        elif what == 4:
            data[at:at] = data[at // 2:at] * rng.choice((1, 2, 20))
        else:
            del data[at:]
    return bytes(data)


def places(value, path=()):
    """The paths of all that a JSON value holds."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield from places(part, path + (key,))


def spoil_tree(rng, value):
    """A JSON value of which parts are missing, doubled, of another type or another value."""
    for _ in range(rng.choice((1, 1, 2))):
        path = rng.choice(list(places(value)))
        if not path:
            return rng.choice(WRONG_VALUES + ([value], {"keys": value}, json.dumps(value)))
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        key, what = path[-1], rng.randrange(5)
        if what == 0:
            del holder[key]
        elif what == 1 and isinstance(holder[key], str):
            holder[key] = spoil_bytes(rng, holder[key].encode()).decode("latin-1")
        elif what == 2 and isinstance(holder, list):
            holder.extend([holder[key]] * rng.choice((1, 2, 70)))
        elif what == 3 and isinstance(holder, dict):
            other = rng.choice(list(holder))
            holder[key], holder[other] = holder[other], holder[key]
        else:
            holder[key] = rng.choice(WRONG_VALUES)
    return value


def spoil_json(rng, body):
    """The same for a reply; of what is signed, before or after that is decoded."""
    try:
        value = json.loads(body)
        if isinstance(value, dict) and "payload" in value and rng.random() < 0.5:
            name = rng.choice(("payload", "protected"))
            holder = value if name == "payload" else value.get("signatures", [value])[0]
            holder[name] = b64(json.dumps(spoil_tree(rng, json.loads(unb64(holder[name])))).encode())
        else:
            value = spoil_tree(rng, value)
        return json.dumps(value).encode()
    except (ValueError, LookupError, TypeError):
        return spoil_bytes(rng, body)


def spoil_point(rng, body):
    """Points that are others, or none, of another curve, at infinity, out of the field, or written oddly."""
    try:
        jwk = json.loads(body)
        x, y, field = unb64(jwk["x"]), unb64(jwk["y"]), FIELDS[jwk["crv"]]
    except (ValueError, LookupError, TypeError):
        return spoil_json(rng, body)
    size = len(x)
    mirrored = {"y": b64((field - int.from_bytes(y, "big")).to_bytes(size, "big"))}
    wrong = rng.choice((mirrored, mirrored, mirrored,
        {"y": b64(x)}, {"x": b64(y), "y": b64(x)}, {"x": b64(bytes(size)), "y": b64(bytes(size))},
        {"x": "", "y": ""}, {"y": ""}, {"x": b64(b"\xff" * size)}, {"x": b64(bytes(1) + x)}, {"x": b64(x[1:])},
        {"y": b64(y[:-1] + bytes([y[-1] ^ 1]))}, {"crv": rng.choice(("P-256", "P-384", "P-521", "P-999"))},
        {"x": b64(rng.randbytes(size)), "y": b64(rng.randbytes(size))}, {"x": jwk["x"] + "=="},
        {"x": jwk["x"] + rng.choice("+/ \n\0A")}, {"d": b64(rng.randbytes(size))}, {"kty": "oct", "k": jwk["x"]}))
    return json.dumps({**jwk, **wrong}).encode()


class Meddler:
    """A server at a port of its own that passes requests on to another."""

    def __init__(self, upstream, strangers, tls=None):
        self.upstream, self.strangers, self.tls = upstream, strangers, tls
        self.fault = None
        self.stolen = None  # a certificate to show instead
        self.lock = threading.Lock()
        self.records = {"adv": [], "rec": []}
        self.counts = {}
        self.hostile = hostile.Server(argparse.Namespace(cert=None, key=None, drip=0.1, mode=None, log=None))
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def set(self, fault, stolen=None):
        with self.lock:
            self.fault, self.stolen, self.counts = fault, stolen, {}

    def accept(self):
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self.handle, args=(sock,), daemon=True).start()

    def handle(self, sock):
        try:
            with self.lock:
                fault, tls = self.fault, self.stolen or self.tls
            if fault and fault.mode == "mute" and self.is_due(fault, "connection"):
                time.sleep(30)
            if fault and fault.mode == "reset" and self.is_due(fault, "connection"):
                hostile.reset(sock)
                return
            if tls:
                sock = tls.wrap_socket(sock, server_side=True)
            with sock, sock.makefile("rb") as lines:
                while request := hostile.read_request(lines):
                    if not request["path"].startswith("/") or not self.answer(sock, request):
                        return
        except (OSError, ValueError, http.client.HTTPException, ssl.SSLError):
            pass
        finally:
            sock.close()

    def is_due(self, fault, kind):
        with self.lock:
            count = self.counts[kind] = self.counts.get(kind, 0) + 1
        return fault.first < count <= fault.first + fault.times

    def ask(self, upstream, request):
        connection = http.client.HTTPConnection(upstream, timeout=20)
        try:
            body = request["body"].encode("latin-1") if request["method"] == "POST" else None
            connection.request(request["method"], request["path"], body)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def answer(self, sock, request):
        """Answers one request; whether the connection goes on."""
        kind = "rec" if request["method"] == "POST" else "adv"
        with self.lock:
            fault = self.fault
        if not fault or fault.where not in (kind, "any") or fault.mode in CONNECTION_MODES:
            fault = None
        elif not self.is_due(fault, kind):
            fault = None
        if fault and fault.mode:
            if fault.mode.isdigit():
                hostile.send(sock, int(fault.mode), b"sorry\n")
                return True
            return hostile.MODES[fault.mode](self.hostile, sock)

        status, body = self.ask(self.upstream, request)
        with self.lock:
            records = self.records[kind]
            old = list(records) or [body]
            records.append(body)
            del records[:-RECORDS_MAX]
        if not fault:
            hostile.send(sock, status, body)
            return True
        if fault.kind == "replay":
            body = random.Random(fault.seed).choice(old)
        return self.spoil(sock, request, kind, fault, status, body)

    def spoil(self, sock, request, kind, fault, status, body):
        rng = random.Random(fault.seed)
        head = f"HTTP/1.1 {status} Whatever\r\n"
        if fault.kind == "body":
            body = spoil_bytes(rng, body)
        elif fault.kind == "tree":
            body = spoil_json(rng, body)
        elif fault.kind == "point":
            body = spoil_point(rng, body) if kind == "rec" else spoil_json(rng, body)
        elif fault.kind == "other":
            body = self.ask(rng.choice(self.strangers), request)[1]
        elif fault.kind == "wait":
            time.sleep(rng.random() / 2)
        elif fault.kind == "type":
            head += f"Content-Type: {rng.choice(('text/html', 'application/jose+json', 'x' * 5000, '', 'é'))}\r\n"
        elif fault.kind == "header":
            head += "X-Some: thing\r\n" * rng.randrange(1, 20)
        elif fault.kind == "status":
            head = f"HTTP/{rng.choice(('1.1', '1.0', '2', '9.9'))} {rng.choice((100, 201, 206, 299, 302, 304, 1000))} x\r\n"

        length = len(body)
        if fault.kind == "length":
            length = rng.choice((0, -1, length - 1, length + 1, 2**31, 2**64, "x", ""))
        if fault.kind == "chunked":
            whole = (head + "Transfer-Encoding: chunked\r\n\r\n").encode() + b"".join(
                b"%x\r\n%s\r\n" % (len(body[i:i + 50]), body[i:i + 50]) for i in range(0, len(body), 50))
            whole += rng.choice((b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"zz\r\n", b"ffffffffffffffff\r\n", b""))
        else:
            whole = (head + f"Content-Length: {length}\r\n\r\n").encode() + body
        if fault.kind == "bytes":
            whole = spoil_bytes(rng, whole)
        elif fault.kind == "cut":
            whole = whole[:rng.randrange(len(whole))]

        if fault.kind == "pieces":
            step = max(1, len(whole) // 10)
            for i in range(0, len(whole), step):
                sock.sendall(whole[i:i + step])
                time.sleep(0.02)
        else:
            sock.sendall(whole)
        if fault.kind == "cut" and rng.random() < 0.3:
            hostile.reset(sock)
            return False
        return fault.kind not in ("bytes", "cut", "length", "chunked", "status")
