"""Keep the catalogues in step with the code.

    python tools/messages.py                     extract, update both catalogues, compile
    python tools/messages.py --merge A.tsv ...   the same, and take zh-Hans translations (msgid TAB translation, \\n escaped)
    python tools/messages.py --check             write nothing; exit 1 naming what is missing, fuzzy or out of step
    python tools/messages.py --compile           only compile what changed

Messages come from gettext calls in Python, from Django templates, and from the refusals in errors.py files, whose
docstring, `message`, `remedy` and `rule` are texts for people. English needs no translation: an entry is enough.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "weituo"
LOCALE = PACKAGE / "locale"
LOCALES = ("zh_Hans", "en")
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
    "worded": None,
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[#0\- +]?\d*(?:\.\d+)?[a-zA-Z]")
#: where, message (one, or singular and plural), context
Found = tuple[str, "str | tuple[str, ...]", "str | None"]


def path_of(locale: str) -> Path:
    """Return the catalogue of a locale."""
    return LOCALE / locale / "LC_MESSAGES" / "django.po"


def in_python(path: Path, text: str) -> Iterator[Found]:
    """Yield the messages of gettext calls in Python text."""
    from babel.messages.extract import extract

    where = path.relative_to(ROOT).as_posix()
    for _line, message, _comments, context in extract("python", io.BytesIO(text.encode()), keywords=KEYWORDS):
        yield where, message, context


def in_template(path: Path) -> Iterator[Found]:
    """Yield the messages of a Django template, through Django's own translation of templates into calls."""
    from django.utils.translation.template import templatize

    text = templatize(path.read_text(encoding="utf-8"), origin=str(path))
    # What is not a message is blanked to letters; its indentation means nothing.
    yield from in_python(path, "\n".join(line.lstrip() for line in text.splitlines()))


def in_refusals(path: Path) -> Iterator[Found]:
    """Yield what refusals say: the docstring's first line unless `message` is given, `message`, `remedy` and `rule`."""
    where = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ClassDef):
            continue
        texts: dict[str, str] = {}
        for item in node.body:
            targets = item.targets if isinstance(item, ast.Assign) else [getattr(item, "target", None)]
            value = getattr(item, "value", None)
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                for target in targets:
                    if isinstance(target, ast.Name) and target.id in {"message", "remedy", "rule"}:
                        texts[target.id] = value.value
        texts.setdefault("message", (ast.get_docstring(node) or "").split("\n")[0])
        for text in texts.values():
            if text:
                yield where, text, None


def found() -> Iterator[Found]:
    """Yield every message of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        yield from in_python(path, path.read_text(encoding="utf-8"))
        if path.name == "errors.py" or path.parent.name == "errors":
            yield from in_refusals(path)
    for path in sorted([*PACKAGE.rglob("*.html"), *PACKAGE.rglob("*.txt"), *PACKAGE.rglob("*.svg")]):
        if "templates" in path.parts:
            yield from in_template(path)


def extracted() -> Catalog:
    """Return a catalogue of every message of the code, without translations."""
    from babel.messages.catalog import Catalog

    catalogue = Catalog(charset="utf-8")
    for where, message, context in found():
        if message and (isinstance(message, str) or all(message)):
            catalogue.add(message, locations=[(where, 0)], context=context)
    return catalogue


def read(locale: str) -> Catalog:
    """Read a catalogue; an empty one when there is none yet."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po

    path = path_of(locale)
    if not path.exists():
        return Catalog(locale=locale, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=locale, charset="utf-8")


def merged(paths: list[Path]) -> dict[str, str]:
    """Read translations from tab-separated files; the last of two wins."""
    result: dict[str, str] = {}
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            parts = line.split("\t")
            if len(parts) != 2:
                print(f"messages: {path.name}:{number}: not msgid TAB translation; left out", file=sys.stderr)
                continue
            msgid, translation = (part.replace("\\n", "\n") for part in parts)
            result[msgid] = translation
    return result


