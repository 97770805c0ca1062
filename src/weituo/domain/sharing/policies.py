"""Who may do and see what in this room: permission → roles."""

from __future__ import annotations

from weituo.foundation.identity import roles

roles.declare({})
