#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the tables that benches print, FOLDER/NAME.tap, and writes them as text, JSON and a page with charts."""
import html
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

TITLES = {
    'bench': 'Unlocking by Tang',
    'tpm2': 'Unlocking by the TPM',
    'sss': 'Policies over several servers',
    'clevis': "The drop-in's commands, beside Clevis's",
    'tangd': 'The server',
    'boot': 'Boots',
}

# What stands on top: a sentence, and which bench, rows (theirs, ours) and column it is the ratio of.
HEADLINES = [
    ("unlocking by Tang takes %s of the time of `clevis luks unlock`", 'bench', 'clevis luks unlock',
     'cryptsetup open --token-only', 'wall, ms'),
    ("and %s of its processor time", 'bench', 'clevis luks unlock', 'cryptsetup open --token-only', 'CPU, ms'),
    ("unlocking by the TPM takes %s of Clevis's time", 'tpm2', 'clevis luks unlock', 'cotter-tpm2, as Clevis',
     'wall, ms'),
    ("and %s of its TPM commands", 'tpm2', 'clevis luks unlock', 'cotter-tpm2, as Clevis', 'commands'),
    ("unlocking by two of three servers takes %s of Clevis's processor time", 'sss', 'clevis luks unlock',
     'cryptsetup open', 'CPU, ms'),
    ("from the network on, a boot has its root in %s of Clevis's time", 'boot', 'clevis-dracut', 'cotter',
     'unlock, s'),
]

PACKAGES = ['clevis', 'cryptsetup-bin', 'tang-common', 'libcurl4', 'libcurl4t64', 'libssl3', 'libssl3t64',
            'libtss2-esys-3.0.2-0', 'libtss2-esys-3.0.2-0t64', 'swtpm', 'systemd', 'dracut-core', 'qemu-system-x86']


def ends_of(line):
    """Tokens of a line with where they end."""
    return [(match.end(), match.group()) for match in re.finditer(r'\S+', line)]


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def is_value(text):
    return text == '-' or number(text) is not None


def values_of(line):
    """Where the values of a row end: of numbers at the line's end, the first of which stands apart."""
    tokens = list(re.finditer(r'\S+', line))[1:]
    first = next((i for i, t in enumerate(tokens) if i > 0 and is_value(t.group()) and
                  line[t.start() - 2:t.start()] == '  ' and all(is_value(u.group()) for u in tokens[i:])), None)
    return {} if first is None else {t.end(): t.group() for t in tokens[first:]}


def words_of(header):
    """Names of columns, which have a space only behind a comma."""
    return re.findall(r'\S+, \S+|\S+', header)


def split_header(lines, row):
    """The columns of a table, as (end, name), and its title; a header has one line or more."""
    ends = sorted(values_of(row))
    rest = lines[0][2:]
    if all(any(end == e for line in lines for e, _ in ends_of(line)) for end in ends):
        names, before = [], None
        for end in ends:
            parts = [line[before:end].strip() for line in lines]
            if before is None: # the title is before the first
                parts = [re.split(r'\s{2,}', part) for part in parts]
                parts = [part[-1] if len(part) > 1 else words_of(part[0])[-1] for part in parts]
            names.append(' '.join(filter(None, parts)))
            before = end
        rest = rest[:ends[0] - 2].rstrip()
        title = rest[:-len(words_of(rest)[-1])].strip()
    else: # a name is wider than its column
        names = words_of(rest)[-len(ends):]
        title = re.split(r'\s{2,}', rest)[0]
    return title, list(zip(ends, names))


def read_row(line, columns):
    """(title, values) of a row; None where the line is none."""
    tokens = values_of(line)
    if not tokens or not set(tokens) <= {end for end, _ in columns}:
        return None
    first = min(end - len(value) for end, value in tokens.items())
    return line[2:first].strip(), [number(tokens[end]) if end in tokens else None for end, _ in columns]


def widest(lines):
    """The row of a table that has the most values."""
    return max(lines, key=lambda line: len(values_of(line)))


