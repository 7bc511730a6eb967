#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A filter: writes the policy of each compact JWE in the text instead of it, without what is random."""
import base64
import json
import re
import sys

# What differs each time, and what the two sides keep differently: cotter leaves out of an advertisement what
# nothing looks at, uses one prime for all, and notes the Name of its parent key.
RANDOM = {'epk': None, 'tang': ['adv'], 'tpm2': ['jwk_pub', 'jwk_priv', 'name', 'pcr_values', 'salt'],
          'sss': ['p'], 'null': ['jwk']}


def policy(match):
    text = match.group(1)
    header = json.loads(base64.urlsafe_b64decode(text + '=' * (-len(text) % 4)))
    header.pop('epk', None)
    clevis = header.get('clevis', {})
    pin = clevis.get('pin')
    inner = clevis.get(pin, {})
    for name in RANDOM.get(pin) or []:
        if name in inner:
            inner[name] = '*' if pin == 'null' else inner.pop(name) and '*'
    for name in set(RANDOM.get(pin) or []) - {'jwk'}:
        inner.pop(name, None)
    if pin == 'sss':
        inner['jwe'] = [json.loads(JWE.sub(policy, jwe)) for jwe in inner['jwe']]
    return json.dumps(header, sort_keys=True)


JWE = re.compile(r'\b(eyJ[\w-]*)\.[\w-]*\.[\w-]*\.[\w-]*\.[\w-]*')

if __name__ == '__main__':
    data = sys.stdin.buffer.read().decode('utf-8', 'backslashreplace')
    sys.stdout.write(JWE.sub(policy, data))
