#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Has a program run with the n-th of its calls failing, for all n (inject.c), and judges what came of each.

	inject.py NAME KIND MAX FOLDER JUDGE [JUDGE-OPTION…] -- PROGRAM [ARGUMENT…]

KIND as in inject.c; "alloc+" has all calls from the n-th on fail. At most MAX calls are tried, evenly spread; 0: all. FOLDER is for
its files. Prints one line for each finding; the last says how many points there were and what came of them. JUDGE is

	recover SECRET      a filter that prints what the file SECRET has, or fails with a documented error
	volume IMAGE KEY    a change of a volume, tried on a copy of IMAGE at FOLDER/image; the file KEY opens it
	serve PATH REQUEST  a Tang server, asked for /adv and for the exchange of the file REQUEST at PATH
"""
import argparse
import collections
import errno
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

LINES_MAX = 20

# Where libraries themselves fall over: OpenSSL 3.0 frees a context that it had no memory for, also that of a provider
# which libcryptsetup asks for; libcryptsetup takes JSON that json-c had no memory for, and libmicrohttpd aborts where
# it cannot watch a connection. It is a crash, and no more.
THEIRS = re.compile(r' EVP_KDF_CTX_new\n| OSSL_LIB_CTX_new_child\n|libjson-c.*libcryptsetup'
                    r'| epoll_ctl\n.*libmicrohttpd', re.DOTALL)

# jansson leaves characters out of a text that it reads where it has no memory for them, and succeeds: so a key may be
# another until the server reads its folder anew, after 30 s.
THEIR_READING = re.compile(r'libjansson\S* json_loadb\n')

TIMEOUT = 20  # seconds; none takes 5

# Of the header of pin_recover(), and of pin_seal().
DOCUMENTED = {errno.EBADMSG, errno.EPROTO, errno.EKEYREJECTED, errno.ENETUNREACH, errno.EHOSTUNREACH,
              errno.ECONNREFUSED, errno.ETIMEDOUT, errno.ENODEV, errno.ENOANO, errno.EINTR,
              errno.EOPNOTSUPP, errno.E2BIG, errno.ENOMEM, errno.EIO}


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def wait_until(condition):
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.002)
    return None


class Program:
    """PROGRAM, loaded once."""

    def __init__(self, folder, argv):
        self.folder = folder
        self.out, self.err, self.stack, self.points, self.counter = (
            os.path.join(folder, name) for name in ('out', 'err', 'stack', 'points', 'counter'))
        with open(self.counter, 'wb') as file:
            file.write(bytes(8))
        self.control, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        env = dict(os.environ, INJECT_FD=str(server.fileno()), INJECT_POINTS=self.points,
                   INJECT_COUNTER=self.counter, INJECT_OUT=self.out, INJECT_ERR=self.err,
                   INJECT_STACK=self.stack,
                   LD_PRELOAD=os.environ['INJECT_PRELOAD'])
        env.setdefault('INJECT_STDIN', '/dev/null')
        self.process = subprocess.Popen(argv, env=env, pass_fds=[server.fileno()])
        server.close()
        self.lines = self.control.makefile('rb')

    def start(self, kind, at):
        with open(self.counter, 'r+b') as file:
            file.write(bytes(8))
        for path in (self.out, self.err, self.stack):
            if os.path.exists(path):
                os.unlink(path)
        self.control.sendall(f'{kind} {at}\n'.encode())
        self.pid = int(self.lines.readline())

    def kill(self, sig):
        try:
            os.kill(self.pid, sig)
        except ProcessLookupError:
            pass

    def end(self):
        """Its wait status as subprocess has it, or None where it hung."""
        self.control.settimeout(TIMEOUT)
        try:
            status = int(self.lines.readline())
        except TimeoutError:
            os.killpg(self.pid, signal.SIGABRT)
            self.control.settimeout(None)
            self.lines = self.control.makefile('rb')
            self.lines.readline()
            return None
        self.control.settimeout(None)
        try:
            os.killpg(self.pid, signal.SIGKILL)  # what it left behind
        except ProcessLookupError:
            pass
        return os.waitstatus_to_exitcode(status)

    def close(self):
        self.control.close()
        self.lines.close()
        self.process.wait()


def crash(status, err):
    """What no program may come to, or ''."""
    if status is None:
        return 'hangs'
    if status < 0:
        return f'died of signal {-status}'
    for word in ('Sanitizer', 'runtime error:', 'freed:', '*** '):
        if word in err:
            return f'says {word}'
    return ''


class Recover:
    def __init__(self, args, program):
        self.secret = read(args.judge_options[0])
        self.program = program
        self.tpm = os.environ.get('INJECT_TPM')

    def run(self, kind, at):
        self.program.start(kind, at)
        status = self.program.end()
        out, err = read(self.program.out), read(self.program.err).decode(errors='replace')
        bad = crash(status, err)
        if not bad and status == 0 and out != self.secret:
            bad = 'success without the secret'
        if not bad and status != 0 and status not in DOCUMENTED:
            bad = f'error {errno.errorcode.get(status, status)} is not documented'
        if not bad and status != 0 and out:
            bad = 'wrote something and failed'
        if self.tpm:
            left = self.left_in_tpm()
            # With the connection itself failing, only a resource manager can know what is left.
            bad = bad or ('' if kind == 'sys' else left)
        return bad, 'ok' if status == 0 else errno.errorcode.get(status, str(status)), err

    def left_in_tpm(self):
        """Objects and sessions."""
        left = []
        with socket.socket(socket.AF_UNIX) as tpm:
            tpm.connect(self.tpm)
            for first in (0x80000000, 0x02000000, 0x03000000):
                command = bytes.fromhex('8001' '00000016' '0000017a' '00000001') + first.to_bytes(4, 'big') + \
                    (8).to_bytes(4, 'big')
                tpm.sendall(command)
                reply = tpm.recv(4096)
                if int.from_bytes(reply[6:10], 'big') != 0:
                    return f'TPM says {reply.hex()}'
                n = int.from_bytes(reply[15:19], 'big')
                left += [reply[19 + 4 * i:23 + 4 * i] for i in range(n)]
            for handle in left:
                tpm.sendall(bytes.fromhex('8001' '0000000e' '00000165') + handle)
                tpm.recv(4096)
        return f'left {" ".join(handle.hex() for handle in left)} in the TPM' if left else ''


class Header:
    """Of a LUKS2 volume, both copies of it."""

    SIZE, JSON_AT, SUM_AT, SUM_SIZE = 16384, 4096, 448, 64

    def __init__(self, path):
        with open(path, 'rb') as file:
            copies = [file.read(self.SIZE) for _ in range(2)]
        self.valid = [self.has_its_sum(copy) for copy in copies]
        texts = [copy[self.JSON_AT:].rstrip(b'\0') for copy in copies]
        self.same = texts[0] == texts[1]
        # Where the first is torn, the second holds.
        self.json = json.loads(texts[0 if self.valid[0] else 1])

    def has_its_sum(self, copy):
        zeroed = copy[:self.SUM_AT] + bytes(self.SUM_SIZE) + copy[self.SUM_AT + self.SUM_SIZE:]
        return hashlib.sha256(zeroed).digest() == copy[self.SUM_AT:self.SUM_AT + 32]

    def is_sound(self):
        return all(self.valid) and self.same

    def shape(self):
        """Types, labels and numbers of keyslots, in the order in which tokens are tried."""
        return json.dumps([len(self.json['keyslots']),
                           [[token['type'], len(token['keyslots']), token.get('cotter', {}).get('label'),
                             'unfinished' in token.get('cotter', {})]
                            for token in self.json['tokens'].values()]])

    def bindings(self):
        return [token for token in self.json['tokens'].values()
                if token['type'].startswith('cotter-') and token['keyslots']]

    def loose_keyslots(self):
        """No key file's, no token's, and not noted to go."""
        owned = {'0'}
        for token in self.json['tokens'].values():
            owned.update(token['keyslots'])
            owned.add(str(token.get('cotter', {}).get('unfinished', {}).get('keyslot', '')))
        return set(self.json['keyslots']) - owned


def quiet(*argv):
    """'' where it succeeds without a word on stderr, else what it said."""
    done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    return done.stderr or ('' if done.returncode == 0 else f'status {done.returncode}')


# Lines beside the sentence: what came of the volume, and what was done before.
BESIDE = re.compile(r'is as it was before$|: bound |: the binding stays, but |: renewed |: removed ')


class Volume:
    """A verb of cotter-enroll's on FOLDER/image."""

    def __init__(self, args, program):
        self.original, self.key_file = args.judge_options
        self.program, self.argv = program, args.program
        self.image = os.path.join(args.folder, 'image')
        self.before = Header(self.original)
        self.wanted = None
        self.done = {}

    def run(self, kind, at):
        shutil.copyfile(self.original, self.image)
        self.program.start(kind, at)
        status = self.program.end()
        err = read(self.program.err).decode(errors='replace')
        bad = crash(status, err)
        header = Header(self.image)
        shape = header.shape()
        if self.wanted is None:
            self.wanted = shape
        sentences = [line for line in err.splitlines() if not BESIDE.search(line)]
        explained = len(sentences) == 1 or (not sentences and 'the binding stays, but' in err)
        if not bad and status != 0 and not explained:
            bad = f'{len(sentences)} lines instead of one sentence'
        if not header.is_sound():
            bad = bad or self.mend(header)
            header = Header(self.image)
        if not bad and status == 0 and shape != self.wanted:
            bad = f'success, and yet {shape}'
        if header.json != self.before.json:
            bad = bad or self.look(header) or ('' if status == 0 else self.once(shape, self.finish))
            outcome = 'ok' if status == 0 else f'{status} changed'
        else:
            outcome = f'{status} unchanged'
        return bad, outcome, err

    def mend(self, header):
        """Where the second copy could not be written, libcryptsetup does so when it next reads the header."""
        if not any(header.valid):
            return 'no copy of the header is valid'
        quiet('cryptsetup', 'luksDump', self.image)
        return '' if Header(self.image).is_sound() else 'both copies of the header are not valid and the same'

    def once(self, key, check):
        if key not in self.done:
            self.done[key] = check()
        return self.done[key]

    def look(self, header):
        """Of a volume that was changed, as far as it was."""
        if header.loose_keyslots():
            return f'keyslots {header.loose_keyslots()} are nobody\'s'
        if self.before.bindings() and not header.bindings() and self.wanted_bindings():
            return 'no binding is left'
        said = quiet('cryptsetup', 'luksDump', self.image)
        said = said or quiet('cryptsetup', 'open', '--test-passphrase', '--disable-external-tokens', '--key-file',
                             self.key_file, self.image)
        # Of what is to be removed a keyslot may be overwritten and still be there.
        if not said and header.bindings() and self.wanted_bindings():
            said = quiet(self.argv[0], '--test', self.image)
        return said

    def wanted_bindings(self):
        return any(token[0].startswith('cotter-') for token in json.loads(self.wanted)[1])

    def finish(self):
        """The same command again, with nothing failing, comes to what is wanted."""
        said = quiet(*self.argv, '--quiet')
        shape = Header(self.image).shape()
        if said:
            return f'and then the same command says: {said}'
        return '' if shape == self.wanted else f'and then the same command leaves {shape}'


