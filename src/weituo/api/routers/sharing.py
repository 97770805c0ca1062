from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpRequest
from ninja import Router
from ninja.decorators import decorate_view

from weituo.api.auth import caller
from weituo.api.repeats import PARAMETER, repeatable
from weituo.api.schemas.base import answers
from weituo.api.schemas.sharing import (
    DestroyedIn,
    DestructionOut,
    DestructionsOut,
    PackageOut,
    PackagesOut,
    ReceiptIn,
)
from weituo.domain.sharing import queries
from weituo.domain.sharing import services as sharing
from weituo.foundation import clock

router = Router()
#: the answer is the encrypted file itself
FILE = {
    "responses": {
        200: {
            "description": "the encrypted file (age, X25519)",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


@router.get("/packages", operation_id="listPackages", summary="My packages", response=answers(PackagesOut))
def list_packages(request: HttpRequest) -> dict[str, Any]:
    """List the agency's own encrypted packages, the newest first."""
    return {"packages": queries.packages(caller(request))}


@router.get(
    "/packages/{package_id}/file",
    operation_id="getPackageFile",
    summary="The encrypted file of a package",
    response=answers(bytes),
    openapi_extra=FILE,
)
def get_package_file(request: HttpRequest, package_id: UUID) -> FileResponse:
    """Send the file as it lies, encrypted for the agency's registered key; every collection is logged.

    Inside: a ZIP of `cases.jsonl` (one case a line) and `manifest.json` (fields, control totals, digest, agreement).
    """
    path = sharing.hand_over(actor=caller(request), package_id=package_id, at=clock.now())
    response = FileResponse(
        path.open("rb"), as_attachment=True, filename=path.name, content_type="application/octet-stream"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post(
    "/packages/{package_id}/acknowledge",
    operation_id="acknowledgePackage",
    summary="Confirm that a package arrived whole",
    response=answers(PackageOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def acknowledge_package(request: HttpRequest, package_id: UUID, payload: ReceiptIn) -> dict[str, Any]:
    """Confirm with the digest of the file and the totals counted inside; any difference is refused and named."""
    actor = caller(request)
    sharing.acknowledge_package(
        actor=actor,
        package_id=package_id,
        digest=payload.digest,
        cases=payload.cases,
        balance_minor=payload.balance_minor,
        at=clock.now(),
    )
    return queries.package(actor, package_id=package_id)


@router.get(
    "/destructions",
    operation_id="listDestructions",
    summary="What must be destroyed",
    response=answers(DestructionsOut),
)
def list_destructions(request: HttpRequest) -> dict[str, Any]:
    """List the cases that were taken back after their facts had been given, the unconfirmed first."""
    return {"destructions": queries.destructions(caller(request))}


@router.post(
    "/destructions/{destruction_id}/confirm",
    operation_id="confirmDestruction",
    summary="Confirm that cases are destroyed",
    response=answers(DestructionOut),
    openapi_extra=PARAMETER,
)
@decorate_view(repeatable)
def confirm_destruction(request: HttpRequest, destruction_id: UUID, payload: DestroyedIn) -> dict[str, Any]:
    """Confirm that every copy of the named cases is destroyed, with their number; another number is refused."""
    actor = caller(request)
    sharing.confirm_destruction(
        actor=actor, destruction_id=destruction_id, cases=payload.cases, at=clock.now()
    )
    return next(row for row in queries.destructions(actor) if row["id"] == destruction_id)
