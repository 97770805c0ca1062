from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import new_id
from weituo.foundation.reach import in_reach


class Evaluation(models.Model):
    """One comparison of all agencies for a period: figures, intervals, verdicts, and the digest of what it saw."""

    id = models.UUIDField(primary_key=True, default=new_id)
    period_from = models.DateField()
    period_to = models.DateField()
    inputs_digest = models.CharField(max_length=64)
    parameters = models.JSONField()
    made_by = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "evaluation_evaluation"
        constraints = [
            in_reach("evaluation_evaluation", times=("made_at",), days=("period_from", "period_to"))
        ]

    def __str__(self) -> str:
        return f"{self.period_from}–{self.period_to}"


class Scorecard(models.Model):
    """One agency in one evaluation: money, cost, harm, sample sizes, verdict."""

    class Verdict(models.TextChoices):
        BETTER = "BETTER", _("better than its peers")
        WORSE = "WORSE", _("worse than its peers")
        CANNOT_BE_TOLD_APART = "CANNOT_BE_TOLD_APART", _("cannot be told apart")
        TOO_EARLY = "TOO_EARLY", _("too early to say")

    id = models.UUIDField(primary_key=True, default=new_id)
    evaluation = models.ForeignKey(Evaluation, on_delete=models.RESTRICT)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    #: figures with n and interval: {"recovered_minor": …, "liquidation": {"value", "low", "high", "n"}, …}
    figures = models.JSONField()
    verdict = models.CharField(max_length=24, choices=Verdict.choices)
    rank_low = models.SmallIntegerField()
    rank_high = models.SmallIntegerField()

    class Meta:
        db_table = "evaluation_scorecard"
        constraints = [
            models.UniqueConstraint(fields=["evaluation", "agency"], name="evaluation_scorecard_once")
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.verdict}"


class Decision(models.Model):
    """What a person decided on an evaluation: tier, capacity, improvement plan, renewal or exit."""

    id = models.UUIDField(primary_key=True, default=new_id)
    scorecard = models.ForeignKey(Scorecard, on_delete=models.RESTRICT)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    decision = models.CharField(max_length=16)
    #: what it changed: tier or capacity before and after
    detail = models.JSONField(default=dict)
    reason = models.TextField()
    decided_by = models.TextField()
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "evaluation_decision"
        constraints = [in_reach("evaluation_decision", times=("decided_at",))]

    def __str__(self) -> str:
        return f"{self.decision} {self.agency_id}"
