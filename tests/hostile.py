#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An HTTP server for tests that answers as no server should, or as a Tang server does.

    hostile.py [OPTION]...

Prints its port and a newline once the port is its own, then serves until it is killed, its standard
input ends (--watch-stdin) or its time is over. IPv4 and IPv6 as --host says; a thread a connection.

    --host=ADDRESS      where to listen (127.0.0.1)
    --port=N            which port (0: a free one)
    --mode=MODE         how to answer all requests; without it the first part of a request's path
                        says so where it names a mode (/silent/adv), else the mode is serve
    --adv=FILE          serve: what GET /adv and /adv/... get, below any prefix (else 404)
    --rec=FILE          serve: what POST /rec/... gets, below any prefix (else 404)
    --relay=URL         serve: the same, by asking this server
    --get-only          a mode that a path names is not for POST, which is served
    --log=FILE          append one line of JSON a request, before it is answered:
                        connection (1, 2, ...), method, path, headers (lower case), body, scheme
    --cert=FILE --key=FILE    speak TLS with these PEM files
    --refuse=SECONDS    refuse connections that long, then listen
    --drip=SECONDS      pause between the bytes of drip (0.1)
    --delay=SECONDS     serve: answer so much later
    --answers=N         serve: answer so many requests, and no more than receive the others
    --lifetime=SECONDS  end after so long (300)
    --watch-stdin       end when standard input does

Modes that never get as far as a request (only as --mode):

    mute       accepts, sends and reads nothing, not even TLS
    reset      accepts and resets the connection at once

Modes that read the request first:

    serve      as above
    silent     never answers
    close      closes without an answer
    abort      resets without an answer
    garbage    sends what is not HTTP
    nothttp    sends a status line of another protocol
    drip       sends a valid reply byte by byte, hours long
    endless    a body without end
    headers    header lines without end
    longheader one header line without end
    big        a reply of 1 MiB
    truncated  announces more than it sends, then closes
    chopped    closes in the middle of the headers
    redirect   302 to /elsewhere/adv here, where a body would be
    empty      200 without a body
    NUMBER     that status (404, 500, ...), with a small body
