"""Run every check that needs no test run; report all, not only the first, that fail."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHECKS: dict[str, list[str]] = {
    "locks in step with pyproject": [sys.executable, "tools/locks.py", "--check"],
    "ruff check": [sys.executable, "-m", "ruff", "check", "--quiet", "."],
    "ruff format": [sys.executable, "-m", "ruff", "format", "--check", "--quiet", "."],
    "mypy": [sys.executable, "-m", "mypy"],
    "imports": [str(BIN / "lint-imports"), "--cache-dir", "var/imports"],
    "migrations": [
        sys.executable, "-W", "ignore::RuntimeWarning", "-m", "django", "makemigrations", "--check", "--dry-run",
    ],
    "reference pages": [sys.executable, "tools/reference.py", "--check"],
    "catalogues": [sys.executable, "tools/messages.py", "--check"],
}  # fmt: skip


def main() -> int:
    (ROOT / "var").mkdir(exist_ok=True)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "weituo.config.settings"}
    failed = []
    for name, command in CHECKS.items():
        began = time.monotonic()
        result = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        verdict = "ok" if result.returncode == 0 else "FAILED"
        print(f"{name:30} {verdict:6} {time.monotonic() - began:5.1f} s", flush=True)
        if result.returncode:
            failed.append(name)
            print(result.stdout, flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
