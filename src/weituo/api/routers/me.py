from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from weituo.api.auth import caller
from weituo.api.schemas.base import answers
from weituo.api.schemas.me import MeOut
from weituo.domain.contact import queries as contact
from weituo.foundation import clock, days

router = Router()


@router.get("/me", operation_id="getMe", summary="Who am I", response=answers(MeOut))
def get_me(request: HttpRequest) -> dict[str, Any]:
    """Give the agency behind the key, its registered collectors and the server's clock."""
    actor = caller(request)
    return contact.my_agency(actor, on=days.day_of(clock.now())) | {
        "now": clock.now(),
        "permissions": sorted(actor.permissions),
    }