"""

import argparse
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.error
import urllib.request

JUNK = b"x" * 4096


class Server:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.answers = 0
        self.tls = None
        if options.cert:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.cert, options.key)

    def log(self, number, request):
        if not self.options.log:
            return
        line = json.dumps({"connection": number, "scheme": "https" if self.tls else "http",
                           **request})
        with self.lock, open(self.options.log, "a", encoding="utf-8") as f:
            f.write(line + "\n")

    def handle(self, sock, number):
        try:
            if self.options.mode == "mute":
                hold()
            if self.options.mode == "reset":
                return reset(sock)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            with sock, sock.makefile("rb") as lines:
                while True:
                    request = read_request(lines)
                    if not request:
                        return None
                    if not request["path"].startswith("/"):
                        return send(sock, 400, b"what?\n")
                    self.log(number, request)
                    if not self.answer(sock, request):
                        return
        except (OSError, ValueError):
            pass
        finally:
            sock.close()

    def answer(self, sock, request):
        """Answers one request; whether the connection goes on."""
        mode = self.options.mode or request["path"].split("/")[1]
        if self.options.get_only and request["method"] != "GET":
            mode = "serve"
        if mode.isdigit():
            send(sock, int(mode), b"sorry\n")
            return True
        if mode in MODES:
            return MODES[mode](self, sock)
        return self.serve(sock, request)

    def serve(self, sock, request):
        with self.lock:
            self.answers += 1
        if self.options.answers is not None and self.answers > self.options.answers:
            hold()
        time.sleep(self.options.delay)
        parts = request["path"].split("/")
        name = None
        if request["method"] == "GET" and "adv" in parts[-2:]:
            name = self.options.adv
        elif request["method"] == "POST" and parts[-2] == "rec" and self.options.rec:
            name = self.options.rec
        if name is None and request["method"] == "POST" and self.options.relay:
            send(sock, *self.relayed("/".join(parts[-2:]), request["body"]))
        elif name is None:
            send(sock, 404, b"no such thing\n")
        else:
            with open(name, "rb") as f:
                send(sock, 200, f.read())
        return True

    def relayed(self, path, body):
        url = self.options.relay + "/" + path
        try:
            with urllib.request.urlopen(url, body.encode("latin-1"), timeout=10) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as e:
            return e.code, b"sorry\n"

    def garbage(self, sock):
        sock.sendall(b"\x00\xff\xfeSSH-2.0-OpenSSH_9.2\r\n\r\n" + JUNK)
        return False

    def nothttp(self, sock):
        sock.sendall(b"ICY 200 OK\r\n\r\n" + JUNK)
        return False

    def drip(self, sock):
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"x" * 50000
        for i in range(len(reply)):
            sock.sendall(reply[i:i + 1])
            time.sleep(self.options.drip)
        return False

    def endless(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sock.sendall(JUNK)

    def headers(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            sock.sendall(b"X-More: and more\r\n" * 100)

    def longheader(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while True:
            sock.sendall(JUNK)

    def redirect(self, sock):
        here = "%s://%s" % ("https" if self.tls else "http", address(sock))
        send(sock, 302, b"over there\n", "Location: %s/elsewhere/adv\r\n" % here)
        return True

    def big(self, sock):
        send(sock, 200, b"x" * 1024 * 1024)
        return True

    def truncated(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 10)
        return False

    def chopped(self, sock):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
        return False

    def empty(self, sock):
        send(sock, 200, b"")
        return True

    def silent(self, sock):
        hold()

    def close(self, sock):
        return False

    def abort(self, sock):
        reset(sock)
        return False


MODES = {name: getattr(Server, name) for name in
         ("silent", "close", "abort", "garbage", "nothttp", "drip", "endless", "headers",
          "longheader", "big", "truncated", "chopped", "redirect", "empty")}


def hold():
    while True:
        time.sleep(3600)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.socket.close(sock)


def address(sock):
    host, port = sock.getsockname()[:2]
    return ("[%s]:%d" if ":" in host else "%s:%d") % (host, port)


def send(sock, status, body, more=""):
    head = "HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n%s\r\n" % (status, len(body), more)
    sock.sendall(head.encode() + body)


def read_request(lines):
    """One request as a dict, its path empty where it is none; None at the end of the connection."""
    if not lines.peek(1):
        return None
    if not lines.peek(1)[:1].isupper():
        return {"path": ""}
    words = lines.readline(65536).decode("latin-1").split()
    if len(words) != 3:
        return {"path": ""}
    headers = {}
    while True:
        line = lines.readline(65536).decode("latin-1").strip()
        if not line:
            break
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = lines.read(int(headers.get("content-length", 0)))
    return {"method": words[0], "path": words[1], "headers": headers,
            "body": body.decode("latin-1")}


def watch_stdin():
    while os.read(0, 4096):
        pass
    os._exit(0)


def expire(seconds):
    time.sleep(seconds)
    os._exit(0)


def mode(text):
    if text in ("mute", "reset", "serve", *MODES) or text.isdigit():
        return text
    raise argparse.ArgumentTypeError(f"there is no mode {text}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mode", type=mode)
    parser.add_argument("--adv")
    parser.add_argument("--rec")
    parser.add_argument("--relay")
    parser.add_argument("--log")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--get-only", action="store_true")
    parser.add_argument("--refuse", type=float, default=0)
    parser.add_argument("--drip", type=float, default=0.1)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--answers", type=int)
    parser.add_argument("--lifetime", type=float, default=300)
    parser.add_argument("--watch-stdin", action="store_true")
    options = parser.parse_args()

    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((options.host, options.port))
    if not options.refuse:
        listener.listen(128)
    os.write(1, b"%d\n" % listener.getsockname()[1])

    threading.Thread(target=expire, args=(options.lifetime,), daemon=True).start()
    if options.watch_stdin:
        threading.Thread(target=watch_stdin, daemon=True).start()
    if options.refuse:
        time.sleep(options.refuse)
        listener.listen(128)

    server = Server(options)
    number = 0
    while True:
        sock, _ = listener.accept()
        number += 1
        threading.Thread(target=server.handle, args=(sock, number), daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
