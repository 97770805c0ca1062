"""One lender, one agency and a morning of work, told by acts: what the browser tests look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import pyrage

from weituo.domain.book import services as book
from weituo.domain.care import services as care
from weituo.domain.contact import services as contact
from weituo.domain.evaluation import services as evaluating
from weituo.domain.ledger import services as ledger
from weituo.domain.partners import services as partners
from weituo.domain.placement import answers, queries
from weituo.domain.placement import services as placement
from weituo.domain.plans import services as plans
from weituo.domain.sharing import services as sharing
from weituo.domain.tracking import services as tracking
from weituo.foundation import transactions
from weituo.foundation.audit import journal
from weituo.foundation.identity import enrolment, keys
from weituo.foundation.identity.roles import Role
from weituo.foundation.vault import store as vault

from tests.builders import actors
from tests.builders import evaluation as paid
from tests.builders import placement as build
from tests.builders.contact import MORNING, Bench, bench

PASSWORD = "correct horse battery"
#: sign-in name → role of the lender's people in the story
PEOPLE = {
    "lin": Role.VENDOR_MANAGER,
    "zhao": Role.COMPLIANCE,
    "sun": Role.FINANCE,
    "zhou": Role.CARE,
    "wu": Role.ANALYST,
    "chen": Role.ADMIN,
}
NIGHT = timedelta(hours=12, minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a test must know of the story to find its pages."""

    agency_id: UUID
    case_ref: str
    statement_id: UUID
    account_id: UUID
    borrower_id: UUID
    care_case_id: UUID
    plan_id: UUID
    package_id: UUID


def tell() -> Told:
    """Tell the story in the present database."""
    desk = bench(count=6)
    admin = actors.staff(Role.ADMIN, name="chen")
    _persons(desk)
    _lenders_people()
    enrolment.add_person(
        actor=admin, username="deng", name="Deng", role=Role.AGENCY_SUPERVISOR, password=PASSWORD, agency_id=desk.agency_id, at=MORNING,
    )  # fmt: skip
    keys.issue_key(actor=admin, agency_id=desk.agency_id, name="collection system", at=MORNING)
    _contacts(desk)
    statement_id = _money(desk)
    plan_id, package_id = _papers(desk)
    # one case leaves the package again: its agency must destroy it
    placement.recall(
        actor=actors.staff(name="lin"),
        placement_ids=[desk.cases[4].placement_id],
        reason="RETURNED_BY_AGENCY",
        at=MORNING + timedelta(hours=1),
    )
    placement.give_notice(
        actor=actors.staff(name="lin"),
        placement_ids=[desk.cases[3].placement_id],
        reason="NO_PROGRESS",
        at=MORNING,
    )
    care_case_id = care.open_case(
        actor=actors.borrower(desk.cases[5].borrower_id), kind="DISPUTE", reason="NOT_MY_DEBT", source="BORROWER_PAGE",
        account_id=desk.cases[5].account_id, text="我已经还过了", at=MORNING,
    )  # fmt: skip
    return Told(
        agency_id=desk.agency_id,
        case_ref=desk.cases[0].case_ref,
        statement_id=statement_id,
        account_id=desk.cases[0].account_id,
        borrower_id=desk.cases[0].borrower_id,
        care_case_id=care_case_id,
        plan_id=plan_id,
        package_id=package_id,
    )


def tell_of_placing() -> None:
    """A lender with candidates: one run approved, one solved and waiting, by a model of its own."""
    desk = build.desk(count=40, capacity=15)
    _lenders_people()
    for kind in ("SOLD", "DISPUTE"):
        book.place_hold(
            actor=actors.staff(Role.CARE), borrower_id=desk.borrowers[0], account_id=None, kind=kind, reason="told", at=MORNING
        )  # fmt: skip
    for code in ("ALPHA", "BETA"):
        partners.enter_group(
            actor=actors.staff(), agency_id=desk.agencies[code], group="Holding", reason="register", at=build.AT, active_from=build.AS_OF
        )  # fmt: skip
    partners.enter_conflict(
        actor=actors.staff(), agency_id=desk.agencies["ALPHA"], kind="BORROWER", subject=desk.borrowers[1].hex, reason="kin", at=build.AT,
        active_from=build.AS_OF,
    )  # fmt: skip
    first, _waiting = build.solved(hold_out=0.1), build.solved(seed=8, hold_out=0.1)
    build.answers_each(desk.agencies["BETA"])
    build.approved(first)
    _answers_of(desk.agencies["BETA"], run_id=first)


def _answers_of(agency_id: UUID, *, run_id: UUID) -> None:
    """Let an agency accept some offers, decline others, and object to a recall; the declined ones are placed again."""
    agency = actors.agency_system(agency_id)
    refs = [row["case_ref"] for row in answers.my_offers(agency)]
    placement.accept_placements(actor=agency, case_refs=refs[:4], at=build.AT)
    placement.decline_placements(actor=agency, case_refs=refs[4:6], reason="NO_CAPACITY", at=build.AT)
    placement.refill_run(actor=actors.staff(), run_id=run_id, at=build.AT)
    held = queries.placements_frame(agency)["placement_id"].to_list()[:2]
    placement.give_notice(
        actor=actors.staff(), placement_ids=[UUID(one) for one in held], reason="NO_PROGRESS", at=build.AT
    )
    [first, _second] = answers.my_notices(agency)
    placement.object_to_recall(
        actor=agency, case_refs=[first["case_ref"]], code="PROMISE_DUE", evidence_on=first["final_on"], evidence_minor=120_000, at=build.AT
    )  # fmt: skip


