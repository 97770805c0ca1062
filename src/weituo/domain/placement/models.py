from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import new_id
from weituo.foundation.reach import in_reach


class RecoveryModelVersion(models.Model):
    """A trained model of expected recovery with its card: data, metrics, calibration."""

    class State(models.TextChoices):
        CANDIDATE = "CANDIDATE", _("candidate")
        PROMOTED = "PROMOTED", _("in use")
        RETIRED = "RETIRED", _("retired")

    id = models.UUIDField(primary_key=True, default=new_id)
    version = models.IntegerField(unique=True)
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.CANDIDATE)
    trained_at = models.DateTimeField()
    trained_by = models.TextField()
    #: artefact under WEITUO_HOME/models and its SHA-256; loaded only when the digest fits
    artefact = models.TextField()
    artefact_digest = models.CharField(max_length=64)
    inputs_digest = models.CharField(max_length=64)
    seed = models.IntegerField()
    metrics = models.JSONField()
    calibration = models.JSONField()
    #: basis points by bucket that in-house work recovers without an agency
    parameters = models.JSONField(default=dict)

    class Meta:
        db_table = "placement_model"
        constraints = [in_reach("placement_model", times=("trained_at",))]

    def __str__(self) -> str:
        return f"v{self.version}"


class Run(models.Model):
    """One placement run: inputs, solution, proof, comparison, and two persons' leave."""

    class State(models.TextChoices):
        SOLVED = "SOLVED", _("solved")
        PROPOSED = "PROPOSED", _("proposed")
        APPROVED = "APPROVED", _("approved")
        REJECTED = "REJECTED", _("rejected")

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.IntegerField(unique=True)
    state = models.CharField(max_length=10, choices=State.choices)
    as_of = models.DateField()
    seed = models.IntegerField()
    strategy_id = models.UUIDField()
    model = models.ForeignKey(RecoveryModelVersion, on_delete=models.RESTRICT)
    #: limits, exploration share, prices: everything needed to solve again
    parameters = models.JSONField()
    inputs_digest = models.CharField(max_length=64)
    result_digest = models.CharField(max_length=64)
    accounts = models.IntegerField()
    balance_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    expected_net_minor = models.BigIntegerField()
    bound_minor = models.BigIntegerField()
    #: {"greedy": {...}, "round_robin": {...}}: money and violations of today's rules
    rivals = models.JSONField(default=dict)
    #: {reason: count} of accounts left out before solving
    exclusions = models.JSONField(default=dict)
    #: per agency: placed, balance, expected, limits, shadow prices
    by_agency = models.JSONField(default=list)
    #: {"planned_minor", "planned_bound_minor", "in_house_minor", "explored", …}: how near the plan is to the best
    proof = models.JSONField(default=dict, db_default={})
    solved_by = models.TextField()
    solved_at = models.DateTimeField()
    proposed_by = models.TextField(db_default="")
    proposed_at = models.DateTimeField(null=True)
    decided_by = models.TextField(db_default="")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(db_default="")

    class Meta:
        db_table = "placement_run"
        constraints = [
            in_reach("placement_run", times=("solved_at", "proposed_at", "decided_at"), days=("as_of",)),
            models.CheckConstraint(
                name="placement_two_persons",
                condition=~Q(state="APPROVED") | (~Q(decided_by="") & ~Q(decided_by=F("proposed_by"))),
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)


class RunInputs(models.Model):
    """What a run stood on, compressed: accounts, agencies, prices (`valuing.Inputs`); read again for a replay."""

    run = models.OneToOneField(Run, on_delete=models.RESTRICT, primary_key=True)
    body = models.BinaryField()
    #: what was known of each account (`core.recovery.features`), as Parquet: the cohort of a later model; NULL: not kept
    known = models.BinaryField(null=True)

    class Meta:
        db_table = "placement_run_inputs"

    def __str__(self) -> str:
        return str(self.run_id)


class RunItem(models.Model):
    """One account in a run: where it goes, what is expected, and the probability with which it could have gone there."""

    pk = models.CompositePrimaryKey("run_id", "account_id")
    run = models.ForeignKey(Run, on_delete=models.RESTRICT, db_index=False)
    account = models.ForeignKey("book.Account", on_delete=models.RESTRICT)
    #: NULL: kept in-house
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT, null=True)
    expected_recovery_minor = models.BigIntegerField()
    expected_net_minor = models.BigIntegerField()
    probability = models.FloatField()
    explored = models.BooleanField()
    #: what becomes of an account that was drawn to be held out: IN_HOUSE, LEFT_ALONE; "": it was not
    held_out = models.CharField(max_length=10, db_default="")

    class Meta:
        db_table = "placement_run_item"
        constraints = [
            models.CheckConstraint(
                name="placement_probability", condition=Q(probability__gt=0, probability__lte=1)
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.account_id}"


class RunExclusion(models.Model):
    """One account that a run left out: the reason that counts, and all of them (`scrubbing.ORDER`)."""

    pk = models.CompositePrimaryKey("run_id", "account_id")
    run = models.ForeignKey(Run, on_delete=models.RESTRICT, db_index=False)
    account = models.ForeignKey("book.Account", on_delete=models.RESTRICT, db_index=False)
    reason = models.CharField(max_length=16)
    #: in their order, apart by blanks
    reasons = models.TextField()

    class Meta:
        db_table = "placement_run_exclusion"
        indexes = [models.Index(fields=["run", "reason", "account"], name="placement_exclusion_reason")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.account_id} {self.reason}"


class Placement(models.Model):
    """One account entrusted to one agency for a term."""

    class State(models.TextChoices):
        ACTIVE = "ACTIVE", _("active")
        RECALLED = "RECALLED", _("recalled")
        EXPIRED = "EXPIRED", _("expired")
        CLOSED = "CLOSED", _("closed")

    id = models.UUIDField(primary_key=True, default=new_id)
    account = models.ForeignKey("book.Account", on_delete=models.RESTRICT)
    borrower = models.ForeignKey("book.Borrower", on_delete=models.RESTRICT)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    run = models.ForeignKey(Run, on_delete=models.RESTRICT)
    #: what the agency calls it; means nothing to anybody else
    case_ref = models.CharField(max_length=20, unique=True)
    #: 1 primary, 2 secondary, 3 tertiary …
    sequence = models.SmallIntegerField(db_default=1)
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.ACTIVE)
    placed_at = models.DateTimeField()
    term_to = models.DateField()
    ended_at = models.DateTimeField(null=True)
    recall_reason = models.CharField(max_length=24, db_default="")
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField()
    bucket = models.CharField(max_length=8)
    region = models.CharField(max_length=12, db_default="")
    #: the rate in force at placement stays
    fee_bps = models.IntegerField()
    expected_recovery_minor = models.BigIntegerField()
    probability = models.FloatField()

    class Meta:
        db_table = "placement_placement"
        constraints = [
            in_reach("placement_placement", times=("placed_at", "ended_at"), days=("term_to",)),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state="ACTIVE"), name="placement_one_active_per_account"
            ),
            models.CheckConstraint(
                name="placement_ended_when_not_active",
                condition=Q(state="ACTIVE", ended_at__isnull=True)
                | (~Q(state="ACTIVE") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["agency", "state", "id"], name="placement_agency_state")]

    def __str__(self) -> str:
        return self.case_ref
