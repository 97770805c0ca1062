"""The REST API for agencies' systems: built here, routed in routers/, spoken in schemas/."""

from __future__ import annotations

from ninja import NinjaAPI

from weituo.api import errors
from weituo.api.auth import ApiKey
from weituo.api.routers import answers, care, contact, ledger, me, placement, plans, sharing, tracking

api = NinjaAPI(
    title="Weituo",
    version="1",
    description="What an agency's system may do: read its own cases, ask leave for contacts, report contacts, promises and money.",
    auth=ApiKey(),
    urls_namespace="api",
    docs_url=None,
)
errors.register(api)
api.add_router("", me.router, tags=["agency"])
api.add_router("", placement.router, tags=["cases"])
api.add_router("", answers.router, tags=["offers and recalls"])
api.add_router("", sharing.router, tags=["sharing"])
api.add_router("", plans.router, tags=["plan"])
api.add_router("", contact.router, tags=["contact"])
api.add_router("", tracking.router, tags=["promises"])
api.add_router("", ledger.router, tags=["money"])
api.add_router("", care.router, tags=["care"])
