"""python -m weituo.foundation.engine start|stop|status [--home FOLDER]"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from weituo.foundation.engine import postgres, programs


def main() -> int:
    """Start, stop or find the installation's PostgreSQL; exit 0 done or running, 1 a fault, 3 not running."""
    parser = argparse.ArgumentParser(prog="python -m weituo.foundation.engine", description=postgres.__doc__)
    parser.add_argument("act", choices=["start", "stop", "status"])
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("WEITUO_HOME", "var")))
    options = parser.parse_args()
    try:
        if options.act == "stop":
            print("stopped" if postgres.stop(options.home) else "not running")
            return 0
        server = (
            postgres.ensure_running(options.home) if options.act == "start" else postgres.find(options.home)
        )
    except programs.EngineFault as fault:
        print(fault, file=sys.stderr)
        return 1
    if server is None:
        print("not running")
        return 3
    print(f"running on {server.host}:{server.port}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
