"""What a bench hands back: ours against a rival or a limit, and the goal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One measured claim.

    ours, other: rates or sizes in `unit`; `other` is the rival's figure or a limit that nobody can beat. `value` is what
    the goal is about (usually ours / other); `better` says whether it must be at least or at most the goal.
    """

    name: str
    unit: str
    ours: float
    against: str
    other: float
    value: float
    goal: float
    better: Literal["high", "low"] = "high"
    note: str = ""

    @property
    def reached(self) -> bool:
        """Tell whether the goal was reached."""
        return self.value >= self.goal if self.better == "high" else self.value <= self.goal

    def as_dict(self) -> dict[str, Any]:
        """The claim as plain data."""
        return asdict(self) | {"reached": self.reached}


def table(claims: list[Claim]) -> str:
    """Lay claims out for people."""
    lines = [f"{'claim':<34}{'ours':>14} {'other':>14}  {'unit':<9}{'value':>9}{'goal':>9}  verdict"]
    for claim in claims:
        verdict = "reached" if claim.reached else "MISSED"
        sign = "≥" if claim.better == "high" else "≤"
        lines.append(
            f"{claim.name:<34}{claim.ours:>14,.1f} {claim.other:>14,.1f}  {claim.unit:<9}{claim.value:>9.3g}{sign + f'{claim.goal:g}':>9}  {verdict}"
        )
        lines.append(f"    against {claim.against}{'; ' + claim.note if claim.note else ''}")
    return "\n".join(lines)
