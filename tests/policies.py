#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random policies for tests, as configurations of an sss pin.

    policies.py SEED COUNT LEAF...       prints COUNT configurations, one a line
    policies.py --holds CONFIG LEAF...   whether a policy holds by these leaves: exits with 0 or 1

A LEAF is PIN=CONFIG, such as tang={"url":"http://127.0.0.1"}.
"""

import json
import random
import sys

DEPTH_MAX = 3
PARTS_MAX = 3
LEAVES_MAX = 4


def leaf(text):
    pin, _, config = text.partition("=")
    return pin, json.loads(config)


class Tree:
    """One policy, of few leaves: each costs Clevis a second."""

    def __init__(self, rng, leaves):
        self.rng = rng
        self.leaves = leaves
        self.left = rng.choice((1, 1, 1, 2, 2, 3, LEAVES_MAX))

    def part(self, depth):
        if depth < DEPTH_MAX and self.rng.random() < 0.3:
            return "sss", self.node(depth + 1)
        self.left -= 1
        return self.rng.choice(self.leaves)

    def node(self, depth):
        pins = {}
        n = 0
        while n == 0 or (n < PARTS_MAX and self.left > 0 and self.rng.random() < 0.85):
            pin, config = self.part(depth)
            pins.setdefault(pin, []).append(config)
            n += 1
        node = {"pins": {pin: self.listed(configs) for pin, configs in pins.items()}}
        threshold = self.rng.randint(1, n)
        if threshold > 1 or self.rng.random() < 0.5:
            node["t"] = threshold
        return node

    def listed(self, configs):
        return configs[0] if len(configs) == 1 and self.rng.random() < 0.5 else configs


def holds(node, leaves):
    good = 0
    for pin, configs in node["pins"].items():
        for config in configs if isinstance(configs, list) else [configs]:
            good += holds(config, leaves) if pin == "sss" else (pin, config) in leaves
    return good >= node.get("t", 1)


def main():
    if sys.argv[1] == "--holds":
        leaves = [leaf(text) for text in sys.argv[3:]]
        return 0 if holds(json.loads(sys.argv[2]), leaves) else 1

    rng = random.Random(int(sys.argv[1]))
    leaves = [leaf(text) for text in sys.argv[3:]]
    for _ in range(int(sys.argv[2])):
        print(json.dumps(Tree(rng, leaves).node(1), separators=(",", ":")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
