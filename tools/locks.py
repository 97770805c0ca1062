"""Write the requirement locks, or check that they follow requirements*.in and pyproject.toml.

python tools/locks.py            write every lock (needs the network)
python tools/locks.py --check    compare names only (no network), exit 1 on a difference
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = (
    "requirements",
    "requirements.assets",
    "requirements.test",
    "requirements.bench",
    "requirements.docs",
    "requirements.spark",
)
ONLY_FOR_BUILDING = {"setuptools"}


def canonical(requirement: str) -> str:
    """Return the normalised project name of one requirement line."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=~!;@]", requirement.strip(), maxsplit=1)[0]).lower()


def wanted(path: Path) -> list[str]:
    """Return the requirement lines of an .in file, without comments and options."""
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("-")]


def locked(path: Path) -> set[str]:
    """Return the names pinned in a lock file."""
    return {
        canonical(line)
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"[A-Za-z0-9]", line)
    }


def write(*, upgrade: bool) -> None:
    """Write every lock with uv: all Python versions and platforms, with hashes, naming no index."""
    for name in NAMES:
        command = [
            sys.executable, "-m", "uv", "pip", "compile", f"{name}.in", "-o", f"{name}.lock", "-q",
            "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate",
        ]  # fmt: skip
        subprocess.run([*command, *(["--upgrade"] if upgrade else [])], cwd=ROOT, check=True)
        print(f"{name}.lock written")


def faults() -> list[str]:
    """Return one sentence for each difference between pyproject.toml, the .in files and the locks."""
    found = []
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    declared = {line.replace(" ", "") for line in project["dependencies"]}
    runtime = {line.replace(" ", "") for line in wanted(ROOT / "requirements.in")}
    runtime = {line for line in runtime if canonical(line) not in ONLY_FOR_BUILDING}
    for line in sorted(declared ^ runtime):
        found.append(f"{line}: in only one of pyproject.toml and requirements.in")
    spark = {line.replace(" ", "") for line in project["optional-dependencies"]["spark"]}
    for line in sorted(spark ^ {line.replace(" ", "") for line in wanted(ROOT / "requirements.spark.in")}):
        found.append(f"{line}: in only one of pyproject.toml and requirements.spark.in")
    for name in NAMES:
        lock = ROOT / f"{name}.lock"
        if not lock.exists():
            found.append(f"{name}.lock is missing: run `python tools/locks.py`")
            continue
        for line in wanted(ROOT / f"{name}.in"):
            if canonical(line) not in locked(lock):
                found.append(f"{line} of {name}.in is not in {name}.lock: run `python tools/locks.py`")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true")
    options = parser.parse_args()
    if not options.check:
        write(upgrade=options.upgrade)
    found = faults()
    for fault in found:
        print(f"locks: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
