"""House rules about templates, locks and everything that is committed."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tidy import house

BINARY = {".png", ".jpg", ".woff2", ".ico", ".mo", ".age", ".gz", ".xlsx", ".parquet"}
KILOBYTES_A_FILE_MAX = 1_000
# Spelt in two parts, so that this file does not hold what it forbids.
PRIVATE_PATHS = re.compile(
    "|".join([r"/ro" "ot/", r"/ho" r"me/\w+", r"/wo" r"rk/\w", r"/op" "t/py", r"/Us" r"ers/\w+"])
)
INDEX_HOST = re.compile(r"https?://|--(extra-)?index-url|--find-links|--trusted-host|^registry\s*=")
SECRETS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|AGE-SECRET-KEY-1[A-Z0-9]{20}")
SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL | re.IGNORECASE)


def templates() -> list[Path]:
    return [path for path in house.files() if path.suffix == ".html" and path.is_relative_to(house.PACKAGE)]


def committed_text() -> list[Path]:
    return [path for path in house.files() if path.suffix not in BINARY]


def test_templates_hold_no_inline_script() -> None:
    """The content security policy refuses it; data for charts go in <script type="application/json">."""
    found = []
    for path in templates():
        for match in SCRIPT.finditer(house.text(path)):
            is_data = re.search(r"type=[\"']application/(ld\+)?json", match["attributes"])
            if match["body"].strip() and not is_data:
                found.append(f"{house.name(path)}: {match['body'].strip()[:60]}")
        for match in re.finditer(r"<[a-zA-Z][^<>]*\s(on[a-z]{3,})\s*=", house.text(path)):
            found.append(f"{house.name(path)}: {match[1]}=")
    assert found == []


def test_templates_hold_no_inline_style() -> None:
    inline = re.compile(r"<style\b|<[a-zA-Z][^<>]*\sstyle\s*=")
    found = [
        f"{house.name(path)}: {match[0][:60]}"
        for path in templates()
        for match in inline.finditer(house.text(path))
    ]
    assert found == []


def test_locks_name_no_host() -> None:
    found = []
    for path in [*house.ROOT.glob("requirements*"), house.ROOT / ".npmrc"]:
        found += [f"{path.name}: {line}" for line in house.text(path).splitlines() if INDEX_HOST.search(line)]
    lock = house.ROOT / "package-lock.json"
    found += [line for line in house.text(lock).splitlines() if '"resolved"' in line]
    assert found == []
    assert not any(path.name in {"uv.lock", "pylock.toml"} for path in house.files())


def test_every_pin_has_a_hash() -> None:
    for path in house.ROOT.glob("requirements*.lock"):
        blocks = re.split(r"\n(?=[A-Za-z0-9])", house.text(path).strip())
        assert [
            block.split()[0] for block in blocks if "==" not in block or "--hash=sha256:" not in block
        ] == [], path.name


def test_committed_files_hold_no_machine_paths_and_no_secrets() -> None:
    found = []
    for path in committed_text():
        text = house.text(path)
        for pattern in (PRIVATE_PATHS, SECRETS):
            found += [f"{house.name(path)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def test_committed_files_are_small() -> None:
    found = [house.name(path) for path in house.files() if path.stat().st_size > KILOBYTES_A_FILE_MAX * 1024]
    assert found == []


def test_nothing_fetched_or_built_is_committed() -> None:
    fetched = re.compile(
        r"(^|/)(node_modules|static/vendor|site|var|dist)/|\.(mo|pyc|woff2|min\.js|min\.css)$"
    )
    assert [house.name(path) for path in house.files() if fetched.search(house.name(path))] == []


def test_text_ends_with_one_line_end() -> None:
    found = []
    for path in committed_text():
        text = house.text(path)
        if text and (not text.endswith("\n") or "\r\n" in text):
            found.append(house.name(path))
    assert found == []


def test_relative_links_in_documents_lead_somewhere() -> None:
    found = []
    for path in house.files():
        if path.suffix != ".md":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", house.text(path)):
            if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                found.append(f"{house.name(path)}: {target}")
    assert found == []