class Serve:
    """A Tang server that is asked for its advertisement and for an exchange, and then told to end."""

    def __init__(self, args, program):
        self.program = program
        self.path, self.request = args.judge_options[0], read(args.judge_options[1])
        self.replies = {}

    def ask(self, port, method, path, body):
        connection = http.client.HTTPConnection('127.0.0.1', port, timeout=8)
        try:
            connection.request(method, path, body, {'Content-Type': 'application/jwk+json'} if body else {})
            reply = connection.getresponse()
            return reply.status, reply.read()
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__, b''
        finally:
            connection.close()

    def port(self):
        if b'listening on ' in read(self.program.err):
            found = re.search(rb'listening on .*:(\d+)\n', read(self.program.err))
            return int(found[1]) if found else None
        return None if self.is_alive() else -1

    def is_alive(self):
        try:
            with open(f'/proc/{self.program.pid}/stat') as file:
                return file.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
        except OSError:
            return False

    def serve(self, port):
        """What failed until both answers were as they are at first, or None where that never comes."""
        failures, end = [], time.monotonic() + 3
        while time.monotonic() < end:
            bad = ''
            for method, path, body in (('GET', '/adv', None), ('POST', self.path, self.request)):
                answer = self.ask(port, method, path, body)
                if answer[0] == 200 and method == 'GET':
                    answer = 200, json.loads(answer[1])['payload'].encode()
                if answer != self.replies.setdefault(method, answer):
                    bad = f'{method} {answer[0]}'
            if not bad:
                return failures
            failures.append(bad)
            time.sleep(0.02)
        return None

    def run(self, kind, at):
        self.program.start(kind, at)
        wait_until(lambda: os.path.exists(self.program.err))
        port = wait_until(self.port)
        failures = self.serve(port) if port and port > 0 else []
        self.program.kill(signal.SIGTERM)
        status = self.program.end()
        err = read(self.program.err).decode(errors='replace')
        bad = crash(status, err)
        if port == -1:
            if not bad and (status == 0 or len(err.splitlines()) != 1):
                bad = f'does not begin, with status {status} and {len(err.splitlines())} lines'
            return bad, 'did not begin', err
        if not bad and not port:
            bad = 'neither begins nor ends'
        if not bad and failures is None:
            bad = 'serves no more'
        if not bad and status != 0:
            bad = f'ends with status {status}'
        return bad, 'ok' if not failures else 'ok after a failure', err


