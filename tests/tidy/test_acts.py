"""Every act that the program can do has its sentence in the audit log's language, and no sentence is left over."""

from __future__ import annotations

import ast
import pkgutil
from importlib import import_module

from django.utils import translation

from weituo.domain import act_texts, permission_texts
from weituo.foundation import acts
from weituo.foundation.identity import roles
from weituo.web.presenters import log_words

from tests.tidy import house


def declared() -> set[str]:
    """Load every module of the domain and the foundation, and give the acts that they declare."""
    for package in ("weituo.domain", "weituo.foundation"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            if "migrations" not in module.name and not module.name.endswith("__main__"):
                import_module(module.name)
    return {name for name in acts.declared() if not name.startswith("test.")}


def test_every_act_has_its_sentence() -> None:
    assert declared() ^ set(act_texts.SENTENCES) == set()


def test_every_sentence_names_its_actor_in_both_languages() -> None:
    for language in ("en", "zh-hans"):
        with translation.override(language):
            for act in act_texts.SENTENCES:
                said = act_texts.sentence(act, actor="王芳")
                assert said.count("王芳") == 1, (language, act)
                assert "%(" not in said


def test_an_act_of_another_version_keeps_its_name() -> None:
    with translation.override("en"):
        assert act_texts.sentence("old.act", actor="Lin") == "Lin did “old.act”"


def test_every_permission_says_what_it_allows() -> None:
    declared()
    assert set(permission_texts.ALLOWS) ^ set(roles.all_grants()) == set()


def noted(argument: str) -> set[str]:
    """Give what acts note for the log under `argument` (“what”), or the names of the figures they note (“”)."""
    found = set()
    for path in house.python("src/weituo/domain", "src/weituo/foundation"):
        for node in ast.walk(house.tree(path)):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in {"note", "acts.note"}:
                continue
            for given in node.keywords:
                if argument and given.arg == argument and isinstance(given.value, ast.Constant):
                    found.add(str(given.value.value))
                elif not argument and given.arg not in {None, "what", "ref", "reason"}:
                    found.add(str(given.arg))
    return found


def test_what_acts_note_has_its_words_in_the_log() -> None:
    assert noted("what") - set(log_words.OBJECTS) == set()
    assert noted("") - set(log_words.FIGURES) == set()
