#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stands between a program and swtpm: records all that crosses, and breaks what it is told to.

    tpmproxy.py LISTEN SERVER FOLDER

LISTEN and SERVER are socket paths as in "swtpm:path=…" (the control channel is at PATH.ctrl). FOLDER gets

    traffic     every byte of every command and reply
    commands    a line for each: its number from 1, its code, bytes sent and received, the reply's code

Who empties these files begins to count anew. FOLDER/plan says what to break, at command number N:

    error N CODE   answer with this response code instead of asking the TPM
    lie N          answer with success and random bytes instead of asking the TPM
    noise N        answer with random bytes and hang up
    cut N          hang up instead of asking the TPM, for this and all that follow
    late N         hang up after the TPM did it, without its answer, and for all that follow

and to the TPM's true answer:

    flip N AT:BITS change these bits of its byte AT, counted from its end again where it is shorter
    short N COUNT  leave out so many bytes of its end
    long N COUNT   add as many random ones
    size N SIZE    let it say that this is its size, and hang up after it
    stale N        send the answer of the command before again
    slow N MS      send it so much later
"""
import os
import socket
import struct
import sys
import threading
import time
from pathlib import Path

HEADER = struct.Struct('>HII')  # tag, size, code
NO_SESSIONS = 0x8001


class Gone(Exception):
    """One side hung up."""


def receive(sock, size):
    data = b''
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise Gone
        data += part
    return data


def receive_message(sock):
    header = receive(sock, HEADER.size)
    return header + receive(sock, HEADER.unpack(header)[1] - HEADER.size)


def connect(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    return sock


def pump(source, target):
    """Passes bytes on until one side hangs up."""
    try:
        while data := source.recv(4096):
            target.sendall(data)
    except OSError:
        pass
    for sock in source, target:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve_control(client, server_path):
    server = connect(server_path)
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


class Connection:
    """One, which may be for a single command."""

    def __init__(self, client, server_path, folder):
        self.client, self.folder = client, folder
        self.last = HEADER.pack(NO_SESSIONS, HEADER.size, 0)
        self.server = connect(server_path)

    def record(self, data):
        with open(self.folder / 'traffic', 'ab') as file:
            file.write(data)

    def note(self, number, command, reply):
        code = f'{HEADER.unpack_from(reply)[2]:#x}' if reply else 'none'
        with open(self.folder / 'commands', 'a', encoding='ascii') as file:
            file.write(f'{number} {HEADER.unpack_from(command)[2]:#x} {len(command)} {len(reply)} '
                       f'{code}\n')

    def plan(self, number):
        """What to do to this command, and its argument."""
        path = self.folder / 'plan'
        words = path.read_text().split() if path.exists() else []
        if not words:
            return None, [0]
        kind, at = words[0], int(words[1])
        if number == at:
            return kind, [int(word, 0) for word in words[2].split(':')] if len(words) > 2 else [0]
        return ('cut', [0]) if number > at and kind in ('cut', 'late') else (None, [0])

    def answer(self, command, number):
        """The reply; an empty one hangs up."""
        kind, values = self.plan(number)
        if kind == 'error':
            return HEADER.pack(NO_SESSIONS, HEADER.size, values[0])
        if kind == 'lie':
            body = os.urandom(60)
            return HEADER.pack(HEADER.unpack_from(command)[0], HEADER.size + len(body), 0) + body
        if kind == 'noise':
            self.client.sendall(os.urandom(64))
        if kind in ('noise', 'cut'):
            return b''
        self.server.sendall(command)
        reply = receive_message(self.server)
        last, self.last = self.last, reply
        if kind == 'late':
            return b''
        if kind == 'stale':
            return last
        return self.altered(reply, kind, *values)

    def altered(self, reply, kind, value, bits=0):
        tag, size, code = HEADER.unpack_from(reply)
        body = reply[HEADER.size:]
        if kind == 'flip':
            at = value % len(reply)
            reply = reply[:at] + bytes([reply[at] ^ bits]) + reply[at + 1:]
            if 2 <= at < 6: # a size that is wrong is not waited for
                self.client.sendall(reply)
                return b''
            return reply
        if kind == 'short':
            body = body[:max(0, len(body) - value)]
        elif kind == 'long':
            body += os.urandom(value)
        elif kind == 'size':
            self.client.sendall(HEADER.pack(tag, value, code) + body)
            return b''
        elif kind == 'slow':
            time.sleep(value / 1000)
        return HEADER.pack(tag, HEADER.size + len(body), code) + body

    def run(self):
        try:
            while True:
                command = receive_message(self.client)
                number = len((self.folder / 'commands').read_text().splitlines()) + 1
                reply = self.answer(command, number)
                self.record(command + reply)
                self.note(number, command, reply)
                if not reply:
                    break
                self.client.sendall(reply)
        except (Gone, OSError):
            pass
        finally:
            self.client.close()
            self.server.close()


def accept(listen_path, handle):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(listen_path)
    listener.listen(64)
    while True:
        client, _ = listener.accept()
        handle(client)


def main(listen, server, folder):
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    for name in 'traffic', 'commands':
        (folder / name).touch()

    def control(client):
        threading.Thread(target=serve_control, args=(client, server + '.ctrl'), daemon=True).start()

    threading.Thread(target=accept, args=(listen + '.ctrl', control), daemon=True).start()
    # One connection after the other, as swtpm itself serves them.
    accept(listen, lambda client: Connection(client, server, folder).run())


main(*sys.argv[1:])
