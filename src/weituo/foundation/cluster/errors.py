"""Refusals of the cluster."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict


class EngineUnknown(BadInput):
    """“%(engine)s” names no engine."""

    code = "engine_unknown"
    remedy = "Set WEITUO_ENGINE to spark://host:port, yarn, k8s://… or local[cores], or unset it to work in this process."


class EngineIncomplete(Conflict):
    """The engine %(engine)s needs %(missing)s, which is not installed here."""

    code = "engine_incomplete"
    remedy = "Install it: %(install)s"


class EngineAway(Conflict):
    """The engine %(engine)s cannot be reached."""

    code = "engine_away"
    remedy = "Start it, or unset WEITUO_ENGINE to work in this process."
