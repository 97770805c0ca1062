"""The engine room: a PostgreSQL server of this installation's own, for demonstrations, development and tests.

Production uses the operator's PostgreSQL. Here the programs of a wheel (or of any folder named by WEITUO_PG_BIN)
are driven directly: never as root, on 127.0.0.1 only, with a random password kept under WEITUO_HOME.
"""

from __future__ import annotations
