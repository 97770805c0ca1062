"""Make .venv and what goes with it, as far as it is not there yet.

    python tools/setup.py runtime             what `make demo` needs: packages, assets, catalogues
    python tools/setup.py runtime test        and the tests' packages and assets
    python tools/setup.py runtime bench docs  and so on; spark is about 700 MB
    python tools/setup.py forget              stop the own PostgreSQL and remove its data, also those outside var/

Each part leaves a stamp in .venv, so that a repeat costs a fraction of a second. Runs on any Python of at least 3.11.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCKS = {
    "runtime": "requirements.lock",
    "test": "requirements.test.lock",
    "bench": "requirements.bench.lock",
    "docs": "requirements.docs.lock",
    "spark": "requirements.spark.lock",
}
PIP = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]


def main(parts: list[str]) -> int:
    if parts == ["forget"]:
        return forget()
    unknown = set(parts) - set(LOCKS)
    if unknown or not parts:
        print(__doc__, file=sys.stderr)
        return 2
    if not works():
        say(f"making .venv with Python {sys.version.split()[0]}")
        venv.create(VENV, clear=VENV.exists(), with_pip=True, symlinks=os.name != "nt")
    for part in parts:
        install(part)
    if "runtime" in parts:
        put_package_in_place()
    run([PYTHON, "tools/assets.py", *(["--tests"] if "test" in parts else [])])
    run([PYTHON, "tools/messages.py", "--compile"])
    return 0


def works() -> bool:
    """Tell whether .venv has a Python that starts and has pip."""
    if not PYTHON.exists():
        return False
    return subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0


def install(part: str) -> None:
    """Install one lock, with hashes, unless its stamp says that this very lock is installed."""
    lock = ROOT / LOCKS[part]
    stamp = VENV / f"weituo-{part}.stamp"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return
    began = time.monotonic()
    say(f"installing {lock.name}")
    run([*PIP, "--require-hashes", "-r", str(lock)])
    stamp.write_text(digest, encoding="utf-8")
    say(f"{lock.name} installed in {time.monotonic() - began:.0f} s")


def put_package_in_place() -> None:
    """Install the package itself in place; its build backend is in the runtime lock, so nothing is downloaded."""
    stamp = VENV / "weituo-package.stamp"
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest and (VENV / "bin" / "weituo").exists():
        return
    run([*PIP, "--no-index", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    stamp.write_text(digest, encoding="utf-8")


def forget() -> int:
    """Stop the own PostgreSQL and remove its data."""
    home = os.environ.get("WEITUO_HOME", str(ROOT / "var"))
    code = "import pathlib, sys; from weituo.foundation.engine import postgres; postgres.destroy(pathlib.Path(sys.argv[1]))"
    return subprocess.run([str(PYTHON), "-c", code, home], cwd=ROOT, check=False).returncode


def run(command: list[str | Path]) -> None:
    """Run a program; its own message is enough when it fails."""
    result = subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
    if result.returncode:
        raise SystemExit(result.returncode)


def say(text: str) -> None:
    """Print progress where it does not mix with results."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
