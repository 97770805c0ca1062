"""Print the path of a Chromium for the browser tests, installing one when there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def starts(path: str) -> bool:
    """Tell whether a browser is more than a file: wrappers without their package fail here."""
    try:
        result = subprocess.run(
            [path, "--version", "--no-sandbox"], capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def installed() -> str | None:
    """Return a browser of the machine or of Playwright, or None."""
    named = os.environ.get("WEITUO_CHROMIUM")
    found = [named] if named else [path for name in NAMES if (path := shutil.which(name))]
    found += [str(MAC)] if MAC.exists() else []
    return next((path for path in [*found, *of_playwright()] if starts(path)), None)


def of_playwright() -> list[str]:
    """Return where Playwright keeps, or would keep, its own Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return [path] if Path(path).exists() else []


def quietly(command: list[str]) -> bool:
    """Run an installer with its output on standard error; tell whether it ended well."""
    return subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0


def main() -> int:
    path = installed()
    if path is None and shutil.which("apt-get") and os.geteuid() == 0:
        print("browser: installing Debian's chromium", file=sys.stderr)
        if quietly(["apt-get", "update", "-qq"]):
            quietly(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])
        path = installed()
    if path is None:
        print("browser: installing Playwright's chromium", file=sys.stderr)
        quietly([sys.executable, "-m", "playwright", "install", "chromium"])
        path = installed()
    if path is None:
        print(
            "The browser tests need Chromium: install it (Debian: apt-get install chromium), "
            "or name it with WEITUO_CHROMIUM=/path/to/chromium.",
            file=sys.stderr,
        )
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
