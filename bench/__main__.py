"""Run every bench: `make bench`, or `python -m bench import --accounts 50000` for one, smaller.

Each `bench_*.py` has `run(arguments) -> list[Claim]`: it measures ours, the rival and the limit in one run. Figures are
printed and kept in bench/results/ (ignored by git), with the machine they were measured on. A goal that was missed is
printed as missed; it does not fail the run, because a busy machine is no fault of the code.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from importlib import import_module
from pathlib import Path

from bench.claims import Claim, table

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def main(argv: list[str]) -> int:
    """Run the named benches, or all."""
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(known)}; default: all")
    parser.add_argument("--accounts", type=int, default=1_000_000, help="size of the generated book")
    parser.add_argument("--rival-rows", type=int, default=20_000, help="rows that a slow rival is given")
    parser.add_argument("--seconds", type=float, default=60.0, help="time that a problem of assignment gets")
    parser.add_argument("--jobs", type=int, default=1_600, help="largest problem of generalised assignment")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.names) - set(known)
    if unknown:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    for name in arguments.names or known:
        began = time.monotonic()
        claims = import_module(f"bench.bench_{name}").run(arguments)
        keep(name, claims, seconds=time.monotonic() - began)
        print(f"\n{name} ({time.monotonic() - began:.0f} s)\n{table(claims)}", flush=True)
    return 0


def keep(name: str, claims: list[Claim], *, seconds: float) -> None:
    """Write the figures with the machine they were measured on."""
    RESULTS.mkdir(exist_ok=True)
    result = {
        "bench": name,
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": round(seconds, 1),
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "processors": os.cpu_count(),
            "load": os.getloadavg(),
        },
        "claims": [claim.as_dict() for claim in claims],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
