"""A leave never outlives what the rules allow: its end is the first instant at which one of them would deny."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weituo.core import conduct

MINUTE = timedelta(minutes=1)
LAST = timedelta(microseconds=1)
USUAL = timedelta(minutes=10)
PACKS = conduct.load(("cn", "lender"))
#: a Monday, 10:00 in Shanghai
MORNING = datetime(2026, 3, 9, 2, 0, tzinfo=UTC)
#: 21:58 in Shanghai
EVENING = datetime(2026, 3, 9, 13, 58, tzinfo=UTC)
WEEK = timedelta(days=7)


def request(at: datetime, *, channel: str = "call") -> conduct.Request:
    return conduct.Request(channel=channel, contact_point="p", planned_at=at)


def facts(*contacts: conduct.Contact, **known: object) -> conduct.Facts:
    said = {
        "zones": ("Asia/Shanghai",),
        "statuses": frozenset(),
        "contacts": contacts,
        "point_valid": True,
        "collector_registered": True,
        "collector_trained": True,
        "agreement_live": True,
        "contacts_per_week_max": 50,
    }
    return conduct.Facts(**(said | known))  # type: ignore[arg-type]


def reserved(at: datetime, *, minutes: int = 10) -> conduct.Contact:
    return conduct.Contact(at=at, channel="call", contact_point="p", until=at + minutes * MINUTE)


def until(at: datetime, known: conduct.Facts) -> datetime:
    return conduct.allowed_until(request=request(at), facts=known, packs=PACKS, most=at + USUAL)


def allowed(at: datetime, known: conduct.Facts) -> bool:
    wanted = request(at)
    return (
        conduct.evaluate(request=wanted, facts=known, packs=PACKS, at=at).allowed
        and next(conduct.crowded(request=wanted, facts=known, packs=PACKS), None) is None
    )


def test_by_day_it_lasts_as_long_as_usual() -> None:
    assert until(MORNING, facts()) == MORNING + USUAL


def test_at_two_minutes_to_ten_it_ends_at_ten() -> None:
    assert until(EVENING, facts()) == EVENING + 2 * MINUTE


def test_with_consent_until_ten_past_it_lasts_into_the_night() -> None:
    consent = conduct.Consent(channel="call", hour_from=time(22), hour_to=time(22, 5))
    assert until(EVENING, facts(consents=(consent,))) == EVENING + 7 * MINUTE


def test_every_zone_that_the_point_may_be_in_ends_it() -> None:
    # 21:55 in Tokyo is 20:55 in Shanghai
    at = datetime(2026, 3, 9, 12, 55, tzinfo=UTC)
    assert until(at, facts(zones=("Asia/Shanghai", "Asia/Tokyo"))) == at + 5 * MINUTE


def test_the_wish_of_the_borrower_ends_it() -> None:
    at = MORNING + 57 * MINUTE
    assert until(at, facts(wish_hours=(8, 11))) == at + 3 * MINUTE


def test_a_rule_that_begins_today_ends_it() -> None:
    text = (
        "{pack: t, version: '1', rules: [{id: T, kind: recipients, citation: c, confidence: H, effective_from: 2026-03-10,"
        " zh: z, en: e, parameters: {allowed: [guarantor]}}]}"
    )
    pack = conduct.read_pack(text=text, where="t")
    at = datetime(2026, 3, 9, 23, 55, tzinfo=UTC)
    ends = conduct.allowed_until(request=request(at), facts=facts(), packs=[pack], most=at + USUAL)
    assert ends == datetime(2026, 3, 10, tzinfo=UTC)


def test_a_contact_that_is_granted_for_minutes_later_ends_it_when_the_count_is_full() -> None:
    known = facts(reserved(MORNING + 4 * MINUTE), contacts_per_week_max=1)
    # the other one was granted first: this one would crowd it out, so it is not allowed at all
    assert not allowed(MORNING, known)
    full = facts(reserved(MORNING + 4 * MINUTE), conduct.Contact(at=MORNING - WEEK + 6 * MINUTE, channel="sms", contact_point="q", result="delivered"), contacts_per_week_max=3)  # fmt: skip
    assert until(MORNING, full) == MORNING + USUAL


def test_a_contact_a_week_later_is_not_crowded_out_by_one_made_late() -> None:
    later = reserved(MORNING + WEEK + 3 * MINUTE)
    known = facts(later, contacts_per_week_max=1)
    assert allowed(MORNING, known)
    assert until(MORNING, known) == MORNING + 3 * MINUTE + LAST


def test_a_reserved_contact_leaves_the_window_only_when_it_can_no_longer_be_made() -> None:
    known = facts(reserved(MORNING), contacts_per_week_max=1)
    assert not allowed(MORNING + WEEK + 9 * MINUTE, known)
    assert allowed(MORNING + WEEK + 10 * MINUTE, known)


def test_no_leave_goes_beyond_the_debtors_day() -> None:
    consent = conduct.Consent(channel="*", hour_from=time(0), hour_to=time(0))
    at = datetime(2026, 3, 9, 15, 56, tzinfo=UTC)
    assert until(at, facts(consents=(consent,))) == at + 4 * MINUTE


def test_a_clock_that_is_put_forward_ends_it_in_time() -> None:
    # Berlin, 29 March 2026: 02:00 becomes 03:00; leave by consent ends at 02:30, an hour that does not come
    consent = conduct.Consent(channel="*", hour_from=time(1), hour_to=time(2, 30))
    at = datetime(2026, 3, 29, 0, 55, tzinfo=UTC)
    known = facts(zones=("Europe/Berlin",), home_zone="Europe/Berlin", consents=(consent,))
    assert until(at, known) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


MOMENTS = st.builds(
    lambda day, minute: datetime(2026, 3, 9, tzinfo=UTC) + timedelta(days=day, minutes=minute),
    st.integers(0, 9),
    st.one_of(st.integers(0, 14), st.integers(830, 845), st.integers(0, 1439)),
)
CONTACTS = st.lists(
    st.builds(
        lambda at, channel, minutes: conduct.Contact(
            at=at, channel=channel, contact_point="p", result=None if minutes else "conversation",
            until=at + minutes * MINUTE if minutes else None,
        ),
        MOMENTS, st.sampled_from(["call", "sms"]), st.sampled_from([0, 4, 10]),
    ),
    max_size=6,
).map(tuple)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    at=MOMENTS, contacts=CONTACTS, most=st.integers(1, 5),
    zones=st.sampled_from([("Asia/Shanghai",), ("Asia/Shanghai", "Asia/Tokyo")]),
    wish=st.sampled_from([None, (8, 9), (18, 22)]), inside=st.floats(0, 1, exclude_max=True),
)  # fmt: skip
def test_it_is_allowed_at_every_instant_of_its_life_and_no_longer(
    at: datetime, contacts: tuple[conduct.Contact, ...], most: int, zones: tuple[str, ...], wish: tuple[int, int] | None, inside: float
) -> None:  # fmt: skip
    known = facts(*contacts, zones=zones, wish_hours=wish, contacts_per_week_max=most)
    if not allowed(at, known):
        return
    ends = until(at, known)
    assert at < ends <= at + USUAL
    for moment in (ends - LAST, at + (ends - at) * inside):
        assert allowed(moment, known)
    if ends < at + USUAL:
        assert not allowed(ends, known)


def test_holds_that_stop_contact_are_denied_by_a_rule_in_force() -> None:
    for hold, status in conduct.STOPPING_HOLDS.items():
        assert conduct.status_of(hold) == status
        known = facts(statuses=frozenset({status}))
        assert not conduct.evaluate(request=request(MORNING), facts=known, packs=PACKS, at=MORNING).allowed
    kept = facts(statuses=frozenset({conduct.status_of("PROMISE")}))
    assert conduct.evaluate(request=request(MORNING), facts=kept, packs=PACKS, at=MORNING).allowed


def test_results_count_as_what_the_rules_know() -> None:
    known = {
        outcome for pack in PACKS for rule in pack.rules for outcome in rule.parameters.get("outcomes", ())
    }
    assert known <= set(conduct.RESULTS.values())
    assert set(conduct.SPOKEN) < set(conduct.RESULTS)


@pytest.mark.parametrize("end", [None, MORNING + 4 * MINUTE])
def test_what_is_reserved_survives_storage(end: datetime | None) -> None:
    known = facts(conduct.Contact(at=MORNING, channel="call", contact_point="p", until=end))
    assert conduct.Facts.from_dict(known.as_dict()) == known