def tell_of_judging() -> None:
    """Two agencies with two months of booked money, compared."""
    paid.agencies(payers=(0.2, 0.4), count=30)
    _lenders_people()
    evaluating.evaluate(
        actor=actors.staff(Role.COMPLIANCE, name="zhao"), period_from=date(2026, 1, 1), period_to=date(2026, 5, 1), at=MORNING + timedelta(days=60)
    )  # fmt: skip


def _lenders_people() -> None:
    for username, role in PEOPLE.items():
        enrolment.add_person(
            actor=actors.staff(Role.ADMIN, name="chen"),
            username=username,
            name=username.title(),
            role=role,
            password=PASSWORD,
            at=MORNING,
        )


def _persons(desk: Bench) -> None:
    with transactions.transaction(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute(
            "SELECT id, subject_id FROM book_borrower WHERE id = ANY(%s)",
            [[case.borrower_id for case in desk.cases]],
        )
        vault.put(
            vault.Person(
                subject_id=subject,
                fields={
                    "name": [f"张{number:05d}"],
                    "phone": [f"1990000{number:04d}"],
                    "address": ["某省某市1号"],
                },
            )
            for number, (_borrower, subject) in enumerate(cursor.fetchall())
        )
        cursor.execute(
            "UPDATE partners_agreement SET fields_allowed = '{name,phone,balance,product,past_due_since}' WHERE agency_id = %s",
            [desk.agency_id],
        )
        cursor.execute(
            "UPDATE partners_agency SET name_zh = '诚信催收', name_en = 'Chengxin Collections' WHERE id = %s",
            [desk.agency_id],
        )
        journal.write(actor=actors.worker(), at=MORNING, act="test.persons", entries=[])


def _contacts(desk: Bench) -> None:
    agency = actors.agency_system(desk.agency_id)

    def ask(number: int, offset: timedelta) -> contact.PermitAnswer:
        request = contact.PermitRequest(
            case_ref=desk.cases[number].case_ref, badge=desk.badge, contact_point_id=desk.point(number), channel="VOICE",
            purpose="COLLECT", planned_at=MORNING + offset,
        )  # fmt: skip
        return contact.ask_permits(actor=agency, requests=[request], at=MORNING)[0]

    def report(number: int, *, permit_id: UUID | None, result: str) -> None:
        contact.log_attempts(
            actor=agency,
            attempts=[
                contact.AttemptReport(
                    sender_ref=f"S-{number}", case_ref=desk.cases[number].case_ref, contact_point_id=desk.point(number), channel="VOICE",
                    made_at=MORNING, result=result, permit_id=permit_id, duration_s=120,
                )
            ],
            at=MORNING + timedelta(minutes=1),
        )  # fmt: skip

    ask(0, timedelta())
    ask(1, NIGHT)
    report(2, permit_id=ask(2, timedelta()).permit_id, result="PROMISE")
    report(3, permit_id=None, result="UNANSWERED")
    tracking.record_promises(
        actor=agency,
        promises=[
            tracking.PromiseReport(
                sender_ref="P-1", case_ref=desk.cases[2].case_ref, amount_minor=50_000, currency="CNY", made_at=MORNING,
                due_on=date(2026, 3, 12),
            )
        ],
        at=MORNING,
    )  # fmt: skip


def _money(desk: Bench) -> UUID:
    finance = actors.staff(Role.FINANCE, name="sun")
    paid.pay(desk.agency_id, desk.cases[:2])
    ledger.book_remittances(actor=finance, at=MORNING)
    return ledger.draw_statement(
        actor=finance, agency_id=desk.agency_id, period_from=date(2026, 3, 1), period_to=date(2026, 3, 9), at=MORNING
    )  # fmt: skip


def _papers(desk: Bench) -> tuple[UUID, UUID]:
    manager = actors.staff(name="lin")
    plan_id = plans.draft_plan(
        actor=manager, agency_id=desk.agency_id, active_from=date(2026, 3, 1), active_to=None,
        targets={"M2": (300, 700, 1100, 1400), "M3": (200, 450, 700, 900)},
        milestones=[{"title_zh": "培训全部催收员", "title_en": "Train every collector", "owner": "AGENCY", "due_on": date(2026, 4, 1)}],
        at=MORNING,
    )  # fmt: skip
    plans.sign_as_lender(actor=manager, plan_id=plan_id, at=MORNING)
    identity = pyrage.x25519.Identity.generate()
    sharing.register_recipient(
        actor=manager, agency_id=desk.agency_id, public_key=str(identity.to_public()), at=MORNING
    )
    with transactions.reading(actors.worker()), transactions.connection().cursor() as cursor:
        cursor.execute("SELECT run_id FROM placement_placement WHERE id = %s", [desk.cases[0].placement_id])
        [run_id] = cursor.fetchone()
    package_id = sharing.build_package(actor=manager, agency_id=desk.agency_id, run_id=run_id, at=MORNING)
    return plan_id, package_id
