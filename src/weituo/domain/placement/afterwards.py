"""What follows an approval: refills, recall notices and objections, extensions of a term, and the lender's terms for them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import new_id
from weituo.foundation.reach import in_reach


class Refill(models.Model):
    """A declined or unanswered account placed again within its run: from whom, to whom, why, and what it changes."""

    class Outcome(models.TextChoices):
        OFFERED = "OFFERED", _("placed again")
        NO_AGENCY = "NO_AGENCY", _("no other agency may take it")
        NO_PLACE = "NO_PLACE", _("no other agency has a place worth it")
        STOPPED = "STOPPED", _("not to be placed any more")

    id = models.UUIDField(primary_key=True, default=new_id)
    run = models.ForeignKey("placement.Run", on_delete=models.RESTRICT)
    #: 1, 2, 3 … of the run
    number = models.IntegerField()
    account = models.ForeignKey("book.Account", on_delete=models.RESTRICT)
    from_placement = models.OneToOneField(
        "placement.Placement", on_delete=models.RESTRICT, related_name="refilled_by"
    )
    #: NULL: the account stays in-house
    to_placement = models.OneToOneField(
        "placement.Placement", on_delete=models.RESTRICT, null=True, related_name="refills"
    )
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    net_before_minor = models.BigIntegerField()
    net_after_minor = models.BigIntegerField()
    refilled_at = models.DateTimeField()
    refilled_by = models.TextField()

    class Meta:
        db_table = "placement_refill"
        constraints = [
            in_reach("placement_refill", times=("refilled_at",)),
            models.CheckConstraint(
                name="placement_refill_outcome",
                condition=Q(outcome="OFFERED") ^ Q(to_placement__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.number}"


class Notice(models.Model):
    """A recall told before it is final."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("open")
        FINAL = "FINAL", _("final")
        WITHDRAWN = "WITHDRAWN", _("withdrawn")
        OVERTAKEN = "OVERTAKEN", _("overtaken: the placement ended otherwise")

    id = models.UUIDField(primary_key=True, default=new_id)
    placement = models.ForeignKey("placement.Placement", on_delete=models.RESTRICT)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    reason = models.CharField(max_length=24)
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.OPEN)
    noticed_at = models.DateTimeField()
    noticed_by = models.TextField()
    #: as it was told first
    told_final_on = models.DateField()
    #: as it stands after objections were upheld
    final_on = models.DateField()
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.TextField(db_default="")

    class Meta:
        db_table = "placement_notice"
        constraints = [
            in_reach(
                "placement_notice", times=("noticed_at", "ended_at"), days=("told_final_on", "final_on")
            ),
            models.UniqueConstraint(
                fields=["placement"], condition=Q(state="OPEN"), name="placement_one_open_notice"
            ),
            models.CheckConstraint(
                name="placement_notice_ended", condition=Q(state="OPEN") ^ Q(ended_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.placement_id} {self.final_on}"


class Objection(models.Model):
    """What an agency says against a recall, and what was decided, by a person or by the lender's rule."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("open")
        UPHELD = "UPHELD", _("upheld")
        REJECTED = "REJECTED", _("rejected")
        OVERTAKEN = "OVERTAKEN", _("overtaken")

    id = models.UUIDField(primary_key=True, default=new_id)
    notice = models.ForeignKey(Notice, on_delete=models.RESTRICT)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    code = models.CharField(max_length=24)
    text = models.TextField(db_default="")
    #: the day of the promise, payment or step
    evidence_on = models.DateField(null=True)
    evidence_minor = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()
    made_by = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, db_default=State.OPEN)
    #: PERSON or RULE
    decided_how = models.CharField(max_length=8, db_default="")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.TextField(db_default="")
    decision_reason = models.TextField(db_default="")
    #: upheld: the placement stays until this day
    stays_until = models.DateField(null=True)

    class Meta:
        db_table = "placement_objection"
        constraints = [
            in_reach(
                "placement_objection", times=("made_at", "decided_at"), days=("evidence_on", "stays_until")
            ),
            models.UniqueConstraint(
                fields=["notice"], condition=Q(state="OPEN"), name="placement_one_open_objection"
            ),
            models.CheckConstraint(
                name="placement_objection_decided", condition=Q(state="OPEN") ^ Q(decided_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.notice_id}"


class Retention(models.Model):
    """One extension of a placement's term."""

    id = models.UUIDField(primary_key=True, default=new_id)
    placement = models.ForeignKey("placement.Placement", on_delete=models.RESTRICT)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    number = models.SmallIntegerField()
    term_from = models.DateField()
    term_to = models.DateField()
    reason = models.TextField()
    retained_at = models.DateTimeField()
    retained_by = models.TextField()

    class Meta:
        db_table = "placement_retention"
        constraints = [
            in_reach("placement_retention", times=("retained_at",), days=("term_from", "term_to")),
            models.UniqueConstraint(fields=["placement", "number"], name="placement_retention_number"),
        ]

    def __str__(self) -> str:
        return f"{self.placement_id} {self.number}"


class Terms(models.Model):
    """The lender's rules for answers, recalls and retention; the newest version is in force."""

    version = models.IntegerField(primary_key=True)
    answer_days = models.SmallIntegerField()
    notice_days = models.SmallIntegerField()
    retention_times_max = models.SmallIntegerField()
    retention_months_max = models.SmallIntegerField()
    #: {code of an objection: days by which it is upheld by itself, at most}
    upheld_days = models.JSONField(default=dict)
    set_at = models.DateTimeField()
    set_by = models.TextField()
    reason = models.TextField()

    class Meta:
        db_table = "placement_terms"
        constraints = [in_reach("placement_terms", times=("set_at",))]

    def __str__(self) -> str:
        return str(self.version)
