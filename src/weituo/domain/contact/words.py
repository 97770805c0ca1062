"""What rules and their sources are called: short names for charts, lists and filters, citations in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: code of a rule → its plain name
RULES: dict[str, str | Promise] = {
    "GATE-PLACEMENT": gettext_lazy("placement ended"),
    "GATE-AGENCY": gettext_lazy("agency not at work"),
    "GATE-TREATMENT": gettext_lazy("not for agencies"),
    "CN-HOURS": gettext_lazy("quiet hours"),
    "CN-FREQ3": gettext_lazy("three calls a day"),
    "CN-FREQ6": gettext_lazy("six tries a number a day"),
    "CN-3P-UNREACH": gettext_lazy("contact persons last"),
    "CN-3P-NODISCLOSE": gettext_lazy("nothing told to contact persons"),
    "CN-TARGET": gettext_lazy("no outsiders"),
    "CN-TRAIN": gettext_lazy("trained collectors"),
    "CN-ADMIT": gettext_lazy("live agreements"),
    "LENDER-STATUS": gettext_lazy("deceased, minor, bankrupt"),
    "LENDER-REPRESENTED": gettext_lazy("represented borrower"),
    "LENDER-CEASED": gettext_lazy("asked to stop"),
    "LENDER-DISPUTE": gettext_lazy("open dispute"),
    "LENDER-COMPLAINT": gettext_lazy("open complaint"),
    "LENDER-HARDSHIP": gettext_lazy("open hardship application"),
    "LENDER-INTENSITY": gettext_lazy("contacts a week"),
    "LENDER-CHANNEL": gettext_lazy("channels of the strategy"),
    "LENDER-WISH": gettext_lazy("the borrower's wish"),
    "LENDER-VISIT-TWO": gettext_lazy("two people a visit"),
    "LENDER-POINT": gettext_lazy("known contact points only"),
    "LENDER-COLLECTOR": gettext_lazy("registered collectors"),
}
#: name of a rule pack → what it is
PACKS: dict[str, str | Promise] = {
    "gate": gettext_lazy("Before any rule"),
    "cn": gettext_lazy("China"),
    "lender": gettext_lazy("The lender's own rules"),
}
#: part of a citation as packs write it → the same for readers of either language
_SOURCES: dict[str, str | Promise] = {
    "中国银行业协会催收工作指引(试行) 2026": gettext_lazy("China Banking Association, collection guide (trial) 2026"),
    "信用卡业务监督管理办法 第68条": gettext_lazy("Credit card business rules Art. 68"),
    "信用卡业务监督管理办法 第69条": gettext_lazy("Credit card business rules Art. 69"),
    "信用卡业务监督管理办法 第70条": gettext_lazy("Credit card business rules Art. 70"),
    "个人信息保护法 第21条": gettext_lazy("Personal Information Protection Law Art. 21"),
    "委托合同": gettext_lazy("service agreement"),
    "CBA Art. 22": gettext_lazy("China Banking Association, collection guide Art. 22"),
    "GB/T 45251-2025 5.2": gettext_lazy("GB/T 45251-2025 5.2"),
    "GB/T 45251-2025 5.3": gettext_lazy("GB/T 45251-2025 5.3"),
    "GB/T 45251-2025 5.4": gettext_lazy("GB/T 45251-2025 5.4"),
    "house rule": gettext_lazy("house rule"),
    "house rule: deceased, minor, bankrupt": gettext_lazy("house rule: deceased, minor, bankrupt"),
    "house rule: representative": gettext_lazy("house rule: representative"),
    "house rule: cease request": gettext_lazy("house rule: cease request"),
    "house rule: open complaint": gettext_lazy("house rule: open complaint"),
    "house rule: intensity of the strategy in force": gettext_lazy("house rule: intensity of the strategy in force"),
    "house rule: channels of the strategy in force": gettext_lazy("house rule: channels of the strategy in force"),
    "house rule: the borrower's wish": gettext_lazy("house rule: the borrower's wish"),
    "house rule: visits": gettext_lazy("house rule: visits"),
    "house rule: known contact points only": gettext_lazy("house rule: known contact points only"),
    "house rule: registered collectors": gettext_lazy("house rule: registered collectors"),
    "house rule: strategy in force": gettext_lazy("house rule: strategy in force"),
}  # fmt: skip


def rule_name(code: str) -> str:
    """Give the plain name of a rule; one of another pack keeps its code."""
    return str(RULES.get(code, code))


def pack_name(name: str) -> str:
    """Give the name of a rule pack."""
    return str(PACKS.get(name, name))


def cited(citation: str) -> str:
    """Give a citation in the reader's language, part by part; a source that is not known stays as it is written."""
    return _("; ").join(str(_SOURCES.get(part, part)) for part in citation.split("; "))


def told(reasons: Sequence[Mapping[str, Any]], *, language: str) -> list[dict[str, Any]]:
    """Give stored reasons as plain data, said in `language` (zh or en): code, citation, message, retry_at."""
    return [
        {
            "code": one["code"],
            "citation": one["citation"],
            "message": one[f"text_{language}"],
            "retry_at": one.get("retry_at"),
        }
        for one in reasons
    ]
