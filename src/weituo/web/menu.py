"""The console's menu, in process order."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from weituo.foundation.tenancy.actors import Actor, Kind


@dataclass(frozen=True, slots=True)
class Entry:
    """One menu entry: name, address, key after `g`, permission that shows it."""

    label: str | Promise
    path: str
    icon: str
    key: str
    permission: str


ENTRIES = (
    Entry(_("Today"), "/", "sun", "t", "book.read"),
    Entry(_("Book"), "/book/", "book", "b", "book.read"),
    Entry(_("Agencies"), "/agencies/", "building", "a", "partners.read"),
    Entry(_("Plans"), "/plans/", "target-arrow", "p", "plans.read"),
    Entry(_("Placement"), "/placement/", "route", "l", "placement.read"),
    Entry(_("Sharing"), "/sharing/", "share", "s", "sharing.read"),
    Entry(_("Conduct"), "/conduct/", "shield-check", "c", "contact.read"),
    Entry(_("Progress"), "/progress/", "chart-line", "r", "tracking.read"),
    Entry(_("Money"), "/money/", "coin-yuan", "m", "ledger.read"),
    Entry(_("Care"), "/care/", "heart-handshake", "h", "care.read"),
    Entry(_("Evaluation"), "/evaluation/", "scale", "e", "evaluation.read"),
    Entry(_("Models"), "/models/", "chart-dots", "o", "placement.read"),
    Entry(_("Log"), "/log/", "list-check", "g", "audit.read"),
    Entry(_("Jobs"), "/jobs/", "clock", "j", "book.read"),
    Entry(_("Settings"), "/settings/", "settings", "x", "book.read"),
)


PORTAL = (
    Entry(_("Start"), "/agency/", "home", "t", "contact.read_own"),
    Entry(_("My cases"), "/agency/cases/", "clipboard-list", "c", "contact.read_own"),
    Entry(_("Offers"), "/agency/offers/", "route", "o", "placement.read_own"),
    Entry(_("Recall notices"), "/agency/recalls/", "clock", "r", "placement.read_own"),
    Entry(_("Promises"), "/agency/promises/", "calendar-event", "p", "tracking.read_own"),
    Entry(_("Statements"), "/agency/statements/", "file-invoice", "m", "ledger.read_own"),
    Entry(_("Plan"), "/agency/plan/", "target-arrow", "l", "plans.read_own"),
    Entry(_("Packages"), "/agency/packages/", "package", "s", "sharing.read_own"),
)


def entries_for(actor: Actor, path: str) -> list[dict[str, object]]:
    """Give the entries this actor may open, the present one marked."""
    if actor.kind is Kind.BORROWER:
        return []
    shown = PORTAL if actor.kind is Kind.AGENCY else ENTRIES
    return [
        {
            "label": entry.label,
            "path": entry.path,
            "icon": entry.icon,
            "key": entry.key,
            "here": path == entry.path if entry is shown[0] else path.startswith(entry.path),
        }
        for entry in shown
        if actor.may(entry.permission)
    ]
