"""The one table: event → what other rooms do, in the same transaction (law-critical) or after commit (leaves the process)."""

from __future__ import annotations

from weituo.foundation.events import react

__all__ = ["react"]