def is_theirs(bad, stack, err):
    """
    Whether a library is to blame: one whose own call failed deep inside of it may keep what it had
    begun, while "lib" shows what we do where it fails as a whole.
    """
    calls = stack.splitlines()[3:4]
    if 'LeakSanitizer: detected' in err:
        return any('.so' in call for call in calls)
    if bad == 'serves no more':
        return bool(THEIR_READING.search(stack)) and not any('.so' not in call for call in calls)
    return bad.startswith('died') and bool(THEIRS.search(stack))


def points_of(judge, program, kind):
    """Of a run in which nothing fails: N and name of each."""
    with open(program.points, 'wb'):
        pass
    bad, outcome, err = judge.run(kind, 0)
    if bad or outcome.split()[0] not in ('ok', '0'):
        sys.exit(f'without a failure: {bad or outcome}\n{err}')
    return [line.split() for line in read(program.points).decode().splitlines()]


def parse_args():
    if '--' not in sys.argv:
        sys.exit(__doc__)
    end = sys.argv.index('--')
    parser = argparse.ArgumentParser()
    parser.add_argument('name')
    parser.add_argument('kind')
    parser.add_argument('max', type=int)
    parser.add_argument('folder')
    parser.add_argument('judge', choices=JUDGES)
    parser.add_argument('judge_options', nargs='*')
    args = parser.parse_args(sys.argv[1:end])
    args.program = sys.argv[end + 1:]
    return args


