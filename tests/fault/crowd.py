#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that take up room at a server: N connections that send nothing, or a byte of a request each second.

    crowd.py idle|drip N HOST:PORT FROM [SPREAD]

The connections come from SPREAD (1) addresses, of which FROM is the first. One that the server ends is opened
anew. Writes a line once all are open; told to end (SIGTERM), one of JSON: how many are open, how many were opened
anew, and in how many of these the server said something before, such as HTTP 408.
"""
import ipaddress
import json
import resource
import selectors
import signal
import socket
import sys
import time

REQUEST = b'POST /rec/key HTTP/1.1\r\nHost: server\r\nContent-Type: application/jwk+json\r\nX-Slow: '


class Crowd:
    def __init__(self, drips, server, first, spread):
        self.drips, self.server, self.first, self.spread = drips, server, first, spread
        self.selector = selectors.DefaultSelector()
        self.sent = {}
        self.reopened = self.told = 0

    def open(self, number):
        sock = socket.socket()
        sock.bind((str(self.first + number % self.spread), 0))
        sock.connect(self.server)
        sock.setblocking(False)
        self.selector.register(sock, selectors.EVENT_READ, number)
        self.sent[sock] = 0

    def reopen(self, sock):
        try:
            self.told += bool(sock.recv(4096))
        except OSError:
            pass
        number = self.selector.unregister(sock).data
        del self.sent[sock]
        sock.close()
        self.reopened += 1
        try:
            self.open(number)
        except OSError:
            time.sleep(0.01)

    def drip(self):
        for sock, sent in list(self.sent.items()):
            try:
                sock.send(REQUEST[sent:sent + 1] or b'x')
                self.sent[sock] = sent + 1
            except OSError:
                self.reopen(sock)

    def stay(self):
        next_drip = time.monotonic()
        while True:
            for key, _ in self.selector.select(max(0, next_drip - time.monotonic())):
                self.reopen(key.fileobj)
            if time.monotonic() >= next_drip:
                next_drip += 1
                if self.drips:
                    self.drip()

    def end(self, *_):
        print(json.dumps({'open': len(self.sent), 'reopened': self.reopened, 'told': self.told}), flush=True)
        sys.exit(0)


def main():
    kind, count, server, first, *spread = sys.argv[1:]
    host, port = server.rsplit(':', 1)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    crowd = Crowd(kind == 'drip', (host, int(port)), ipaddress.ip_address(first), int(*spread or [1]))
    signal.signal(signal.SIGTERM, crowd.end)
    for number in range(int(count)):
        crowd.open(number)
    print('open', flush=True)
    crowd.stay()


main()
