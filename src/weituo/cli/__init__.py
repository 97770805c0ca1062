"""The command line: the same acts and queries as the console and the API."""

from __future__ import annotations

from weituo.cli.face import main

__all__ = ["main"]
