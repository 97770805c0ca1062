"""The metrics dictionary: one definition for each figure, so that page, file, command and contract mean the same.

Codes are stable; faces translate them. Every ratio is None where its denominator is zero: no figure is better than an
invented one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure: numerator / denominator * scale. numerator and denominator name the counted or summed quantities."""

    code: str
    name_zh: str
    name_en: str
    numerator: str
    denominator: str
    unit: str
    scale: int = 1
    better: str = "high"

    @property
    def formula(self) -> str:
        """The formula in words of the quantities."""
        scaled = f" * {self.scale}" if self.scale != 1 else ""
        return f"{self.numerator} / {self.denominator}{scaled}"

    def value(self, *, numerator: float, denominator: float) -> float | None:
        """Compute the figure, or None where the denominator is zero."""
        return numerator / denominator * self.scale if denominator else None


METRICS: Final[dict[str, Metric]] = {
    metric.code: metric
    for metric in (
        Metric(code="liquidation_rate", name_zh="回收率", name_en="Liquidation rate",
               numerator="recovered_minor", denominator="placed_minor", unit="share"),
        Metric(code="net_liquidation_rate", name_zh="净回收率", name_en="Net liquidation rate",
               numerator="recovered_minor - commission_minor", denominator="placed_minor", unit="share"),
        Metric(code="cost_to_collect", name_zh="单位回款成本", name_en="Cost to collect",
               numerator="cost_minor", denominator="recovered_minor", unit="yuan per yuan", better="low"),
        Metric(code="effective_fee_rate", name_zh="实际费率", name_en="Effective fee rate",
               numerator="commission_minor", denominator="recovered_minor", unit="share", better="low"),
        Metric(code="payer_rate", name_zh="还款户数率", name_en="Payer rate",
               numerator="accounts_paid", denominator="accounts_placed", unit="share"),
        Metric(code="contact_rate", name_zh="触达率", name_en="Penetration",
               numerator="accounts_attempted", denominator="accounts_placed", unit="share"),
        Metric(code="right_party_rate", name_zh="本人接通率", name_en="Right-party contact rate",
               numerator="right_party_contacts", denominator="attempts", unit="share"),
        Metric(code="promise_rate", name_zh="承诺率", name_en="Promise rate",
               numerator="promises", denominator="right_party_contacts", unit="share"),
        Metric(code="promise_kept_rate", name_zh="承诺兑现率", name_en="Promise-kept rate",
               numerator="promises_kept", denominator="promises_due", unit="share"),
        Metric(code="attempts_per_account", name_zh="户均催收次数", name_en="Attempts per account",
               numerator="attempts", denominator="accounts_placed", unit="attempts", better="low"),
        Metric(code="complaints_per_1000", name_zh="千户投诉率", name_en="Complaints per 1,000 accounts",
               numerator="complaints", denominator="accounts_placed", unit="per 1,000 accounts", scale=1_000,
               better="low"),
        Metric(code="refusals_per_1000", name_zh="千次拒绝率", name_en="Conduct refusals per 1,000 requests",
               numerator="permits_refused", denominator="permits_asked", unit="per 1,000 requests", scale=1_000,
               better="low"),
        Metric(code="recall_rate", name_zh="退案率", name_en="Recall rate",
               numerator="accounts_recalled", denominator="accounts_placed", unit="share", better="low"),
        Metric(code="cure_rate", name_zh="结清率", name_en="Cure rate",
               numerator="accounts_cured", denominator="accounts_placed", unit="share"),
    )
}  # fmt: skip
