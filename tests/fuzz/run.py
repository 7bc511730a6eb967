#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the fuzzers of build/fuzz, and prints how often each was run and what it reached.

    run.py [--merge] SECONDS [TARGET]...

As many at once as there are CPUs. Edges are libFuzzer's, of all code in the program; lines are those of the
files that the target is about, by llvm-cov where that is installed. What was found that reaches more than the
corpus is left in build/fuzz/found/TARGET; with --merge it is added to the corpus, as little as reaches the same
edges. With 0 seconds nothing new is tried. Exits with 1 where an input broke something: it is then in
build/fuzz/findings, and the report in build/fuzz/logs.
"""
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / 'tests/fuzz'
BUILD = ROOT / 'build/fuzz'
FOUND, FINDINGS, LOGS = BUILD / 'found', BUILD / 'findings', BUILD / 'logs'

# What a target is about, its dictionaries, and the longest input.
TARGETS = {
    'adv': ('tang/adv.c crypto/jws.c', 'json', 8192),
    'adv-keys': ('tang/adv.c crypto/jwk-parse.c', 'json', 4096),
    'b64': ('crypto/b64.c', None, 1024),
    'card': ('pkcs11/header.c pkcs11/uri.c', 'json', 4096),
    'clevis-config': ('enroll/clevis/pin-config.c sss/config.c tpm/config.c', 'json', 2048),
    'clevis-token': ('enroll/clevis-token.c', 'json', 8192),
    'cpio': ('enroll/cpio.c', 'cpio', 4096),
    'crypttab': ('units/crypttab.c units/crypttab-set.c units/place.c', 'text', 2048),
    'elf-needed': ('enroll/elf-needed.c', None, 16384),
    'generator': ('units/cmdline.c units/crypttab.c units/listed.c units/order.c units/unit-name.c', 'text', 2048),
    'initrd': ('enroll/initrd.c enroll/initrd-tree.c enroll/cpio.c enroll/unpack.c', 'cpio', 4096),
    'js': ('crypto/js.c crypto/scan.c', 'json', 4096),
    'jwe-json': ('crypto/jwe.c enroll/clevis/bound-config.c', 'json', 8192),
    'jwe-text': ('crypto/jwe.c enroll/clevis/jwe-text.c', 'json', 8192),
    'jwk': ('crypto/jwk.c crypto/jwk-parse.c', 'json', 2048),
    'jws': ('crypto/jws.c crypto/jws-sign.c', 'json', 4096),
    'key-file': ('tang/server/key.c tang/server/use.c tang/server/usage.c', 'json', 2048),
    'luks1': ('enroll/luks1.c', None, 1024),
    'luks2': ('enroll/luks2-area.c', 'json', 20480),
    'luksmeta': ('enroll/luks1-meta.c', None, 20480),
    'pcr': ('tpm/pcr.c tpm/pcr-form.c', 'text json', 512),
    'policy': ('enroll/policy-text.c enroll/policy-words.c enroll/policy-format.c enroll/tree-check.c', 'text json', 2048),
    'question': ('units/question.c', 'text', 2048),
    'rec': ('tang/exchange.c', 'json', 1024),
    'request': ('tang/server/request.c tang/server/route.c', 'json', 1024),
    'rsa': ('crypto/rsa.c', None, 2048),
    'shamir': ('sss/shamir.c', None, 2048),
    'signature': ('tpm/signature.c', 'json', 4096),
    'sss': ('sss/policy.c', 'json', 16384),
    'tang': ('tang/header.c tang/url.c', 'json text', 4096),
    'tangd': ('tang/server/answer.c tang/server/worker.c tang/server/route.c', 'http', 4096),
    'token': ('token/token.c token/handler.c', 'json', 16384),
    'tpm2': ('tpm/sealed.c', 'json', 8192),
    'tpm2b': ('tpm/sealed.c tpm/wire.c', None, 1024),
}

ENVIRONMENT = os.environ | {
    'ASAN_OPTIONS': 'detect_stack_use_after_return=1',
    'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1',
    'LLVM_PROFILE_FILE': '/dev/null',
}


def program(target):
    return BUILD / 'tests/fuzz' / f'fuzz-{target}'


def tool(name):
    """llvm's, whose version is clang's."""
    version = re.search(r'version (\d+)', subprocess.run(['clang', '--version'], capture_output=True, text=True).stdout)
    return version and shutil.which(f'{name}-{version[1]}') or shutil.which(name)


def folders(target):
    return [str(folder) for folder in (FOUND / target, HERE / 'corpus' / target)]


def fuzz(target, seconds):
    """Returns whether nothing was found, and the log."""
    _, dictionary, longest = TARGETS[target]
    for folder in folders(target):
        Path(folder).mkdir(parents=True, exist_ok=True)
    limit = f'-max_total_time={seconds}' if seconds else '-runs=0'
    command = [program(target), limit, f'-max_len={longest}', '-timeout=10', '-rss_limit_mb=2048',
               '-print_final_stats=1', f'-artifact_prefix={FINDINGS}/{target}-']
    if dictionary:
        words = LOGS / f'{target}.dict'
        words.write_text(''.join((HERE / f'{name}.dict').read_text() for name in dictionary.split()))
        command.append(f'-dict={words}')
    with open(LOGS / target, 'w') as log:
        result = subprocess.run([*command, *folders(target)], env=ENVIRONMENT, stdout=log, stderr=log)
    return result.returncode == 0, (LOGS / target).read_text(errors='replace')


def lines(target):
    """Percentage of the lines of the target's files that corpus and found inputs reach; None: not known."""
    profdata, cov = tool('llvm-profdata'), tool('llvm-cov')
    if not profdata or not cov:
        return None
    raw, merged = LOGS / f'{target}.profraw', LOGS / f'{target}.profdata'
    subprocess.run([program(target), '-runs=0', *folders(target)], capture_output=True,
                   env=ENVIRONMENT | {'LLVM_PROFILE_FILE': str(raw)})
    if not raw.exists():
        return None
    subprocess.run([profdata, 'merge', '-o', merged, raw], check=True, capture_output=True)
    report = subprocess.run([cov, 'report', program(target), f'-instr-profile={merged}'], capture_output=True,
                            text=True).stdout
    raw.unlink()
    merged.unlink()
    # A file's regions, functions and lines: each as how many, how many missed, and the percentage.
    rows = re.findall(r'^(\S+)(?:\s+\d+\s+\d+\s+[\d.]+%){2}\s+(\d+)\s+(\d+)', report, re.M)
    counts = [(int(all_of), int(missed)) for file, all_of, missed in rows 
              if any(('/' + file).endswith('/' + of) for of in TARGETS[target][0].split())]
    total = sum(all_of for all_of, _ in counts)
    return total and 100 * (total - sum(missed for _, missed in counts)) / total


