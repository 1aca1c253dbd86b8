"""`python -m tests.benchmarks`: one table of what the service does on this machine, now.

Figures differ from machine to machine; ratios between measurements of one run carry over, and mostly it is
those that have budgets. The exit status tells only whether everything could be run.
"""

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tests.benchmarks.load import client
from tests.benchmarks.session import Plan, Session
from tests.benchmarks.stores import Size
from tests.benchmarks.table import Line, comparison, lines_from_json, lines_to_json, table

INTERRUPTED = 130
SIZES, QUICK_SIZES = "real,10k,100k", "real"
REPEATS, QUICK_REPEATS = 3, 2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    session = Session(Plan(options.sizes, options.repeats, options.quick))
    machine = _machine(options.repeats)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        session.run()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. Everything that was started is stopped.\n")
        return INTERRUPTED
    labels = [size.label for size in options.sizes]
    parts = [machine, table(session.lines, labels)]
    if options.against:
        parts.append(f"Ratios, then and now\n{comparison(session.lines, options.against, labels)}")
    if session.notes:
        parts.append("\n".join(["Not measured:", *session.notes]))
    sys.stdout.write("\n\n".join(parts) + "\n")
    if options.json:
        report = {"machine": machine, "notes": session.notes, "lines": lines_to_json(session.lines)}
        options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")
    return 1 if session.failed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="the real data alone, and the rows that tell most"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every repeat to FILE as well")
    parser.add_argument(
        "--against", type=_lines_of, metavar="FILE", help="compare the ratios with those in FILE"
    )
    parser.add_argument(
        "--repeats",
        type=_count,
        metavar="N",
        help=f"of each measurement ({REPEATS}, or {QUICK_REPEATS} when quick)",
    )
    parser.add_argument(
        "--sizes", type=_sizes, help=f"stores, by made-up image models added to the real data ({SIZES})"
    )
    options = parser.parse_args(arguments)
    options.sizes = options.sizes or _sizes(QUICK_SIZES if options.quick else SIZES)
    options.repeats = options.repeats or (QUICK_REPEATS if options.quick else REPEATS)
    return options


def _sizes(text: str) -> list[Size]:
    """The real data, to which the others are compared, comes first."""
    return sorted({Size.parse(each) for each in text.split(",")}, key=lambda size: size.made_up)


def _lines_of(path: str) -> list[Line]:
    try:
        report = json.loads(Path(path).read_text(encoding="utf-8"))
        return lines_from_json(report["lines"])
    except (OSError, ValueError, KeyError) as error:
        raise argparse.ArgumentTypeError(f"no earlier run: {error}") from None


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _machine(repeats: int) -> str:
    load = os.getloadavg()[0]
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the start, "
        f"Python {platform.python_version()}, {client().name}; {repeats} repeats: middle [least – greatest]"
    )


def _interrupt(number: int, frame: FrameType | None) -> None:
    """The first signal stops the run; further ones do not disturb the stopping."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
