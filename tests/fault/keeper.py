#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keeps a server's socket as systemd does (Accept=no): the server inherits it, and is started anew when it ends well.

    keeper.py PORT PROGRAM [ARGUMENT]...

Writes a line of the server's process id each time it starts one, to standard output. Ends, and the server with
it, at SIGTERM.
"""
import os
import signal
import socket
import sys

LISTEN_FD = 3


def start(sock):
    pid = os.fork()
    if pid == 0:
        os.dup2(sock.fileno(), LISTEN_FD)
        os.set_inheritable(LISTEN_FD, True)
        os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
        os.execv(sys.argv[2], sys.argv[2:])
    print(pid, flush=True)
    return pid


def main():
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(('127.0.0.1', int(sys.argv[1])))
    sock.listen(4096)
    print(f'listening on 127.0.0.1:{sock.getsockname()[1]}', file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        _, status = os.waitpid(start(sock), 0)
        if status != 0:
            sys.exit(f'the server ended with {status}')


main()