def merge(target):
    """Adds to the corpus what reaches more than it does."""
    corpus = HERE / 'corpus' / target
    before = set(corpus.iterdir())
    subprocess.run([program(target), '-merge=1', '-use_counters=0', f'-max_len={TARGETS[target][2]}', corpus,
                    FOUND / target], env=ENVIRONMENT, check=True, capture_output=True)
    for file in set(corpus.iterdir()) - before:
        file.rename(corpus / file.name[:10])


def row(target, seconds):
    sound, log = fuzz(target, seconds)
    executions = re.search(r'stat::number_of_executed_units: (\d+)', log)
    edges = re.findall(r'cov: (\d+)', log)
    share = lines(target)
    print(f'{target:<14} {executions[1] if executions else "?":>11} {edges[-1] if edges else "?":>7} '
          f'{"?" if share is None else f"{share:.1f} %":>8}{"" if sound else "  FOUND"}', flush=True)
    return sound


def main():
    arguments = sys.argv[1:]
    merges = '--merge' in arguments
    arguments = [argument for argument in arguments if argument != '--merge']
    if not arguments or not arguments[0].isdigit() or not set(arguments[1:]) <= set(TARGETS):
        print(__doc__, file=sys.stderr)
        return 2
    seconds, targets = int(arguments[0]), arguments[1:] or list(TARGETS)
    for folder in (FOUND, FINDINGS, LOGS):
        folder.mkdir(parents=True, exist_ok=True)

    jobs = int(os.environ.get('FUZZ_JOBS') or len(os.sched_getaffinity(0)))
    print(f'{"target":<14} {"executions":>11} {"edges":>7} {"lines":>8}', flush=True)
    with ThreadPoolExecutor(jobs) as pool:
        sound = list(pool.map(lambda target: row(target, seconds), targets))
    if merges:
        for target in targets:
            merge(target)
    for file in sorted(FINDINGS.iterdir()):
        print(f'found: {file.relative_to(ROOT)}, told in {(LOGS / file.name.rsplit("-", 2)[0]).relative_to(ROOT)}')
    return 0 if all(sound) else 1


sys.exit(main())
