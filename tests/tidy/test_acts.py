"""Every act that the program can do has its sentence in the audit log's language, and no sentence is left over."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from django.utils import translation

from weituo.domain import act_texts
from weituo.foundation import acts


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
