"""Money in: remittance claims, bank lines, payments, commission; balanced by the database itself."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import polars as pl
import pytest
from django.db import DatabaseError, connections

from weituo.domain.book import queries as book
from weituo.domain.ledger import errors, queries, services
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.errors import NotAllowed
from weituo.foundation.identity.roles import Role

from tests.builders import actors
from tests.builders import ledger as build

AT = build.AT
FINANCE = Role.FINANCE


def remit(
    placed: list[build.Placed], amounts: list[int], *, ref: str = "R1", bank: bool = True, day: int = 5
) -> None:
    """Report a remittance as the agency, let the bank line arrive, and book."""
    lines = [
        services.RemittanceLine(
            case_ref=row.case_ref,
            amount_minor=amount,
            paid_on=build.day(day),
            method="TRANSFER",
            bank_ref=f"{ref}-{number}",
        )
        for number, (row, amount) in enumerate(zip(placed, amounts, strict=True))
    ]
    services.report_remittance(
        actor=actors.agency_system(placed[0].agency_id),
        sender_ref=ref,
        currency="CNY",
        lines=lines,
        total_minor=sum(amounts),
        at=build.REPORTED,
    )
    if bank:
        services.receive_bank_lines(
            actor=actors.staff(FINANCE), lines=bank_line(ref, sum(amounts), day=day), at=AT
        )


def bank_line(ref: str, amount: int, *, day: int = 5) -> pl.DataFrame:
    """One line of the lender's bank account."""
    return pl.DataFrame(
        {
            "reference": [ref],
            "booked_on": [build.day(day)],
            "amount_minor": [amount],
            "currency": ["CNY"],
            "remittance_text": [""],
        }
    )


def by_kind() -> dict[tuple[str, str], int]:
    return {
        (row.kind, row.component): row.balance_minor for row in queries.trial_balance(actors.staff(FINANCE))
    }


def test_a_payment_follows_the_waterfall_and_earns_commission(db: str) -> None:
    placed = build.placed_accounts(count=1)
    finance = actors.staff(FINANCE)
    assert services.open_book(actor=finance, at=AT) == 1
    remit(placed, [10_000])
    assert services.book_remittances(actor=finance, at=AT) == 1
    assert by_kind() == {
        ("BANK", ""): 10_000,
        ("COMMISSION_EXPENSE", ""): 2_000,
        ("COMMISSION_PAYABLE", ""): -2_000,
        ("PLACED_BOOK", ""): -102_500,
        ("RECEIVABLE", "fee"): 0,
        ("RECEIVABLE", "interest"): 0,
        ("RECEIVABLE", "principal"): 92_500,
        ("SUSPENSE", ""): 0,
    }
    [account] = book.accounts_frame(finance, on=build.day(6)).to_dicts()
    assert (account["balance_minor"], account["fee_minor"], account["interest_minor"]) == (92_500, 0, 0)
    assert queries.check(finance) == []


def test_money_beyond_the_debt_stays_in_suspense_without_commission(db: str) -> None:
    placed = build.placed_accounts(count=1, principal=1_000, interest=0, fee=0)
    finance = actors.staff(FINANCE)
    services.open_book(actor=finance, at=AT)
    remit(placed, [1_500], ref="R1")
    remit(placed, [200], ref="R2", day=6)
    assert services.book_remittances(actor=finance, at=AT) == 2
    figures = by_kind()
    assert (
        figures["SUSPENSE", ""],
        figures["COMMISSION_EXPENSE", ""],
        figures["RECEIVABLE", "principal"],
    ) == (-700, 200, 0)
    assert queries.check(finance) == []


def test_a_claim_without_its_bank_line_is_not_booked(db: str) -> None:
    placed = build.placed_accounts(count=1)
    finance = actors.staff(FINANCE)
    services.open_book(actor=finance, at=AT)
    remit(placed, [10_000], bank=False)
    services.receive_bank_lines(actor=finance, lines=bank_line("R1", 9_999), at=AT)
    assert services.book_remittances(actor=finance, at=AT) == 0
    assert queries.payments_frame(finance).is_empty()


def test_repeats_change_nothing(db: str) -> None:
    placed = build.placed_accounts(count=2)
    finance = actors.staff(FINANCE)
    for _ in range(2):
        services.open_book(actor=finance, at=AT)
        remit(placed, [10_000, 5_000])
        services.book_remittances(actor=finance, at=AT)
    assert queries.payments_frame(finance)["amount_minor"].sum() == 15_000
    assert queries.check(finance) == []


