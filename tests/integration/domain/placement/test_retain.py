"""Keeping placements past their term, within the lender's terms; else they expire."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from weituo.domain.placement import answers, errors, queries, services
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import placement as build

LIN = actors.staff(name="lin")
#: the term of six months from 2 March
END = date(2026, 9, 2)
LATE = datetime.fromisoformat("2026-09-01T10:00+08:00")


def placed() -> list[UUID]:
    """Placements of one approved run."""
    build.desk(count=4)
    build.approved(build.solved(exploration=0))
    return build.placement_ids()


def keep(
    ids: list[UUID], until: date, *, at: datetime = LATE, reason: str = "instalments are being paid"
) -> int:
    """Extend as Lin."""
    return services.retain(actor=LIN, placement_ids=ids, term_to=until, reason=reason, at=at)


def test_an_extended_placement_outlives_its_term(db: str) -> None:
    ids = placed()
    assert keep(ids[:2], date(2026, 11, 2)) == 2
    assert services.expire_placements(actor=LIN, at=LATE + timedelta(days=2)) == 2
    assert [str(queries.placement(LIN, placement_id=one)["state"]) for one in ids] == [
        "ACTIVE",
        "ACTIVE",
        "EXPIRED",
        "EXPIRED",
    ]
    [kept, began] = answers.history(LIN, placement_id=ids[0])
    assert (kept["what"], kept["day"], kept["text"]) == (
        "RETAINED",
        date(2026, 11, 2),
        "instalments are being paid",
    )
    assert began["what"] == "PLACED"
    assert services.expire_placements(actor=LIN, at=datetime.fromisoformat("2026-11-02T00:00+08:00")) == 2


def test_the_terms_bound_how_often_and_how_far(db: str) -> None:
    ids = placed()
    with pytest.raises(errors.NotRetainable):
        keep(ids, date(2026, 12, 3))
    with pytest.raises(errors.NotRetainable):
        keep(ids, END)
    with pytest.raises(errors.RetentionRefused):
        keep(ids, date(2026, 10, 2), reason=" ")
    keep(ids[:1], date(2026, 12, 2))
    keep(ids[:1], date(2027, 3, 2))
    with pytest.raises(errors.NotRetainable) as caught:
        keep(ids[:1], date(2027, 4, 2))
    assert "2" in str(caught.value)
    with pytest.raises(NotAllowed):
        services.retain(
            actor=actors.staff(Role.ANALYST),
            placement_ids=ids,
            term_to=date(2026, 10, 2),
            reason="x",
            at=LATE,
        )


def test_what_has_ended_or_is_under_notice_is_not_extended(db: str) -> None:
    ids = placed()
    services.give_notice(actor=LIN, placement_ids=ids[:1], reason="NO_PROGRESS", at=LATE)
    services.recall(actor=LIN, placement_ids=ids[1:2], reason="CONDUCT", at=LATE)
    for one in ids[:2]:
        with pytest.raises(errors.NotRetainable):
            keep([one], date(2026, 10, 2))
    with pytest.raises(errors.NotRetainable):
        keep(ids[2:], date(2026, 10, 2), at=datetime.fromisoformat("2026-09-02T00:00+08:00"))