JUDGES = {'recover': Recover, 'volume': Volume, 'serve': Serve}


def main():
    args = parse_args()
    kind, on = args.kind.rstrip('+'), '+' * args.kind.count('+')
    program = Program(args.folder, args.program)
    judge = JUDGES[args.judge](args, program)
    start = time.monotonic()
    points = points_of(judge, program, kind)
    step = -(-len(points) // args.max) if args.max else 1
    outcomes, findings = collections.Counter(), 0
    only = os.environ.get('INJECT_ONLY', '').split()
    skipped = os.environ.get('INJECT_SKIP', '').split()
    points = [point for point in points if point[1] not in skipped]
    tried = [point for point in points if point[0] in only] if only else points[step // 2::step]
    for n, name in tried:
        bad, outcome, err = judge.run(kind, n + on)
        if os.environ.get('INJECT_VERBOSE'):
            print(f'# {n} {name}: {outcome}')
        stack = read(program.stack).decode()
        if (bad and is_theirs(bad, stack, err)) or stack.split()[1:2] in [[name] for name in skipped]:
            outcomes[f'{outcome} (not ours)'] += 1
            continue
        outcomes[outcome] += 1
        if bad:
            findings += 1
            print(f'{args.name}, {args.kind} {n} ({name}): {bad}')
            lines = err.splitlines()[:LINES_MAX] + ['called by'] + stack.splitlines()[3:LINES_MAX]
            print(''.join(f'    {line}\n' for line in lines), end='', flush=True)
    program.close()
    text = ', '.join(f'{n} {what}' for what, n in outcomes.most_common())
    print(f'{args.name}, {args.kind}: {len(tried)} of {len(points)} points in '
          f'{time.monotonic() - start:.1f} s: {text}; {findings} findings')
    sys.exit(1 if findings else 0)


main()
