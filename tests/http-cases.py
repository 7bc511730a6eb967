#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Sends one HTTP request after another, well made or not, to a Tang server, and prints for each its name and
the statuses of all replies that came, or "closed". All that the server sent goes to a file.

    http-cases.py HOST:PORT FOLDER REPLIES [CASE]…

FOLDER holds the server's keys, of which `d` is what no reply may hold.
"""
import base64
import hashlib
import json
import re
import socket
import sys
from pathlib import Path

P521 = 2**521 - 1


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def thumbprint(jwk, digest='sha256'):
    text = json.dumps({name: jwk[name] for name in ('crv', 'kty', 'x', 'y')},
                      separators=(',', ':'), sort_keys=True)
    return b64(hashlib.new(digest, text.encode()).digest())


def load(folder):
    """The advertised keys: signing, exchange."""
    keys = [json.loads(path.read_text()) for path in sorted(Path(folder).glob('[!.]*.jwk'))]
    return (next(key for key in keys if 'sign' in key['key_ops']),
            next(key for key in keys if 'deriveKey' in key['key_ops']))


def post(path, body, *headers, version='1.1', length=None):
    body = body if isinstance(body, bytes) else body.encode()
    lines = [f'POST {path} HTTP/{version}', 'Host: t', *headers]
    if length is not False:
        lines.append(f'Content-Length: {len(body) if length is None else length}')
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def get(path, *headers, method='GET', version='1.1'):
    return '\r\n'.join([f'{method} {path} HTTP/{version}', *(headers or ['Host: t'])]).encode() + b'\r\n\r\n'


def chunked(path, *chunks, tail=b'0\r\n\r\n'):
    return (f'POST {path} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n'.encode()
            + b''.join(f'{len(chunk):x}\r\n'.encode() + chunk + b'\r\n' for chunk in chunks) + tail)


def paths(signing, exchange):
    sig, exc = thumbprint(signing), thumbprint(exchange)
    yield 'adv', get('/adv')
    yield 'adv-slash', get('/adv/')
    yield 'adv-slashes', get('//adv//')
    for digest in ('sha1', 'sha224', 'sha256', 'sha384', 'sha512'):
        yield f'adv-{digest}', get(f'/adv/{thumbprint(signing, digest)}')
    yield 'adv-exchange-key', get(f'/adv/{exc}')
    yield 'adv-unknown', get('/adv/' + 'A' * 43)
    yield 'adv-long', get('/adv/' + 'A' * 1000)
    yield 'adv-escape', get(f'/adv/%{ord(sig[0]):02x}{sig[1:]}')
    yield 'adv-nul', get(f'/adv/{sig}%00x')
    yield 'adv-deep', get(f'/adv/{sig}/x')
    yield 'adv-dots', get('/adv/../rec')
    yield 'adv-query', get('/adv?x=y')
    yield 'adv-upper', get('/ADV')
    yield 'advx', get('/advx')
    yield 'root', get('/')
    yield 'other', get('/etc/passwd')
    yield 'star', get('*', method='OPTIONS')
    yield 'absolute', get('http://t/adv')
    yield 'adv-post', post('/adv', '{}')
    yield 'adv-put', get('/adv', method='PUT')
    yield 'adv-delete', get(f'/adv/{sig}', method='DELETE')
    yield 'adv-head', get('/adv', method='HEAD')
    yield 'rec-get', get(f'/rec/{exc}')
    yield 'rec-head', get(f'/rec/{exc}', method='HEAD')
    yield 'rec-put', post(f'/rec/{exc}', '{}').replace(b'POST', b'PUT', 1)
    yield 'rec-none', post('/rec', '{}')
    yield 'rec-none-slash', post('/rec/', '{}')
    yield 'rec-deep', post(f'/rec/{exc}/x', '{}')
    yield 'unknown-method', get('/adv', method='BREW')
    yield 'lower-method', get('/adv', method='get')


def bodies(signing, exchange, good):
    path = f'/rec/{thumbprint(exchange)}'
    text = json.dumps(good)

    def changed(**members):
        merged = {**good, **members}
        return post(path, json.dumps({name: value for name, value in merged.items() if value is not None}))

    zero, long = b64(bytes(66)), b64(bytes(67))
    other = {'crv': 'P-256', 'kty': 'EC', 'alg': 'ECMR',
             'x': 'axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY',
             'y': 'T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU'}
    yield 'rec', post(path, text)
    for digest in ('sha1', 'sha224', 'sha384', 'sha512'):
        yield f'rec-{digest}', post(f'/rec/{thumbprint(exchange, digest)}', text)
    yield 'rec-bare', changed(alg=None, key_ops=None)
    yield 'rec-spaces', post(path, ' \r\n\t' + json.dumps(good, indent=8) + '\n')
    yield 'rec-more-members', changed(kid='x', use=None, nested={'a': [1, {'b': None}]})
    yield 'rec-unknown-key', post('/rec/' + 'A' * 43, text)
    yield 'rec-signing-key', post(f'/rec/{thumbprint(signing)}', text)
    yield 'rec-unknown-key-bad-body', post('/rec/' + 'A' * 43, 'x')
    yield 'rec-empty', post(path, '')
    yield 'rec-no-length', post(path, '', length=False)
    yield 'rec-words', post(path, 'hello')
    yield 'rec-array', post(path, '[]')
    yield 'rec-null', post(path, 'null')
    yield 'rec-empty-object', post(path, '{}')
    yield 'rec-binary', post(path, bytes(range(256)))
    yield 'rec-utf8', post(path, b'{"kty": "\xff\xfe"}')
    yield 'rec-cut', post(path, text[:-1])
    yield 'rec-twice', post(path, text + text)
    yield 'rec-duplicate-member', post(path, text[:-1] + ', "x": "AA"}')
    yield 'rec-deep-json', post(path, '{"a":' * 500 + '1' + '}' * 500)
    yield 'rec-no-kty', changed(kty=None)
    yield 'rec-rsa', changed(kty='RSA')
    yield 'rec-oct', post(path, '{"kty":"oct","k":"AAAA"}')
    yield 'rec-no-crv', changed(crv=None)
    yield 'rec-bad-crv', changed(crv='P-999')
    yield 'rec-alg', changed(alg='ES512')
    yield 'rec-alg-number', changed(alg=1)
    yield 'rec-sign-only', changed(key_ops=['sign'])
    yield 'rec-use-sig', changed(key_ops=None, use='sig')
    yield 'rec-other-curve', post(path, json.dumps(other))
    yield 'rec-crv-of-another', changed(crv='P-256')
    yield 'rec-off-curve', changed(x=good['y'], y=good['x'])
    yield 'rec-infinity-zeros', changed(x=zero, y=zero)
    yield 'rec-infinity-x0', changed(x=zero)
    yield 'rec-infinity-empty', changed(x='', y='')
    yield 'rec-infinity-missing', changed(x=None, y=None)
    yield 'rec-no-y', changed(y=None)
    yield 'rec-long-coordinates', changed(x=long, y=long)
    yield 'rec-coordinate-plus-p', changed(x=b64((2**528 - 1).to_bytes(66, 'big')))
    yield 'rec-number-coordinate', changed(x=1)
    yield 'rec-not-base64url', changed(x='+/' + good['x'][2:])
    yield 'rec-padded', changed(x=good['x'] + '==')
    yield 'rec-private', post(path, json.dumps({**good, 'd': b64(b'\x01' * 66)}))
    yield 'rec-own-private', post(path, json.dumps({**exchange, 'key_ops': ['deriveKey']}))
    yield 'rec-5000', post(path, text[:-1] + ' ' * (5000 - len(text)) + '}')
    yield 'rec-60k', post(path, text[:-1] + ' ' * (60000 - len(text)) + '}')
    yield 'rec-1M', post(path, text[:-1] + ' ' * (1000000 - len(text)) + '}')
    yield 'rec-chunked', chunked(path, text[:10].encode(), text[10:].encode())
    yield 'rec-chunked-bytes', chunked(path, *(text[i:i + 1].encode() for i in range(len(text))))
    yield 'rec-chunked-trailer', chunked(path, text.encode(), tail=b'0\r\nX: y\r\n\r\n')
    yield 'rec-chunked-empty', chunked(path)
    yield 'rec-chunked-5000', chunked(path, text.encode(), b' ' * 5000)
    yield 'rec-chunked-600k', chunked(path, text.encode(), *[b' ' * 60000] * 10)
    yield 'rec-chunked-no-end', chunked(path, text.encode(), tail=b'')
    yield 'rec-chunked-bad-size', chunked(path, tail=b'zz\r\n' + text.encode())
    yield 'rec-chunked-huge-size', chunked(path, tail=b'ffffffffffffffffffff\r\n' + text.encode())
    yield 'rec-chunked-and-length', chunked(path, text.encode()).replace(b'Host: t', b'Host: t\r\nContent-Length: 3')
    yield 'rec-expect', post(path, text, 'Expect: 100-continue')
    yield 'rec-expect-5000', post(path, ' ' * 5000, 'Expect: 100-continue')
    yield 'rec-length-short', post(path, text, length=len(text) - 1)
    yield 'rec-length-long', post(path, text, length=len(text) + 1)
    yield 'rec-length-negative', post(path, text, length=-1)
    yield 'rec-length-words', post(path, text, length='many')
    yield 'rec-length-huge', post(path, text, length='9' * 30)
    yield 'rec-length-4G', post(path, text, length=2**32 + len(text))
    yield 'rec-length-twice', post(path, text, f'Content-Length: {len(text) + 5}')
    yield 'rec-type', post(path, text, 'Content-Type: text/plain')


def framings(exchange, good):
    path = f'/rec/{thumbprint(exchange)}'
    text = json.dumps(good)
    yield 'http10', get('/adv', version='1.0')
    yield 'http10-rec', post(path, text, version='1.0')
    yield 'http10-keep', get('/adv', 'Connection: keep-alive', version='1.0') * 2
    yield 'http09', b'GET /adv\r\n'
    yield 'http09-blank', b'GET /adv\r\n\r\n'
    yield 'http2', b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
    yield 'http99', get('/adv', version='9.9')
    yield 'http-word', get('/adv', version='x')
    yield 'not-http', b'GET /adv FTP/1.1\r\n\r\n'
    yield 'tls', bytes.fromhex('16030100c8010000c40303') + bytes(200)
    yield 'junk', b'junk\r\n\r\n'
    yield 'junk-binary', bytes(range(256)) * 16
    yield 'junk-long', b'x' * 100000
    yield 'blank', b'\r\n\r\n'
    yield 'blank-first', b'\r\n' + get('/adv')
    yield 'nothing', b''
    yield 'line-feeds', get('/adv').replace(b'\r\n', b'\n')
    yield 'no-host', get('/adv', 'Accept: *')
    yield 'two-hosts', get('/adv', 'Host: a', 'Host: b')
    yield 'no-colon', get('/adv', 'Host: t', 'what is this')
    yield 'space-name', get('/adv', 'Host : t')
    yield 'folded', get('/adv', 'Host: t', 'X: a', ' b')
    yield 'header-nul', b'GET /adv HTTP/1.1\r\nHost: t\r\nX: a\0b\r\n\r\n'
    yield 'header-high', b'GET /adv HTTP/1.1\r\nHost: t\r\nX: \xff\xfe\r\n\r\n'
    yield 'headers-4k', get('/adv', 'Host: t', 'X: ' + 'a' * 4000)
    yield 'headers-100k', get('/adv', 'Host: t', 'X: ' + 'a' * 100000)
    yield 'headers-many', get('/adv', 'Host: t', *[f'X{i}: y' for i in range(5000)])
    yield 'path-100k', get('/adv/' + 'A' * 100000)
    yield 'get-with-body', post('/adv', 'x' * 10).replace(b'POST', b'GET', 1)
    yield 'get-with-big-body', post('/adv', 'x' * 10000).replace(b'POST', b'GET', 1)
    yield 'close', get('/adv', 'Host: t', 'Connection: close') * 2
    yield 'pipelined', get('/adv') + post(path, text) + get('/nothing') + post(path, 'x') + get('/adv')
    yield 'pipelined-20', post(path, text) * 20
    yield 'pipelined-junk', get('/adv') + b'junk\r\n\r\n'


def cases(folder):
    signing, exchange = load(folder)
    # A point of the curve that is easy to know: the exchange key's own.
    good = {'alg': 'ECMR', 'crv': exchange['crv'], 'key_ops': ['deriveKey'], 'kty': 'EC',
            'x': exchange['x'], 'y': exchange['y']}
    yield from paths(signing, exchange)
    yield from bodies(signing, exchange, good)
    yield from framings(exchange, good)
    whole = post(f'/rec/{thumbprint(exchange)}', json.dumps(good), 'Connection: close')
    for i in range(1, len(whole)):
        yield f'cut-{i}', whole[:i]
    # And in two parts at each place: there is no wrong place to wait.
    yield 'whole', whole


def talk(address, request):
    """
    All that comes until the server closes, as it does once it has answered: it knows that no more follows.
    One that closes early is no error of the client's.
    """
    replies = b''
    with socket.create_connection(address, timeout=20) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            while data := connection.recv(65536):
                replies += data
        except ConnectionError:
            pass
    return replies


def main():
    address, folder, path, *wanted = sys.argv[1:]
    host, port = address.rsplit(':', 1)
    with open(path, 'wb') as replies:
        for name, request in cases(folder):
            if wanted and name not in wanted:
                continue
            reply = talk((host, int(port)), request)
            replies.write(reply)
            statuses = re.findall(rb'HTTP/1\.[01] (\d{3})', reply)
            print(name, ' '.join(status.decode() for status in statuses) or 'closed', flush=True)


if __name__ == '__main__':
    main()
