"""Fair comparison of agencies: what each would have brought on the same accounts, with its uncertainty, or no verdict at all."""

from __future__ import annotations

from weituo.core.comparison.estimate import ComparisonError, Estimates, estimate
from weituo.core.comparison.verdicts import Arm, Comparison, Rules, Verdict, compare

__all__ = ["Arm", "Comparison", "ComparisonError", "Estimates", "Rules", "Verdict", "compare", "estimate"]
