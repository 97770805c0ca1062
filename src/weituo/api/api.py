"""The REST API for agencies' systems: built here, routed in routers/, spoken in schemas/."""

from __future__ import annotations

from ninja import NinjaAPI

from weituo.api import errors
from weituo.api.auth import ApiKey

api = NinjaAPI(title="Weituo", version="1", auth=ApiKey(), urls_namespace="api", docs_url=None)
errors.register(api)
