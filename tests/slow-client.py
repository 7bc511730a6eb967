#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
One slow client of an HTTP server, and what comes of it as a line of JSON.

    slow-client.py HOST:PORT idle|drip [FROM [COUNT]]  sends nothing, or a byte each quarter of a second
    slow-client.py HOST:PORT alive SECONDS             makes a request each quarter of a second
    slow-client.py HOST:PORT stop PID                  is in the middle of a request as the server is stopped

The first says "open" once its COUNT connections are, then after how many seconds the last was closed.
"""
import json
import os
import re
import signal
import socket
import sys
import time

START = b'POST /rec/key HTTP/1.1\r\nHost: server\r\nX-Slow: '
GET = b'GET /healthz HTTP/1.1\r\nHost: server\r\n\r\n'


def connect(server, source='127.0.0.1'):
    return socket.create_connection(server, timeout=60, source_address=(source, 0))


def ended(sock, seconds):
    """Whether the server ends the connection within this time."""
    sock.settimeout(seconds)
    try:
        return sock.recv(4096) == b''
    except TimeoutError:
        return False
    except OSError:
        return True


def linger(server, drips, source='127.0.0.1', count='1'):
    begin = time.monotonic()
    left = [connect(server, source) for _ in range(int(count))]
    print('open', flush=True)
    sent = 0
    while left:
        if drips:
            for sock in left:
                try:
                    sock.send((START + b'x' * 1000)[sent:sent + 1])
                except OSError:
                    pass
            sent += 1
        end = time.monotonic() + 0.25
        left = [sock for sock in left if not ended(sock, max(0.001, end - time.monotonic()))]
    return {'seconds': time.monotonic() - begin}


def stay(server, seconds):
    begin, good = time.monotonic(), 0
    with connect(server) as sock:
        while time.monotonic() - begin < float(seconds):
            sock.sendall(GET)
            good += sock.recv(4096).startswith(b'HTTP/1.1 200')
            time.sleep(0.25)
    return {'seconds': time.monotonic() - begin, 'good': good}


def stop(server, pid):
    """An idle connection, one that has said nothing, and one in the middle of its request."""
    idle, fresh, busy = connect(server), connect(server), connect(server)
    idle.sendall(GET)
    idle.recv(4096)
    busy.sendall(GET[:30])
    time.sleep(0.2)
    os.kill(int(pid), signal.SIGTERM)
    idle_ended = ended(idle, 10)
    fresh.sendall(GET)
    busy.sendall(GET[30:])
    replies = [sock.recv(4096) for sock in (fresh, busy)]
    try:
        connect(server).close()
        refused = False
    except ConnectionError:
        refused = True
    return {'idle_ended': idle_ended, 'refused': refused,
            'statuses': [int(re.match(rb'HTTP/1.1 (\d+)', reply)[1]) for reply in replies],
            'last': all(b'Connection: close' in reply for reply in replies)}


def main():
    server, what, *rest = sys.argv[1:]
    host, port = server.rsplit(':', 1)
    work = {'idle': lambda *args: linger(*args[:1], False, *args[1:]),
            'drip': lambda *args: linger(*args[:1], True, *args[1:]), 'alive': stay, 'stop': stop}
    print(json.dumps(work[what]((host, int(port)), *rest)), flush=True)


main()
