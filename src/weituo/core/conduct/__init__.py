"""May this contact be made now? Rule packs (data) and their evaluator.

facts      Request(channel, contact_point, recipient, planned_at, visitors, identified, discloses_debt) · Contact(at, channel,
           contact_point, recipient, result, until) · Consent(channel, hour_from, hour_to) · Facts(...)
packs      load(names) -> tuple[Pack, ...] · read_pack(text, where) · Pack(name, version, rules) · Rule(...) · PackError
lasting    allowed_until(request, facts, packs, most) -> datetime · crowded(request, facts, packs) -> rules
holds      STOPPING_HOLDS · status_of(hold); results  RESULTS · SPOKEN
evaluator  evaluate(request, facts, packs, at) -> Decision(allowed, reasons, earliest_next, versions, facts_digest)

All arguments are keywords. Codes, not sentences: a rule carries its sentence in both languages as data.
"""

from __future__ import annotations

from weituo.core.conduct.evaluator import Decision, Reason, denials, evaluate
from weituo.core.conduct.facts import Consent, Contact, Facts, Request
from weituo.core.conduct.holds import STOPPING_HOLDS, status_of
from weituo.core.conduct.lasting import allowed_until, crowded
from weituo.core.conduct.packs import Pack, PackError, Rule, load, read_pack
from weituo.core.conduct.results import RESULTS, SPOKEN

__all__ = [
    "RESULTS",
    "SPOKEN",
    "STOPPING_HOLDS",
    "Consent",
    "Contact",
    "Decision",
    "Facts",
    "Pack",
    "PackError",
    "Reason",
    "Request",
    "Rule",
    "allowed_until",
    "crowded",
    "denials",
    "evaluate",
    "load",
    "read_pack",
    "status_of",
]