def read_block(lines):
    """One table and the notes below it."""
    begin = next((i for i, line in enumerate(lines) if i > 0 and values_of(line)), None)
    if begin is None:
        return None, [line[2:] for line in lines]
    title, columns = split_header(lines[:begin], widest(lines[begin:]))
    table = {'title': title, 'columns': [name for _, name in columns], 'rows': []}
    notes = []
    for line in lines[begin:]:
        row = read_row(line, columns)
        if row and not notes:
            table['rows'].append({'title': row[0], 'values': row[1]})
        else:
            notes.append(line[2:])
    return (table, notes) if table['rows'] else (None, [line[2:] for line in lines])


def is_header(line, after):
    """Where a table begins: words in this line, numbers in one of the two below it."""
    return not values_of(line) and re.search(r'\S\s{3,}\S', line[2:]) is not None and any(map(values_of, after))


def blocks_of(lines):
    """Lines of comments that belong together."""
    block = []
    for i, line in enumerate(lines):
        within_header = len(block) == 1 and not values_of(block[0])
        if block and (line == '#' or (is_header(line, lines[i + 1:i + 3]) and not within_header)):
            yield block
            block = []
        if line != '#':
            block.append(line)
    if block:
        yield block


def read_bench(name, text):
    lines = text.splitlines()
    bench = {
        'bench': name,
        'passed': sum(line.startswith('ok ') for line in lines),
        'failed': [line.split(' - ', 1)[-1] for line in lines if line.startswith('not ok ')],
        'tables': [],
        'notes': [],
    }
    comments, last = [], ''
    for line in lines + ['end']:
        if line == '#' or line.startswith('# '):
            comments.append(line)
            continue
        # Comments right behind a failure say why, until a table begins.
        while comments and last.startswith('not ok ') and not is_header(comments[0], comments[1:3]):
            comments.pop(0)
        if comments:
            for block in blocks_of(comments):
                table, notes = read_block(block)
                bench['tables'] += [table] if table else []
                bench['notes'] += notes
        comments, last = [], line
    return bench


def find_value(benches, name, row, column):
    for bench in benches:
        for table in bench['tables'] if bench['bench'] == name else []:
            if column in table['columns']:
                for each in table['rows']:
                    if each['title'].startswith(row):
                        return each['values'][table['columns'].index(column)]
    return None


def headlines_of(benches):
    lines = []
    for sentence, name, theirs, ours, column in HEADLINES:
        a, b = find_value(benches, name, theirs, column), find_value(benches, name, ours, column)
        if a and b is not None:
            lines.append({'text': sentence % f'{b / a:.2f}', 'ratio': round(b / a, 4), 'bench': name})
    return lines


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ''


def machine():
    cpu = re.search(r'^model name\s*: (.*)$', Path('/proc/cpuinfo').read_text(), re.M)
    memory = re.search(r'^MemTotal:\s*(\d+)', Path('/proc/meminfo').read_text(), re.M)
    release = re.search(r'^PRETTY_NAME="?([^"\n]*)', Path('/etc/os-release').read_text(), re.M)
    return {
        'processor': cpu.group(1) if cpu else platform.machine(),
        'processors': os.cpu_count(),
        'memory_MiB': int(memory.group(1)) // 1024 if memory else None,
        'kernel': platform.release(),
        'system': release.group(1) if release else '',
        'virtual': output('systemd-detect-virt') or 'unknown',
        'date': output('date', '-u', '+%Y-%m-%d'),
    }


def versions():
    found = {}
    for line in output('dpkg-query', '-W', '-f', '${db:Status-Status} ${Package} ${Version}\n', *PACKAGES).splitlines():
        state, package, *version = line.split()
        if state == 'installed':
            found[package] = version[0]
    root = Path(__file__).parents[2]
    found['cotter'] = output('git', '-C', str(root), 'describe', '--always', '--dirty') or 'unknown'
    return found


def show(value):
    return '-' if value is None else f'{value:.10g}'


