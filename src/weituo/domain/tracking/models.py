from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from weituo.foundation.ids import UuidV7, new_id
from weituo.foundation.reach import in_reach


class Promise(models.Model):
    """A promise to pay, as the agency reported it; kept or broken is decided by booked money."""

    class State(models.TextChoices):
        OPEN = "OPEN", _("open")
        KEPT = "KEPT", _("kept")
        BROKEN = "BROKEN", _("broken")

    id = models.UUIDField(primary_key=True, default=new_id, db_default=UuidV7())
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    placement = models.ForeignKey("placement.Placement", on_delete=models.RESTRICT)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    made_at = models.DateTimeField()
    due_on = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, db_default=State.OPEN)
    decided_at = models.DateTimeField(null=True)
    sender_ref = models.TextField()

    class Meta:
        db_table = "tracking_promise"
        constraints = [
            in_reach("tracking_promise", times=("made_at", "decided_at"), days=("due_on",)),
            models.UniqueConstraint(fields=["agency", "sender_ref"], name="tracking_promise_once"),
            models.CheckConstraint(name="tracking_promise_positive", condition=Q(amount_minor__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.placement_id} {self.amount_minor}"


class Review(models.Model):
    """A regular look at an agency's progress: figures frozen as they were, findings, actions."""

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT)
    period_from = models.DateField()
    period_to = models.DateField()
    figures = models.JSONField()
    findings = models.TextField(db_default="")
    actions = models.TextField(db_default="")
    held_by = models.TextField()
    held_at = models.DateTimeField()

    class Meta:
        db_table = "tracking_review"
        constraints = [in_reach("tracking_review", times=("held_at",), days=("period_from", "period_to"))]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.period_from}"


class Alert(models.Model):
    """Something that a person should look at, raised by a rule from figures."""

    id = models.UUIDField(primary_key=True, default=new_id)
    agency = models.ForeignKey("partners.Agency", on_delete=models.RESTRICT, null=True)
    code = models.CharField(max_length=32)
    detail = models.JSONField(default=dict)
    raised_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.TextField(db_default="")
    action = models.TextField(db_default="")

    class Meta:
        db_table = "tracking_alert"
        constraints = [
            in_reach("tracking_alert", times=("raised_at", "closed_at")),
            models.UniqueConstraint(
                fields=["agency", "code"],
                condition=Q(closed_at__isnull=True),
                nulls_distinct=False,
                name="tracking_alert_open_once",
            ),
        ]

    def __str__(self) -> str:
        return self.code
