"""Words for the codes of the compliance gate."""

from __future__ import annotations

from django.utils.translation import gettext_lazy, pgettext_lazy

STATES = {
    "GRANTED": (gettext_lazy("granted"), "good"),
    "USED": (gettext_lazy("granted and used"), "good"),
    "REFUSED": (gettext_lazy("refused"), "bad"),
    "VOID": (gettext_lazy("void"), "watch"),
}
CHANNELS = {
    "VOICE": gettext_lazy("call"),
    "SMS": gettext_lazy("text message"),
    "EMAIL": gettext_lazy("e-mail"),
    "LETTER": gettext_lazy("letter"),
    "VISIT": gettext_lazy("visit"),
}
PURPOSES = {
    "COLLECT": gettext_lazy("collect"),
    "REMIND": gettext_lazy("remind"),
    "ANSWER": gettext_lazy("answer a question"),
    "LOCATE": gettext_lazy("find the borrower"),
}
CONFIDENCES = {
    "T": gettext_lazy("wording of the instrument"),
    "S": gettext_lazy("secondary source"),
    "M": gettext_lazy("to be confirmed"),
    "H": gettext_lazy("rule of the house"),
}
FINDINGS = {
    "NO_PERMIT": gettext_lazy("contact without a permit"),
    "PERMIT_REFUSED": gettext_lazy("contact although the permit was refused"),
    "PERMIT_VOID": gettext_lazy("contact on a void permit"),
    "PERMIT_USED_TWICE": gettext_lazy("one permit used twice"),
    "PERMIT_OF_OTHER_CASE": gettext_lazy("permit of another case"),
    "OTHER_POINT": gettext_lazy("another number than permitted"),
    "OTHER_CHANNEL": gettext_lazy("another channel than permitted"),
    "OTHER_TIME": gettext_lazy("another time than permitted"),
    "PERMIT_EXPIRED": gettext_lazy("permit had expired"),
    "QUIET_HOURS": gettext_lazy("contact in hours that are kept free"),
    "GROUND_GONE": gettext_lazy("agency, collector, agreement or placement not in order"),
}
WEEKDAYS = (
    gettext_lazy("Mon"),
    gettext_lazy("Tue"),
    gettext_lazy("Wed"),
    gettext_lazy("Thu"),
    gettext_lazy("Fri"),
    gettext_lazy("Sat"),
    gettext_lazy("Sun"),
)
FACTS = {
    "zones": gettext_lazy("time zones of the contact point"),
    "home_zone": gettext_lazy("zone in which days are counted"),
    "statuses": gettext_lazy("holds on the borrower"),
    "point_valid": gettext_lazy("the contact point is valid"),
    "borrower_points_invalid": gettext_lazy("another number is known to be invalid"),
    "collector_registered": gettext_lazy("the collector is registered"),
    "collector_trained": gettext_lazy("the collector's training is valid"),
    "agreement_live": gettext_lazy("service and confidentiality agreements are live"),
    "strategy_channels": gettext_lazy("channels of the strategy"),
    "contacts_per_week_max": gettext_lazy("most contacts a week by the strategy"),
    "wish_channels": gettext_lazy("channels the borrower wishes"),
    "wish_hours": gettext_lazy("hours the borrower wishes"),
    "consents": gettext_lazy("consents"),
}
#: channels and results as the evaluator names them
WORDS = {
    "call": gettext_lazy("call"),
    "sms": gettext_lazy("text message"),
    "email": gettext_lazy("e-mail"),
    "letter": gettext_lazy("letter"),
    "visit": gettext_lazy("visit"),
    "conversation": gettext_lazy("conversation"),
    "unanswered": gettext_lazy("not answered"),
    "voicemail": gettext_lazy("voicemail"),
    "not_connected": gettext_lazy("not connected"),
    "wrong_party": gettext_lazy("wrong person"),
    "third_party": gettext_lazy("third person"),
    "delivered": gettext_lazy("delivered"),
    "borrower": gettext_lazy("borrower"),
    "contact": gettext_lazy("contact person"),
    "co_borrower": gettext_lazy("co-borrower"),
    "guarantor": gettext_lazy("guarantor"),
    "debtor": gettext_lazy("borrower"),
    "contact_point": gettext_lazy("contact point"),
    "trained": gettext_lazy("valid training"),
    "registered": gettext_lazy("registration"),
    "agreement": gettext_lazy("service and confidentiality agreements"),
    "deceased": gettext_lazy("deceased"),
    "minor": gettext_lazy("minor"),
    "bankrupt": gettext_lazy("bankrupt"),
    "incapable": gettext_lazy("without capacity"),
    "represented": gettext_lazy("represented by a lawyer"),
    "ceased": gettext_lazy("asked to stop contact"),
    "sold": gettext_lazy("sold"),
    "legal": gettext_lazy("in legal action"),
    "disputed": gettext_lazy("disputed"),
    "complaint": gettext_lazy("open complaint"),
    "hardship": gettext_lazy("hardship"),
}
#: parameters of rules, by the names that packs use
PARAMETERS = {
    "from": gettext_lazy("from"),
    "to": pgettext_lazy("a period", "to"),
    "consent_lifts": gettext_lazy("lifted by consent:"),
    "per": gettext_lazy("counted per"),
    "channels": gettext_lazy("channels:"),
    "outcomes": gettext_lazy("results:"),
    "recipients": gettext_lazy("who:"),
    "allowed": gettext_lazy("allowed:"),
    "days": gettext_lazy("days:"),
    "most": gettext_lazy("at most"),
    "tries": gettext_lazy("tries:"),
    "lifted_by": gettext_lazy("lifted by:"),
    "needs": gettext_lazy("needs:"),
    "statuses": gettext_lazy("holds:"),
    "default_most": gettext_lazy("at most, where the strategy says nothing,"),
    "visitors_least": gettext_lazy("visitors, at least"),
}
