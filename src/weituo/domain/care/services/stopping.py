"""Stop everywhere: one act after which nobody contacts a borrower, whatever account, agency or channel."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from weituo.domain.book import services as book
from weituo.domain.care import queries
from weituo.domain.care.errors import AlreadyStopped
from weituo.foundation.acts import act, note
from weituo.foundation.errors import BadInput, NotFound
from weituo.foundation.tenancy.actors import Actor
from weituo.foundation.texts import worded


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What a stop reached: open accounts, active placements, agencies that hold them, permits taken back."""

    accounts: int
    placements: int
    agencies: int
    permits: int


@act("care.stop_everywhere", permission="care.stop_everywhere")
def stop_everywhere(*, actor: Actor, borrower_id: UUID, reason: str, at: datetime) -> Stopped:
    """Stop every contact with a borrower by a hold over all accounts; granted permits are void in the same transaction.

    Raises `BadInput` without a reason, `NotFound`, `AlreadyStopped`.
    """
    if not reason.strip():
        raise BadInput(problem=worded("a reason is needed"), where="reason")
    reach = queries.reach(actor, borrower_id=borrower_id, at=at)
    if reach is None:
        raise NotFound(what=worded("borrower"))
    if reach["stopped_since"] is not None:
        raise AlreadyStopped(where=str(borrower_id))
    book.add_hold(
        borrower_id=borrower_id,
        account_id=None,
        kind="CEASED",
        reason=reason.strip(),
        source="care:stop",
        at=at,
    )
    stopped = Stopped(**{key: reach[key] for key in ("accounts", "placements", "agencies", "permits")})
    note(what="borrower", ref=borrower_id, reason=reason.strip(), **asdict(stopped))
    return stopped