def test_a_reference_used_again_for_other_money_is_refused(db: str) -> None:
    placed = build.placed_accounts(count=1)
    remit(placed, [10_000], bank=False)
    with pytest.raises(errors.KeyReused):
        remit(placed, [10_001], bank=False)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"total_minor": 1}, "total_minor"),
        ({"amount": 0}, "lines[1].amount_minor"),
        ({"case_ref": "C-unknown"}, "lines[1].case_ref"),
        ({"currency": "USD"}, "lines[1].currency"),
    ],
)
def test_bad_remittances_are_refused_whole_and_say_where(
    db: str, change: dict[str, object], where: str
) -> None:
    [placed] = build.placed_accounts(count=1)
    amount = int(change.get("amount", 100))  # type: ignore[call-overload]
    line = services.RemittanceLine(
        case_ref=str(change.get("case_ref", placed.case_ref)),
        amount_minor=amount,
        paid_on=build.day(5),
        method="TRANSFER",
        bank_ref="b",
    )
    with pytest.raises((errors.RemittanceRefused, errors.NotYourPlacement)) as caught:
        services.report_remittance(
            actor=actors.agency_system(placed.agency_id),
            sender_ref="R",
            currency=str(change.get("currency", "CNY")),
            lines=[line],
            total_minor=int(change.get("total_minor", amount)),
            at=build.REPORTED,
        )  # type: ignore[call-overload]
    assert caught.value.where == where
    assert queries.remittances(actors.staff(FINANCE)) == []


def test_an_agency_cannot_remit_for_another_agencys_case(db: str) -> None:
    [own] = build.placed_accounts(count=1)
    [other] = build.placed_accounts(count=1)
    line = services.RemittanceLine(
        case_ref=other.case_ref, amount_minor=1, paid_on=build.day(5), method="TRANSFER", bank_ref="b"
    )
    with pytest.raises(errors.NotYourPlacement):
        services.report_remittance(
            actor=actors.agency_system(own.agency_id),
            sender_ref="R",
            currency="CNY",
            lines=[line],
            total_minor=1,
            at=build.REPORTED,
        )


def test_an_unbalanced_entry_cannot_be_committed(db: str) -> None:
    build.placed_accounts(count=1)
    services.open_book(actor=actors.staff(FINANCE), at=AT)
    with (
        pytest.raises(DatabaseError, match="is not balanced: CNY 1"),
        transactions.transaction(actors.worker()),
    ):
        with transactions.connection().cursor() as cursor:
            cursor.execute(
                "INSERT INTO ledger_entry (booked_at, value_on, reason, idempotency_key, input_digest) VALUES (now(), now(), 'X', 'k', '') RETURNING id"
            )
            [entry] = cursor.fetchone()
            cursor.execute("SELECT id FROM ledger_account ORDER BY id LIMIT 1")
            [account] = cursor.fetchone()
            cursor.execute(
                "INSERT INTO ledger_leg (entry_id, ledger_account_id, amount_minor, currency) VALUES (%s, %s, 100, 'CNY'), (%s, %s, -99, 'CNY')",
                [entry, account, entry, account],
            )
        journal.write(actor=actors.worker(), at=AT, act="test", entries=[])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_leg SET amount_minor = amount_minor + 1",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_payment CASCADE",
    ],
)
def test_booked_rows_are_never_changed_even_by_the_owner(db: str, statement: str) -> None:
    build.placed_accounts(count=1)
    services.open_book(actor=actors.staff(FINANCE), at=AT)
    with (
        connections["owner"].cursor() as cursor,
        pytest.raises(DatabaseError, match="never changed or deleted|foreign key"),
    ):
        cursor.execute(statement)


def test_legs_cannot_be_added_to_a_booked_entry(db: str) -> None:
    build.placed_accounts(count=1)
    services.open_book(actor=actors.staff(FINANCE), at=AT)
    with (
        pytest.raises(DatabaseError, match="is booked; correct it with another entry"),
        transactions.transaction(actors.worker()),
    ):
        with transactions.connection().cursor() as cursor:
            cursor.execute(
                "INSERT INTO ledger_leg (entry_id, ledger_account_id, amount_minor, currency) SELECT entry_id, ledger_account_id, 1, 'CNY' FROM ledger_leg LIMIT 1"
            )


