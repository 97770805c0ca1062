from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from weituo.domain.placement.afterwards import Notice, Objection, Refill, Retention, Terms
from weituo.foundation.ids import new_id
from weituo.foundation.reach import in_reach

__all__ = [
    "Notice",
    "Objection",
    "Placement",
    "RecoveryModelVersion",
    "Refill",
    "Retention",
    "Run",
    "RunInputs",
    "RunItem",
    "Terms",
]

#: states in which an account is spoken for
LIVE = ("OFFERED", "ACTIVE")
#: states of a placement that was never entrusted
NEVER_ENTRUSTED = ("OFFERED", "DECLINED", "LAPSED", "WITHDRAWN")


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
    #: what approval fixed for placements and refills: {"term_months", "answer_days"}; empty until approved
    terms = models.JSONField(default=dict, db_default={})
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
    #: drawn where every open agency had its stated chance: what a comparison of agencies may weight
    measured = models.BooleanField(db_default=False)
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
        OFFERED = "OFFERED", _("offered")
        ACTIVE = "ACTIVE", _("active")
        DECLINED = "DECLINED", _("declined")
        LAPSED = "LAPSED", _("not answered in time")
        WITHDRAWN = "WITHDRAWN", _("offer withdrawn")
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
    #: since when it is entrusted; NULL: it never was (offered, declined, not answered, withdrawn)
    placed_at = models.DateTimeField(null=True)
    #: NULL where the service agreement accepts in advance
    offered_at = models.DateTimeField(null=True)
    #: the instant before which the agency answers
    answer_by = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.TextField(db_default="")
    #: why it was declined or withdrawn, as a code
    answer_reason = models.CharField(max_length=24, db_default="")
    answer_note = models.TextField(db_default="")
    #: the mark of a recall notice: the day on which it becomes final
    recall_final_on = models.DateField(null=True)
    #: how often the term was extended
    retained = models.SmallIntegerField(db_default=0)
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
    #: see `RunItem.measured`
    measured = models.BooleanField(db_default=False)

    class Meta:
        db_table = "placement_placement"
        constraints = [
            in_reach(
                "placement_placement",
                times=("placed_at", "offered_at", "answer_by", "answered_at", "ended_at"),
                days=("term_to", "recall_final_on"),
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(state__in=LIVE), name="placement_one_live_per_account"
            ),
            models.CheckConstraint(
                name="placement_ended_when_not_live", condition=Q(state__in=LIVE) ^ Q(ended_at__isnull=False)
            ),
            models.CheckConstraint(
                name="placement_entrusted_once_accepted",
                condition=Q(state__in=NEVER_ENTRUSTED) ^ Q(placed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="placement_offer_has_deadline",
                condition=~Q(state="OFFERED") | Q(offered_at__isnull=False, answer_by__isnull=False),
            ),
            models.CheckConstraint(
                name="placement_notice_while_active",
                condition=Q(recall_final_on__isnull=True) | Q(state="ACTIVE"),
            ),
        ]
        indexes = [models.Index(fields=["agency", "state", "id"], name="placement_agency_state")]

    def __str__(self) -> str:
        return self.case_ref
