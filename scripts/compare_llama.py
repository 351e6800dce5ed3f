"""Measures `sterna bench golden` and llama.cpp in turns; see scripts/compare-llama."""

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

GOLDEN = "golden"
# llama.cpp's two ternary formats.
PEERS = ("TQ1_0", "TQ2_0")
# What both sides measure.
DECODE, PROMPT = FIGURES = ("decode_tokens_per_second", "prompt_tokens_per_second")


def run(command, output=subprocess.PIPE):
    """What a command prints; the end of all if it fails."""
    try:
        return subprocess.run(command, check=True, stdout=output).stdout
    except OSError as error:
        why = error.strerror
    except subprocess.CalledProcessError as error:
        why = f"exit code {error.returncode}"
    sys.exit(f"compare-llama: `{shlex.join(command)}` failed: {why}")


def make_models(arguments, peer):
    """Files of every side, those that are there already kept."""
    arguments.models.mkdir(parents=True, exist_ok=True)
    files = {name: arguments.models / f"370m-{name}.gguf" for name in PEERS}
    files[GOLDEN] = arguments.models / "370m.sterna"
    if not files[GOLDEN].exists():
        with tempfile.TemporaryDirectory(dir=arguments.models) as checkpoint:
            run([arguments.sterna, "synth", "--shape", "370m", "-o", f"{checkpoint}/370m"], sys.stderr)
            run([arguments.sterna, "import", f"{checkpoint}/370m", "-o", str(files[GOLDEN])], sys.stderr)
    for name in PEERS:
        if not files[name].exists():
            run([*peer, "make", str(files[name]), name], sys.stderr)
    return files


def take_turns(arguments, threads, commands):
    """Of every side, its report of each turn. The sides alternate, each in a process of its own,
    and each has a repetition before that is not counted."""
    reports = {name: [] for name in commands}
    for _ in range(arguments.turns):
        for name, command in commands.items():
            wanted = ["--threads", threads, "--count", arguments.count, "--prompt", arguments.prompt]
            reports[name].append(json.loads(run([*command, *map(str, wanted)])))
    return reports


def median_and_best(values):
    values = list(values)
    return {"median": statistics.median(values), "best": max(values)}


def summary(reports):
    """Of every side its figures, and the golden device's divided by them: the median of the turns'
    ratios, and the ratio of the best turns."""
    sides = {}
    for name, own in reports.items():
        side = sides[name] = {"turns": own}
        for figure in FIGURES:
            side[figure] = median_and_best(report[figure] for report in own)
            if name == GOLDEN:
                continue
            golden = [report[figure] for report in reports[GOLDEN]]
            ratios = [a / report[figure] for a, report in zip(golden, own)]
            best = max(golden) / side[figure]["best"]
            side[f"golden_{figure}_ratio"] = {"median": statistics.median(ratios), "best": best}
    return sides


def table(result):
    """The result as Markdown."""
    lines = [
        f"| threads | | file, MiB | decode, tokens/s | prompt of {result['prompt']}, tokens/s "
        "| golden ÷ it, decode | golden ÷ it, prompt |",
        "|---|---|---|---|---|---|---|",
    ]

    def cell(pair, digits):
        return f"{pair['median']:.{digits}f} (best {pair['best']:.{digits}f})" if pair else "–"

    for measured in result["runs"]:
        for name, side in measured["sides"].items():
            cells = [str(measured["threads"]), name, f"{result['file_bytes'][name] / 2**20:.0f}"]
            cells += [cell(side[figure], 1) for figure in FIGURES]
            cells += [cell(side.get(f"golden_{figure}_ratio"), 2) for figure in FIGURES]
            lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    lines.append(
        f"Medians of {result['turns']} turns, {result['count']} tokens decoded in each; a ratio's best "
        "is that of both sides' best."
    )
    return "\n".join(lines)


def number(text):
    value = int(text)
    if not 1 <= value <= 500:
        raise argparse.ArgumentTypeError(f"{value} is not within 1 to 500")
    return value


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/compare-llama",
        description="The golden device beside llama.cpp, turn by turn in one run, on random models "
        "whose ternary matrices have the 370M's shapes.",
    )
    # Given by scripts/compare-llama.
    for given in ("--sterna", "--peer", "--models"):
        kind = Path if given == "--models" else str
        parser.add_argument(given, required=True, type=kind, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=number, nargs="+", default=[1, 2], help="measured one after the other [1 2]")
    parser.add_argument("--count", type=number, default=32, help="tokens decoded in a turn [32]")
    parser.add_argument("--prompt", type=number, default=32, help="tokens of the prompt [32]")
    parser.add_argument("--turns", type=number, default=15, help="how often each side is measured [15]")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with every turn's report")
    arguments = parser.parse_args()

    peer = [sys.executable, arguments.peer]
    files = make_models(arguments, peer)
    commands = {GOLDEN: [arguments.sterna, "bench", "golden", str(files[GOLDEN]), "--repeat", "1", "--json"]}
    commands |= {name: [*peer, "measure", str(files[name])] for name in PEERS}
    result = {
        "evidence": "measured",
        "prompt": arguments.prompt,
        "count": arguments.count,
        "turns": arguments.turns,
        "file_bytes": {name: files[name].stat().st_size for name in commands},
        "runs": [
            {"threads": threads, "sides": summary(take_turns(arguments, threads, commands))}
            for threads in arguments.threads
        ],
    }
    print(json.dumps(result) if arguments.json else table(result))


if __name__ == "__main__":
    main()