def test_a_reversed_payment_restores_the_debt_and_claws_the_commission_back(db: str) -> None:
    placed = build.placed_accounts(count=1)
    finance = actors.staff(FINANCE)
    services.open_book(actor=finance, at=AT)
    before = by_kind()
    remit(placed, [10_000])
    services.book_remittances(actor=finance, at=AT)
    payment = UUID(queries.payments_frame(finance)["payment_id"][0])
    services.reverse_payment(
        actor=finance, payment_id=payment, reason="bank returned it", at=AT + timedelta(days=1)
    )
    after = by_kind()
    assert {
        key: value
        for key, value in after.items()
        if key[0] in {"RECEIVABLE", "COMMISSION_EXPENSE", "COMMISSION_PAYABLE"} and value
    } == {key: value for key, value in before.items() if key[0] == "RECEIVABLE"}
    assert queries.check(finance) == []
    with pytest.raises(Exception, match="already_reversed|reversed before"):
        services.reverse_payment(actor=finance, payment_id=payment, reason="again", at=AT)


def test_settlement_needs_the_agency_and_two_persons(db: str) -> None:
    placed = build.placed_accounts(count=3)
    lin, wang = actors.staff(FINANCE, name="lin"), actors.staff(FINANCE, name="wang")
    services.open_book(actor=lin, at=AT)
    remit(placed, [10_000, 20_000, 30_000])
    services.book_remittances(actor=lin, at=AT)
    period = {"period_from": build.day(1), "period_to": build.day(31)}
    statement = services.draw_statement(actor=lin, agency_id=placed[0].agency_id, at=AT, **period)
    assert services.draw_statement(actor=lin, agency_id=placed[0].agency_id, at=AT, **period) == statement
    with pytest.raises(errors.StatementNotReady):
        services.approve_statement(actor=wang, statement_id=statement, at=AT)
    services.agree_statement(actor=actors.agency_system(placed[0].agency_id), statement_id=statement, at=AT)
    with pytest.raises(errors.SecondPersonNeeded):
        services.approve_statement(actor=lin, statement_id=statement, at=AT)
    services.approve_statement(actor=wang, statement_id=statement, at=AT)
    [row] = queries.statements(lin)
    assert (row["state"], row["payments"], row["commission_minor"]) == ("PAID", 3, 12_000)
    assert by_kind()["COMMISSION_PAYABLE", ""] == 0
    with pytest.raises(errors.NothingToSettle):
        services.draw_statement(
            actor=lin,
            agency_id=placed[0].agency_id,
            period_from=build.day(31),
            period_to=build.day(31) + timedelta(days=30),
            at=AT,
        )
    assert queries.check(lin) == []


def test_an_agency_cannot_write_figures_into_its_statement(db: str) -> None:
    placed = build.placed_accounts(count=1)
    finance = actors.staff(FINANCE)
    services.open_book(actor=finance, at=AT)
    remit(placed, [10_000])
    services.book_remittances(actor=finance, at=AT)
    services.draw_statement(
        actor=finance, agency_id=placed[0].agency_id, period_from=build.day(1), period_to=build.day(31), at=AT
    )
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transactions.transaction(actors.agency_system(placed[0].agency_id)),
    ):
        with transactions.connection().cursor() as cursor:
            cursor.execute("UPDATE ledger_statement SET commission_minor = 1000000")


def test_in_house_costs_and_direct_payments_stand_in_the_same_books(db: str) -> None:
    placed = build.placed_accounts(count=1)
    finance = actors.staff(FINANCE)
    services.open_book(actor=finance, at=AT)
    for expected in (True, False):
        assert (
            services.record_cost(
                actor=finance,
                reference="2026-03",
                amount_minor=4_200,
                currency="CNY",
                value_on=build.day(31),
                at=AT,
            )
            is expected
        )
    direct = pl.DataFrame(
        {
            "reference": ["D1"],
            "account_id": [str(placed[0].account_id)],
            "amount_minor": [300_000],
            "currency": ["CNY"],
            "paid_on": [build.day(9)],
            "method": ["TRANSFER"],
        }
    )
    assert services.book_direct_payments(actor=finance, payments=direct, at=AT) == 1
    assert services.book_direct_payments(actor=finance, payments=direct, at=AT) == 0
    figures = by_kind()
    assert (figures["COLLECTION_COST", ""], figures["BANK", ""], figures["SUSPENSE", ""]) == (
        4_200,
        300_000,
        -197_500,
    )
    assert ("COMMISSION_EXPENSE", "") not in figures
    assert queries.check(finance) == []


def test_only_finance_books(db: str) -> None:
    with pytest.raises(NotAllowed):
        services.book_remittances(actor=actors.staff(Role.ANALYST), at=AT)
