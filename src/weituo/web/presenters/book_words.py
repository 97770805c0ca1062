"""Words for the codes of the book."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

HOLDS = {
    "DISPUTE": gettext_lazy("disputed"),
    "HARDSHIP": gettext_lazy("hardship"),
    "DECEASED": gettext_lazy("deceased"),
    "MINOR": gettext_lazy("minor"),
    "BANKRUPT": gettext_lazy("bankrupt"),
    "REPRESENTED": gettext_lazy("represented by a lawyer"),
    "CEASED": gettext_lazy("asked to stop contact"),
    "VULNERABLE": gettext_lazy("vulnerable"),
    "LEGAL": gettext_lazy("in legal action"),
    "SOLD": gettext_lazy("sold"),
    "PROMISE": gettext_lazy("open promise to pay"),
    "COMPLAINT": gettext_lazy("open complaint"),
}
PRODUCTS = {
    "CASH_LOAN": gettext_lazy("cash loan"),
    "INSTALMENT": gettext_lazy("instalment purchase"),
    "CARD": gettext_lazy("credit card"),
    "MICRO_BUSINESS": gettext_lazy("micro business loan"),
    "LOAN": gettext_lazy("loan"),
}
