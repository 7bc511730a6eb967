#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A filter: writes the policy of each compact JWE in the text instead of it, without what is random."""
import base64
import json
import re
import sys

JWE = re.compile(r'\b(eyJ[\w-]*)\.[\w-]*\.[\w-]*\.[\w-]*\.[\w-]*')

# What differs each time, and what the two sides keep differently: cotter leaves out of an advertisement what
# nothing looks at, uses one prime for all, and notes the Name of its parent key and the PCRs' values.
LEFT_OUT = {'tang': ['adv'], 'tpm2': ['jwk_pub', 'jwk_priv', 'name', 'pcr_values'], 'sss': ['p']}


def policy(jwe):
    text = jwe.group(1)
    header = json.loads(base64.urlsafe_b64decode(text + '=' * (-len(text) % 4)))
    header.pop('epk', None)
    pin = header['clevis']['pin']
    inner = header['clevis'].get(pin, {})
    for name in LEFT_OUT.get(pin, []):
        inner.pop(name, None)
    if pin == 'sss':
        inner['jwe'] = [json.loads(JWE.sub(policy, share)) for share in inner['jwe']]
    if pin == 'tpm2' and 'pcr_ids' in inner:
        inner['pcr_ids'] = ','.join(sorted(inner['pcr_ids'].split(','), key=int))
    if pin == 'null' and 'jwk' in inner:
        inner['jwk'] = 'a key'
    return json.dumps(header, sort_keys=True)


data = sys.stdin.buffer.read().decode('utf-8', 'backslashreplace')
sys.stdout.write(JWE.sub(policy, data))
