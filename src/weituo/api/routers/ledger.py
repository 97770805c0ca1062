from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router
from ninja.decorators import decorate_view

from weituo.api.auth import caller
from weituo.api.repeats import PARAMETER, repeatable
from weituo.api.schemas.base import answers
from weituo.api.schemas.ledger import RemittanceIn, RemittanceOut, StatementOut, StatementsOut
from weituo.domain.ledger import queries as ledger_queries
from weituo.domain.ledger import services as ledger
from weituo.foundation import clock
from weituo.foundation.errors import NotFound
from weituo.foundation.texts import worded

router = Router()


@router.post(
    "/remittances",
    operation_id="reportRemittance",
    summary="Report money paid by borrowers",
    response=answers(RemittanceOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def report_remittance(request: HttpRequest, payload: RemittanceIn) -> dict[str, Any]:
    """Report payments with a control total. They are booked, and commission accrues, when the bank line arrives."""
    remittance_id = ledger.report_remittance(
        actor=caller(request),
        sender_ref=payload.sender_ref,
        currency=payload.currency,
        lines=[ledger.RemittanceLine(**line.dict()) for line in payload.lines],
        total_minor=payload.total_minor,
        at=clock.now(),
    )
    return {
        "remittance_id": remittance_id,
        "sender_ref": payload.sender_ref,
        "lines": len(payload.lines),
        "total_minor": payload.total_minor,
        "currency": payload.currency,
    }


@router.get(
    "/statements",
    operation_id="listStatements",
    summary="My settlement statements",
    response=answers(StatementsOut),
)
def list_statements(request: HttpRequest) -> dict[str, Any]:
    """List the agency's own statements, the newest first."""
    return {"statements": ledger_queries.statements(caller(request))}


@router.post(
    "/statements/{statement_id}/agree",
    operation_id="agreeStatement",
    summary="Agree to a statement",
    response=answers(StatementOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def agree_statement(request: HttpRequest, statement_id: UUID) -> dict[str, Any]:
    """Agree to one of the agency's own statements; agreeing again changes nothing."""
    actor = caller(request)
    ledger.agree_statement(actor=actor, statement_id=statement_id, at=clock.now())
    found = ledger_queries.statements(actor, statement_id=statement_id)
    if not found:
        raise NotFound(what=worded("statement"))
    return found[0]
