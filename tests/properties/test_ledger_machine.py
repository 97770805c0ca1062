"""The ledger as a machine: whatever is remitted, paid directly, reversed, settled or repeated, the books balance and agree."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from weituo.domain.book import queries as book
from weituo.domain.ledger import errors, queries, services
from weituo.domain.ledger.services.reversal import AlreadyReversed
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import ledger as build

AT = build.AT
FINANCE = actors.staff(Role.FINANCE)
SECOND = actors.staff(Role.FINANCE, name="wang")
OWED = 102_500
AMOUNTS = st.integers(1, 150_000)


class LedgerMachine(RuleBasedStateMachine):
    """Three accounts with one agency; a model that only adds and subtracts runs beside the real ledger."""

    @initialize()
    def begin(self) -> None:
        self.placed = build.placed_accounts(count=3)
        services.open_book(actor=FINANCE, at=AT)
        self.number = 0
        self.received = dict.fromkeys((one.account_id for one in self.placed), 0)
        self.agency = actors.agency_system(self.placed[0].agency_id)
        self.day = 1

    def _ref(self) -> str:
        self.number += 1
        return f"{self.placed[0].agency_id.hex}-{self.number}"

    @rule(amounts=st.lists(AMOUNTS, min_size=1, max_size=3), repeated=st.booleans(), banked=st.booleans())
    def remit(self, amounts: list[int], repeated: bool, banked: bool) -> None:
        ref = self._ref()
        lines = [
            services.RemittanceLine(
                case_ref=one.case_ref, amount_minor=amount, paid_on=build.day(5), method="TRANSFER", bank_ref=f"{ref}-{n}"
            )
            for n, (one, amount) in enumerate(zip(self.placed, amounts, strict=False))
        ]  # fmt: skip
        for _ in range(1 + repeated):
            services.report_remittance(
                actor=self.agency,
                sender_ref=ref,
                currency="CNY",
                lines=lines,
                total_minor=sum(amounts),
                at=build.REPORTED,
            )
            if banked:
                services.receive_bank_lines(actor=FINANCE, lines=build.bank_line(ref, sum(amounts)), at=AT)
        booked = [services.book_remittances(actor=FINANCE, at=AT) for _ in range(1 + repeated)]
        assert booked == [len(lines) * banked, 0][: 1 + repeated]
        if banked:
            for one, amount in zip(self.placed, amounts, strict=False):
                self.received[one.account_id] += amount

    @rule(which=st.integers(0, 2), amount=AMOUNTS, repeated=st.booleans())
    def pay_directly(self, which: int, amount: int, repeated: bool) -> None:
        account = self.placed[which].account_id
        frame = pl.DataFrame(
            {
                "reference": [self._ref()], "account_id": [str(account)], "amount_minor": [amount], "currency": ["CNY"],
                "paid_on": [build.day(6)], "method": ["TRANSFER"],
            }
        )  # fmt: skip
        for turn in range(1 + repeated):
            assert services.book_direct_payments(actor=FINANCE, payments=frame, at=AT) == 1 - turn
        self.received[account] += amount

    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        standing = self._payments()
        if standing.is_empty():
            return
        row = data.draw(st.sampled_from(standing.to_dicts()))
        services.reverse_payment(actor=FINANCE, payment_id=UUID(row["payment_id"]), reason="BOUNCED", at=AT)
        with pytest.raises(AlreadyReversed):
            services.reverse_payment(
                actor=FINANCE, payment_id=UUID(row["payment_id"]), reason="BOUNCED", at=AT
            )
        self.received[UUID(row["account_id"])] -= row["amount_minor"]

    @precondition(lambda self: self.day < 25)
    @rule()
    def settle(self) -> None:
        period = (date(2026, 3, self.day), date(2026, 3, self.day + 1))
        self.day += 1
        try:
            statement = services.draw_statement(
                actor=FINANCE, agency_id=self.agency.agency_id, period_from=period[0], period_to=date(2026, 4, 1), at=AT
            )  # fmt: skip
        except errors.NothingToSettle:
            return
        services.agree_statement(actor=self.agency, statement_id=statement, at=AT)
        with pytest.raises(errors.SecondPersonNeeded):
            services.approve_statement(actor=FINANCE, statement_id=statement, at=AT)
        services.approve_statement(actor=SECOND, statement_id=statement, at=AT)
        with pytest.raises(errors.StatementNotReady):
            services.approve_statement(actor=SECOND, statement_id=statement, at=AT)

    def _payments(self) -> pl.DataFrame:
        mine = [str(one.account_id) for one in self.placed]
        return queries.payments_frame(FINANCE).filter(pl.col("account_id").is_in(mine))

    @invariant()
    def books_balance(self) -> None:
        balances = queries.trial_balance(FINANCE)
        assert sum(one.balance_minor for one in balances) == 0
        assert queries.check(FINANCE) == []

    @invariant()
    def payments_that_stand_are_the_money_received(self) -> None:
        if not hasattr(self, "placed"):
            return
        stands: dict[Any, int] = dict.fromkeys(self.received, 0)
        applied: dict[Any, int] = dict.fromkeys(self.received, 0)
        for row in self._payments().to_dicts():
            stands[UUID(row["account_id"])] += row["amount_minor"]
            applied[UUID(row["account_id"])] += row["applied_minor"]
        assert stands == self.received
        frame = book.accounts_frame(
            FINANCE, on=date(2026, 3, 1), account_ids=[str(one.account_id) for one in self.placed]
        )
        owed = {UUID(str(row["account_id"])): row["balance_minor"] for row in frame.to_dicts()}
        assert owed == {account: OWED - applied[account] for account in owed}
        assert all(0 <= balance <= OWED for balance in owed.values())


@pytest.mark.slow
def test_the_ledger_balances_whatever_happens(db: str) -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
