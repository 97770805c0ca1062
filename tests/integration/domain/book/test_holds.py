"""Holds put in force and ended by hand."""

from __future__ import annotations

import pytest

from weituo.domain.book import services
from weituo.domain.book.errors import HoldStands
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders.ledger import AT, placed_accounts

HE = actors.staff(Role.CARE, name="he")


def test_a_form_sent_twice_holds_once_and_an_ended_hold_may_come_again(db: str) -> None:
    case = placed_accounts()[0]

    def place(kind: str = "VULNERABLE") -> object:
        return services.place_hold(
            actor=HE, borrower_id=case.borrower_id, account_id=None, kind=kind, reason="ill", at=AT
        )

    hold = place()
    with pytest.raises(HoldStands):
        place()
    place("HARDSHIP")
    services.release_hold(actor=HE, hold_id=hold, reason="well again", at=AT)  # type: ignore[arg-type]
    assert place() != hold
