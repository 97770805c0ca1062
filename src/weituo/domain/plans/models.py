from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import new_id
from weituo.foundation.reach import in_reach


class Plan(models.Model):
    """One version of the collection plan made jointly with an agency."""

    class State(models.TextChoices):
        DRAFT = "DRAFT", _("draft")
        OFFERED = "OFFERED", _("signed by the lender")
        SIGNED = "SIGNED", _("signed by both sides")
        SUPERSEDED = "SUPERSEDED", _("superseded")

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    version = models.IntegerField()
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.DRAFT)
    active_from = models.DateField()
    active_to = models.DateField(null=True)
    note = models.TextField(db_default="")
    #: SHA-256 of targets and milestones; both signatures are over it
    digest = models.CharField(max_length=64, db_default="")
    lender_signed_by = models.TextField(db_default="")
    lender_signed_at = models.DateTimeField(null=True)
    agency_signed_by = models.TextField(db_default="")
    agency_signed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "plans_plan"
        constraints = [
            in_reach(
                "plans_plan",
                times=("lender_signed_at", "agency_signed_at"),
                days=("active_from", "active_to"),
            ),
            models.UniqueConstraint(fields=["agency", "version"], name="plans_plan_version"),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} v{self.version}"


class Target(models.Model):
    """Cumulative liquidation to reach by months since placement, per bucket."""

    id = models.UUIDField(primary_key=True, default=new_id)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE)
    agency_id = models.UUIDField()
    bucket = models.CharField(max_length=8)
    months_since_placement = models.SmallIntegerField()
    liquidation_bps = models.IntegerField()

    class Meta:
        db_table = "plans_target"
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "bucket", "months_since_placement"], name="plans_target_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.bucket} {self.months_since_placement} {self.liquidation_bps}"


class Milestone(models.Model):
    """Something dated that one side owes the other."""

    id = models.UUIDField(primary_key=True, default=new_id)
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE)
    agency_id = models.UUIDField()
    title_zh = models.TextField()
    title_en = models.TextField()
    owner = models.CharField(max_length=8)  # LENDER or AGENCY
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True)
    done_by = models.TextField(db_default="")

    class Meta:
        db_table = "plans_milestone"
        constraints = [in_reach("plans_milestone", times=("done_at",), days=("due_on",))]

    def __str__(self) -> str:
        return self.title_en


class Strategy(models.Model):
    """One version of the table that picks a treatment for every account."""

    class State(models.TextChoices):
        DRAFT = "DRAFT", _("draft")
        PUBLISHED = "PUBLISHED", _("in force")
        RETIRED = "RETIRED", _("retired")

    id = models.UUIDField(primary_key=True, default=new_id)
    version = models.IntegerField(unique=True)
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.DRAFT)
    note = models.TextField(db_default="")
    made_by = models.TextField()
    made_at = models.DateTimeField()
    published_by = models.TextField(db_default="")
    published_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "plans_strategy"
        constraints = [in_reach("plans_strategy", times=("made_at", "published_at"))]

    def __str__(self) -> str:
        return f"v{self.version}"


class StrategyRow(models.Model):
    """One row of a strategy: first match from the top decides. Empty lists and NULLs match everything."""

    class Treatment(models.TextChoices):
        SELF_SERVICE = "SELF_SERVICE", _("self-service")
        IN_HOUSE = "IN_HOUSE", _("in-house")
        AGENCY = "AGENCY", _("agency")
        LEGAL = "LEGAL", _("legal")
        HOLD = "HOLD", _("hold")

    id = models.UUIDField(primary_key=True, default=new_id)
    strategy = models.ForeignKey(Strategy, on_delete=models.CASCADE)
    position = models.SmallIntegerField()
    buckets = ArrayField(models.TextField(), default=list)
    products = ArrayField(models.TextField(), default=list)
    balance_minor_min = models.BigIntegerField(null=True)
    #: half-open: below this
    balance_minor_max = models.BigIntegerField(null=True)
    hardship = models.BooleanField(null=True)
    treatment = models.CharField(max_length=12, choices=Treatment.choices)
    #: worst agency tier admitted (treatment AGENCY)
    tier_max = models.SmallIntegerField(null=True)
    channels = ArrayField(models.TextField(), default=list)
    tone = models.CharField(max_length=12)
    contacts_per_week_max = models.SmallIntegerField()
    #: largest discount a collector may offer, basis points of the balance
    settlement_bps_max = models.IntegerField(db_default=0)
    #: who may get an account that comes back from an agency (treatment AGENCY): `treating.AGAIN`
    again = models.CharField(max_length=12, db_default="OTHER")
    #: accounts of one borrower may go to different agencies
    split = models.BooleanField(db_default=False)

    class Meta:
        db_table = "plans_strategy_row"
        ordering = ["strategy_id", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["strategy", "position"],
                name="plans_strategy_row_position",
                deferrable=models.Deferrable.DEFERRED,
            )
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.treatment}"


class Treatment(models.Model):
    """What the strategy in force decided for one account, and by which row."""

    account = models.OneToOneField("book.Account", on_delete=models.RESTRICT, primary_key=True)
    strategy = models.ForeignKey(Strategy, on_delete=models.RESTRICT)
    row = models.ForeignKey(StrategyRow, on_delete=models.RESTRICT, related_name="+")
    treatment = models.CharField(max_length=12)
    tier_max = models.SmallIntegerField(null=True)
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "plans_treatment"
        constraints = [in_reach("plans_treatment", times=("decided_at",))]

    def __str__(self) -> str:
        return f"{self.account_id} {self.treatment}"