def update(translations: dict[str, str]) -> None:
    """Bring both catalogues in step with the code and put the given translations in."""
    from babel.messages.pofile import write_po

    template = extracted()
    unused = set(translations)
    for locale in LOCALES:
        before, after = read(locale), extracted()
        after.locale = before.locale
        for message in after:
            key = message.id if isinstance(message.id, str) else message.id[0]
            old = before.get(message.id, message.context) if message.id else None
            if old is not None and old.string:
                message.string = old.string
            if locale == "zh_Hans" and key in translations:
                unused.discard(key)
                message.string = translations[key] if isinstance(message.id, str) else (translations[key],)
        path_of(locale).parent.mkdir(parents=True, exist_ok=True)
        with path_of(locale).open("wb") as file:
            write_po(file, after, width=110, sort_output=True, omit_header=False, include_lineno=False)
        text = path_of(locale).read_text(encoding="utf-8")
        path_of(locale).write_text(header(locale) + text.split("\n\n", 1)[1], encoding="utf-8")
    for msgid in sorted(unused):
        print(f"messages: no such message in the code: {msgid!r}", file=sys.stderr)
    print(
        f"messages: {len(list(template)) - 1} in the code, {len(untranslated())} without zh-Hans",
        file=sys.stderr,
    )


def header(locale: str) -> str:
    """Return the head of a catalogue, without dates: the same code gives the same file."""
    plural = "nplurals=1; plural=0;" if locale == "zh_Hans" else "nplurals=2; plural=(n != 1);"
    lines = [f"Language: {locale}", "Content-Type: text/plain; charset=utf-8", f"Plural-Forms: {plural}"]
    return 'msgid ""\nmsgstr ""\n' + "".join(f'"{line}\\n"\n' for line in lines) + "\n"


def texts_of(value: Any) -> list[str]:
    """Return the strings of a message or translation, singular and plural alike."""
    return [value] if isinstance(value, str) else list(value)


def untranslated() -> list[str]:
    """Return the messages of the zh-Hans catalogue that have no translation."""
    return [
        texts_of(message.id)[0]
        for message in read("zh_Hans")
        if message.id and not all(texts_of(message.string or ""))
    ]


def faults() -> Iterator[str]:
    """Yield one line for each message that is missing, left over, untranslated, fuzzy or loses a placeholder."""
    wanted = {(str(message.id), message.context) for message in extracted() if message.id}
    for locale in LOCALES:
        catalogue = read(locale)
        present = {(str(message.id), message.context) for message in catalogue if message.id}
        yield from (
            f"{locale}: not in the catalogue, run `make messages`: {key[0]}"
            for key in sorted(wanted - present, key=str)
        )
        yield from (
            f"{locale}: no longer in the code, run `make messages`: {key[0]}"
            for key in sorted(present - wanted, key=str)
        )
        for message in catalogue:
            if not message.id or not message.string or not all(texts_of(message.string)):
                continue
            if message.fuzzy:
                yield f"{locale}: fuzzy: {message.id}"
            names = {name for text in texts_of(message.id) for name in PLACEHOLDER.findall(text)}
            given = {name for text in texts_of(message.string) for name in PLACEHOLDER.findall(text)}
            if names != given:
                yield f"{locale}: placeholders differ ({sorted(names ^ given)}): {message.id}"
    yield from (f"zh_Hans: untranslated: {text}" for text in untranslated())


def compile_changed() -> None:
    """Write each .mo file that is older than its catalogue."""
    for locale in LOCALES:
        source, target = path_of(locale), path_of(locale).with_suffix(".mo")
        if not source.exists() or (target.exists() and target.stat().st_mtime >= source.stat().st_mtime):
            continue
        from babel.messages.mofile import write_mo

        with target.open("wb") as file:
            write_mo(file, read(locale))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--merge", nargs="+", type=Path, default=[], metavar="FILE")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    if options.check:
        lines = list(faults())
        print("".join(f"{line}\n" for line in lines), end="")
        return 1 if lines else 0
    if not options.compile:
        update(merged(options.merge))
    compile_changed()
    return 0


if __name__ == "__main__":
    sys.exit(main())