def text_of(result):
    lines = [f'{name}: {value}' for name, value in result['machine'].items()]
    lines += [f'{name} {value}' for name, value in result['versions'].items()] + ['']
    lines += [each['text'] for each in result['headlines']]
    for bench in result['benches']:
        lines += ['', f"--- {TITLES.get(bench['bench'], bench['bench'])} (tests/bench/{bench['bench']}.sh) ---"]
        for table in bench['tables']:
            width = max(len(table['title']), *(len(row['title']) for row in table['rows']))
            widths = [max(len(name), 9) for name in table['columns']]
            lines += ['', table['title'].ljust(width) + ''.join(
                '  ' + name.rjust(w) for name, w in zip(table['columns'], widths))]
            lines += [row['title'].ljust(width) + ''.join(
                '  ' + show(value).rjust(w) for value, w in zip(row['values'], widths)) for row in table['rows']]
        lines += [''] * bool(bench['notes']) + bench['notes']
        lines += [f'not so: {name}' for name in bench['failed']]
    return '\n'.join(lines) + '\n'


def quoted(text):
    """For gnuplot."""
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def chart(table, column):
    """Bars of one column, as SVG."""
    rows = [(row['title'], row['values'][column]) for row in table['rows'] if row['values'][column] is not None]
    if not rows or max(value for _, value in rows) <= 0:
        return ''
    data = ''.join(f'{quoted(title)} {value!r}\n' for title, value in rows)
    left = max(len(title) for title, _ in rows) + 2
    script = f"""
set terminal svg size 760,{60 + 22 * len(rows)} font "sans-serif,12" background rgb "white" noenhanced
set title {quoted(table['columns'][column])}
set lmargin {left}
set style fill solid 0.8 noborder
set xrange [0:{1.15 * max(value for _, value in rows)}]
set yrange [{len(rows) - 0.4}:-0.6]
unset xtics
set ytics nomirror scale 0
set border 2
unset key
$data << END
{data}END
plot $data using 2:0:(0):2:($0 - 0.35):($0 + 0.35):ytic(1) with boxxyerror lc rgb "#3465a4", \\
     $data using 2:0:(sprintf(" %.4g", $2)) with labels left
"""
    done = subprocess.run(['gnuplot'], input=script, capture_output=True, text=True, check=False)
    if done.returncode != 0 or '<svg' not in done.stdout:
        sys.exit(f'page.py: gnuplot made no chart of "{table["title"]}": {done.stderr.strip()}')
    return done.stdout[done.stdout.index('<svg'):]


def page_of(result):
    escape = html.escape
    parts = ['<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>cotter: benches</title><style>'
             'body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}'
             'table{border-collapse:collapse}td,th{padding:.1em .8em;text-align:right}'
             'td:first-child,th:first-child{text-align:left}tr+tr{border-top:1px solid #ccc}'
             'svg{max-width:100%;height:auto}</style><h1>cotter: benches</h1><ul>']
    parts += [f"<li>{escape(each['text'])} (<a href=\"#{each['bench']}\">{each['bench']}</a>)"
              for each in result['headlines']]
    parts.append('</ul><p>' + '; '.join(
        f'{escape(name)} {escape(str(value))}'
        for name, value in [*result['machine'].items(), *result['versions'].items()]) +
        '.<p>Made by <code>tests/bench/run</code>.')
    for bench in result['benches']:
        parts.append(f"<h2 id=\"{bench['bench']}\">{escape(TITLES.get(bench['bench'], bench['bench']))}</h2>")
        for table in bench['tables']:
            parts.append(f"<h3>{escape(table['title'])}</h3><table><tr><th>" + ''.join(
                f'<th>{escape(name)}' for name in table['columns']))
            parts += [f"<tr><td>{escape(row['title'])}" + ''.join(f'<td>{show(v)}' for v in row['values'])
                      for row in table['rows']]
            parts.append('</table>')
            parts += [chart(table, column) for column in range(len(table['columns']))]
        parts += [f'<p>{escape(note)}' for note in bench['notes']]
        parts += [f'<p><b>Not so: {escape(name)}</b>' for name in bench['failed']]
    return '\n'.join(parts) + '\n'


def main():
    about = sys.argv[1] == '--machine'
    folder, *names = sys.argv[1 + about:]
    folder = Path(folder)
    benches = [read_bench(name, (folder / f'{name}.tap').read_text()) for name in names]
    result = {
        'machine': machine() if about else {},
        'versions': versions() if about else {},
        'headlines': headlines_of(benches),
        'benches': benches,
    }
    (folder / 'results.json').write_text(json.dumps(result, indent=2) + '\n')
    (folder / 'tables.txt').write_text(text_of(result))
    (folder / 'index.html').write_text(page_of(result))


main()
