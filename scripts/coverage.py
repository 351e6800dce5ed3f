#!/usr/bin/env python3
"""Merges what simulators left in a folder, and prints a table: lines and toggles of each module.

coverage.py FOLDER CACHE EXCLUSIONS [--missing MODULE]

A file `HASH-*.dat` is of the model in CACHE/HASH, whose Verilog says which modules of different
cores are the same text: points of these are one. Two texts of one module, as for two buses, are
added. A bit has to go up and to come down, each a point.
"""
import collections, hashlib, pathlib, re, sys


def points(path):
    """Module, what, where, how often, of each line of a file."""
    for line in path.open(encoding="latin-1"):
        if not line.startswith("C '"):
            continue
        key, count = line[3:].rsplit("' ", 1)
        fields = dict(part.split("\x02", 1) for part in key.split("\x01") if part)
        kind, _, module = fields["page"].partition("/")
        toggle = kind == "v_toggle"
        where = fields["o"] if toggle else (int(fields["l"]), fields.get("n", ""), fields["o"])
        yield module, fields["f"], toggle, where, int(count)


def exclusions(path):
    """Lines `module: signal # reason`, both regular expressions; `line: TEXT` for a signal means a line."""
    rules = []
    for line in path.open():
        rule, _, reason = line.partition(" # ")
        if rule.strip() and not rule.startswith("#"):
            module, _, what = rule.strip().partition(": ")
            rules.append((re.compile(module), re.compile(what), reason.strip()))
    return rules


def main():
    folder, cache, rules = (pathlib.Path(name) for name in sys.argv[1:4])
    rules = exclusions(rules)
    texts, found = {}, collections.defaultdict(dict)
    for path in sorted(folder.glob("*.dat")):
        core = path.name.split("-")[0]
        for module, file, toggle, where, count in points(path):
            if (core, file) not in texts:
                text = (cache / "verilated" / core / file).read_bytes()
                texts[core, file] = hashlib.sha256(text).hexdigest(), text.decode().splitlines()
            of = found[module, toggle]
            key = texts[core, file][0], where
            of[key] = of.get(key, 0) + count
    lines = {text: body for text, body in texts.values()}

    excluded = collections.defaultdict(dict)

    def outside(module, toggle, text, where):
        what = where.rsplit(":", 1)[0] if toggle else "line: " + lines[text][where[0] - 1].strip()
        for rule, signal, reason in rules:
            if rule.fullmatch(module) and signal.fullmatch(what):
                excluded[reason][module, text, where] = found[module, toggle][text, where]
                return True
        return False

    missing = sys.argv[5] if sys.argv[4:5] == ["--missing"] else None
    below = 0
    print("| module | lines | of | % | toggles | of | % |")
    print("|---|---|---|---|---|---|---|")
    for module in sorted({module for module, _ in found}):
        row = []
        # A module without points that count, as one of a test bench.
        if not any(
            not outside(module, toggle, *key) for toggle in (False, True) for key in found[module, toggle]
        ):
            continue
        for toggle in (False, True):
            of = {
                key: count
                for key, count in found[module, toggle].items()
                if not outside(module, toggle, *key)
            }
            hit = sum(count > 0 for count in of.values())
            share = 100 * hit / len(of) if of else 100.0
            below += share < 90
            row += [hit, len(of), f"{share:.1f}"]
            if missing is not None and re.fullmatch(missing, module):
                for (text, where), count in sorted(of.items(), key=str):
                    if count == 0:
                        print(module, where if toggle else (where, lines[text][where[0] - 1]))
        print(f"| `{module}` | " + " | ".join(map(str, row)) + " |")
    for reason, those in excluded.items():
        reached = sum(count > 0 for count in those.values())
        print(f"excluded: {len(those)} points, {reached} of them reached: {reason}")
    print(f"{below} shares below 90 %")


main()
